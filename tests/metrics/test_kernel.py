"""KID against a plain double loop, and its mean over many draws against 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_faces.metrics import kernel_distance, kid, kid_from_features


def double_loop(real, fake):
    """Gretton et al. 2012, eq. 3, term by term."""

    def k(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def among(rows):
        others = [k(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j]
        return sum(others) / len(others)

    mixed = [k(x, y) for x in real for y in fake]
    return among(real) + among(fake) - 2 * sum(mixed) / len(mixed)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 9), m=st.integers(2, 9), dimension=st.integers(1, 6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_it_equals_the_plain_double_loop(seed, n, m, dimension):
    random = np.random.default_rng(seed)
    real, fake = random.normal(size=(n, dimension)), random.normal(size=(m, dimension)) + 0.5
    assert kernel_distance(real, fake) == pytest.approx(double_loop(real, fake), rel=1e-9, abs=1e-9)


def test_it_is_unbiased_on_small_sets():
    random = np.random.default_rng(0)
    draws = np.array([kernel_distance(*random.normal(size=(2, 6, 4))) for _ in range(6000)])
    error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean()) < 3 * error
    assert error < 0.05  # tight enough to see a bias: with the diagonal, the mean would be far off
    # E k(x, x) − E k(x, y) for the diagonal's share 1/6 of both sides, the bias of the usual V-statistic
    with_diagonal = 2 / 6 * (np.mean((random.chisquare(4, 100_000) / 4 + 1) ** 3) - 1 - 3 * 1 / 4)
    assert with_diagonal > 20 * error


def test_unbiased_means_the_same_mean_for_small_and_large_sets():
    random = np.random.default_rng(1)

    def mean(size, draws):
        pairs = ((random.normal(size=(size, 3)), random.normal(size=(size, 3)) + 0.7) for _ in range(draws))
        values = np.array([kernel_distance(real, fake) for real, fake in pairs])
        return values.mean(), values.std() / np.sqrt(draws)

    (small, small_error), (large, large_error) = mean(5, 4000), mean(200, 100)
    assert abs(small - large) < 3 * np.hypot(small_error, large_error)
    assert large > 20 * large_error


def test_the_score_is_the_mean_over_its_subsets_and_says_how():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(500, 5)), random.normal(size=(400, 5)) + 0.3
    score = kid_from_features(real, fake, "five numbers", subsets=30, subset_size=100, seed=2, split="held-out")
    assert score.value == pytest.approx(kernel_distance(real, fake), abs=3 * score.spread / np.sqrt(30))
    assert score.low < score.value < score.high and score.spread > 0
    assert score.warnings == () and "30 subsets of 100" in score.interval
    assert (score.n_real, score.n_fake, score.split, score.features) == (500, 400, "held-out", "five numbers")
    again = kid_from_features(real, fake, "five numbers", subsets=30, subset_size=100, seed=2, split="held-out")
    assert again == score
    assert kid_from_features(real, fake, subsets=30, subset_size=100, seed=3).value != score.value


def test_the_interval_is_as_wide_as_other_draws_vary():
    random = np.random.default_rng(3)

    def draw():
        return random.normal(size=(200, 4)), random.normal(size=(200, 4)) + 0.4

    values = np.array([kernel_distance(*draw()) for _ in range(150)])
    scores = [kid_from_features(*draw(), subsets=60, subset_size=50, seed=number) for number in range(8)]
    reach = np.mean([score.high - score.value for score in scores]) / 1.96
    assert 0.7 < reach / values.std() < 1.5


def test_few_images_make_smaller_subsets_with_a_warning():
    random = np.random.default_rng(0)
    score = kid_from_features(random.normal(size=(60, 3)), random.normal(size=(41, 3)))
    assert "subsets of 20 instead of 1,000: a side has only 41 images" in score.warnings[0]
    assert score.spread > 0
    with pytest.raises(ValueError, match="four images a side.*3 real"):
        kid_from_features(np.ones((3, 2)), np.ones((9, 2)))
    with pytest.raises(ValueError, match="subsets=1"):
        kid_from_features(np.ones((9, 2)), np.ones((9, 2)), subsets=1)


def test_copies_of_the_real_images_push_it_below_zero():
    rows = np.random.default_rng(0).normal(size=(300, 4))
    own = np.mean((np.sum(rows**2, axis=1) / 4 + 1) ** 3)  # k of each image with itself
    others = (np.mean((rows @ rows.T / 4 + 1) ** 3) * 300 - own) / 299
    assert kernel_distance(rows, rows) == pytest.approx(2 / 300 * (others - own)) and others < own
    assert kid_from_features(rows, rows, subset_size=100).value < 0


def test_images_go_in_by_a_name_of_features(photographs):
    noisy = np.random.default_rng(0).integers(0, 256, photographs.shape, "uint8")
    half, other = photographs[:24], photographs[24:]
    same = kid(half, other, "pixels", seed=1, progress=False)
    worse = kid(half, noisy[:24], "pixels", seed=1, progress=False)
    assert worse.value > same.high
    assert "PCA" in worse.features and worse.resize
