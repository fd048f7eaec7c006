"""The fade: the old signal exactly at α = 0, the new one exactly at 1, and no gradient for α."""

import keras
import numpy as np
import pytest

from keras_faces.layers.fade import Fade

to_numpy = keras.ops.convert_to_numpy


def pair():
    return list(np.random.default_rng(0).normal(size=(2, 3, 4, 4, 5)).astype("float32"))


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_it_lies_between_old_and_new(alpha):
    old, new = pair()
    layer = Fade()
    layer.build([old.shape, new.shape])
    layer.alpha.assign(alpha)
    faded = to_numpy(layer([old, new]))
    np.testing.assert_allclose(faded, (1 - alpha) * old + alpha * new, rtol=1e-5, atol=1e-6)
    if alpha in (0.0, 1.0):
        np.testing.assert_array_equal(faded, new if alpha else old)


def test_alpha_starts_at_0_is_saved_and_not_trained(tmp_path):
    inputs = [keras.Input((4, 4, 5)), keras.Input((4, 4, 5))]
    model = keras.Model(inputs, Fade(name="fade")(inputs))
    alpha = model.get_layer("fade").alpha
    assert float(to_numpy(alpha.value)) == 0.0 and model.trainable_variables == []
    alpha.assign(0.3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras").get_layer("fade")
    assert float(to_numpy(again.alpha.value)) == np.float32(0.3)


def test_under_bfloat16_a_slow_fade_does_not_stand_still():
    """Next to 0.25, bfloat16 has steps of 1/512; α has finer ones."""
    layer = Fade(dtype="mixed_bfloat16")
    layer.build([(1, 2, 2, 1)] * 2)
    layer.alpha.assign(0.25 + 1 / 1024)
    faded = layer([np.full((1, 2, 2, 1), -1.0, "float32"), np.full((1, 2, 2, 1), 3.0, "float32")])
    assert keras.backend.standardize_dtype(faded.dtype) == "bfloat16"
    np.testing.assert_array_equal(to_numpy(keras.ops.cast(faded, "float32")), 4 / 1024)
