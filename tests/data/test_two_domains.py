"""TwoDomains: as many of both, every face of the larger domain once an epoch, an order that follows from the seed."""

import numpy as np
import pytest

from keras_faces.data.two_domains import TwoDomains

LABELS = np.eye(2, dtype="float32")[[0] * 20 + [1] * 3]
IMAGES = np.arange(23, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 2, 3), "uint8")


def numbers(batches):
    return [images[:, 0, 0, 0].tolist() for images, _ in (batches[index] for index in range(len(batches)))]


def test_they_take_turns_and_the_larger_one_goes_round_once():
    batches = TwoDomains(IMAGES, 8, 5, LABELS)
    assert len(batches) == 5
    found = np.array(numbers(batches))
    assert sorted(found[:, 0::2].ravel()) == list(range(20))
    seen = found[:, 1::2].ravel()
    assert set(seen) == {20, 21, 22} and np.bincount(seen)[20:].min() >= 6
    for _, labels in (batches[index] for index in range(5)):
        np.testing.assert_array_equal(labels, np.eye(2)[[0, 1] * 4])


def test_the_order_follows_from_seed_and_epoch_alone():
    first, again, other = (TwoDomains(IMAGES, 8, seed, LABELS) for seed in (5, 5, 6))
    assert numbers(first) == numbers(again) != numbers(other)
    first.epoch = again.epoch = 3
    again.start = 2
    assert numbers(first)[2:] == numbers(again)


def test_parts_of_a_batch_take_turns_too():
    halves = [TwoDomains(IMAGES, 8, 5, LABELS, (part, 2)) for part in (0, 1)]
    whole = numbers(TwoDomains(IMAGES, 8, 5, LABELS))
    assert [a + b for a, b in zip(*map(numbers, halves), strict=True)] == whole


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
