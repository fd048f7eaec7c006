"""On TensorFlow a kernel's gradient is a product of patches: Keras's outputs and gradients, and the rule."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from keras_faces.fast import accelerate
from keras_faces.fast import convolution_tensorflow as module
from keras_faces.fast.convolution import convolution
from keras_faces.fast.upsample_conv import doubled_convolution
from keras_faces.layers.equalized import EqualizedConv2D
from keras_faces.layers.spectral import SpectralConv2D

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow alone", allow_module_level=True)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def read(values):
    return ops.convert_to_numpy(ops.cast(values, "float32"))


@pytest.fixture
def by_patches(monkeypatch):
    """Patches whatever the dtype and the size; the test gets the shapes of the maps that patches were cut from."""
    seen, gradient = [], module.kernel_gradient
    monkeypatch.setattr(module, "wins", lambda *rule: True)
    monkeypatch.setattr(
        module, "kernel_gradient", lambda maps, *rest: seen.append(tuple(maps.shape[1:])) or gradient(maps, *rest)
    )
    return seen


def outputs_and_gradients(form, maps, kernel):
    """What ``form`` makes of both, and the derivatives of a weighted sum of it by maps and kernel."""
    import tensorflow as tf

    maps, kernel = tf.constant(maps), tf.constant(kernel)
    with tf.GradientTape() as tape:
        tape.watch([maps, kernel])
        outputs = form(maps, kernel)
        loss = tf.reduce_sum(outputs * drawn(*outputs.shape, seed=2))
    return [read(values) for values in (outputs, *tape.gradient(loss, [maps, kernel]))]


@pytest.mark.parametrize("large", [0, 10**9], ids=["outputs too", "gradient alone"])
@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(5, 12),
    width=st.integers(5, 12),
    size=st.sampled_from([(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (3, 5)]),
    strides=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
    seed=st.integers(0, 99),
)
def test_outputs_and_gradients_are_those_of_the_convolution(large, height, width, size, strides, padding, seed):
    maps, kernel = drawn(2, height, width, 3, seed=seed), drawn(*size, 3, 4, seed=seed + 1)

    def plain(maps, kernel):
        if size == (1, 1):  # TensorFlow's own strided gradient may be wrong, see below
            return ops.conv(maps[:, ::strides, ::strides], kernel, padding=padding)
        return ops.conv(maps, kernel, strides=strides, padding=padding)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "wins", lambda *rule: True)
        patch.setattr(module, "LARGE_KERNEL", large)
        ours = outputs_and_gradients(lambda maps, kernel: convolution(maps, kernel, strides, padding), maps, kernel)
    for mine, other in zip(ours, outputs_and_gradients(plain, maps, kernel), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [2, 3])
def test_a_strided_kernel_of_one_pixel_has_the_true_gradient(strides, padding):
    """TensorFlow 2.21 with oneDNN, which is switched on for AVX2, is wrong here at sizes such as 8×6."""
    for height, width in [(8, 6), (5, 5), (7, 6), (8, 8), (9, 12), (12, 6)]:
        maps, kernel = drawn(2, height, width, 3), drawn(1, 1, 3, 4, seed=1)
        outputs, _, gradient = outputs_and_gradients(
            lambda maps, kernel: convolution(maps, kernel, strides, padding), maps, kernel
        )
        read_pixels = maps[:, ::strides, ::strides]
        np.testing.assert_allclose(outputs, np.einsum("bhwi,io->bhwo", read_pixels, kernel[0, 0]), atol=1e-4)
        true = np.einsum("bhwi,bhwo->io", read_pixels, drawn(*outputs.shape, seed=2))
        np.testing.assert_allclose(gradient[0, 0], true, rtol=1e-4, atol=1e-4)


def pair_of_layers(kind, shape, **settings):
    """Ours and Keras's with the same weights."""
    pair = [accelerate(kind(**settings)), kind(**settings)]
    for layer in pair:
        layer.build((None, *shape))
        layer.set_weights([drawn(*weight.shape, seed=n) for n, weight in enumerate(layer.weights)])
    return pair


