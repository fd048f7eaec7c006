"""Equalised layers: c = gain / √fan_in at run time, signals that keep their size, weights that learn equally fast."""

import math

import keras
import numpy as np
import pytest

from keras_faces.layers.equalized import EqualizedConv2D, EqualizedDense

to_numpy = keras.ops.convert_to_numpy
DENSE = {"units": 3, "gain": 0.5, "lr_multiplier": 0.1, "use_bias": True, "bias_init": 1.0}
CONV = {"filters": 3, "kernel_size": 5, "padding": "valid", "gain": 0.5, "lr_multiplier": 0.1, "bias_init": 1.0}


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_each_weight_counts_gain_by_root_fan_in(gain):
    """With all kernels at 1, an output is c times the sum of its inputs."""
    dense, conv = EqualizedDense(4, gain=gain), EqualizedConv2D(4, kernel_size=3, gain=gain, padding="valid")
    rows, maps = normal(2, 50), normal(2, 3, 3, 7)
    for layer, inputs, fan_in in ((dense, rows, 50), (conv, maps, 63)):
        layer.build(inputs.shape)
        layer.kernel.assign(np.ones(layer.kernel.shape))
        expected = gain / math.sqrt(fan_in) * inputs.reshape(2, -1).sum(axis=1)
        outputs = to_numpy(layer(inputs)).reshape(2, -1)
        np.testing.assert_allclose(outputs, np.repeat(expected[:, None], 4, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lr_multiplier", [1.0, 0.01])
@pytest.mark.parametrize("inputs", [10, 1000])
def test_signals_keep_their_size_whatever_the_fan_in(inputs, lr_multiplier):
    keras.utils.set_random_seed(1)
    layer = EqualizedDense(500, gain=1.0, lr_multiplier=lr_multiplier)
    assert to_numpy(layer(normal(200, inputs))).std() == pytest.approx(1.0, rel=0.1)
    assert to_numpy(layer.kernel).std() == pytest.approx(1.0 / lr_multiplier, rel=0.05)  # N(0, 1) for the usual 1


def test_so_do_those_of_a_convolution():
    keras.utils.set_random_seed(1)
    outputs = to_numpy(EqualizedConv2D(64, kernel_size=3, padding="valid")(normal(8, 12, 12, 32)))
    assert outputs.std() == pytest.approx(math.sqrt(2), rel=0.1)


@pytest.mark.parametrize("inputs, lr_multiplier", [(10, 1.0), (1000, 1.0), (1000, 0.01)])
def test_adam_changes_every_layer_at_the_same_relative_speed(inputs, lr_multiplier):
    """The change of the used weights, as a share of their size: the rate times the multiplier, whatever the fan-in."""
    layer = EqualizedDense(20, lr_multiplier=lr_multiplier)
    layer.build((None, inputs))
    adam = keras.optimizers.Adam(1e-3)
    adam.build([layer.kernel])
    before = to_numpy(layer.kernel).copy()
    adam.apply([normal(inputs, 20)], [layer.kernel])
    share = np.abs(to_numpy(layer.kernel) - before).mean() / (1.0 / lr_multiplier)
    assert share == pytest.approx(1e-3 * lr_multiplier, rel=0.05)


def test_the_bias_starts_where_it_is_asked_to_and_learns_with_the_multiplier():
    layer = EqualizedDense(3, lr_multiplier=0.1, bias_init=2.0)
    np.testing.assert_allclose(to_numpy(layer(np.zeros((1, 4), "float32"))), [[2.0, 2.0, 2.0]], rtol=1e-6)
    layer.bias.assign(layer.bias + 1.0)
    np.testing.assert_allclose(to_numpy(layer(np.zeros((1, 4), "float32"))), [[2.1, 2.1, 2.1]], rtol=1e-6)


@pytest.mark.parametrize(
    "layer, shape, weights, outputs",
    [
        (EqualizedDense(3), (2, 7), 24, (2, 3)),
        (EqualizedDense(3, use_bias=False), (2, 7), 21, (2, 3)),
        (EqualizedConv2D(3, 5), (2, 8, 8, 7), 528, (2, 8, 8, 3)),
        (EqualizedConv2D(3, 5, padding="valid", use_bias=False), (2, 8, 8, 7), 525, (2, 4, 4, 3)),
    ],
)
def test_weights_and_shapes(layer, shape, weights, outputs):
    assert tuple(layer(normal(*shape)).shape) == outputs
    assert layer.count_params() == weights


@pytest.mark.parametrize(
    "kind, options, shape", [(EqualizedDense, DENSE, (2, 7)), (EqualizedConv2D, CONV, (2, 8, 8, 7))]
)
def test_the_configuration_comes_back(kind, options, shape):
    layer = kind(**options, name="mine")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config() and options.items() <= again.get_config().items()
    inputs = normal(*shape)
    expected = to_numpy(layer(inputs))
    again.build(shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(to_numpy(again(inputs)), expected)


def test_under_bfloat16_the_weights_stay_float32():
    layer = EqualizedConv2D(4, 3, dtype="mixed_bfloat16")
    outputs = layer(normal(2, 6, 6, 3))
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in layer.weights} == {"float32"}


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: EqualizedDense(0), "at least 1 output"),
        (lambda: EqualizedDense(3, lr_multiplier=0.0), "lr_multiplier=0.0"),
        (lambda: EqualizedConv2D(3, 0), "kernel_size=0"),
        (lambda: EqualizedConv2D(3, 3, padding="full"), "padding='full'"),
    ],
)
def test_impossible_layers_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
