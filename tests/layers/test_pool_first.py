"""Pooling before tanh: Keras's outputs, gradients, names and summary."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_faces.layers.pool_first import PoolFirstSequential, pools_first
from keras_faces.models import slides_v1
from keras_faces.training.gradients import value_and_grad

read = ops.convert_to_numpy


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def kinds(network):
    return [type(layer).__name__ for layer in network]


def test_only_an_activation_and_the_pooling_right_behind_it_change_places():
    tanh, pooling, dense = layers.Activation("tanh"), layers.MaxPooling2D(), layers.Dense(1)
    assert pools_first([dense, tanh, pooling, dense]) == [dense, pooling, tanh, dense]
    assert pools_first([tanh, dense, pooling]) == [tanh, dense, pooling]
    assert pools_first([pooling, tanh]) == [pooling, tanh]
    assert pools_first([tanh]) == [tanh]
    for other in (layers.Activation("gelu"), layers.Activation("softmax"), layers.Dense(2, activation="tanh")):
        assert pools_first([other, pooling]) == [other, pooling]  # falls somewhere, or mixes channels, or has weights
    mean = layers.AveragePooling2D(2)
    assert pools_first([tanh, mean]) == [tanh, mean]  # a mean of tanh is no tanh of a mean


def test_the_slides_discriminator_pools_first_twice():
    listed = slides_v1.discriminator(16, (4, 8), 8).layers
    assert kinds(listed)[:6] == ["Conv2D", "Activation", "MaxPooling2D"] * 2
    assert kinds(pools_first(listed))[:6] == ["Conv2D", "MaxPooling2D", "Activation"] * 2


def test_scores_gradients_names_and_summary_are_those_of_the_listed_layers(values):
    found = []
    for pool_first in (False, True):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        network = slides_v1.discriminator(16, (4, 8), 8, pool_first=pool_first)
        names, lines = [weight.path for weight in network.weights], []
        network.summary(print_fn=lines.append)
        images = drawn(6, 16, 16, 3)

        def loss(network=network, images=images):
            scores = network(images, training=True)
            return ops.mean(ops.log(scores)), scores

        (_, scores), gradients = value_and_grad(loss, network.trainable_variables, network.variables)
        found.append(([*names, *lines], [*values(network.weights), read(scores), *map(read, gradients)]))
    (words, numbers), (words_2, numbers_2) = found
    assert words == words_2
    for first, second in zip(numbers, numbers_2, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "leaky_relu", "elu"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_pooling_first_makes_the_same_maps(activation, dtype):
    stages = [layers.Activation(activation, dtype=dtype), layers.MaxPooling2D(dtype=dtype)]
    network, maps = PoolFirstSequential([layers.Input((6, 6, 2)), *stages]), 3 * drawn(2, 6, 6, 2)
    expected = stages[1](stages[0](maps))
    near = 1e-6 if dtype == "float32" else 0.01
    np.testing.assert_allclose(read(ops.cast(network(maps), "float32")), read(ops.cast(expected, "float32")), atol=near)


def test_the_step_trains_it_up_to_the_sigmoid(narrow):
    model = narrow("slides-v1")
    assert type(model.d_logits) is PoolFirstSequential and len(model.d_logits.layers) == 10
    assert [id(weight) for weight in model.d_logits.weights] == [id(weight) for weight in model.discriminator.weights]
    images = drawn(3, 16, 16, 3)
    scores = read(model.discriminator(images, training=False))
    np.testing.assert_allclose(read(ops.sigmoid(model.d_logits(images, training=False))), scores, rtol=1e-5)
    assert type(narrow("slides-v1", pool_first=False).d_logits) is not PoolFirstSequential


def test_a_saved_network_still_pools_first(tmp_path):
    network = slides_v1.discriminator(16, (4, 8), 8)
    network.save(tmp_path / "discriminator.keras")
    again = keras.saving.load_model(tmp_path / "discriminator.keras")
    assert type(again) is PoolFirstSequential
    images = drawn(3, 16, 16, 3)
    np.testing.assert_array_equal(read(again(images, training=False)), read(network(images, training=False)))
