"""Neighbours, the memorisation rate of an honest system, of copies and of far-off faces."""

import numpy as np
import pytest

from keras_faces import metrics
from keras_faces.metrics.neighbours import memorisation_from_features, nearest_from_features


@pytest.fixture
def random():
    return np.random.default_rng(4)


def test_neighbours_are_those_of_all_distances(random):
    fake, train = random.normal(size=(7, 3)), random.normal(size=(20, 3))
    numbers, distances = nearest_from_features(fake, train, k=4)
    every = np.linalg.norm(fake[:, None] - train[None], axis=2)
    np.testing.assert_array_equal(numbers, every.argsort(1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(every, 1)[:, :4], rtol=1e-6)


def test_copies_are_found_among_images(random):
    train = random.integers(0, 256, (30, 12, 12, 3), dtype="uint8")
    features = metrics.features.get("pixels")
    train_features = metrics.features_of(train, features, progress=False)
    numbers, distances = nearest_from_features(
        metrics.features_of(train[[11, 3]], features, side="fake", progress=False), train_features, k=2
    )
    assert numbers[:, 0].tolist() == [11, 3]
    assert (distances[:, 0] < 1e-3).all() and (distances[:, 1] > 0.1).all()


def test_an_honest_system_scores_the_quantile(random):
    train, held_out, fake = (random.normal(size=(count, 4)) for count in (1000, 2000, 2000))
    score = memorisation_from_features(fake, train, held_out)
    assert abs(float(score) - 0.05) < 0.02
    assert score.low < 0.05 < score.high and "0.05 is what new photographs have" in score.interval
    assert abs(float(memorisation_from_features(fake, train, held_out, quantile=0.5)) - 0.5) < 0.05


def test_half_copies_score_a_half_and_far_faces_nothing(random):
    train, held_out = random.normal(size=(500, 4)), random.normal(size=(500, 4))
    fake = np.concatenate([train[:100] + 1e-4, random.normal(20, 1, size=(100, 4))])
    assert float(memorisation_from_features(fake, train, held_out)) == 0.5
    assert float(memorisation_from_features(fake[100:], train, held_out)) == 0


def test_images_go_through_one_fit_of_the_features(random):
    train, held_out = (random.integers(0, 256, (40, 8, 8, 3), dtype="uint8") for _ in range(2))
    score = metrics.memorisation(train[:10], train, held_out, "pixels")
    assert float(score) == 1 and (score.n_real, score.n_fake) == (40, 10)
    assert "fitted on 40 images" in score.features and "40 held-out" in score.split
    assert "few" in score.warnings[0]


def test_wrong_numbers_are_told(random):
    points = random.normal(size=(5, 2))
    with pytest.raises(ValueError, match="from 1 to 5"):
        nearest_from_features(points, points, k=6)
    with pytest.raises(ValueError, match="do not fit"):
        nearest_from_features(points[:, :1], points)
    with pytest.raises(ValueError, match="quantile=1"):
        memorisation_from_features(points, points, points, quantile=1)
