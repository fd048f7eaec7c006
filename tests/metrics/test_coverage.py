"""Precision, recall, density and coverage of points on paper, and of random points by brute force."""

import numpy as np
import pytest

from keras_faces.metrics import precision_recall, precision_recall_from_features

NAMES = ("precision", "recall", "density", "coverage")


def on_a_line(*points):
    return np.array(points, "float64")[:, None]


def brute_force(real, fake, k):
    """The four definitions with loops."""

    def distance(x, y):
        return np.sqrt(sum((a - b) ** 2 for a, b in zip(x, y, strict=True)))

    def radius(index, rows):
        return sorted(distance(rows[index], other) for j, other in enumerate(rows) if j != index)[k - 1]

    real_radii = [radius(i, real) for i in range(len(real))]
    fake_radii = [radius(j, fake) for j in range(len(fake))]
    in_real = [[distance(x, y) <= r for x, r in zip(real, real_radii, strict=True)] for y in fake]
    in_fake = [[distance(x, y) <= r for y, r in zip(fake, fake_radii, strict=True)] for x in real]
    return {
        "precision": np.mean([any(row) for row in in_real]),
        "recall": np.mean([any(row) for row in in_fake]),
        "density": np.sum(in_real) / (k * len(fake)),
        "coverage": np.mean(np.any(in_real, axis=0)),
    }


def test_points_on_a_line():
    # k = 1: real balls 0±1, 1±1, 3±2, 10±7; fake balls 0.5±3.5, 4±3.5, 30±26
    scores = precision_recall_from_features(on_a_line(0, 1, 3, 10), on_a_line(0.5, 4, 30), neighbours=1)
    assert float(scores["precision"]) == pytest.approx(2 / 3)  # 0.5 and 4 are inside a ball, 30 is not
    assert float(scores["recall"]) == pytest.approx(1)  # 0, 1, 3 lie in the first fake ball, 10 in the last
    assert float(scores["density"]) == pytest.approx((2 + 2 + 0) / 3)  # balls of 0 and 1; of 3 and 10
    assert float(scores["coverage"]) == pytest.approx(1)


def test_a_collapsed_net_is_precise_and_covers_little():
    real = np.random.default_rng(0).normal(size=(200, 2))
    fake = real[3] + np.random.default_rng(1).normal(size=(200, 2)) * 1e-3
    scores = precision_recall_from_features(real, fake)
    assert float(scores["precision"]) == 1 and float(scores["recall"]) <= 0.01 and float(scores["coverage"]) < 0.1


def test_noise_is_not_precise():
    real = np.random.default_rng(0).normal(size=(200, 2))
    scores = precision_recall_from_features(real, real + 100)
    assert [float(scores[name]) for name in NAMES] == [0, 0, 0, 0]
    assert scores["precision"].low == 0 and scores["precision"].high == pytest.approx(1 - 0.025 ** (1 / 200))


@pytest.mark.parametrize("seed, k", [(0, 1), (1, 3), (2, 5)])
def test_random_points_agree_with_brute_force(seed, k, monkeypatch):
    monkeypatch.setattr("keras_faces.metrics.coverage._MEGABYTES", 0.01)  # several chunks
    random = np.random.default_rng(seed)
    real, fake = random.normal(size=(60, 3)), random.normal(size=(45, 3)) * 0.8 + 0.5
    scores = precision_recall_from_features(real, fake, neighbours=k)
    expected = brute_force(real, fake, k)
    assert tuple(scores) == NAMES
    for name in NAMES:
        assert float(scores[name]) == pytest.approx(expected[name]), name
        assert scores[name].low <= scores[name].value <= scores[name].high
        assert scores[name].n_real == 60 and scores[name].n_fake == 45


def test_swapping_the_sides_swaps_precision_and_recall():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(50, 3)), random.normal(size=(50, 3)) + 0.8
    there, back = precision_recall_from_features(real, fake), precision_recall_from_features(fake, real)
    assert float(there["precision"]) == float(back["recall"])
    assert float(there["recall"]) == float(back["precision"])


def test_the_set_itself_is_covered_also_where_images_come_twice():
    rows = np.random.default_rng(0).normal(size=(40, 2)).repeat(8, axis=0)  # radii of 0: twins fill the balls
    scores = precision_recall_from_features(rows, rows, neighbours=3)
    assert float(scores["precision"]) == float(scores["recall"]) == float(scores["coverage"]) == 1


def test_warnings_and_errors():
    rows = np.random.default_rng(0).normal(size=(1600, 2))
    few = precision_recall_from_features(rows[:50], rows[50:150])["recall"]
    assert "50 images on a side are few" in few.warnings[0] and "50 real and 100 fake" in few.warnings[1]
    with pytest.raises(ValueError, match="neighbours=5.*5 real"):
        precision_recall_from_features(rows[:5], rows)
    with pytest.raises(ValueError, match="neighbours=0"):
        precision_recall_from_features(rows, rows, neighbours=0)


def test_images_go_in_by_a_name_of_features(photographs):
    scores = precision_recall(photographs[:24], photographs[24:], "pixels", neighbours=3, progress=False)
    assert tuple(scores) == NAMES and "PCA" in scores["recall"].features and scores["recall"].resize
