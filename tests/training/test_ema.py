"""The averaged generator: the recursion, what is sampled from it, and that training does not see it."""

import keras
import numpy as np
import pytest

from keras_faces.training.ema import WeightAverage


def test_the_average_follows_the_recursion(values):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    average = WeightAverage(network, decay=0.5)
    expected = values(network.trainable_variables)
    for updates, value in enumerate((1.0, 3.0, -2.0, 4.0)):
        for variable in network.trainable_variables:
            variable.assign(keras.ops.full(variable.shape, value))
        average.update(network)
        decay = min(0.5, (1 + updates) / (10 + updates))
        expected = [decay * old + (1 - decay) * value for old in expected]
    for (_, got), wanted in zip(average.pairs(network), expected, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(got), wanted, rtol=1e-6)


def test_training_does_not_see_the_average_and_sampling_does(narrow, photographs, values, eager):
    with_average, without = narrow("dcgan", average=0.9), narrow("dcgan")
    for model in (with_average, without):
        model.fit(photographs[:16], batch_size=8, epochs=2, verbose=0, shuffle=False)
    for first, second in zip(
        values(with_average.generator.variables), values(without.generator.variables), strict=True
    ):
        np.testing.assert_array_equal(first, second)
    assert (with_average.sample(4) != without.sample(4)).any()
    held = values([weight for weight, _ in with_average.average.pairs(with_average.generator)])
    for weight, average in with_average.average.pairs(with_average.generator):
        weight.assign(average)
    again = with_average.sample(4)
    for (weight, _), value in zip(with_average.average.pairs(with_average.generator), held, strict=True):
        weight.assign(value)
    np.testing.assert_array_equal(with_average.sample(4), again)


def test_it_is_saved_and_loaded(narrow, photographs, tmp_path, eager):
    model = narrow("dcgan", average=0.9)
    model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.sample(3), again.sample(3))
    assert float(again.average.updates.value) == 2.0
    assert len(model.average.variables) == 1 + len(model.generator.trainable_variables)  # G's own are not kept twice


@pytest.mark.parametrize("decay", [1.0, -0.1])
def test_impossible_decays_are_refused(narrow, decay):
    with pytest.raises(ValueError, match="average"):
        narrow("dcgan", average=decay)
