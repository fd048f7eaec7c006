"""Pixel norm: every place's vector has the same length afterwards (Karras et al. 2018, section 4.2)."""

import keras
import numpy as np
import pytest

from keras_faces.layers.pixel_norm import PixelNorm

to_numpy = keras.ops.convert_to_numpy


def maps(scale=1.0):
    return (scale * np.random.default_rng(0).normal(size=(3, 4, 5, 16))).astype("float32")


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
def test_the_mean_square_is_1_at_every_place(scale):
    outputs = to_numpy(PixelNorm()(maps(scale)))
    np.testing.assert_allclose((outputs**2).mean(axis=-1), 1.0, rtol=2e-3)


def test_the_direction_stays_and_noise_is_normalised_too():
    noise = maps()[:, 0, 0]
    outputs = to_numpy(PixelNorm()(noise))
    np.testing.assert_allclose(outputs, noise / np.sqrt((noise**2).mean(axis=-1, keepdims=True) + 1e-8), rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(outputs, axis=-1), 4.0, rtol=1e-5)  # √16


def test_zeros_stay_zeros_and_no_place_sees_another():
    inputs = maps()
    inputs[1, 2, 3] = 0.0
    outputs = to_numpy(PixelNorm()(inputs))
    assert not outputs[1, 2, 3].any()
    np.testing.assert_allclose(to_numpy(PixelNorm()(inputs[:1])), outputs[:1], rtol=1e-5)


def test_configuration_weights_and_bfloat16():
    layer = PixelNorm(epsilon=1e-6, dtype="mixed_bfloat16", name="mine")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config() and again.epsilon == 1e-6
    outputs = again(maps())
    assert again.count_params() == 0 and keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    np.testing.assert_allclose(to_numpy(keras.ops.cast(outputs, "float32")), to_numpy(PixelNorm()(maps())), rtol=0.02)
