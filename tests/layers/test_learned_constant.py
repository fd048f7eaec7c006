"""The learned constant: one map for every image, 1 at the start."""

import keras
import numpy as np

from keras_faces.layers.learned_constant import LearnedConstant

to_numpy = keras.ops.convert_to_numpy


def test_every_image_gets_the_same_map_whatever_comes_in():
    layer = LearnedConstant(4, 6)
    assert (to_numpy(layer(np.zeros((3, 2), "float32"))) == np.ones((3, 4, 4, 6))).all()
    learned = np.random.default_rng(0).normal(size=(1, 4, 4, 6)).astype("float32")
    layer.map.assign(learned)
    np.testing.assert_array_equal(to_numpy(layer(np.ones((3, 2), "float32"))), learned.repeat(3, axis=0))


def test_shape_weights_and_config():
    layer = LearnedConstant(4, 6)
    assert layer(keras.Input((8, 5))).shape == (None, 4, 4, 6) and layer.count_params() == 96
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
