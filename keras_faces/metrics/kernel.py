"""KID: the squared distance of two sets' means in the feature space of a kernel, estimated without bias.

Source: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4: the squared maximum mean discrepancy with the kernel

    k(x, y) = (x'y / D + 1)³

in the unbiased estimate of Gretton et al. 2012 ("A kernel two-sample test", eq. 3), averaged over random subsets. It
lays no Gaussian over the features, and on two sets from one source it is 0 on average **whatever their size**; so it
suits small sets, and single values may be negative. Lower is better, but copies of the real images push it below 0: an
image meets itself across the sides only. ``neighbours.py`` finds such copies.

What to read next: ``frechet.py``, the score it stands beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, both_features, checked_features, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

_WIDE = 1.959964  # 97.5 % quantile of the standard normal


def kernel_distance(real_features: np.ndarray, fake_features: np.ndarray) -> float:
    """Unbiased estimate of MMD² with the cubic kernel.

    Parameters
    ----------
    real_features, fake_features
        Features (N, D) and (M, D), each with two rows or more; computed in float64. Memory: (N + M)² numbers.

    Returns
    -------
    The mean of k over pairs of different real images, plus that over pairs of different fake ones, minus twice that
    over mixed pairs. About 0 for two sets from one source, so it can be negative.

    Raises
    ------
    ValueError
        The sides have different D, fewer than two images, or numbers that are not finite.
    """
    real = checked_features(real_features, "real").astype("float64")
    fake = checked_features(fake_features, "fake", like=real).astype("float64")
    return _of_different(real) + _of_different(fake) - 2 * float(_kernel(real, fake).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _of_different(x: np.ndarray) -> float:
    """Mean of k over the pairs of different rows: the diagonal is what biases the estimate."""
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
    """The KID of generated images against real ones.

    Parameters
    ----------
    real, fake
        uint8 RGB: an array (N, H, W, 3), a `Faces`, or an iterable of batches. The features stay in memory.
    features
        "inception", "pixels", "classifier:RUN", "file:PATH" or a `Features` object.
    subsets, subset_size
        The value is the mean over ``subsets`` pairs of random subsets of ``subset_size`` images; a subset has no
        image twice, and at most half of the smaller side, so that subsets differ.
    seed
        Seed of the subsets.
    split
        Which real images these are, such as "held-out"; for the result only.
    batch_size
        Images at once through the features.
    progress
        Show a bar where it takes longer than a second.

    Returns
    -------
    Score
        ``spread`` is the standard deviation over the subsets, as articles print it. ``low`` and ``high`` hold for the
        value: subsets of m among n images spread more than the whole set would, by the root of (n − m) / m.

    Raises
    ------
    ValueError
        Images of another kind, fewer than four on a side, or no subsets.
    """
    features = as_features(features)
    real_features, fake_features = both_features(real, fake, features, batch_size, seed, progress)
    return kid_from_features(
        real_features,
        fake_features,
        features,
        subsets=subsets,
        subset_size=subset_size,
        seed=seed,
        split=split,
    )


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
    """`kid` of features that are there already, (N, D) and (M, D); ``features`` names them in the result."""
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
    for number in range(subsets):
        ours = real[random.choice(len(real), size, replace=False)]
        theirs = fake[random.choice(len(fake), size, replace=False)]
        distances[number] = kernel_distance(ours, theirs)
    value, spread = distances.mean(), distances.std(ddof=1)
    reach = _WIDE * spread * np.sqrt(size / (smaller - size) + 1 / subsets)
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
