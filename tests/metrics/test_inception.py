"""Inception Score of classifiers whose score is known."""

import numpy as np
import pytest

from keras_faces.metrics import inception_score, inception_score_from_probabilities


def one_hot(count, classes):
    return np.eye(classes)[np.arange(count) % classes]


def test_a_perfect_classifier_of_all_classes_scores_their_number():
    score = inception_score_from_probabilities(one_hot(400, 5), splits=1)
    assert score.value == pytest.approx(5, rel=1e-12)
    assert score.high == 5  # no score is higher
    assert score.spread is None and score.warnings == ()


def test_a_constant_classifier_scores_one():
    constant = np.tile([0.1, 0.2, 0.7], (400, 1))
    score = inception_score_from_probabilities(constant, splits=10)
    assert score.value == pytest.approx(1, rel=1e-12) and score.spread == pytest.approx(0, abs=1e-12)


def test_a_net_that_makes_one_class_scores_one_however_sure_the_classifier_is():
    assert inception_score_from_probabilities(np.tile(np.eye(4)[2], (100, 1)), splits=2).value == pytest.approx(1)


def test_it_equals_the_formula_split_by_split():
    random = np.random.default_rng(0)
    rows = random.dirichlet(np.ones(6) * 0.3, size=200)
    parts = np.array_split(np.random.default_rng(7).permutation(200), 4)  # the same random parts

    def formula(part):
        divergences = [sum(p * np.log(p / q) for p, q in zip(row, part.mean(0), strict=True) if p > 0) for row in part]
        return np.exp(np.mean(divergences))

    expected = [formula(rows[part]) for part in parts]
    score = inception_score_from_probabilities(rows, "six classes", splits=4, seed=7)
    assert score.value == pytest.approx(np.mean(expected)) and score.spread == pytest.approx(np.std(expected, ddof=1))
    assert (score.name, score.n_real, score.n_fake, score.features) == ("inception_score", 0, 200, "six classes")
    assert "no real images" in str(score)


def test_the_interval_is_as_wide_as_other_draws_vary(monkeypatch):
    monkeypatch.setattr("keras_faces.metrics.inception._HALVES_AT_ONCE", 4000)  # several rounds of halves
    random = np.random.default_rng(0)

    def draw(seed):
        return inception_score_from_probabilities(random.dirichlet(np.ones(5) * 0.4, size=300), splits=1, seed=seed)

    scores = [draw(seed) for seed in range(40)]
    reach = np.mean([score.high - score.value for score in scores]) / 1.96
    assert 0.7 < reach / np.std([score.value for score in scores]) < 1.4


def test_images_pass_through_the_classifier_in_batches():
    class Brightness:
        name, resize = "dark or bright", "none"

        def probabilities(self, images, batch_size=64):
            bright = (images.mean(axis=(1, 2, 3)) > 127).astype("float32")
            return np.stack([1 - bright, bright], axis=1)

    images = np.zeros((90, 4, 4, 3), "uint8")
    images[::3] = 255
    share = np.array([2 / 3, 1 / 3])
    score = inception_score(images, Brightness(), splits=1, batch_size=7, progress=False)
    assert score.value == pytest.approx(np.exp(-(share * np.log(share)).sum()), rel=1e-6)
    assert score.features == "dark or bright" and score.n_fake == 90


def test_few_images_are_a_warning_and_nonsense_an_error():
    few = inception_score_from_probabilities(one_hot(40, 10), splits=4)
    assert "40 images in 4 splits are few for 10 classes" in few.warnings[0] and "400 are better" in few.warnings[0]
    with pytest.raises(ValueError, match="splits=10"):
        inception_score_from_probabilities(one_hot(19, 3))
    with pytest.raises(ValueError, match="row 3 is no distribution.*neither logits"):
        rows = one_hot(20, 4)
        rows[3] = [2.0, -1.0, 0.0, 0.0]
        inception_score_from_probabilities(rows, splits=1)
    with pytest.raises(ValueError, match="row 0 is no distribution"):
        inception_score_from_probabilities(np.full((20, 4), 0.9), splits=1)
    with pytest.raises(ValueError, match="two classes or more"):
        inception_score_from_probabilities(np.ones((20, 1)), splits=1)


def test_attributes_are_no_classes():
    class Smiles:
        name, resize, label_kind = "smiles", "none", "attributes"

    with pytest.raises(ValueError, match="smiles knows attributes"):
        inception_score(np.zeros((4, 8, 8, 3), "uint8"), Smiles())
