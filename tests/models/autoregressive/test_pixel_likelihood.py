"""What a network says about a level: probabilities that add up, the mixture by its definition, and shares."""

import keras
import numpy as np
import pytest

from keras_faces.models.autoregressive import pixel_likelihood

to_numpy = keras.ops.convert_to_numpy
EVERY = np.arange(256)[:, None] * np.ones((1, 3), int)  # every level, for three colours
OUTPUTS = [pixel_likelihood.Softmax(), pixel_likelihood.LogisticMixture(2)]


def said(output, seed=0):
    return np.random.default_rng(seed).normal(size=(output.params_per_channel, 3)).astype("float32")


def probabilities(output, what):
    logs = to_numpy(output.log_probability(np.broadcast_to(what, (256, *what.shape)), EVERY))
    return np.exp(logs.astype("float64"))


def test_a_uniform_model_has_8_bits():
    output = pixel_likelihood.Softmax()
    logs = output.log_probability(np.zeros((5, 4, 4, 256, 3), "float32"), np.full((5, 4, 4, 3), 77))
    assert float(pixel_likelihood.bits(logs)) == pytest.approx(8.0, abs=1e-5)


@pytest.mark.parametrize("output", OUTPUTS, ids=["softmax", "mixture"])
def test_probabilities_add_up_to_1(output):
    np.testing.assert_allclose(probabilities(output, said(output)).sum(0), 1.0, atol=1e-4)


def test_the_mixture_is_what_the_paper_says():
    """Salimans et al. 2017, eq. 2, in float64 and with no care for accuracy."""
    output, what = OUTPUTS[1], said(OUTPUTS[1])
    weight, mean, width = (to_numpy(part).astype("float64") for part in output.parts(what))
    share = np.exp(weight) / np.exp(weight).sum(0)

    def below(edge):
        return (share / (1 + np.exp(-(edge - mean) / width))).sum(0)

    edges = np.arange(255) + 0.5
    cumulative = np.stack([np.zeros(3), *(below(edge) for edge in edges), np.ones(3)])
    np.testing.assert_allclose(probabilities(output, what), np.diff(cumulative, axis=0), atol=1e-6)


@pytest.mark.parametrize("width", [-20.0, 20.0])
def test_the_mixture_is_finite_where_differences_of_sigmoids_are_not(width):
    output = pixel_likelihood.LogisticMixture(1)
    what = np.array([[0.0] * 3, [0.9] * 3, [width] * 3], "float32")  # the mean far up, the width tiny or vast
    logs = to_numpy(output.log_probability(np.broadcast_to(what, (256, 3, 3)), EVERY))
    assert np.isfinite(logs).all() and (logs <= 1e-6).all()


@pytest.mark.parametrize("output", OUTPUTS, ids=["softmax", "mixture"])
def test_shares_that_are_uniform_give_levels_as_often_as_they_are_probable(output):
    what = said(output, 1)
    shares = (np.arange(4000) + 0.5) / 4000
    found = to_numpy(output.level(what[None], np.repeat(shares[:, None], 3, axis=1)))
    assert (np.diff(found, axis=0) >= 0).all() and found.min() >= 0 and found.max() <= 255
    for colour in range(3):
        often = np.bincount(found[:, colour], minlength=256) / 4000
        np.testing.assert_allclose(often, probabilities(output, what)[:, colour], atol=4e-4)


def test_unknown_names_and_no_component():
    assert [pixel_likelihood.output(name, 3).params_per_channel for name in ("mixture", "softmax")] == [9, 256]
    with pytest.raises(ValueError, match="output='gauss'"):
        pixel_likelihood.output("gauss")
    with pytest.raises(ValueError, match="components=0"):
        pixel_likelihood.output("mixture", 0)
