"""GoogLeNet: the channels of table 1, and the map that is left at each image size."""

import math

import keras
import pytest
from keras import layers

from keras_faces.layers.inception import STAGES, Inception, googlenet, inception


def test_the_modules_have_the_channels_of_table_1():
    assert [[module.out for module in stage] for stage in STAGES] == [
        [256, 480],
        [512, 512, 512, 528, 832],
        [832, 1024],
    ]
    assert STAGES[0][0].narrowed(1 / 8) == Inception(8, 12, 16, 2, 4, 4)
    assert STAGES[0][0].narrowed(1 / 1000).out == 4


def test_one_module_keeps_the_side_and_counts_its_weights():
    channels = Inception(3, 2, 4, 1, 2, 5)
    image = layers.Input((6, 6, 7))
    network = keras.Model(image, inception(image, channels))
    assert network.output_shape == (None, 6, 6, 14)
    kernels = 7 * 3 + 7 * 2 + 9 * 2 * 4 + 7 * 1 + 25 * 1 * 2 + 7 * 5
    norms = 2 * (3 + 2 + 4 + 1 + 2 + 5)
    assert sum(math.prod(weight.shape) for weight in network.trainable_weights) == kernels + norms


@pytest.mark.parametrize("side, maps, modules", [(64, 832, 7), (32, 480, 2), (16, 192, 0)])
def test_small_images_leave_the_last_stages_out(side, maps, modules):
    image = layers.Input((side, side, 3))
    network = keras.Model(image, googlenet(image, width=8))
    last = network.layers[-1]
    assert last.input.shape[1:3] == (4, 4) and network.output_shape[1] == maps // 8
    assert sum(isinstance(layer, layers.Concatenate) for layer in network.layers) == modules
