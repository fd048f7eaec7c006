"""A bias in 16 bits: the outputs are Keras's, and no pixel is lost from its gradient."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_faces.fast import accelerate
from keras_faces.fast.bias import plus_bias
from keras_faces.layers.equalized import EqualizedConv2D
from keras_faces.layers.masked_conv import MaskedConv2D
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense

HALF = {"dtype": "mixed_bfloat16"}


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def read(values):
    return ops.convert_to_numpy(ops.cast(values, "float32"))


def gradient(loss, values):
    """The derivative of the scalar ``loss(values)``, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return read(jax.grad(loss)(values))
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(values)
        total = loss(values)
    return read(tape.gradient(total, values))


@pytest.mark.parametrize("shape", [(512, 4), (16, 32, 3), (8, 32, 32, 4)])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_outputs_are_keras_and_each_gradient_counts(shape, dtype):
    maps, bias = ops.cast(drawn(*shape), dtype), ops.cast(drawn(shape[-1], seed=1), dtype)
    np.testing.assert_array_equal(read(plus_bias(maps, bias)), read(ops.add(maps, bias)))
    assert plus_bias(maps, bias).dtype == maps.dtype

    upstream_grad = np.abs(drawn(*shape, seed=2))
    found = gradient(lambda bias: ops.sum(ops.cast(plus_bias(maps, bias), "float32") * upstream_grad), bias)
    exact = read(ops.cast(upstream_grad, dtype)).reshape(-1, shape[-1]).sum(axis=0)
    np.testing.assert_allclose(found, exact, rtol=1e-5 if dtype == "float32" else 2**-7)  # some CPUs truncate bfloat16


def test_the_maps_get_the_upstream_gradient_as_it_is():
    maps, bias = ops.cast(drawn(3, 4, 4, 2), "bfloat16"), ops.cast(drawn(2, seed=1), "bfloat16")
    upstream_grad = drawn(3, 4, 4, 2, seed=2)
    found = gradient(lambda maps: ops.sum(ops.cast(plus_bias(maps, bias), "float32") * upstream_grad), maps)
    np.testing.assert_array_equal(found, read(ops.cast(upstream_grad, "bfloat16")))


LAYERS = {
    "Dense": lambda dtype: layers.Dense(6, "tanh", dtype=dtype),
    "Conv2D": lambda dtype: layers.Conv2D(6, 5, 2, "same", dtype=dtype),
    "Conv2D with a valid border": lambda dtype: layers.Conv2D(6, 3, activation="relu", dtype=dtype),
    "Conv2DTranspose": lambda dtype: layers.Conv2DTranspose(6, 5, 2, "same", dtype=dtype),
    "doubling and Conv2D": lambda dtype: keras.Sequential(
        [layers.UpSampling2D(dtype=dtype), layers.Conv2D(6, 5, padding="same", dtype=dtype)]
    ),
    "EqualizedConv2D": lambda dtype: EqualizedConv2D(6, 3, lr_multiplier=0.5, dtype=dtype),
    "MaskedConv2D": lambda dtype: MaskedConv2D(6, 3, "A", dtype=dtype),
    "SpectralConv2D": lambda dtype: SpectralConv2D(6, 3, dtype=dtype),
    "SpectralDense": lambda dtype: SpectralDense(6, dtype=dtype),
}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="differentiates a layer's weights on a tape")
@pytest.mark.parametrize("name", LAYERS)
def test_a_layers_bias_learns_in_bfloat16_as_in_float32(name):
    import tensorflow as tf

    maps, found = drawn(32, 18, 18, 3), []
    if "Dense" in name:
        maps = maps.reshape(-1, 3)
    for dtype in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(1)
        layer = LAYERS[name](dtype)
        layer(maps[:1])
        accelerate(layer)
        (bias,) = (weight for weight in layer.trainable_weights if "bias" in weight.path)
        with tf.GradientTape() as tape:
            outputs = ops.cast(layer(maps), "float32")
            loss = tf.reduce_sum(outputs * np.abs(drawn(*outputs.shape, seed=2)))
        found.append(read(tape.gradient(loss, bias.value)))
    exact, ours = found
    np.testing.assert_allclose(ours, exact, rtol=0.02)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="elsewhere the sum is told to be float32")
@pytest.mark.parametrize("dtype, gpus, keras_own", [(HALF, [], False), (HALF, ["a GPU"], True), ({}, [], True)])
def test_where_tensorflow_adds_in_float32_the_gradient_is_its_own(monkeypatch, dtype, gpus, keras_own):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    layer = accelerate(layers.Dense(2, **dtype))
    layer.build((None, 3))

    @tf.function
    def bias_gradient(maps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(maps))
        return tape.gradient(loss, layer.bias.value)

    graph = bias_gradient.get_concrete_function(tf.TensorSpec((None, 3))).graph.as_graph_def()
    assert ("BiasAddGrad" in {node.op for node in graph.node}) == keras_own


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a tape within a tape")
def test_a_penalty_on_gradients_can_be_differentiated_in_bfloat16():
    import tensorflow as tf

    penalties = []
    for form in (accelerate, lambda layer: layer):
        keras.utils.set_random_seed(1)
        layer = layers.Dense(4, "tanh", bias_initializer="ones", **HALF)
        form(layer)
        maps = tf.constant(drawn(6, 3))
        layer.build(maps.shape)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(maps)
                total = tf.reduce_sum(tf.cast(layer(maps), "float32"))
            penalty = tf.reduce_sum(tape.gradient(total, maps) ** 2)
        penalties.append([penalty, *outer.gradient(penalty, [weight.value for weight in layer.weights])])
    for mine, other in zip(*penalties, strict=True):
        np.testing.assert_allclose(read(mine), read(other), rtol=0.02, atol=0.01)


def test_dense_has_keras_names_weights_and_outputs_and_loads_as_keras_own(tmp_path):
    nets = []
    for _ in range(2):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        nets.append(keras.Sequential([layers.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2, use_bias=False)]))
    ours, theirs = accelerate(nets[0]), nets[1]
    assert [weight.path for weight in ours.weights] == [weight.path for weight in theirs.weights]
    np.testing.assert_array_equal(read(ours(drawn(5, 3))), read(theirs(drawn(5, 3))))
    ours.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    assert [type(layer) for layer in again.layers] == [layers.Dense, layers.Dense]
    np.testing.assert_array_equal(read(again(drawn(5, 3))), read(ours(drawn(5, 3))))
