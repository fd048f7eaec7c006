"""95 % intervals of scores, by resampling.

A mean over images is resampled by the bootstrap: `mean_interval`. The bootstrap misleads for the Fréchet distance and
the Inception Score: a resample with replacement holds 63 % of the images and looks like a smaller set, so that every
resampled FID is too high. There each resample is a **half drawn without replacement**, whose spread is the value's own,
Var(half − whole) = σ²/(n/2) − σ²/n = σ²/n (McCarthy 1969, "Pseudo-replication: half samples"; Politis and Romano 1994),
and the interval is centred at the value: `half_interval`. It says how the score varies over other draws of as many
images. **It does not contain the bias of a small set**: compare at equal numbers of images. If hardly more than that
bias is left (two sets from one source), the interval is up to twice too wide.
"""

from __future__ import annotations

import numpy as np

HALVES = "95 %, half samples without replacement, centred"
BOOTSTRAP = "95 %, percentile bootstrap"
WIDE = 1.959964  # 97.5 % quantile of the standard normal
_NUMBERS_AT_ONCE = 2**22  # bounds the memory of the bootstrap


def half_samples(count: int, repeats: int, seed: int) -> np.ndarray:
    """Draw random halves: bool (repeats, count), ``count // 2`` True in each row."""
    random = np.random.default_rng(seed)
    ranks = random.random((repeats, count)).argsort(axis=1)
    return ranks < count // 2


def half_interval(
    value: float, halves: np.ndarray, lowest: float = -np.inf, highest: float = np.inf
) -> tuple[float, float]:
    """The value ± 1.96 standard deviations of the halves' scores (repeats,), cut at ``lowest`` and ``highest``."""
    reach = WIDE * float(np.std(halves, ddof=1))
    return max(lowest, value - reach), min(highest, value + reach)


def mean_interval(
    values: np.ndarray, seed: int = 0, repeats: int = 2000, share: bool = False
) -> tuple[float | None, float | None]:
    """Percentile bootstrap of a mean over images.

    Parameters
    ----------
    values : ndarray of float or bool, shape (N,)
        One number per image.
    seed, repeats : int
        Of the resamples, each as large as the set.
    share : bool
        The values are 0 or 1. If all are equal, the open end is the exact binomial one, such as 1 − 0.025^(1/N) for no
        hit among N.

    Returns
    -------
    low, high : float or None
        2.5 % and 97.5 % quantiles; None for fewer than two images or a value that is not finite.
    """
    values = np.asarray(values, "float64")
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        return None, None
    different, counts = np.unique(values, return_counts=True)
    if len(different) == 1:
        rare = 1 - 0.025 ** (1 / count)
        if not share:
            return float(different[0]), float(different[0])
        return (0.0, rare) if different[0] == 0 else (1 - rare, 1.0)
    random = np.random.default_rng(seed)
    means = np.empty(repeats)
    step = max(1, _NUMBERS_AT_ONCE // len(different))
    for start in range(0, repeats, step):  # how often each different value is drawn
        drawn = random.multinomial(count, counts / count, size=min(step, repeats - start))
        means[start : start + step] = drawn @ different / count
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
