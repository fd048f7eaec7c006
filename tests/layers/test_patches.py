"""Discriminators of patches: how wide a patch is, measured by what moves a score."""

import keras
import numpy as np
import pytest

from keras_faces.layers.patches import instance_norm, patch_stages, patch_width, strides_for
from keras_faces.layers.spectral import SpectralConv2D

to_numpy = keras.ops.convert_to_numpy


def test_the_paper_s_70():
    assert [patch_width(strides) for strides in (1, 2, 3)] == [16, 34, 70]
    assert [strides_for(side) for side in (16, 32, 64, 128, 256)] == [1, 1, 2, 3, 3]


@pytest.mark.parametrize("made_of", [{"norm": keras.layers.Identity}, {"conv": SpectralConv2D}])
@pytest.mark.parametrize("strides, side", [(1, 32), (2, 64)])
def test_a_score_sees_so_many_pixels_and_no_more(strides, side, made_of):
    image = keras.layers.Input((side, side, 3))
    network = keras.Model(image, patch_stages(image, 4, strides, **made_of))
    scores = network.output_shape[1]
    assert network.output_shape == (None, side // 2**strides, side // 2**strides, 1)
    place = scores // 2
    blank = np.zeros((1, side, side, 3), "float32")
    lines = np.repeat(blank, side, axis=0)
    lines[np.arange(side), :, np.arange(side)] = 1.0  # one column of each
    moved = to_numpy(network(lines) != network(blank))[:, place, place, 0]
    assert moved.sum() == patch_width(strides) and np.ptp(np.flatnonzero(moved)) == patch_width(strides) - 1


def test_instance_norm_brings_each_channel_of_each_image_to_mean_0_and_deviation_1():
    images = np.random.default_rng(0).normal(3, 5, (2, 8, 8, 4)).astype("float32")
    images[1] *= 10
    layer = instance_norm()
    normed = to_numpy(layer(images))
    np.testing.assert_allclose(normed.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normed.std((1, 2)), 1, atol=1e-4)
    assert not layer.weights
