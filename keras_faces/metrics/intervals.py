"""How sure a score is: 95 % intervals by resampling.

A share or another mean over images is resampled by the usual bootstrap: `mean_interval`.

The Fréchet distance and its kin are no means, and the bootstrap misleads there: a resample with replacement holds only
63 % of the images, the others twice or more, and looks like a smaller, poorer set, so that every resampled FID is too
high and the interval lies above the value. Here each resample is a **half drawn without replacement**: no image comes
twice. If an estimate's error shrinks with the root of the number of images, a half differs from the whole by as much
as the whole from the truth, Var(half − whole) = σ²/(n/2) − σ²/n = σ²/n, so the halves' spread is the value's own
(McCarthy 1969, "Pseudo-replication: half samples"; Politis and Romano 1994 for subsamples in general). The halves'
mean is left aside, since at half the size the bias is larger: `half_interval` is centred at the value. So **it says
how the score would vary over other draws of as many images. It does not hold the bias** that a small set brings to the
score: compare at equal numbers of images, and read the warnings. Where hardly more than that bias is left (two sets
from one source), the error shrinks faster than the root of the number, and the interval is up to twice too wide.

What to read next: ``frechet.py`` and ``inception.py``, which use the halves.
"""

from __future__ import annotations

import numpy as np

HALVES = "95 %, half samples without replacement, centred"
BOOTSTRAP = "95 %, percentile bootstrap"
_WIDE = 1.959964  # 97.5 % quantile of the standard normal
_NUMBERS_AT_ONCE = 2**22  # bounds the memory of the bootstrap


def half_samples(count: int, repeats: int, seed: int) -> np.ndarray:
    """``repeats`` random halves of ``count`` things: bool (repeats, count), ``count // 2`` of them True in each row."""
    random = np.random.default_rng(seed)
    ranks = random.random((repeats, count)).argsort(axis=1)
    return ranks < count // 2


def half_interval(
    value: float, halves: np.ndarray, lowest: float = -np.inf, highest: float = np.inf
) -> tuple[float, float]:
    """The value ± 1.96 standard deviations of the halves' scores, cut at the score's own bounds.

    Parameters
    ----------
    value
        The score of the whole set.
    halves
        Scores of the halves, shape (repeats,).
    lowest, highest
        What the score can be at all, such as 0 for an FID.
    """
    reach = _WIDE * float(np.std(halves, ddof=1))
    return max(lowest, value - reach), min(highest, value + reach)


def mean_interval(
    values: np.ndarray, seed: int = 0, repeats: int = 2000, share: bool = False
) -> tuple[float | None, float | None]:
    """Percentile bootstrap of a mean over images.

    Parameters
    ----------
    values
        One number an image, shape (N,); hits are 0 and 1 (or booleans).
    seed
        Seed of the resamples.
    repeats
        Number of resamples, each as large as the set, with replacement.
    share
        The values are hits. Where all of them agree no resample differs, and the interval would claim certainty: then
        its open end is the exact binomial one, such as 1 − 0.025^(1/N) for no hit among N.

    Returns
    -------
    low, high
        2.5 % and 97.5 % quantiles of the resampled means; (None, None) for fewer than two images or where a value is
        not finite.
    """
    values = np.asarray(values, "float64")
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        return None, None
    different, numbers = np.unique(values, return_counts=True)
    if len(different) == 1:
        rare = 1 - 0.025 ** (1 / count)
        if not share:
            return float(different[0]), float(different[0])
        return (0.0, rare) if different[0] == 0 else (1 - rare, 1.0)
    random = np.random.default_rng(seed)
    means = np.empty(repeats)
    step = max(1, _NUMBERS_AT_ONCE // len(different))
    for start in range(0, repeats, step):  # how often each different value comes in a resample
        drawn = random.multinomial(count, numbers / count, size=min(step, repeats - start))
        means[start : start + step] = drawn @ different / count
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
