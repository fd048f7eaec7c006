"""Noise injection: nothing at first, then as much as was learned; fixed for pictures, fresh in training."""

import keras
import numpy as np
import pytest

from keras_faces.layers.noise import NoiseInjection
from keras_faces.training.gradients import value_and_grad

to_numpy = keras.ops.convert_to_numpy
MAPS = np.random.default_rng(0).normal(size=(5, 8, 6, 3)).astype("float32")
STRENGTH = np.array([0.0, 1.0, -2.0], "float32")


def added(layer, training):
    return to_numpy(layer(MAPS, training=training)) - MAPS


@pytest.fixture
def layer():
    layer = NoiseInjection(seed=4)
    layer.build(MAPS.shape)
    layer.strength.assign(STRENGTH)
    return layer


@pytest.mark.parametrize("training", [False, True])
def test_with_strength_0_as_at_the_start_it_is_the_identity(training):
    np.testing.assert_array_equal(to_numpy(NoiseInjection()(MAPS, training=training)), MAPS)


def test_for_pictures_the_same_noise_for_every_image_and_call(layer):
    noise = added(layer, training=False)
    np.testing.assert_allclose(noise, np.broadcast_to(noise[:1], noise.shape), atol=1e-6)
    np.testing.assert_array_equal(noise, added(layer, training=False))
    np.testing.assert_allclose(noise[0], to_numpy(layer.fixed)[0] * STRENGTH, atol=1e-6)


def test_in_training_one_fresh_picture_of_noise_an_image_scaled_by_channel(layer):
    first, second = added(layer, training=True), added(layer, training=True)
    picture = first[..., 1]
    assert abs(picture.mean()) < 0.2 and abs(picture.std() - 1) < 0.2  # standard normal
    np.testing.assert_allclose(first, picture[..., None] * STRENGTH, atol=1e-6)
    assert np.abs(np.corrcoef(picture.reshape(5, -1)) - np.eye(5)).max() < 0.6  # images apart
    assert np.abs(np.corrcoef(picture.ravel(), second[..., 1].ravel())[0, 1]) < 0.3  # calls apart


def test_the_random_state_is_part_of_the_layer(layer):
    state = [np.array(to_numpy(variable.value)) for variable in layer.variables]
    first = added(layer, training=True)
    for variable, value in zip(layer.variables, state, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(first, added(layer, training=True))


def test_a_rate_makes_the_strength_count_and_learn_less():
    slow = NoiseInjection(seed=4, rate=0.1)
    slow.build(MAPS.shape)
    slow.strength.assign(STRENGTH)
    np.testing.assert_allclose(added(slow, training=False)[0], 0.1 * to_numpy(slow.fixed)[0] * STRENGTH, atol=1e-6)
    with pytest.raises(ValueError, match="rate=0"):
        NoiseInjection(rate=0.0)


def test_weights_and_config(layer):
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [(3,)]
    assert (1, 8, 6, 1) in [tuple(weight.shape) for weight in layer.non_trainable_variables]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    np.testing.assert_array_equal(to_numpy(again.fixed), to_numpy(layer.fixed))
    assert again.get_config() == layer.get_config()
    other = NoiseInjection(seed=5)
    other.build(MAPS.shape)
    assert (to_numpy(other.fixed) != to_numpy(layer.fixed)).any()


def test_bfloat16_maps_stay_bfloat16():
    maps = NoiseInjection(dtype="mixed_bfloat16")(MAPS, training=True)
    assert keras.backend.standardize_dtype(maps.dtype) == "bfloat16"


def test_in_bfloat16_the_strength_learns_from_every_pixel():
    layer = NoiseInjection(seed=4, dtype="mixed_bfloat16")
    maps = keras.ops.zeros((64, 32, 32, 3), "bfloat16")
    layer.build(maps.shape)

    def loss():
        return keras.ops.sum(keras.ops.cast(layer(maps, training=False) * layer.fixed, "float32")), None

    _, (slope,) = value_and_grad(loss, layer.trainable_variables, layer.variables)
    rounded = to_numpy(keras.ops.cast(keras.ops.cast(layer.fixed, "bfloat16"), "float32"))
    np.testing.assert_allclose(to_numpy(slope), 64 * (rounded**2).sum(), rtol=0.01)


def test_maps_of_unknown_size_are_refused():
    with pytest.raises(ValueError, match="known size"):
        NoiseInjection()(keras.Input((None, 8, 3)))
