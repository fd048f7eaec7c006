"""Minibatch standard deviation against NumPy, group by group (Karras et al. 2018, section 3)."""

import keras
import numpy as np
import pytest

from keras_faces.layers.minibatch_std import MinibatchStd

to_numpy = keras.ops.convert_to_numpy


def maps(batch):
    return np.random.default_rng(0).normal(size=(batch, 4, 5, 3)).astype("float32")


@pytest.mark.parametrize("batch, groups", [(4, 1), (12, 3), (6, 1), (3, 1), (1, 1)])
def test_the_new_channel_is_the_groups_mean_deviation(batch, groups):
    inputs = maps(batch)
    outputs = to_numpy(MinibatchStd()(inputs))
    assert outputs.shape == (batch, 4, 5, 4)
    np.testing.assert_array_equal(outputs[..., :3], inputs)
    for index in range(batch):
        group = inputs[index % groups :: groups]
        expected = np.sqrt(group.var(axis=0) + 1e-8).mean()
        np.testing.assert_allclose(outputs[index, ..., 3], expected, rtol=1e-5)


def test_a_collapsed_batch_is_seen_at_once():
    alike = np.repeat(maps(1), 8, axis=0)
    assert to_numpy(MinibatchStd()(alike))[..., 3].max() < 1e-3
    assert to_numpy(MinibatchStd()(maps(8)))[..., 3].min() > 0.5


@pytest.mark.parametrize("batch", [8, 6])
def test_a_batch_whose_size_is_known_only_at_run_time(batch):
    images = keras.Input((4, 5, 3))
    model = keras.Model(images, MinibatchStd()(images))
    assert model.output_shape == (None, 4, 5, 4)
    np.testing.assert_allclose(model.predict(maps(batch), verbose=0), to_numpy(MinibatchStd()(maps(batch))), rtol=1e-5)


def test_configuration_weights_and_bfloat16():
    layer = MinibatchStd(group_size=2, dtype="mixed_bfloat16", name="mine")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config() and again.group_size == 2
    outputs = again(maps(4))
    assert again.count_params() == 0 and keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"


def test_a_group_of_one_is_refused():
    with pytest.raises(ValueError, match="group_size=1"):
        MinibatchStd(group_size=1)
