"""W / σ(W) against NumPy's singular values: σ is 1, the gradient runs through σ, u moves in training only."""

import keras
import numpy as np
import pytest

from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.training.gradients import frozen, value_and_grad

to_numpy = keras.ops.convert_to_numpy
CONV = (lambda **more: SpectralConv2D(7, kernel_size=3, strides=2, **more), (2, 6, 6, 5))
DENSE = (lambda **more: SpectralDense(6, **more), (2, 30))
WIDE = (lambda **more: SpectralDense(9, **more), (2, 4))
SCORE = (lambda **more: SpectralDense(1, **more), (2, 30))
each_layer = pytest.mark.parametrize("make, shape", [CONV, DENSE], ids=["conv", "dense"])


def inputs(shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def built(make, shape, **more):
    keras.utils.set_random_seed(4)
    layer = make(kernel_initializer="random_normal", **more)
    layer(inputs(shape))
    return layer


def matrix(kernel):
    """Miyato et al., section 2.1: a row for each output, (out, in·kh·kw)."""
    kernel = kernel if isinstance(kernel, np.ndarray) else to_numpy(kernel)
    return kernel.reshape(-1, kernel.shape[-1]).T


def largest(kernel):
    return np.linalg.svd(matrix(kernel), compute_uv=False)[0]


@pytest.mark.parametrize("make, shape", [CONV, DENSE, WIDE, SCORE], ids=["conv", "dense", "wide", "score"])
def test_sigma_is_1_from_the_start(make, shape):
    layer = built(make, shape)
    assert largest(layer.kernel) < 0.9  # it has to be divided for it
    assert largest(layer.normalised_kernel()) == pytest.approx(1.0, abs=1e-3)


@each_layer
def test_from_any_u_and_for_a_new_kernel_power_iteration_finds_sigma(make, shape):
    layer = built(make, shape)
    random = np.random.default_rng(2)
    layer.kernel.assign(3.0 * random.normal(size=layer.kernel.shape))
    layer.u.assign(random.normal(size=layer.u.shape))
    for _ in range(150):
        layer.normalised_kernel(training=True)
    assert largest(layer.normalised_kernel()) == pytest.approx(1.0, abs=2e-3)
    left, _, _ = np.linalg.svd(matrix(layer.kernel))
    assert abs(left[:, 0] @ to_numpy(layer.u)) == pytest.approx(1.0, abs=1e-2)


@each_layer
def test_u_moves_in_training_only_and_the_kernel_by_no_call(make, shape):
    layer = built(make, shape)
    layer.u.assign(np.ones(layer.u.shape) / np.sqrt(layer.u.shape[0]))
    u, kernel = to_numpy(layer.u), to_numpy(layer.kernel)
    layer(inputs(shape), training=False)
    layer(inputs(shape))
    with frozen(layer):
        layer(inputs(shape), training=True)
    np.testing.assert_array_equal(u, to_numpy(layer.u))
    layer(inputs(shape), training=True)
    np.testing.assert_array_equal(kernel, to_numpy(layer.kernel))
    rows = matrix(kernel)
    v = rows.T @ u / np.linalg.norm(rows.T @ u)
    np.testing.assert_allclose(to_numpy(layer.u), rows @ v / np.linalg.norm(rows @ v), atol=1e-5)  # algorithm 1


@each_layer
def test_the_gradient_is_that_of_finite_differences(make, shape):
    """loss = Σ C ∘ (W / σ(W)), by NumPy in double precision, with σ from the singular values."""
    layer = built(make, shape)
    weights = np.random.default_rng(3).normal(size=layer.kernel.shape)

    def loss():
        return keras.ops.sum(weights.astype("float32") * layer.normalised_kernel(training=True)), None

    _, (gradient,) = value_and_grad(loss, [layer.kernel], layer.variables)
    gradient, kernel = to_numpy(gradient), to_numpy(layer.kernel).astype("float64")

    def reference(kernel):
        return (weights * kernel).sum() / largest(kernel)

    step = 1e-5
    for place in np.random.default_rng(5).integers(0, kernel.size, 12):
        change = np.zeros(kernel.size)
        change[place] = step
        change = change.reshape(kernel.shape)
        difference = (reference(kernel + change) - reference(kernel - change)) / (2 * step)
        assert gradient.flat[place] == pytest.approx(difference, rel=2e-3, abs=2e-3 * float(np.abs(gradient).max()))
    without_sigma = weights / largest(kernel)  # what treating σ as a constant gives
    assert np.abs(gradient - without_sigma).max() > 0.01 * np.abs(gradient).max()


@each_layer
def test_scaling_the_kernel_changes_nothing_so_the_gradient_has_no_part_along_it(make, shape):
    layer = built(make, shape)
    outputs = to_numpy(layer(inputs(shape)))
    kernel = to_numpy(layer.kernel)

    def loss():
        return keras.ops.sum(layer(inputs(shape), training=True) ** 2), None

    _, (gradient,) = value_and_grad(loss, [layer.kernel], layer.variables)
    gradient = to_numpy(gradient)
    cosine = (gradient * kernel).sum() / np.linalg.norm(gradient) / np.linalg.norm(kernel)
    assert abs(cosine) < 1e-3
    layer.kernel.assign(7.0 * kernel)
    np.testing.assert_allclose(to_numpy(layer(inputs(shape))), outputs, atol=1e-5)


def test_they_compute_what_keras_layers_compute_with_the_normalised_kernel():
    plain_layers = (keras.layers.Conv2D(7, 3, strides=2, padding="same"), keras.layers.Dense(6))
    for (make, shape), plain in zip((CONV, DENSE), plain_layers, strict=True):
        layer = built(make, shape)
        layer.bias.assign(inputs(layer.bias.shape))
        plain.build(shape)
        plain.set_weights([to_numpy(layer.normalised_kernel()), to_numpy(layer.bias)])
        np.testing.assert_allclose(to_numpy(layer(inputs(shape))), to_numpy(plain(inputs(shape))), atol=1e-5)


@pytest.mark.parametrize(
    "make, shape",
    [(lambda **more: SpectralConv2D(7, kernel_size=3, strides=3, **more), (2, 6, 6, 5)), DENSE],
    ids=["conv-apart", "dense"],  # patches that do not overlap, so that the matrix is the whole of the layer
)
def test_no_difference_of_inputs_grows(make, shape):
    layer = built(make, shape)
    first, second = inputs((2, *shape))
    grown = np.linalg.norm(to_numpy(layer(first)) - to_numpy(layer(second))) / np.linalg.norm(first - second)
    assert 0.1 < grown <= 1.0


@each_layer
def test_weights_and_config(make, shape):
    layer = built(make, shape)
    assert [variable.name for variable in layer.trainable_variables] == ["kernel", "bias"]
    assert [variable.name for variable in layer.non_trainable_variables] == ["u"]
    assert layer.count_params() == to_numpy(layer.kernel).size + 2 * layer.kernel.shape[-1]
    bare = built(make, shape, use_bias=False)
    assert [variable.name for variable in bare.trainable_variables] == ["kernel"]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(bare))
    again(inputs(shape))
    again.set_weights(bare.get_weights())
    assert again.get_config() == bare.get_config()
    np.testing.assert_array_equal(to_numpy(again(inputs(shape))), to_numpy(bare(inputs(shape))))


@each_layer
def test_bfloat16_layers_keep_sigma_in_float32(make, shape):
    layer = built(make, shape, dtype="mixed_bfloat16")
    outputs = layer(inputs(shape), training=True)
    dtype = keras.backend.standardize_dtype
    assert dtype(outputs.dtype) == "bfloat16"
    assert {dtype(variable.dtype) for variable in layer.variables} == {"float32"}
    assert largest(layer.normalised_kernel()) == pytest.approx(1.0, abs=1e-3)
    assert dtype(layer.normalised_kernel().dtype) == "float32"


def test_the_seed_decides_the_first_u():
    first, again = (built(*DENSE) for _ in range(2))
    np.testing.assert_array_equal(to_numpy(first.u), to_numpy(again.u))
