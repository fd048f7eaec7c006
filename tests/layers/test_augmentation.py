"""Conditioning augmentation and its KL against closed forms."""

import keras
import numpy as np

from keras_faces.layers.augmentation import ConditioningAugmentation, kl_divergence

read = keras.ops.convert_to_numpy


def test_the_kl_is_that_of_two_normal_distributions():
    mean, sigma = np.array([[0.5, -1.0], [0.0, 2.0]], "float32"), np.array([[2.0, 0.5], [1.0, 0.1]], "float32")
    # of one component: ½ (μ² + σ² − 1 − ln σ²)
    expected = (0.5 * (0.25 + 4 - 1 - np.log(4)) + 0.5 * (1 + 0.25 - 1 - np.log(0.25))) / 2
    expected += (0.0 + 0.5 * (4 + 0.01 - 1 - np.log(0.01))) / 2
    np.testing.assert_allclose(read(kl_divergence(mean, np.log(sigma))), expected, rtol=1e-5)
    assert float(read(kl_divergence(np.zeros((3, 4), "float32"), np.zeros((3, 4), "float32")))) == 0.0


def test_the_kl_is_the_mean_log_ratio_of_the_densities():
    mean, log_sigma = 0.7, -0.4
    draws = mean + np.exp(log_sigma) * np.random.default_rng(0).standard_normal(400_000)
    ratio = -log_sigma - 0.5 * ((draws - mean) / np.exp(log_sigma)) ** 2 + 0.5 * draws**2
    value = float(read(kl_divergence(np.full((1, 1), mean, "float32"), np.full((1, 1), log_sigma, "float32"))))
    assert abs(value - ratio.mean()) < 0.01


def test_the_condition_is_mean_plus_sigma_times_chance():
    layer = ConditioningAugmentation(3)
    text = np.random.default_rng(0).standard_normal((5, 8)).astype("float32")
    chance = np.random.default_rng(1).standard_normal((5, 3)).astype("float32")
    condition, mean, log_sigma = map(read, layer([text, chance]))
    both = text @ read(layer.kernel) + read(layer.bias)
    both = np.where(both > 0, both, 0.2 * both)
    np.testing.assert_allclose(np.concatenate([mean, log_sigma], 1), both, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(condition, mean + np.exp(log_sigma) * chance, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(read(layer([text, 0 * chance])[0]), mean)


def test_it_stays_in_float32_and_comes_back_from_its_config():
    again = ConditioningAugmentation.from_config(ConditioningAugmentation(4, name="cloud").get_config())
    assert (again.components, again.name, again.compute_dtype) == (4, "cloud", "float32")
    assert again.compute_output_shape([(2, 8), (2, 4)]) == [(2, 4)] * 3
