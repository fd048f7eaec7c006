"""Batches for learning from few labels: in each, a fixed share of faces with a label among faces without.

Ten labels among five thousand faces, shuffled as they come, would be in one batch of eight and missing in the other
seven. So the labelled faces go round and round in a stream of their own, and beside them runs the stream of all faces,
the labelled ones among them, whose labels are hidden (as in Salimans et al. 2016, where D reads a labelled and an
unlabelled batch a step). An epoch is one pass of the second stream.

Both streams of epoch e depend on the seed and on e alone, so a training that was stopped goes on bit for bit.

What to read next: ``batches.py``, whose order alone is replaced here; ``models/sgan.py``, which reads them.
"""

from __future__ import annotations

import numpy as np

from keras_faces.data.batches import Batches


class PartlyLabelled(Batches):
    """Shuffled batches in which every second face (every third, ...) has its label and the others have none.

    Parameters
    ----------
    images : array-like
        uint8, shape (N, H, W, 3); takes an int array in square brackets.
    batch_size : int
        Pictures a batch.
    seed : int
        Decides, with the epoch, both streams.
    labels : ndarray
        float32 (N, n); a row of zeros is a face without a label.
    part : tuple of int
        As of :class:`Batches`.
    every : int
        One face of so many comes from the labelled ones: 2 for half of each batch. They stand at regular places, so
        that parts of a batch have as many.

    Raises
    ------
    ValueError
        No face has a label, ``every`` is less than 2 or more than ``batch_size``, or as of :class:`Batches`.
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

    def order(self, epoch: int) -> np.ndarray:
        """Numbers of the faces of an epoch, batch after batch: int64 (batches_per_epoch * batch_size,)."""
        with self._lock:
            if self._order[0] != epoch:
                self._order = (epoch, self._two_streams(np.random.default_rng([self.seed, epoch])))
            return self._order[1]

    def _two_streams(self, random: np.random.Generator) -> np.ndarray:
        numbers = np.empty((self.batches_per_epoch, self.batch_size), np.int64)
        hidden = numbers[:, ~self.shows_label].shape
        numbers[:, ~self.shows_label] = random.permutation(len(self.images))[: hidden[0] * hidden[1]].reshape(hidden)
        places = numbers[:, self.shows_label].size
        rounds = [random.permutation(self.labelled) for _ in range(-(-places // len(self.labelled)))]
        numbers[:, self.shows_label] = np.concatenate(rounds)[:places].reshape(len(numbers), -1)
        return numbers.ravel()

    def _read(self, epoch: int, position: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = super()._read(epoch, position)
        number, parts = self.part
        shown = np.split(self.shows_label, parts)[number]
        return images, np.where(shown[:, None], labels, 0).astype("float32")
