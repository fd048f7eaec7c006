"""Batches of two groups: the shares, the order, and continuing in the middle of an epoch."""

import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data.mixed_batches import PartlyLabelled, TwoDomains


def made(count=40, labelled=(3, 8, 20), batch_size=8, seed=5, **options):
    """Pictures that hold their own number, and one-hot labels of some of them."""
    images = np.arange(count, dtype="uint8")[:, None, None, None] * np.ones((1, 4, 4, 3), "uint8")
    labels = np.zeros((count, 2), "float32")
    labels[list(labelled), np.arange(len(labelled)) % 2] = 1
    return PartlyLabelled(images, batch_size, seed, labels, **options), labels


@pytest.mark.parametrize("every", [2, 4])
def test_a_fixed_share_of_each_batch_has_its_label_and_the_others_none(every):
    batches, labels = made(every=every)
    assert len(batches) == 40 // (8 - 8 // every)
    for images, rows in (batches[index] for index in range(len(batches))):
        indices = images[:, 0, 0, 0]
        shown = np.arange(8) % every == 0
        assert set(indices[shown]) <= {3, 8, 20}
        np.testing.assert_array_equal(rows[shown], labels[indices[shown]])
        assert not rows[~shown].any() and rows.dtype == np.float32


def test_an_epoch_is_one_pass_of_all_faces_and_the_labelled_come_equally_often():
    batches, _ = made()
    order = batches.order(0).reshape(-1, 8)
    assert sorted(order[:, 1::2].ravel()) == list(range(40))
    counts = np.unique(order[:, ::2], return_counts=True)[1]
    assert counts.max() - counts.min() <= 1


def test_the_order_is_that_of_the_seed_and_the_epoch_alone():
    first, second = made()[0], made()[0]
    third = first.order(3)
    first.order(0)
    np.testing.assert_array_equal(second.order(3), third)
    np.testing.assert_array_equal(first.order(3), third)
    assert (first.order(4) != third).any() and (made(seed=6)[0].order(3) != third).any()


def test_begun_in_the_middle_of_an_epoch_it_gives_the_rest_of_it():
    whole, rest = made()[0], made()[0]
    whole.epoch = rest.epoch = 2
    rest.start = 4
    assert len(rest) == len(whole) - 4
    for index in range(len(rest)):
        for a, b in zip(rest[index], whole[index + 4], strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_cannot_be_done_is_said():
    with pytest.raises(ValueError, match="no face has a label"):
        made(labelled=())
    for every in (1, 9):
        with pytest.raises(ValueError, match=f"every={every}"):
            made(every=every)


def test_faces_of_which_labels_are_hidden_come_in_such_batches():
    faces = kf.data.load("drawn", image_size=16, count=60).labelled("Male")
    few = faces.with_labels_of(6, seed=1)
    assert few.labels.partial and not faces.labels.partial
    assert few.labels.counts() == {"not Male": 3, "Male": 3}
    kept = few.labels.vectors.any(axis=1)
    np.testing.assert_array_equal(few.labels.vectors[kept], faces.labels.vectors[kept])
    images, rows = few.batches(10)[0]
    assert images.shape == (10, 16, 16, 3) and rows.any(axis=1).sum() == 5
    assert faces.batches(10)[0][1].any(axis=1).all()
    assert few.fingerprint() != faces.fingerprint()


def test_labels_that_cannot_be_hidden():
    faces = kf.data.load("drawn", image_size=16, count=60)
    with pytest.raises(ValueError, match="has none yet"):
        faces.with_labels_of(6)
    with pytest.raises(ValueError, match="from 2, one a class, to 60"):
        faces.labelled("Male").with_labels_of(1)
    with pytest.raises(ValueError, match="Smiling, Male are attributes"):
        faces.labelled("Smiling, Male").with_labels_of(6)


# ------------------------------------------------------------------------------------------ TwoDomains

LABELS = np.eye(2, dtype="float32")[[0] * 20 + [1] * 3]
IMAGES = np.arange(23, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 2, 3), "uint8")


def shown(batches):
    return [images[:, 0, 0, 0].tolist() for images, _ in (batches[index] for index in range(len(batches)))]


def test_they_take_turns_and_the_larger_one_goes_round_once():
    batches = TwoDomains(IMAGES, 8, 5, LABELS)
    assert len(batches) == 5
    found = np.array(shown(batches))
    assert sorted(found[:, 0::2].ravel()) == list(range(20))
    seen = found[:, 1::2].ravel()
    assert set(seen) == {20, 21, 22} and np.bincount(seen)[20:].min() >= 6
    for _, labels in (batches[index] for index in range(5)):
        np.testing.assert_array_equal(labels, np.eye(2)[[0, 1] * 4])


def test_the_order_follows_from_seed_and_epoch_alone():
    first, again, other = (TwoDomains(IMAGES, 8, seed, LABELS) for seed in (5, 5, 6))
    assert shown(first) == shown(again) != shown(other)
    first.epoch = again.epoch = 3
    again.start = 2
    assert shown(first)[2:] == shown(again)


def test_parts_of_a_batch_take_turns_too():
    halves = [TwoDomains(IMAGES, 8, 5, LABELS, (part, 2)) for part in (0, 1)]
    whole = shown(TwoDomains(IMAGES, 8, 5, LABELS))
    assert [a + b for a, b in zip(*map(shown, halves), strict=True)] == whole


@pytest.mark.parametrize(
    "size, labels, message",
    [
        (7, LABELS, "batch_size=7: half of each"),
        (8, np.eye(3, dtype="float32")[[0, 1, 2] * 7 + [0, 1]], "two classes, the labels have 3"),
        (8, np.eye(2, dtype="float32")[[0] * 23], r"there are \[23, 0\]"),
    ],
)
def test_what_is_no_two_domains(size, labels, message):
    with pytest.raises(ValueError, match=message):
        TwoDomains(IMAGES, size, 0, labels)
