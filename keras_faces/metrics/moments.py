"""Mean and covariance of features, gathered batch by batch in float64.

Two sums are enough for a Gaussian, so 200,000 images fit in memory: they pass in batches, and only the mean (D,) and
the scatter matrix (D, D) stay. The usual shortcut Σxx' − nμμ' subtracts two large numbers and loses half the digits;
here each batch is centred before it is multiplied, and two parts are joined by the formula of Chan, Golub and LeVeque
1979 ("Updating formulae and a pairwise algorithm for computing sample variances", eq. 2.1), which loses none.

What to read next: ``frechet.py``, the distance of two such Gaussians.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

_ROWS_AT_ONCE = 4096  # features that wait until it pays to multiply them


class Moments:
    """Mean and covariance of all rows seen so far.

        moments = Moments()
        for batch in batches:
            moments.add(batch)
        moments.mean, moments.covariance, moments.n

    Parameters
    ----------
    features
        The first rows, shape (n, D), if they are there already.
    """

    def __init__(self, features: np.ndarray | None = None):
        self.n = 0
        self._mean: np.ndarray | None = None
        self._scatter: np.ndarray | None = None  # Σ (x − mean)(x − mean)'
        if features is not None:
            self.add(features)

    def add(self, features: np.ndarray) -> Moments:
        """Add rows, shape (n, D); any real dtype, computed in float64.

        Raises
        ------
        ValueError
            The rows have another D than those before, or hold a number that is not finite.
        """
        rows = np.asarray(features, "float64")
        if rows.ndim != 2:
            raise ValueError(f"features must have the shape (n, D), not {rows.shape}.")
        if not np.isfinite(rows).all():
            raise ValueError(f"row {int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])} of them is not finite.")
        if len(rows):
            mean = rows.mean(axis=0)
            centred = rows - mean
            self._join(len(rows), mean, centred.T @ centred)
        return self

    def merge(self, other: Moments) -> Moments:
        """Add all that ``other`` has seen; ``other`` stays as it is."""
        if other.n:
            self._join(other.n, other._mean, other._scatter)
        return self

    @classmethod
    def joined(cls, parts: Sequence[Moments]) -> Moments:
        """The moments of all that the parts have seen, each with a row or more; the same formula for many at once."""
        moments = cls()
        if parts:
            counts = np.array([part.n for part in parts])
            means = np.stack([part._mean for part in parts])
            moments.n = int(counts.sum())
            moments._mean = counts @ means / moments.n
            apart = means - moments._mean
            moments._scatter = (counts[:, None] * apart).T @ apart
            for part in parts:
                moments._scatter += part._scatter
        return moments

    def _join(self, n: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        if self._mean is None:
            self.n, self._mean, self._scatter = n, mean.copy(), scatter.copy()
            return
        if len(mean) != len(self._mean):
            raise ValueError(f"rows of {len(mean)} features come after rows of {len(self._mean)}: use the same ones.")
        total = self.n + n
        apart = mean - self._mean
        self._mean += apart * (n / total)
        self._scatter += scatter
        self._scatter += np.outer(apart, apart * (self.n * n / total))
        self.n = total

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
        """Unbiased covariance (divided by n − 1), float64 (D, D), symmetric to the last bit."""
        self._need(2)
        return (self._scatter + self._scatter.T) / (2 * (self.n - 1))

    def _need(self, rows: int) -> None:
        if self.n < rows:
            raise ValueError(f"{'a covariance' if rows == 2 else 'a mean'} needs {rows} images; here is {self.n}.")


class GroupedMoments:
    """The same for random groups of the rows, so that halves of a set can be compared without a second pass.

    Parameters
    ----------
    groups
        Number of groups; the rows are dealt out evenly in random order. Memory: groups · D² · 8 bytes.
    seed
        Decides which row comes to which group.
    """

    def __init__(self, groups: int, seed: int = 0):
        self.parts = [Moments() for _ in range(groups)]
        self._random = np.random.default_rng(seed)
        self._waiting: list[np.ndarray] = []
        self._dealt = 0

    def add(self, features: np.ndarray) -> GroupedMoments:
        """Add rows, shape (n, D)."""
        self._waiting.append(np.asarray(features))
        if sum(map(len, self._waiting)) >= _ROWS_AT_ONCE:
            self._deal()
        return self

    def add_all(self, batches: Iterable[np.ndarray]) -> GroupedMoments:
        """Add the rows of every batch."""
        for batch in batches:
            self.add(batch)
        return self

    def _deal(self) -> None:
        rows = np.concatenate(self._waiting)
        self._waiting = []
        places = self._dealt + self._random.permutation(len(rows))  # goes on where the last deal ended: even groups
        self._dealt += len(rows)
        for number, part in enumerate(self.parts):
            part.add(rows[places % len(self.parts) == number])

    def merged(self, numbers: Sequence[int] | None = None) -> Moments:
        """The moments of some groups together; of all where ``numbers`` is left out."""
        if self._waiting:
            self._deal()
        parts = self.parts if numbers is None else [self.parts[number] for number in numbers]
        return Moments.joined([part for part in parts if part.n])
