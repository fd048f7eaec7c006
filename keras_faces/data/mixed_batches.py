"""Batches with a fixed share of two groups of faces, for groups of very different size.

Ten labels among five thousand faces, or one face with glasses among sixteen: shuffled together, most batches would hold
none of them. Here each group has its own stream; the smaller one repeats, in another order each time. The order of an
epoch depends only on the seed and the epoch, so a training that was stopped continues exactly.
"""

from __future__ import annotations

import numpy as np

from keras_faces.data.batches import Batches


class PartlyLabelled(Batches):
    """Batches for semi-supervised learning: every second face (every third, ...) shows its label, the others do not.

    One stream is all faces, with hidden labels; an epoch is one pass of it. The other stream is the labelled faces
    (as in Salimans et al. 2016, where D reads a labelled and an unlabelled batch per step). ``sgan.py`` uses it.

    Parameters
    ----------
    images, batch_size, seed, part
        As in :class:`Batches`.
    labels : ndarray of float32, shape (N, n), or `keras_faces.data.labels.OneHot`
        A row of zeros is a face without a label.
    every : int
        One face of so many comes from the labelled ones, from 2 (half of each batch) to `batch_size`. They have regular
        places, so that the parts of a batch have equally many.

    Raises
    ------
    ValueError
        No face has a label, `every` is out of range, or as in :class:`Batches`.
    """

    def __init__(self, images, batch_size: int, seed: int, labels: np.ndarray, part=(0, 1), every: int = 2):
        super().__init__(images, batch_size, seed, labels, part)
        if not 2 <= every <= self.batch_size:
            raise ValueError(f"every={every}: must be from 2, half of a batch, to {self.batch_size}, one face a batch")
        self.labelled = np.flatnonzero(labels.any(axis=1))
        if not len(self.labelled):
            raise ValueError("no face has a label: keep one of each class at least")
        self.shows_label = np.arange(self.batch_size) % every == 0  # places in a batch

    @property
    def batches_per_epoch(self) -> int:
        """Batches that the stream of all faces fills."""
        return len(self.images) // int((~self.shows_label).sum())

    def _shuffled(self, random: np.random.Generator) -> np.ndarray:
        indices = np.empty((self.batches_per_epoch, self.batch_size), np.int64)
        hidden = indices[:, ~self.shows_label]
        indices[:, ~self.shows_label] = random.permutation(len(self.images))[: hidden.size].reshape(hidden.shape)
        shown = indices[:, self.shows_label]
        indices[:, self.shows_label] = _repeated(random, self.labelled, shown.size).reshape(shown.shape)
        return indices.ravel()

    def _read(self, epoch: int, position: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = super()._read(epoch, position)
        k, parts = self.part
        shown = np.split(self.shows_label, parts)[k]
        return images, np.where(shown[:, None], labels, 0).astype("float32")


class TwoDomains(Batches):
    """Batches in which faces of the first and the second class alternate: X, Y, X, Y, ... ``cyclegan.py`` uses it.

    The larger class is used once per epoch, the smaller one as often as needed.

    Parameters
    ----------
    images, seed, part
        As in :class:`Batches`.
    batch_size : int
        Images per batch, an even number; also in each part.
    labels : ndarray of float32, shape (N, 2)
        A 1 in the first column for X, in the second for Y.

    Raises
    ------
    ValueError
        The labels are not of two classes, a class is empty, the batch size is odd, or as in :class:`Batches`.
    """

    def __init__(self, images, batch_size: int, seed: int, labels: np.ndarray, part=(0, 1)):
        super().__init__(images, batch_size, seed, labels, part)
        if labels.shape[1] != 2:
            raise ValueError(f"two domains need two classes, the labels have {labels.shape[1]}")
        self.domains = [np.flatnonzero(labels[:, column] > 0) for column in (0, 1)]
        if not all(map(len, self.domains)):
            raise ValueError(f"two domains need faces of both classes; there are {[len(one) for one in self.domains]}")
        if (batch_size // part[1]) % 2:
            raise ValueError(f"batch_size={batch_size}: half of each batch is of either domain, so take an even number")

    @property
    def batches_per_epoch(self) -> int:
        """Batches that the larger domain fills with half of each."""
        return max(1, max(map(len, self.domains)) // (self.batch_size // 2))

    def _shuffled(self, random: np.random.Generator) -> np.ndarray:
        count = self.batches_per_epoch * self.batch_size // 2
        return np.stack([_repeated(random, domain, count) for domain in self.domains], axis=1).ravel()


def _repeated(random: np.random.Generator, indices: np.ndarray, count: int) -> np.ndarray:
    """Shuffle the indices again and again until there are `count`."""
    rounds = [random.permutation(indices) for _ in range(-(-count // len(indices)))]
    return np.concatenate(rounds)[:count]
