"""Pooling before tanh: Keras's outputs, gradients, names and summary."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_faces.fast import accelerate, is_accelerated
from keras_faces.fast.pool_first import reordered
from keras_faces.models.gans import slides_v1
from keras_faces.training.gradients import value_and_grad

read = ops.convert_to_numpy


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def kinds(network):
    return [type(layer).__name__ for layer in network]


def test_only_an_activation_and_the_pooling_right_behind_it_change_places():
    tanh, pooling, dense = layers.Activation("tanh"), layers.MaxPooling2D(), layers.Dense(1)
    assert reordered([dense, tanh, pooling, dense]) == [dense, pooling, tanh, dense]
    assert reordered([tanh, dense, pooling]) == [tanh, dense, pooling]
    assert reordered([pooling, tanh]) == [pooling, tanh]
    assert reordered([tanh]) == [tanh]
    for other in (layers.Activation("gelu"), layers.Activation("softmax"), layers.Dense(2, activation="tanh")):
        assert reordered([other, pooling]) == [other, pooling]  # falls somewhere, or mixes channels, or has weights
    mean = layers.AveragePooling2D(2)
    assert reordered([tanh, mean]) == [tanh, mean]  # a mean of tanh is no tanh of a mean


def test_the_slides_discriminator_pools_first_twice():
    listed = slides_v1.discriminator_model(16, (4, 8), 8).layers
    assert kinds(listed)[:6] == ["Conv2D", "Activation", "MaxPooling2D"] * 2
    assert kinds(reordered(listed))[:6] == ["Conv2D", "MaxPooling2D", "Activation"] * 2


def test_scores_gradients_names_and_summary_are_those_of_the_listed_layers(values):
    found = []
    for form in (lambda network: network, accelerate):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        network = form(slides_v1.discriminator_model(16, (4, 8), 8))
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
    network, maps = keras.Sequential([layers.Input((6, 6, 2)), *stages]), 3 * drawn(2, 6, 6, 2)
    expected = network(maps)
    assert is_accelerated(accelerate(network))
    near = 1e-6 if dtype == "float32" else 0.01
    np.testing.assert_allclose(read(ops.cast(network(maps), "float32")), read(ops.cast(expected, "float32")), atol=near)


def test_the_step_trains_it_up_to_the_sigmoid(narrow):
    model = narrow("slides-v1")
    assert "call" in vars(model.d_logits) and len(model.d_logits.layers) == len(model.discriminator.layers) - 1
    assert kinds(reordered(model.d_logits.layers))[:6] == ["Conv2D", "MaxPooling2D", "Activation"] * 2
    assert [id(weight) for weight in model.d_logits.weights] == [id(weight) for weight in model.discriminator.weights]
    images = drawn(3, 16, 16, 3)
    scores = read(model.discriminator(images, training=False))
    np.testing.assert_allclose(read(ops.sigmoid(model.d_logits(images, training=False))), scores, rtol=1e-5)
    assert "call" not in vars(narrow("slides-v1", fast_layers=False).d_logits)


def test_a_saved_network_is_keras_own_and_pools_first_again_when_accelerated(tmp_path):
    network = accelerate(slides_v1.discriminator_model(16, (4, 8), 8))
    network.save(tmp_path / "discriminator.keras")
    again = keras.saving.load_model(tmp_path / "discriminator.keras")
    assert type(again) is keras.Sequential and not is_accelerated(again)
    images = drawn(3, 16, 16, 3)
    scores = read(network(images, training=False))
    np.testing.assert_allclose(read(again(images, training=False)), scores, rtol=1e-5)
    np.testing.assert_array_equal(read(accelerate(again)(images, training=False)), scores)
