"""AdaIN's output has the style's moments, image by image and channel by channel (dissertation, eq. 2.14)."""

import keras
import numpy as np
import pytest

from keras_faces.layers.adain import AdaIN

to_numpy = keras.ops.convert_to_numpy


def inputs(seed=0):
    random = np.random.default_rng(seed)
    maps = (3.0 + 5.0 * random.normal(size=(4, 6, 5, 3))).astype("float32")
    return maps, random.normal(size=(4, 3)).astype("float32"), random.normal(size=(4, 3)).astype("float32")


def test_mean_and_standard_deviation_are_those_of_the_style():
    maps, scale, shift = inputs()
    styled = to_numpy(AdaIN()(maps, scale, shift))
    np.testing.assert_allclose(styled.mean(axis=(1, 2)), shift, atol=1e-5)
    np.testing.assert_allclose(styled.std(axis=(1, 2)), np.abs(scale), atol=1e-5)


def test_it_is_equation_2_14_written_out():
    maps, scale, shift = inputs(1)
    expected = np.empty_like(maps)
    for image in range(4):
        for channel in range(3):
            x = maps[image, :, :, channel]
            expected[image, :, :, channel] = scale[image, channel] * (x - x.mean()) / x.std() + shift[image, channel]
    np.testing.assert_allclose(to_numpy(AdaIN()(maps, scale, shift)), expected, atol=1e-5)


def test_what_was_strong_or_weak_before_is_forgotten():
    maps, scale, shift = inputs()
    louder = maps * np.array([0.1, 10.0, 100.0], "float32") + np.array([5.0, -3.0, 0.0], "float32")
    np.testing.assert_allclose(
        to_numpy(AdaIN()(louder, scale, shift)), to_numpy(AdaIN()(maps, scale, shift)), atol=1e-4
    )


def test_a_constant_channel_becomes_the_shift():
    _, scale, shift = inputs()
    styled = to_numpy(AdaIN()(np.full((4, 4, 8, 3), 7.0, "float32"), scale, shift))  # 32 places: an exact mean
    np.testing.assert_array_equal(styled, np.broadcast_to(shift[:, None, None], styled.shape))


def test_in_bfloat16_the_statistics_keep_float32s_digits():
    """A sum of 4096 values in bfloat16 stops growing where its digits end."""
    maps = 3.0 + np.random.default_rng(2).normal(size=(4, 64, 64, 3)).astype("float32")
    _, scale, shift = inputs()
    styled = AdaIN(dtype="mixed_bfloat16")(maps, scale, shift)
    assert keras.backend.standardize_dtype(styled.dtype) == "bfloat16"
    styled = to_numpy(keras.ops.cast(styled, "float32"))
    np.testing.assert_allclose(styled.mean(axis=(1, 2)), shift, atol=0.01)
    np.testing.assert_allclose(styled.std(axis=(1, 2)), np.abs(scale), rtol=0.01, atol=0.01)


def test_no_weights_the_shape_stays_and_the_config_comes_back():
    layer = AdaIN(epsilon=1e-5, name="style")
    shapes = (2, 8, 8, 3), (2, 3), (2, 3)
    styled = layer(*(keras.KerasTensor(shape) for shape in shapes))
    assert styled.shape == (2, 8, 8, 3) and layer.weights == []
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert isinstance(again, AdaIN) and again.get_config() == layer.get_config()


def test_styles_for_other_channels_are_refused():
    maps, scale, shift = inputs()
    with pytest.raises(ValueError, match="3 channels need as many scales and shifts, not 2 and 3"):
        AdaIN()(maps, scale[:, :2], shift)
