"""FID: the Fréchet distance of two Gaussians fitted to the features of real and of generated images.

Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule", eq. 6 (the dissertation's section 2.3.4):

    FID = |μr − μg|² + tr(Σr + Σg − 2 (Σr Σg)^½)

Lower is better, 0 is equality. The value depends on the features, on the resize **and on the number of images**: few
images make it too high (Bińkowski et al. 2018, "Demystifying MMD GANs", section 4), so compare at equal numbers. See
also ``kernel.py``, a score without that bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from keras_faces.metrics.intervals import HALVES, half_interval, half_samples
from keras_faces.metrics.moments import GroupedMoments, Moments
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, checked_features, feature_batches, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

_GROUPS = 32  # random groups per side, from which the halves are put together
_LARGE = 256  # features from which on groups and halves are fewer, for memory and time


def frechet_distance(real_features: np.ndarray | Moments, fake_features: np.ndarray | Moments) -> float:
    """Squared Fréchet distance of the two sets' Gaussians.

    tr (Σr Σg)^½ is computed from the symmetric matrix R' Σg R with R R' = Σr, which has the eigenvalues of Σr Σg.
    Eigenvalues of Σr below D · ε · (the largest), ε = 2.2e-16, and negative ones of R' Σg R count as 0, and so does the
    covariances' part of the distance below 1e-8 · (tr Σr + tr Σg).

    Parameters
    ----------
    real_features, fake_features : ndarray of float, shape (N, D) and (M, D), or Moments
        Covariances are unbiased (N − 1) and float64.

    Returns
    -------
    float
        0 or more, in the square of the features' unit.

    Raises
    ------
    ValueError
        For different D, fewer than two images, or numbers that are not finite.
    """
    real, fake = _moments(real_features, "real"), _moments(fake_features, "fake")
    if real.dimension != fake.dimension:
        raise ValueError(
            f"the real images have {real.dimension} features, the fake ones {fake.dimension}: use the same features."
        )
    with _one_thread():
        return _distance(real, fake)


def _one_thread() -> threadpool_limits:
    """One thread for eigenvalues: beside a training, BLAS's spinning threads are a hundred times slower."""
    return threadpool_limits(1, user_api="blas")


def _distance(real: Moments, fake: Moments) -> float:
    between_means = float(np.sum((real.mean - fake.mean) ** 2))
    real_covariance, fake_covariance = real.covariance, fake.covariance
    if not np.isfinite([between_means, np.trace(real_covariance), np.trace(fake_covariance)]).all():
        raise ValueError("the features are so large that their squares are not finite: divide them by a constant.")
    root = _root(real_covariance)
    product = root.T @ fake_covariance @ root
    overlap = np.sqrt(np.linalg.eigvalsh((product + product.T) / 2).clip(min=0)).sum()
    traces = float(np.trace(real_covariance) + np.trace(fake_covariance))
    between_covariances = traces - 2 * float(overlap)
    return between_means + (between_covariances if between_covariances > 1e-8 * traces else 0.0)


def _moments(features: np.ndarray | Moments, side: str) -> Moments:
    moments = features if isinstance(features, Moments) else Moments(checked_features(features, side))
    if moments.n < 2:
        raise ValueError(f"a score needs two {side} images or more; here is {moments.n}.")
    return moments


