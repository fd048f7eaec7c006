"""value_and_grad against derivatives known by heart; frozen: nothing of the network changes, bit for bit."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_faces.training import losses
from keras_faces.training.gradients import frozen, global_norm, input_gradients, value_and_grad, value_and_input_grad


def test_gradient_of_a_square():
    x = keras.Variable([1.0, -2.0, 3.0])
    (loss, aux), (gradient,) = value_and_grad(lambda: (ops.sum(x * x), ops.max(x)), [x], [x])
    assert float(loss) == 14.0 and float(aux) == 3.0
    np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [2.0, -4.0, 6.0])


def test_only_the_named_variables_get_gradients():
    x, y = keras.Variable(2.0), keras.Variable(5.0)
    (_, _), gradients = value_and_grad(lambda: (x * y, None), [y], [x, y])
    assert [float(gradient) for gradient in gradients] == [2.0]


def test_moving_averages_and_random_states_go_on_in_the_loss(values):
    network = keras.Sequential(
        [keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=1)]
    )
    normalisation, dropout = network.layers
    (before,) = values([dropout.seed_generator.state])
    images = np.arange(12, dtype="float32").reshape(4, 3)

    def loss():
        return ops.sum(network(images, training=True)), None

    value_and_grad(loss, network.trainable_variables, network.variables)
    after, mean = values([dropout.seed_generator.state, normalisation.moving_mean])
    np.testing.assert_allclose(mean, 0.01 * images.mean(0), rtol=1e-5)
    assert (after != before).any()


@pytest.mark.parametrize("inside_a_loss", [False, True])
def test_a_frozen_network_keeps_every_bit_and_passes_gradients(values, inside_a_loss):
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=1),
        ]
    )
    x = keras.Variable(np.random.default_rng(0).normal(size=(8, 3)).astype("float32"))
    before = values(network.variables)

    def loss():
        images = x.value  # read outside the scope, which knows the network alone
        with frozen(network):
            return ops.sum(network(images, training=True) ** 2), None

    if inside_a_loss:
        _, (gradient,) = value_and_grad(loss, [x], [x, *network.variables])
        assert np.abs(ops.convert_to_numpy(gradient)).max() > 0
    else:
        loss()
    for old, new in zip(before, values(network.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_frozen_network_normalises_by_the_batch():
    network = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization(epsilon=0.0)])
    with frozen(network):
        out = ops.convert_to_numpy(network(np.array([[0.0, 10.0], [4.0, 30.0]], "float32"), training=True))
    np.testing.assert_allclose(out, [[-1, -1], [1, 1]], rtol=1e-4)


def critic(width=5):
    """A small network with a curved output, a random layer and nothing that mixes the images of a batch."""
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(width, activation="tanh"),
            keras.layers.Dropout(0.0, seed=1),
            keras.layers.Dense(1),
        ]
    )


def test_the_gradient_by_images_of_a_linear_critic_is_its_weights():
    linear = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
    images = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, 4, 4, 3)).astype("float32"))
    weights = ops.convert_to_numpy(linear.trainable_variables[0])
    for gradient in ops.convert_to_numpy(input_gradients(linear, images)):
        np.testing.assert_allclose(gradient.ravel(), weights.ravel(), rtol=1e-6)
    penalty = float(losses.gradient_penalty(input_gradients(linear, images)))
    assert penalty == pytest.approx((np.linalg.norm(weights) - 1) ** 2, rel=1e-5)


def test_a_loss_and_its_gradient_by_the_images_that_it_reads():
    images = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, 4, 4, 3)).astype("float32"))
    loss, gradient = value_and_input_grad(lambda pixels: ops.sum(pixels**2), images)
    assert float(loss) == pytest.approx(float(ops.sum(images**2)))
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), 2 * ops.convert_to_numpy(images), rtol=1e-6)


def test_a_penalty_is_differentiated_a_second_time(values):
    """The penalty's gradient by the critic's weights, against finite differences."""
    network = critic()
    images = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, 4, 4, 3)).astype("float32"))

    def penalty():
        return losses.gradient_penalty(input_gradients(network, images)), None

    first, last = network.trainable_variables[0], network.trainable_variables[2]
    before = values(network.non_trainable_variables)
    (_, _), gradients = value_and_grad(penalty, [first, last], network.variables)
    for variable, gradient in zip((first, last), gradients, strict=True):
        start, direction = values([variable])[0], np.sign(ops.convert_to_numpy(gradient))
        ends = []
        for step in (2e-3, -2e-3):
            variable.assign(start + step * direction)
            ends.append(float(penalty()[0]))
        variable.assign(start)
        slope = (ends[0] - ends[1]) / 4e-3
        assert slope == pytest.approx(float(ops.sum(ops.abs(gradient))), rel=0.02) and slope > 0
    for old, new in zip(before, values(network.non_trainable_variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_gradient_of_length_zero_has_a_finite_penalty():
    network = critic()
    for variable in network.trainable_variables:
        variable.assign(np.zeros(variable.shape, "float32"))
    images = ops.convert_to_tensor(np.ones((2, 4, 4, 3), "float32"))

    def penalty():
        return losses.gradient_penalty(input_gradients(network, images)), None

    (loss, _), gradients = value_and_grad(penalty, network.trainable_variables, network.variables)
    assert float(loss) == pytest.approx(1.0, abs=1e-4)
    assert all(np.isfinite(ops.convert_to_numpy(gradient)).all() for gradient in gradients if gradient is not None)


def test_the_length_of_all_gradients():
    assert float(global_norm([np.array([3.0], "float32"), None, np.array([[4.0]], "float32")])) == 5.0
