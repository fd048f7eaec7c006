"""Batches with sentences: the batches as they were, and words that can be drawn again."""

import numpy as np
import pytest

from keras_faces.data.batches import Batches
from keras_faces.data.captions import Captioned, Captions

NAMES = ("Smiling", "Male", "Eyeglasses")


@pytest.fixture
def pairs(photographs):
    labels = (np.arange(48)[:, None] >> np.arange(3) & 1).astype("float32")
    return lambda seed=0: Captioned(Batches(photographs, 8, 1, labels), Captions(NAMES), seed)


def test_pictures_labels_words_and_what_they_say(pairs):
    ours = pairs()
    images, (labels, words, said) = ours[2]
    plain_images, plain_labels = ours.batches[2]
    np.testing.assert_array_equal(images, plain_images)
    np.testing.assert_array_equal(labels, plain_labels)
    assert len(ours) == len(ours.batches) == 6
    known = ours.captions.vocabulary.words
    sentences = [" ".join(known[number - 1] for number in row if number) for row in words]
    np.testing.assert_array_equal(ours.captions.vectors(sentences), said)
    assert ((said == 0) | (said == 2 * labels - 1)).all() and (said != 0).any()


def test_the_same_batch_has_the_same_sentences_and_another_seed_others(pairs):
    (first, _), (again, _), (other, _) = (pairs(seed)[2][1][1:] for seed in (0, 0, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_an_epoch_goes_by_as_without_sentences(pairs):
    ours = pairs()
    ours.on_epoch_begin()
    words = [ours[index][1][1] for index in range(len(ours))]
    ours.on_epoch_end()
    assert ours.batches.epoch == 1
    later = pairs()
    later.batches.epoch, later.batches.start = 0, 4  # as a resumed training
    later.on_epoch_begin()
    np.testing.assert_array_equal(later[0][1][1], words[4])