def _root(covariance: np.ndarray) -> np.ndarray:
    """R (D, rank) with R R' = covariance."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo("float64").eps * max(values[-1], 0)  # ascending: the last is the largest
    return vectors[:, kept] * np.sqrt(values[kept])


def fid(
    real: Images,
    fake: Images,
    features: str | Features = "inception",
    *,
    seed: int = 0,
    split: str = "not stated",
    repeats: int | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """FID of generated images against real ones, in bounded memory.

    Parameters
    ----------
    real, fake : ndarray of uint8, shape (N, H, W, 3), Faces, or iterable of batches
        RGB; both sides are resized by the features.
    features : str or Features
        "inception", "pixels", "classifier:RUN", "file:PATH" or an object. Articles use the Inception network of 2015;
        Keras's has other weights, so our values do not compare with theirs.
    seed : int
        Of the groups and halves.
    split : str
        Which real images these are, such as "held-out"; for the result only.
    repeats : int, optional
        Half samples for the interval, 0 for none; by default 100, and 16 for more than 256 features.
    batch_size : int
        Images at once through the features.
    progress : bool
        Show a bar if it takes longer than a second.

    Returns
    -------
    Score
        ``low`` and ``high`` say how the FID varies over other draws of as many images, without the bias of a small set
        (``intervals.py``).

    Raises
    ------
    ValueError
        For images of another kind, fewer than two on a side, or ``repeats`` that is 1 or negative.
    """
    features = as_features(features)
    _check_repeats(repeats)
    real_groups = _grouped(feature_batches(real, features, batch_size, "real", seed, progress), seed)
    fake_groups = _grouped(feature_batches(fake, features, batch_size, "fake", seed, progress), seed + 1)
    return _scored(real_groups, fake_groups, repeats, seed, progress, split=split, **names_of(features))


def fid_from_features(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    features: str | Features = "given features",
    *,
    seed: int = 0,
    split: str = "not stated",
    repeats: int | None = None,
    progress: bool = True,
) -> Score:
    """`fid` of computed features, (N, D) and (M, D); ``features`` names them in the result."""
    _check_repeats(repeats)
    real_features = checked_features(real_features, "real")
    fake_features = checked_features(fake_features, "fake", like=real_features)
    groups = _grouped([real_features], seed), _grouped([fake_features], seed + 1)
    return _scored(*groups, repeats, seed, progress, split=split, **names_of(features))


def _check_repeats(repeats: int | None) -> None:
    if repeats is not None and (repeats < 0 or repeats == 1):
        raise ValueError(f"repeats={repeats} must be 0 for no interval, or 2 half samples or more.")


def _grouped(batches, seed: int) -> GroupedMoments:
    batches = iter(batches)
    first = next(batches)
    groups = GroupedMoments(_GROUPS if first.shape[1] <= _LARGE else _GROUPS // 2, seed)
    return groups.add_all([first]).add_all(batches)


def _scored(
    real: GroupedMoments, fake: GroupedMoments, repeats: int | None, seed: int, progress: bool, **names: str
) -> Score:
    real_moments, fake_moments = _moments(real.merged(), "real"), _moments(fake.merged(), "fake")
    value = frechet_distance(real_moments, fake_moments)
    dimension = real_moments.dimension
    warnings = _warnings(real_moments.n, fake_moments.n, dimension)
    interval = {}
    repeats = (100 if dimension <= _LARGE else 16) if repeats is None else repeats
    enough = min(real_moments.n, fake_moments.n) >= len(real.parts)  # an image in every group
    if repeats and enough:
        low, high = half_interval(value, _half_distances(real, fake, repeats, seed, progress), lowest=0.0)
        interval = {"low": low, "high": high, "interval": f"{repeats} half samples; {HALVES}"}
    elif repeats:
        warnings.append(f"fewer than {len(real.parts)} images on a side: no interval.")
    counts = {"n_real": real_moments.n, "n_fake": fake_moments.n, "seed": seed}
    return Score("fid", value, **counts, warnings=tuple(warnings), **interval, **names)


def _half_distances(real: GroupedMoments, fake: GroupedMoments, repeats: int, seed: int, progress: bool) -> np.ndarray:
    real_halves, fake_halves = half_samples(len(real.parts), 2 * repeats, seed).reshape(2, repeats, -1)
    distances = np.empty(repeats)
    with _one_thread():
        for index in tqdm(range(repeats), desc="Interval of the FID", unit=" halves", delay=2, disable=not progress):
            halves = np.flatnonzero(real_halves[index]), np.flatnonzero(fake_halves[index])
            distances[index] = _distance(real.merged(halves[0]), fake.merged(halves[1]))
    return distances


def _warnings(n_real: int, n_fake: int, dimension: int) -> list[str]:
    warnings = []
    for side, count in (("real", n_real), ("fake", n_fake)):
        if count <= dimension:
            warnings.append(
                f"{count:,} {side} images cannot fill a covariance of {dimension:,} features: the FID is far too high "
                f"and compares only with FIDs of exactly as many images. Take more than {10 * dimension:,} images, or "
                "KID, or features of fewer dimensions."
            )
        elif count < 10 * dimension:
            warnings.append(
                f"{count:,} {side} images are few for {dimension:,} features: the FID is too high by its bias, and "
                f"compares only with FIDs of as many images; {10 * dimension:,} are better, or KID."
            )
    return warnings
