"""Mean and covariance of features, accumulated batch by batch in float64.

Only the mean (D,) and the scatter matrix (D, D) are kept, so any number of images fits in memory. Each batch is centred
before it is multiplied, and parts are combined by Chan, Golub and LeVeque 1979 ("Updating formulae and a pairwise
algorithm for computing sample variances", eq. 2.1): Σxx' − nμμ' would lose half of the digits. See also ``frechet.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

_ROWS_AT_ONCE = 4096  # features that wait until it pays to multiply them


class Moments:
    """Mean and covariance of all rows so far.

        moments = Moments()
        for batch in batches:
            moments.add(batch)
        moments.mean, moments.covariance, moments.n

    Parameters
    ----------
    features : ndarray of float, shape (n, D), optional
        The first rows.
    """

    def __init__(self, features: np.ndarray | None = None):
        self.n = 0
        self._mean: np.ndarray | None = None
        self._scatter: np.ndarray | None = None  # Σ (x − mean)(x − mean)'
        if features is not None:
            self.add(features)

    def add(self, features: np.ndarray) -> Moments:
        """Add rows (n, D) of any real dtype; computed in float64.

        Raises
        ------
        ValueError
            If D differs from the rows before, or a number is not finite.
        """
        rows = np.asarray(features, "float64")
        if rows.ndim != 2:
            raise ValueError(f"features must have the shape (n, D), not {rows.shape}.")
        if not np.isfinite(rows).all():
            raise ValueError(f"row {int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])} of them is not finite.")
        if self.n and rows.shape[1] != self.dimension:
            raise ValueError(
                f"rows of {rows.shape[1]} features come after rows of {self.dimension}: use the same ones."
            )
        if len(rows):
            mean = rows.mean(axis=0)
            centred = rows - mean
            self._combine([(len(rows), mean, centred.T @ centred)])
        return self

    @classmethod
    def joined(cls, parts: Sequence[Moments]) -> Moments:
        """The moments of all rows of the parts, which stay as they are."""
        moments = cls()
        moments._combine([(part.n, part._mean, part._scatter) for part in parts if part.n])
        return moments

    def _combine(self, parts: list[tuple[int, np.ndarray, np.ndarray]]) -> None:
        """Add the (n, mean, scatter) of other rows."""
        if self.n:
            parts = [(self.n, self._mean, self._scatter), *parts]
        if not parts:
            return
        counts, means = np.array([n for n, _, _ in parts]), np.stack([mean for _, mean, _ in parts])
        self.n = int(counts.sum())
        self._mean = means[0] if len(parts) == 1 else counts @ means / self.n
        apart = means - self._mean
        self._scatter = (counts[:, None] * apart).T @ apart
        for _, _, scatter in parts:
            self._scatter += scatter

    @property
    def dimension(self) -> int:
        """D, the number of features; 0 before the first row."""
        return 0 if self._mean is None else len(self._mean)

    @property
    def mean(self) -> np.ndarray:
        """Mean of the rows, float64 (D,)."""
        self._need(1)
        return self._mean

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance (divided by n − 1), float64 (D, D), exactly symmetric."""
        self._need(2)
        return (self._scatter + self._scatter.T) / (2 * (self.n - 1))

    def _need(self, rows: int) -> None:
        if self.n < rows:
            raise ValueError(f"{'a covariance' if rows == 2 else 'a mean'} needs {rows} images; here is {self.n}.")


class GroupedMoments:
    """Moments of random groups of the rows, so that halves of a set can be compared without a second pass.

    Parameters
    ----------
    groups : int
        Rows are distributed evenly in random order. Memory: groups · D² · 8 bytes.
    seed : int
        Of the distribution.
    """

    def __init__(self, groups: int, seed: int = 0):
        self.parts = [Moments() for _ in range(groups)]
        self._random = np.random.default_rng(seed)
        self._waiting: list[np.ndarray] = []
        self._dealt = 0

    def add_all(self, batches: Iterable[np.ndarray]) -> GroupedMoments:
        """Add the rows of every batch (n, D)."""
        for batch in batches:
            self._waiting.append(np.asarray(batch))
            if sum(map(len, self._waiting)) >= _ROWS_AT_ONCE:
                self._deal()
        return self

    def _deal(self) -> None:
        rows = np.concatenate(self._waiting)
        self._waiting = []
        places = self._dealt + self._random.permutation(len(rows))  # goes on where the last deal ended: even groups
        self._dealt += len(rows)
        for index, part in enumerate(self.parts):
            part.add(rows[places % len(self.parts) == index])

    def merged(self, groups: Sequence[int] | None = None) -> Moments:
        """The moments of some groups together, by their indices; of all by default."""
        if self._waiting:
            self._deal()
        return Moments.joined(self.parts if groups is None else [self.parts[index] for index in groups])