LAYERS = [
    (layers.Conv2D, {"kernel_size": 5, "strides": 2, "padding": "same", "activation": "tanh"}),
    (layers.Conv2D, {"kernel_size": 3, "padding": "valid", "use_bias": False}),
    (layers.Conv2DTranspose, {"kernel_size": 5, "strides": 2, "padding": "same"}),
    (layers.Conv2DTranspose, {"kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False}),
    (layers.Conv2DTranspose, {"kernel_size": 3, "strides": 2, "padding": "valid"}),
    (
        layers.Conv2DTranspose,
        {"kernel_size": 5, "strides": 2, "padding": "same", "output_padding": 0, "activation": "relu"},
    ),
]


@pytest.mark.parametrize("kind, settings", LAYERS)
def test_a_layer_has_keras_outputs_and_gradients(by_patches, kind, settings):
    import tensorflow as tf

    found = []
    for layer in pair_of_layers(kind, (7, 6, 3), filters=4, **settings):
        with tf.GradientTape() as tape:
            maps = tf.constant(drawn(2, 7, 6, 3))
            tape.watch(maps)
            outputs = layer(maps)
            loss = tf.reduce_sum(outputs**2)
        found.append([outputs, *tape.gradient(loss, [maps, *(weight.value for weight in layer.weights)])])
        assert len(by_patches) == 1  # in ours, not in Keras's
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(read(mine), read(other), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind, settings", LAYERS[:3])
def test_a_penalty_on_gradients_can_be_differentiated(by_patches, kind, settings):
    """As R1 and the gradient penalty do: the squares of the gradient by the maps, again by the weights."""
    import tensorflow as tf

    found = []
    for layer in pair_of_layers(kind, (7, 6, 3), filters=4, **settings):
        weights = [weight.value for weight in layer.trainable_weights]
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                maps = tf.constant(drawn(2, 7, 6, 3))
                tape.watch(maps)
                loss = tf.reduce_sum(layer(maps) ** 2)
            penalty = tf.reduce_sum(tape.gradient(loss, maps) ** 2)
        found.append([penalty, *outer.gradient(penalty, weights)])
    assert by_patches
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(read(mine), read(other), rtol=1e-4, atol=1e-3)


def operations(layer, shape, dtype):
    """The kinds of operations in the graph of the layer and its gradients."""
    import tensorflow as tf

    layer.build((None, *shape))
    accelerate(layer)

    @tf.function
    def gradients(maps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(maps))
        return tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    traced = gradients.get_concrete_function(tf.TensorSpec((None, *shape), dtype))
    return {node.op for node in traced.graph.as_graph_def().node}


HALF = {"dtype": "mixed_bfloat16"}


@pytest.mark.parametrize(
    "layer, shape, dtype, patches",
    [
        (lambda: layers.Conv2D(4, 5, 2, "same", **HALF), (8, 8, 3), "bfloat16", True),
        (lambda: layers.Conv2D(4, 5, 2, "same", **HALF), (24, 24, 3), "bfloat16", True),
        (lambda: layers.Conv2D(4, 5, 2, "same", **HALF), (26, 26, 3), "bfloat16", False),
        (lambda: layers.Conv2D(4, 5, 2, "same"), (8, 8, 3), "float32", True),
        (lambda: layers.Conv2D(4, 5, 2, "same"), (9, 9, 3), "float32", False),
        (lambda: layers.Conv2D(4, 5, 2, "same", dtype="mixed_float16"), (8, 8, 3), "float16", False),
        (lambda: layers.Conv2D(4, 5, (2, 1), "same", **HALF), (8, 8, 3), "bfloat16", False),
        (lambda: layers.Conv2D(4, 3, padding="same", dilation_rate=2, **HALF), (8, 8, 3), "bfloat16", False),
        (lambda: layers.Conv2D(4, 3, padding="same", groups=2, **HALF), (8, 8, 2), "bfloat16", False),
        (lambda: layers.Conv2D(4, 3, padding="same", **HALF), (None, None, 3), "bfloat16", False),
        (lambda: layers.Conv2DTranspose(4, 5, 2, "same", **HALF), (12, 12, 3), "bfloat16", True),
        (lambda: layers.Conv2DTranspose(4, 5, 2, "same", **HALF), (13, 13, 3), "bfloat16", False),
        (lambda: layers.Conv2DTranspose(4, 5, 2, "same"), (4, 4, 3), "float32", True),
        (lambda: layers.Conv2DTranspose(4, 5, 2, "same"), (5, 5, 3), "float32", False),
        (lambda: SpectralConv2D(4, 3, strides=2, **HALF), (8, 8, 3), "bfloat16", True),
        (lambda: EqualizedConv2D(4, 3, **HALF), (8, 8, 3), "bfloat16", True),
    ],
)
def test_the_rule(layer, shape, dtype, patches):
    found = operations(layer(), shape, dtype)
    assert ("GatherV2" in found) == patches and not (patches and "Conv2DBackpropFilter" in found)


def test_on_a_gpu_all_is_keras_own(monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert "GatherV2" not in operations(layers.Conv2D(4, 5, 2, "same", **HALF), (8, 8, 3), "bfloat16")


@pytest.mark.parametrize("form", [convolution, doubled_convolution])
def test_in_bfloat16_the_gradient_is_as_near_to_the_exact_one_as_tensorflows(monkeypatch, form):
    import tensorflow as tf

    maps, kernel = drawn(16, 8, 8, 8), drawn(5, 5, 8, 8, seed=1)
    half = [tf.cast(values, "bfloat16") for values in (maps, kernel)]
    rounded = [tf.cast(values, "float32") for values in half]

    def gradient(maps, kernel):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            loss = tf.reduce_sum(tf.cast(form(maps, kernel), "float32"))
        return read(tape.gradient(loss, kernel))

    exact, ours = gradient(*rounded), gradient(*half)
    monkeypatch.setattr(module, "wins", lambda *rule: False)
    errors = [np.abs(found - exact).mean() for found in (ours, gradient(*half))]
    assert errors[0] <= 1.1 * errors[1]
