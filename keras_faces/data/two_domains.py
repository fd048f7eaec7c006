"""Batches of two kinds of faces that do not belong together in pairs: half of each batch from either.

Of the first 5,000 photographs of CelebA 315 wear glasses: one of a batch of sixteen. A translation between faces
without and with glasses needs as many of both in every step. So each kind has a stream of its own; the larger one goes
round once an epoch, the smaller one as often as it takes, each round in another order.

Both streams of epoch e depend on the seed and on e alone, so a training that was stopped goes on bit for bit.

What to read next: ``batches.py``, whose order alone is replaced here; ``models/cyclegan.py``, which reads them.
"""

from __future__ import annotations

import numpy as np

from keras_faces.data.batches import Batches


class TwoDomains(Batches):
    """Shuffled batches in which faces of the first and of the second class take turns: X, Y, X, Y, ...

    Parameters
    ----------
    images : array-like
        uint8, shape (N, H, W, 3); takes an int array in square brackets.
    batch_size : int
        Pictures a batch, an even number; of each part, if there are several.
    seed : int
        Decides, with the epoch, both streams.
    labels : ndarray
        float32 (N, 2): a 1 in the first column for X, in the second for Y.
    part : tuple of int
        As of :class:`Batches`.

    Raises
    ------
    ValueError
        The labels are not of two classes, a class is empty, the batch size is odd, or as of :class:`Batches`.
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

    def order(self, epoch: int) -> np.ndarray:
        """Numbers of the faces of an epoch, batch after batch: int64 (batches_per_epoch * batch_size,)."""
        with self._lock:
            if self._order[0] != epoch:
                random = np.random.default_rng([self.seed, epoch])
                count = self.batches_per_epoch * self.batch_size // 2
                streams = [self._stream(random, domain, count) for domain in self.domains]
                self._order = (epoch, np.stack(streams, axis=1).ravel())
            return self._order[1]

    @staticmethod
    def _stream(random: np.random.Generator, domain: np.ndarray, count: int) -> np.ndarray:
        rounds = [random.permutation(domain) for _ in range(-(-count // len(domain)))]
        return np.concatenate(rounds)[:count]
