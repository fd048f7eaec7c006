"""KID: the squared maximum mean discrepancy of two sets of features, estimated without bias.

Source: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4, with the kernel

    k(x, y) = (x'y / D + 1)³

and the unbiased estimate of Gretton et al. 2012 ("A kernel two-sample test", eq. 3), averaged over random subsets. Low
is good. For two sets from one source it is 0 on average **whatever their size**, so it suits small sets, and single
values may be negative. Copies of the real images push it below 0: ``neighbours.py`` finds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.intervals import WIDE
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, both_features, checked_features, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images


def kernel_distance(real_features: np.ndarray, fake_features: np.ndarray) -> float:
    """Unbiased estimate of MMD² with the cubic kernel.

    The mean of k over pairs of different real images, plus that over pairs of different fake ones, minus twice that
    over mixed pairs.

    Parameters
    ----------
    real_features, fake_features : ndarray of float, shape (N, D) and (M, D)
        Two rows or more; computed in float64. Memory: (N + M)² numbers.

    Raises
    ------
    ValueError
        For different D, fewer than two images, or numbers that are not finite.
    """
    real = checked_features(real_features, "real").astype("float64")
    fake = checked_features(fake_features, "fake", like=real).astype("float64")
    return _of_different(real) + _of_different(fake) - 2 * float(_kernel(real, fake).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _of_different(x: np.ndarray) -> float:
    """Mean of k over the pairs of different rows: the diagonal would bias the estimate."""
    values = _kernel(x, x)
    return float((values.sum() - np.trace(values)) / (len(x) * (len(x) - 1)))


def kid(
    real: Images,
    fake: Images,
    features: str | Features = "inception",
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
    split: str = "not stated",
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """KID of generated images against real ones.

    Parameters
    ----------
    real, fake, features, split, batch_size, progress
        As in ``fid``; all features stay in memory.
    subsets, subset_size : int
        The value is the mean over pairs of random subsets; a subset has no image twice, and at most half of the
        smaller side.
    seed : int
        Of the subsets.

    Returns
    -------
    Score
        ``spread`` is the standard deviation over the subsets, as articles print it. ``low`` and ``high`` hold for the
        value: subsets of m of n images spread more than the whole set, by the root of (n − m) / m.

    Raises
    ------
    ValueError
        For images of another kind, fewer than four on a side, or fewer than two subsets.
    """
    features = as_features(features)
    described = both_features(real, fake, features, batch_size, seed, progress)
    return kid_from_features(*described, features, subsets=subsets, subset_size=subset_size, seed=seed, split=split)


def kid_from_features(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    features: str | Features = "given features",
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
    split: str = "not stated",
) -> Score:
    """`kid` of computed features, (N, D) and (M, D); ``features`` names them in the result."""
    real = checked_features(real_features, "real")
    fake = checked_features(fake_features, "fake", like=real)
    smaller = min(len(real), len(fake))
    if subsets < 2 or subset_size < 2 or smaller < 4:
        raise ValueError(
            f"KID needs two subsets of two images and four images a side; here are subsets={subsets}, "
            f"subset_size={subset_size}, {len(real)} real and {len(fake)} fake images."
        )
    size = min(subset_size, smaller // 2)
    random = np.random.default_rng(seed)
    distances = np.empty(subsets)
    for index in range(subsets):
        real_subset = real[random.choice(len(real), size, replace=False)]
        distances[index] = kernel_distance(real_subset, fake[random.choice(len(fake), size, replace=False)])
    value, spread = distances.mean(), distances.std(ddof=1)
    reach = WIDE * spread * np.sqrt(size / (smaller - size) + 1 / subsets)
    warnings = []
    if size < subset_size:
        warnings.append(
            f"subsets of {size:,} instead of {subset_size:,}: a side has only {smaller:,} images. The value stays "
            "unbiased, but it is less sure, and the spread compares only with that of as large subsets."
        )
    return Score(
        "kid",
        value,
        value - reach,
        value + reach,
        n_real=len(real),
        n_fake=len(fake),
        split=split,
        seed=seed,
        warnings=tuple(warnings),
        interval=f"95 %, normal, from the spread of {subsets} subsets of {size:,}",
        spread=spread,
        **names_of(features),
    )
