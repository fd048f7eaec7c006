"""DCGAN's blocks: the sides and channels of a ladder, and convolutions that go down and up it."""

import keras
import numpy as np
import pytest

from keras_faces.layers.dcgan_blocks import dcgan_init, downconv, feature_channels, feature_sizes, upconv


def test_the_ladder_of_125():
    assert feature_sizes(125) == [125, 63, 32, 16, 8, 4]
    assert feature_channels(125, 16) == [16, 32, 64, 128, 128]
    assert feature_channels(64, 32, max_multiplier=2) == [32, 64, 64, 64]


@pytest.mark.parametrize("image_size", [16, 45, 125])
def test_convolutions_go_down_the_ladder_and_back_up(image_size):
    *others, smallest = feature_sizes(image_size)
    image = keras.Input((image_size, image_size, 3))
    maps = image
    for side in [*others[1:], smallest]:
        maps = downconv(2)(maps)
        assert maps.shape == (None, side, side, 2)
    for side in reversed(others):
        maps = upconv(3, side, use_bias=False)(maps)
        assert maps.shape == (None, side, side, 3)


def test_weights_begin_normal_with_deviation_0_02():
    for made in (dcgan_init(), downconv(1).kernel_initializer, upconv(1, 8).kernel_initializer):
        weights = keras.ops.convert_to_numpy(made((200, 200)))
        assert abs(weights.mean()) < 1e-3 and np.isclose(weights.std(), 0.02, rtol=0.02)
