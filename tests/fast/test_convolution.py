"""Convolutions in the forms that are fast here: Keras's outputs, gradients, names and files, on either backend."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_faces.fast import accelerate
from keras_faces.fast import convolution as module
from keras_faces.fast.convolution import convolution
from keras_faces.training.gradients import value_and_grad


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def read(values):
    return ops.convert_to_numpy(ops.cast(values, "float32"))


def outputs_and_gradients(form, *weights):
    """What ``form()`` makes, and the gradients of the mean of its squares by ``weights``."""

    def loss():
        outputs = form()
        return ops.mean(outputs**2), outputs

    (_, outputs), gradients = value_and_grad(loss, weights, weights)
    return [read(values) for values in (outputs, *gradients)]


@pytest.fixture
def fast(monkeypatch):
    """The rule as it is; the test gets what it said, call by call."""
    said, rule = [], module._faster_here
    monkeypatch.setattr(module, "_faster_here", lambda *asked, **how: said.append(rule(*asked, **how)) or said[-1])
    return said


SAME = {"strides": 2, "padding": "same"}
LAYERS = [
    (layers.Conv2D, {"kernel_size": 5, **SAME, "activation": "tanh"}),
    (layers.Conv2D, {"kernel_size": 5, "padding": "same"}),
    (layers.Conv2D, {"kernel_size": 3, "use_bias": False}),
    (layers.Conv2DTranspose, {"kernel_size": 5, **SAME}),
    (layers.Conv2DTranspose, {"kernel_size": 5, **SAME, "output_padding": 0, "activation": "relu"}),
    (layers.Conv2DTranspose, {"kernel_size": 4, **SAME, "use_bias": False}),
    (layers.Conv2DTranspose, {"kernel_size": 3, "strides": 2}),
    (layers.Conv2DTranspose, {"kernel_size": 2, "strides": 3}),
]


@pytest.mark.parametrize("kind, settings", LAYERS)
def test_on_small_maps_a_layer_has_keras_outputs_and_gradients(fast, kind, settings):
    found = []
    for layer in (accelerate(kind(4, **settings)), kind(4, **settings)):
        layer.build((None, 4, 3, 2))
        layer.set_weights([drawn(*weight.shape, seed=n) for n, weight in enumerate(layer.weights)])
        maps = keras.Variable(drawn(2, 4, 3, 2, seed=9))
        found.append(outputs_and_gradients(lambda: layer(maps), maps, *layer.trainable_variables))  # noqa: B023
    if keras.backend.backend() != "torch":
        assert any(fast)  # a form of its own was compared, not Keras's with itself
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_maps_first_and_dilated_kernels_are_left_to_keras(fast):
    for settings in ({"dilation_rate": 2}, {"strides": (2, 1)}):
        keras.utils.set_random_seed(1)
        layer = accelerate(layers.Conv2D(2, 3, padding="same", **settings))
        layer(drawn(1, 4, 4, 3))
    assert not fast
    first = accelerate(layers.Conv2D(2, 3, data_format="channels_first"))
    assert first.compute_output_shape((1, 3, 4, 4)) == (1, 2, 2, 2)


def test_maps_and_kernel_may_be_variables_as_they_are():
    maps, kernel = keras.Variable(drawn(2, 4, 4, 3)), keras.Variable(drawn(5, 5, 3, 2))
    outputs = convolution(maps.value, kernel.value)
    np.testing.assert_allclose(read(outputs), read(ops.conv(maps, kernel, padding="same")), atol=1e-4)


def test_names_and_weights_are_keras_and_a_saved_net_loads_with_keras_own_layers(tmp_path):
    def network():
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        up, down = layers.Conv2DTranspose(5, 4, 2, "same"), [layers.Conv2D(2, 3), layers.Conv2D(2, 3)]
        return keras.Sequential([layers.Input((4, 4, 3)), up, *down])

    ours, theirs = accelerate(network()), network()
    assert [weight.path for weight in ours.weights] == [weight.path for weight in theirs.weights]
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    ours.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    assert [type(layer) for layer in again.layers] == [layers.Conv2DTranspose, layers.Conv2D, layers.Conv2D]
    np.testing.assert_array_equal(read(again(drawn(2, 4, 4, 3))), read(theirs(drawn(2, 4, 4, 3))))
    np.testing.assert_allclose(read(ours(drawn(2, 4, 4, 3))), read(theirs(drawn(2, 4, 4, 3))), atol=1e-5)
