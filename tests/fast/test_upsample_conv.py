"""Doubling and convolution by phases: equal to Keras's two layers, forward, backward and at the borders."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from keras_faces.fast import accelerate, upsample_conv
from keras_faces.fast.upsample_conv import doubled_convolution, phase_kernels
from keras_faces.models.gans import slides_v1, slides_v2
from keras_faces.training.gradients import value_and_grad

to_numpy = ops.convert_to_numpy


def as_listed(maps, kernel):
    doubled = ops.repeat(ops.repeat(maps, 2, axis=1), 2, axis=2)
    return ops.conv(doubled, kernel, padding="same", data_format="channels_last")


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def outputs_and_gradients(form, maps, kernel, upstream_grad):
    """What ``form`` makes of maps and kernel, and the derivatives of ``sum(upstream_grad * outputs)`` by both."""
    maps, kernel = keras.Variable(maps), keras.Variable(kernel)

    def loss():
        outputs = form(ops.convert_to_tensor(maps), ops.convert_to_tensor(kernel))
        return ops.sum(outputs * upstream_grad), outputs

    (_, outputs), gradients = value_and_grad(loss, [maps, kernel], [maps, kernel])
    return [to_numpy(values) for values in (outputs, *gradients)]


@settings(max_examples=12, deadline=None)
@given(
    size=st.sampled_from([1, 3, 5, 7, 9]),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.integers(1, 5),
    filters=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_equal_to_the_two_layers_forward_and_backward(size, height, width, channels, filters, seed):
    given_ = (
        drawn(2, height, width, channels, seed=seed),
        drawn(size, size, channels, filters, seed=seed + 1),
        drawn(2, 2 * height, 2 * width, filters, seed=seed + 2),
    )
    for ours, theirs in zip(
        outputs_and_gradients(doubled_convolution, *given_), outputs_and_gradients(as_listed, *given_), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_each_phase_has_the_sums_of_the_weights_that_see_the_same_pixel():
    kernel = np.zeros((5, 5, 1, 1), "float32")
    kernel[2, :, 0, 0] = [1, 10, 100, 1000, 10000]  # k0 .. k4 of the docstring, in the middle row
    phases = to_numpy(phase_kernels(ops.convert_to_tensor(kernel)))
    assert phases.shape == (3, 3, 1, 4)
    np.testing.assert_array_equal(phases[1, :, 0, 0], [11, 1100, 10000])
    np.testing.assert_array_equal(phases[1, :, 0, 1], [1, 110, 11000])
    assert phases.sum() == 4 * 11111


def test_16_bit_is_as_near_to_the_exact_sums_as_the_two_layers_are():
    maps, kernel = drawn(2, 8, 8, 16), drawn(5, 5, 16, 4)
    exact = to_numpy(as_listed(ops.convert_to_tensor(maps), ops.convert_to_tensor(kernel)))
    errors = []
    for form in (doubled_convolution, as_listed):
        outputs = form(ops.cast(maps, "bfloat16"), ops.cast(kernel, "bfloat16"))
        assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
        errors.append(np.abs(to_numpy(ops.cast(outputs, "float32")) - exact).mean())
    assert errors[0] < 1.5 * errors[1]


@pytest.mark.parametrize("shape", [(4, 4, 2, 3), (3, 5, 2, 3)])
def test_even_and_oblong_kernels_are_refused(shape):
    with pytest.raises(ValueError, match="odd side"):
        doubled_convolution(ops.convert_to_tensor(drawn(1, 4, 4, 2)), ops.convert_to_tensor(drawn(*shape)))


# -------------------------------------------------------------------------------------------- in a whole network


@pytest.fixture
def pairs_by_phases(monkeypatch):
    """The kernel sides of the pairs that were computed by phases since the test began."""
    seen, form = [], upsample_conv.doubled_convolution
    monkeypatch.setattr(
        upsample_conv, "doubled_convolution", lambda maps, kernel: seen.append(kernel.shape[0]) or form(maps, kernel)
    )
    return seen


NETWORKS = {
    "slides-v1": lambda: slides_v1.generator_model(32, 5, dense=8, filters=(8, 4)),
    "slides-v2": lambda: slides_v2.generator_model(32, 5, filters=(16, 8, 8, 4)),
    "slides-v2 at 96": lambda: slides_v2.generator_model(32, 5, (16, 8, 8, 4), 4),
}


@pytest.mark.parametrize("name, pairs", [("slides-v1", 2), ("slides-v2", 3), ("slides-v2 at 96", 4)])
def test_the_slides_generators_are_the_same_networks(values, pairs_by_phases, name, pairs):
    results, noise = [], drawn(6, 5)
    for fast in (False, True):
        keras.backend.clear_session()  # names are counted anew
        keras.utils.set_random_seed(1)
        network = NETWORKS[name]()
        if fast:
            accelerate(network)
        before = values(network.variables)
        names = [(variable.path, tuple(variable.shape)) for variable in network.variables]
        weighting = drawn(6, 32, 32, 3, seed=1)

        def loss(network=network, weighting=weighting):
            images = network(noise, training=True)
            return ops.mean(images * weighting), images

        (_, images), gradients = value_and_grad(loss, network.trainable_variables, network.variables)
        results.append((names, before, [to_numpy(images), *map(to_numpy, gradients)], values(network.variables)))
        assert len(pairs_by_phases) == (pairs if fast else 0)
    (names, before, numbers, after), (names_2, before_2, numbers_2, after_2) = results
    assert names == names_2
    for first, second in zip(before, before_2, strict=True):
        np.testing.assert_array_equal(first, second)  # the same seed, the same weights
    for first, second in zip(numbers + after, numbers_2 + after_2, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=2e-5)


def test_the_summary_is_that_of_the_slide():
    texts = []
    for form in (lambda network: network, accelerate):
        lines = []
        keras.backend.clear_session()
        form(slides_v1.generator_model()).summary(print_fn=lines.append)
        texts.append("\n".join(lines))
    assert texts[0] == texts[1] and "UpSampling2D" in texts[1] and "34,031,363" in texts[1]


def test_saved_it_is_keras_own_and_computes_by_phases_again_when_accelerated(tmp_path, pairs_by_phases):
    network = accelerate(NETWORKS["slides-v1"]())
    network.save(tmp_path / "generator.keras")
    images = to_numpy(network(drawn(2, 5), training=False))
    assert len(pairs_by_phases) == 2
    again = keras.saving.load_model(tmp_path / "generator.keras")
    np.testing.assert_allclose(images, to_numpy(again(drawn(2, 5), training=False)), atol=1e-5)
    assert type(again) is keras.Sequential and len(pairs_by_phases) == 2
    np.testing.assert_array_equal(images, to_numpy(accelerate(again)(drawn(2, 5), training=False)))
    assert len(pairs_by_phases) == 4


def test_in_16_bit_too(pairs_by_phases):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = accelerate(NETWORKS["slides-v2"]())
    finally:
        keras.config.set_dtype_policy(before)
    images = network(drawn(2, 5), training=True)
    assert len(pairs_by_phases) == 3 and keras.backend.standardize_dtype(images.dtype) == "float32"


def network_with(doubling, convolution):
    return accelerate(keras.Sequential([layers.Input((6, 6, 2)), doubling, convolution, layers.Activation("tanh")]))


@pytest.mark.parametrize(
    "doubling, convolution",
    [
        (layers.UpSampling2D(), lambda: layers.Conv2D(3, 3, padding="same")),  # 3×3: nothing saved
        (layers.UpSampling2D(), lambda: layers.Conv2D(3, 6, padding="same")),
        (layers.UpSampling2D(), lambda: layers.Conv2D(3, (5, 7), padding="same")),
        (layers.UpSampling2D(), lambda: layers.Conv2D(3, 5)),
        (layers.UpSampling2D(), lambda: layers.Conv2D(3, 5, strides=2, padding="same")),
        (layers.UpSampling2D(), lambda: layers.Conv2D(3, 5, dilation_rate=2, padding="same")),
        (layers.UpSampling2D(), lambda: layers.Conv2D(4, 5, groups=2, padding="same")),
        (layers.UpSampling2D(), lambda: layers.Conv2DTranspose(3, 5, padding="same")),
        (layers.UpSampling2D(3), lambda: layers.Conv2D(3, 5, padding="same")),
        (layers.UpSampling2D((1, 2)), lambda: layers.Conv2D(3, 5, padding="same")),
        (layers.UpSampling2D(interpolation="bilinear"), lambda: layers.Conv2D(3, 5, padding="same")),
        (layers.MaxPooling2D(), lambda: layers.Conv2D(3, 5, padding="same")),
    ],
)
def test_other_pairs_run_as_listed(pairs_by_phases, doubling, convolution):
    network = network_with(doubling, convolution())
    maps = drawn(2, 6, 6, 2)
    expected = maps
    for layer in network.layers:
        expected = layer(expected)
    np.testing.assert_array_equal(to_numpy(network(maps)), to_numpy(expected))
    assert not pairs_by_phases and "call" not in vars(network)


def test_bias_and_activation_of_the_convolution_are_kept(pairs_by_phases):
    for options in ({"activation": "relu", "bias_initializer": "ones"}, {"use_bias": False}):
        network = network_with(layers.UpSampling2D(), layers.Conv2D(3, 5, padding="same", **options))
        maps = expected = drawn(2, 6, 6, 2)
        for layer in network.layers:
            expected = layer(expected)
        np.testing.assert_allclose(to_numpy(network(maps)), to_numpy(expected), atol=1e-5)
    assert pairs_by_phases == [5, 5]


def test_a_doubling_at_the_end_has_no_convolution_to_join(pairs_by_phases):
    network = accelerate(keras.Sequential([layers.Input((4, 4, 2)), layers.UpSampling2D()]))
    maps = drawn(1, 4, 4, 2)
    np.testing.assert_array_equal(to_numpy(network(maps)), maps.repeat(2, axis=1).repeat(2, axis=2))
    assert not pairs_by_phases
