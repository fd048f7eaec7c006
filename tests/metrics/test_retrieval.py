"""Rank-1 by hand, and the split into gallery and probes."""

import numpy as np
import pytest

from keras_faces import metrics
from keras_faces.metrics.retrieval import gallery_and_probes, identity_retrieval_from_features

GALLERY = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])


def test_rank_1_is_by_direction_not_by_length():
    probes = np.array([[9.0, 1.0], [0.1, 1.0], [5.0, 4.0], [0.2, 0.0]])
    score = identity_retrieval_from_features(GALLERY, np.array([7, 8, 9]), probes, np.array([7, 8, 9, 9]))
    assert float(score) == 0.75
    assert (score.n_real, score.n_fake) == (3, 4) and "among 3 people" in score.interval
    assert score.low < 0.75 < score.high


def test_several_gallery_pictures_of_one_person():
    score = identity_retrieval_from_features(GALLERY, np.array(["a", "b", "a"]), GALLERY * 3, np.array(["a", "b", "a"]))
    assert float(score) == 1 and score.low < 1 == score.high


def test_images_go_through_the_features():
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (5, 12, 12, 3), dtype="uint8")
    noisy = np.clip(faces.astype(int) + random.integers(-9, 10, faces.shape), 0, 255).astype("uint8")
    who = np.arange(5)
    score = metrics.identity_retrieval(faces, who, noisy[::-1], who[::-1], "pixels", split="held-out")
    assert float(score) == 1 and score.features.startswith("pixels (PCA, 5 components") and score.split == "held-out"


def test_strangers_and_wrong_counts_are_told():
    with pytest.raises(ValueError, match="1 people among the probes, such as 5"):
        identity_retrieval_from_features(GALLERY, np.arange(3), GALLERY, np.array([0, 1, 5]))
    with pytest.raises(ValueError, match="probes: 3 images with identities of shape"):
        identity_retrieval_from_features(GALLERY, np.arange(3), GALLERY, np.arange(2))


def test_the_split_takes_one_picture_a_person_and_no_picture_twice():
    identities = np.array([4] * 7 + [2] * 6 + [9] * 3 + [-1] * 8)
    gallery, probes = gallery_and_probes(identities, pictures=6, seed=1)
    assert sorted(identities[gallery]) == [2, 4]
    assert sorted(identities[probes]) == [2] * 5 + [4] * 5
    assert len({*gallery, *probes}) == 12
    again = gallery_and_probes(identities, pictures=6, seed=1)
    np.testing.assert_array_equal(gallery, again[0])
    assert gallery_and_probes(identities, pictures=3)[0].shape == (3,)


def test_too_few_pictures_name_what_works():
    with pytest.raises(ValueError, match="two have 3: take pictures=3"):
        gallery_and_probes(np.array([1] * 3 + [2] * 5), pictures=4)
    with pytest.raises(ValueError, match="2 or more"):
        gallery_and_probes(np.array([1, 1, 2, 2]), pictures=1)
