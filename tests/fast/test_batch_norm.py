"""BatchNormalization in one operation: Keras's maps, gradients, statistics and names."""

import keras
import numpy as np
import pytest

from keras_faces.fast import accelerate

SHAPE = (6, 5, 4, 3)


def maps(shape=SHAPE, seed=0):
    return (2 * np.random.default_rng(seed).normal(size=shape) + 1).astype("float32")


def both(**settings):
    """Ours and Keras's, with the same weights, all different."""
    pair = [keras.layers.BatchNormalization(momentum=0.7, **settings) for _ in range(2)]
    for layer in pair:
        layer.build((None, *SHAPE[1:]))
        layer.set_weights([maps((3,), seed) + 3 for seed in range(len(layer.weights))])
    accelerate(pair[0])
    return pair


def read(value):
    return keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))


def gradients(function, weights):
    """What ``function`` makes of the maps, and the gradients of a weighted sum of squares by maps and weights."""
    import tensorflow as tf

    inputs, upstream_grad = tf.constant(maps()), tf.constant(maps(seed=9))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
        loss = tf.reduce_sum(upstream_grad * tf.cast(outputs, "float32") ** 2)
    return [read(value) for value in (outputs, *tape.gradient(loss, [inputs, *weights]))]


def penalty_gradient(function, dtype):
    """The gradient, by the maps, of the squares of a gradient: what R1 makes of a layer."""
    import tensorflow as tf

    inputs, factor = tf.constant(maps(), dtype), tf.constant(maps(seed=9), dtype)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(factor * function(inputs) ** 2)
        penalty = tf.reduce_sum(factor * tape.gradient(loss, inputs) ** 2)
    return outer.gradient(penalty, inputs).numpy()


tensorflow_alone = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="on JAX the layer is Keras's")


@tensorflow_alone
def test_maps_and_gradients_are_those_of_keras():
    found = [gradients(lambda x, f=f: f(x, training=True), [f.gamma.value, f.beta.value]) for f in both()]
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


@tensorflow_alone
def test_second_derivatives_are_those_of_the_formula():
    """Keras's are not: ``tf.nn.moments`` holds the mean constant within the variance, which is right only once."""
    import tensorflow as tf

    def formula(x):
        mean = tf.reduce_mean(x, [0, 1, 2])
        variance = tf.reduce_mean((x - mean) ** 2, [0, 1, 2])
        gamma, beta = (tf.cast(weight.value, "float64") for weight in (ours.gamma, ours.beta))
        return (x - mean) / tf.sqrt(variance + ours.epsilon) * gamma + beta

    ours, _ = both()
    exact = penalty_gradient(formula, "float64")
    found = penalty_gradient(lambda x: ours(x, training=True), "float32")
    np.testing.assert_allclose(found, exact, atol=1e-4 * np.abs(exact).max())


def operations(layer):
    import tensorflow as tf

    traced = tf.function(lambda x: layer(x, training=True)).get_concrete_function(maps())
    return {node.op for node in traced.graph.as_graph_def().node}


@tensorflow_alone
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_it_is_one_operation(dtype):
    ours, theirs = both(dtype=dtype)
    assert "FusedBatchNormV3" in operations(ours) - operations(theirs)
    mine, other = ours(maps(), training=True), theirs(maps(), training=True)
    assert mine.dtype == other.dtype
    np.testing.assert_allclose(read(mine), read(other), atol=1e-4 if dtype == "float32" else 0.05)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_moving_averages_are_of_the_batchs_biased_moments(dtype):
    """Algorithm 1 of Ioffe and Szegedy: the variance divides by the number of pixels, whatever the engine does."""
    layer, _ = both(dtype=dtype)
    before = [read(layer.moving_mean), read(layer.moving_variance)]
    layer(maps(), training=True)
    seen = maps() if dtype == "float32" else read(keras.ops.cast(maps(), "bfloat16"))
    for old, new, moment in zip(before, (layer.moving_mean, layer.moving_variance), (np.mean, np.var), strict=True):
        expected = 0.7 * old + 0.3 * moment(seen, axis=(0, 1, 2))
        np.testing.assert_allclose(read(new), expected, rtol=1e-5)


@pytest.mark.parametrize("settings", [{"scale": False}, {"center": False}, {"axis": 1}, {"dtype": "float64"}])
def test_what_the_operation_cannot_do_is_keras_own(settings):
    if settings.get("dtype") == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless it is asked for at its start")
    shape = (3, 4, 5) if settings.get("axis") else SHAPE[1:]
    ours, theirs = accelerate(keras.layers.BatchNormalization(**settings)), keras.layers.BatchNormalization(**settings)
    pictures = maps((6, *shape))
    np.testing.assert_array_equal(read(ours(pictures, training=True)), read(theirs(pictures, training=True)))


def test_inference_and_frozen_layers_and_dense_ones_are_keras_own():
    for training, trainable in ((False, True), (True, False)):
        ours, theirs = both()
        ours.trainable = theirs.trainable = trainable
        before = ours.get_weights()
        np.testing.assert_array_equal(read(ours(maps(), training=training)), read(theirs(maps(), training=training)))
        for old, new in zip(before, ours.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
    flat = maps((8, 3))
    ours, theirs = accelerate(keras.layers.BatchNormalization()), keras.layers.BatchNormalization()
    np.testing.assert_array_equal(read(ours(flat, training=True)), read(theirs(flat, training=True)))


def test_a_saved_net_loads_with_keras_own_layer(tmp_path):
    net = keras.Sequential([keras.layers.Input(SHAPE[1:]), keras.layers.BatchNormalization(momentum=0.7)])
    accelerate(net)(maps(), training=True)
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    assert type(again.layers[0]) is keras.layers.BatchNormalization and again.layers[0].name == net.layers[0].name
    np.testing.assert_array_equal(read(again(maps(), training=False)), read(net(maps(), training=False)))
