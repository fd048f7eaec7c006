"""The same person or not: pairs that are what they say, and accuracies that can be counted by hand."""

import numpy as np
import pytest

from keras_faces.metrics import identity_verification, identity_verification_from_features, pairs_of
from keras_faces.metrics.verification import best_threshold


def test_pairs_are_half_of_one_person_and_half_of_two():
    people = np.array([0, 0, 0, 0, 0, 1, 1, 1, -1, 2])
    pairs, same = pairs_of(people, 24, seed=1)
    assert pairs.shape == (24, 2) and same.sum() == 12  # 10 + 3 pairs of one person, 12 asked for
    np.testing.assert_array_equal(people[pairs[:, 0]] == people[pairs[:, 1]], same)
    assert (people[pairs] >= 0).all() and (pairs[:, 0] != pairs[:, 1]).all()
    assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == 24
    np.testing.assert_array_equal(pairs, pairs_of(people, 24, seed=1)[0])
    assert len(pairs_of(people, 1000)[0]) == 26  # no more than there are


@pytest.mark.parametrize("people", [[0, 1, 2, 3], [0] * 30, [0, 0, 1, 1]])
def test_too_few_pairs_are_an_error(people):
    with pytest.raises(ValueError, match="10 parts need 10 pairs of either kind"):
        pairs_of(np.array(people), 100)


def test_the_threshold_is_the_one_with_the_fewest_mistakes():
    cosines, same = np.array([0.9, 0.1, 0.4, 0.6, 0.5]), np.array([True, False, False, True, True])
    assert best_threshold(cosines, same) == pytest.approx(0.45)
    assert best_threshold(cosines, np.ones(5, bool)) < 0.1 and best_threshold(cosines, np.zeros(5, bool)) > 0.9
    for seed in range(20):  # beside all thresholds that there are
        random = np.random.default_rng(seed)
        cosines, same = random.random(12), random.random(12) > 0.5
        right = [((cosines >= edge) == same).sum() for edge in [*cosines, 2.0]]
        assert ((cosines >= best_threshold(cosines, same)) == same).sum() == max(right)


def test_sure_features_have_1_and_blind_ones_chance():
    same = np.arange(400) % 2 == 0
    random = np.random.default_rng(0)
    ones = random.normal(size=(400, 8))
    others = np.where(same[:, None], 3 * ones, -ones)  # the length does not count
    score = identity_verification_from_features(ones, others, same)
    assert (score.value, score.low, score.high, score.n_real) == (1.0, 1.0, 1.0, 400)
    blind = identity_verification_from_features(ones, random.normal(size=(400, 8)), same)
    assert 0.4 < blind.value < 0.6 and blind.low < 0.5 < blind.high + 0.05
    with pytest.raises(ValueError, match="at least 20, of both"):
        identity_verification_from_features(ones, others, np.ones(400, bool))


def test_images_are_verified_by_any_features():
    people = np.repeat(np.arange(8), 4)
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 3)).astype("uint8")[people]
    assert identity_verification(images, people, "pixels", pairs=40, progress=False).value == 1.0
    with pytest.raises(ValueError, match="32 images of 31 identities"):
        identity_verification(images, people[1:], "pixels", progress=False)
