"""linear and linear-tanh: the LFW paper's tables."""

import pytest

import keras_faces as kf
from keras_faces.models.gans import linear


def test_the_weights_of_the_lfw_papers_tables():
    units = linear.sizes(125, divisor=1)
    assert units["generator"][:4] == [49_152, 196_608, 49_152, 12_288]
    assert units["discriminator"] == [46_875, 65_536, 4_096, 256, 1]
    table = linear.sizes(128, divisor=1)["generator"]
    assert linear.weights(table[:2]) == pytest.approx(9.66e9, rel=1e-3)
    assert linear.weights(table) == pytest.approx(2.05e10, rel=5e-3)
    assert linear.weights(units["discriminator"]) == pytest.approx(3.3e9, rel=0.02)


@pytest.mark.parametrize("name", ["linear", "linear-tanh"])
def test_the_counted_weights_are_the_built_ones(name):
    model = kf.models.build(name, image_size=16)
    units = linear.sizes(16)
    assert model.generator.count_params() == linear.weights(units["generator"])
    assert model.discriminator.count_params() == linear.weights(units["discriminator"])


def test_linear_makes_0_to_1_and_linear_tanh_minus_1_to_1(narrow):
    assert narrow("linear").value_range == (0.0, 1.0) and narrow("linear-tanh").value_range == (-1.0, 1.0)
    first, second = (narrow(name).generator.layers[-2].activation.__name__ for name in ("linear", "linear-tanh"))
    assert (first, second) == ("sigmoid", "tanh")


def test_the_literal_tables_are_reported_and_not_built(monkeypatch):
    assert f"{49_152 * 196_608 + 196_608:,}" in linear.report(128, divisor=1)
    monkeypatch.setattr(linear, "memory", lambda: 16.0)
    with pytest.raises(ValueError, match="GB to train.*describe linear --option divisor=1"):
        kf.models.build("linear", divisor=1)
    with pytest.raises(ValueError, match="1, 2, 4, 8 or 16"):
        kf.models.build("linear", divisor=3)
