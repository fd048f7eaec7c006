"""Noise that a seed fixes, and pictures that are neither grey nor dependent on each other."""

import keras
import numpy as np
import pytest

from keras_faces.training.sampling import batchnorm_statistics, generate, latent_noise


def test_noise_is_standard_normal_and_fixed_by_the_seed():
    noise = latent_noise(2000, 50, seed=1)
    assert noise.shape == (2000, 50) and noise.dtype == np.float32
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02
    np.testing.assert_array_equal(noise, latent_noise(2000, 50, seed=1))
    assert (noise != latent_noise(2000, 50, seed=2)).any()


def test_the_first_rows_do_not_depend_on_the_count():
    np.testing.assert_array_equal(latent_noise(3, 8), latent_noise(10, 8)[:3])


@pytest.mark.parametrize("truncation", [2.0, 0.5])
def test_truncation_draws_again_and_does_not_clip(truncation):
    noise = latent_noise(500, 20, truncation=truncation)
    assert np.abs(noise).max() <= truncation
    assert np.sum(np.abs(noise) == np.abs(noise).max()) == 1  # clipping would pile values up at the limit


@pytest.mark.parametrize("truncation", [0.0, -1.0, float("nan")])
def test_impossible_truncation(truncation):
    with pytest.raises(ValueError, match="truncation"):
        latent_noise(1, 1, truncation=truncation)


def test_statistics_are_the_mean_and_variance_of_the_noise_pushed_through():
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    (mean, means), (variance, variances) = batchnorm_statistics(
        generator, latent_noise(96, 4, seed=20_14), batch_size=32
    )
    dense, normalisation = generator.layers
    activations = keras.ops.convert_to_numpy(dense(latent_noise(96, 4, seed=2014)))
    assert mean is normalisation.moving_mean and variance is normalisation.moving_variance
    np.testing.assert_allclose(means, activations.mean(0), atol=1e-5)
    np.testing.assert_allclose(variances, activations.var(0), rtol=1e-4)


def test_measuring_changes_nothing(narrow, values):
    generator = narrow("slides-v2").generator
    before, momenta = values(generator.variables), [getattr(layer, "momentum", None) for layer in generator.layers]
    batchnorm_statistics(generator, latent_noise(64, 5))
    assert momenta == [getattr(layer, "momentum", None) for layer in generator.layers]
    for old, new in zip(before, values(generator.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_generator_without_batchnorm_has_none():
    assert batchnorm_statistics(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), latent_noise(8, 4)) == []


def test_early_faces_are_not_grey(narrow):
    """An untrained generator whose activations are small: moving averages show grey, measured statistics do not."""
    model = narrow("slides-v1")
    noise = latent_noise(16, model.latent_dim)
    grey = generate(model.generator, noise, state=[])
    coloured = model.render(noise)
    assert coloured.std() > 1.5 * grey.std()


def test_a_face_does_not_depend_on_the_others(narrow):
    model = narrow("slides-v2")
    noise = latent_noise(5, model.latent_dim)
    alone, together = model.render(noise[:1])[0], model.render(noise)[0]
    assert np.abs(alone.astype(int) - together).max() <= 1  # rounding of a matrix product


def test_samples_are_uint8_rgb_and_follow_the_seed(narrow):
    model = narrow("slides-v2")
    faces = model.sample(3, seed=5)
    assert faces.shape == (3, 16, 16, 3) and faces.dtype == np.uint8
    np.testing.assert_array_equal(faces, model.sample(3, seed=5))
    assert (faces != model.sample(3, seed=6)).any()


@pytest.mark.parametrize("value_range, level", [((-1.0, 1.0), 128), ((0.0, 1.0), 64)])
def test_the_range_of_the_last_activation_becomes_0_to_255(value_range, level):
    constant = {(-1.0, 1.0): 0.0, (0.0, 1.0): 0.25}[value_range]
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(12, kernel_initializer="zeros")])
    generator.layers[0].bias.assign(np.full(12, constant, "float32"))
    generator = keras.Sequential([generator, keras.layers.Reshape((2, 2, 3))])
    assert set(generate(generator, np.zeros((1, 2), "float32"), [], value_range).ravel()) == {level}
