"""FID: the distance of two Gaussians laid over the features of real and of generated images.

Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule", eq. 6 (the dissertation's section 2.3.4):

    FID = |μr − μg|² + tr(Σr + Σg − 2 (Σr Σg)^½)

Lower is better, 0 is equality. It sees blur, noise, wrong colours and lost variety, but only as far as they move the
mean and covariance of the features. Its value depends on the features, on the resize **and on the number of images**:
few images make it too high (Bińkowski et al. 2018, "Demystifying MMD GANs", section 4), so compare at equal numbers.

What to read next: ``moments.py`` for μ and Σ, ``intervals.py`` for the interval, ``kernel.py`` for a score without
that bias.
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

_GROUPS = 32  # random groups a side, from which the halves are put together
_LARGE = 256  # features from which on groups and halves are fewer, for memory and minutes


def frechet_distance(real_features: np.ndarray | Moments, fake_features: np.ndarray | Moments) -> float:
    """Squared Fréchet distance of the two sets' Gaussians.

    tr (Σr Σg)^½ is taken from the symmetric matrix R' Σg R with R R' = Σr, which has the same eigenvalues as Σr Σg:
    they are real and not negative, and no general matrix root with its complex rounding is needed. R comes from the
    eigenvectors of Σr. Tolerance: eigenvalues of Σr below D · ε · (the largest one), ε = 2.2e-16, and negative ones of
    R' Σg R are rounding and count as 0; so does what the covariances add to the distance where it is below
    1e-8 · (tr Σr + tr Σg).

    Parameters
    ----------
    real_features, fake_features
        Features (N, D) and (M, D), or their `Moments`. Covariances are unbiased (N − 1) and float64.

    Returns
    -------
    The distance, 0 or more, in the square of the features' unit.

    Raises
    ------
    ValueError
        The sides have different D, fewer than two images, or numbers that are not finite.
    """
    real = _moments(real_features, "real")
    fake = _moments(fake_features, "fake")
    if real.dimension != fake.dimension:
        raise ValueError(
            f"the real images have {real.dimension} features, the fake ones {fake.dimension}: use the same features."
        )
    with _one_thread():
        return _distance(real, fake)


def _one_thread() -> threadpool_limits:
    """Eigenvalues on one thread: BLAS's threads wait for each other by spinning, and beside a training, which keeps
    the cores busy, that makes them a hundred times slower."""
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
    """The FID of generated images against real ones, image by image, in bounded memory.

    Parameters
    ----------
    real, fake
        uint8 RGB: an array (N, H, W, 3), a `Faces`, or an iterable of batches. Both sides are resized by the features.
    features
        "inception", "pixels", "classifier:RUN", "file:PATH" or a `Features` object. Articles use the Inception net
        of 2015; Keras's is another training of it, so our values compare with each other, not with theirs.
    seed
        Seed of the groups and halves.
    split
        Which real images these are, such as "held-out"; for the result only.
    repeats
        Half samples for the interval, an eigenvalue problem each; 0 for none. Where left out, 100, and 16 for more
        than 256 features.
    batch_size
        Images at once through the features.
    progress
        Show a bar where it takes longer than a second.

    Returns
    -------
    Score
        ``low`` and ``high`` say how the FID would vary over other draws of as many images; the bias of a small set is
        not in them (see ``intervals.py``).

    Raises
    ------
    ValueError
        Images of another kind, fewer than two on a side, or ``repeats`` that is 1 or negative.
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
    """`fid` of features that are there already, (N, D) and (M, D); ``features`` names them in the result."""
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
    return GroupedMoments(_GROUPS if first.shape[1] <= _LARGE else _GROUPS // 2, seed).add(first).add_all(batches)


def _scored(
    real: GroupedMoments, fake: GroupedMoments, repeats: int | None, seed: int, progress: bool, **told: str
) -> Score:
    real_moments, fake_moments = _moments(real.merged(), "real"), _moments(fake.merged(), "fake")
    value = frechet_distance(real_moments, fake_moments)
    dimension = real_moments.dimension
    warnings = too_few(real_moments.n, fake_moments.n, dimension)
    interval = {}
    repeats = (100 if dimension <= _LARGE else 16) if repeats is None else repeats
    enough = min(real_moments.n, fake_moments.n) >= len(real.parts)  # an image in every group
    if repeats and enough:
        halves = _half_distances(real, fake, repeats, seed, progress)
        low, high = half_interval(value, halves, lowest=0.0)
        interval = {"low": low, "high": high, "interval": f"{repeats} half samples; {HALVES}"}
    elif repeats:
        warnings.append(f"fewer than {len(real.parts)} images on a side: no interval.")
    return Score(
        "fid",
        value,
        n_real=real_moments.n,
        n_fake=fake_moments.n,
        seed=seed,
        warnings=tuple(warnings),
        **interval,
        **told,
    )


def _half_distances(real: GroupedMoments, fake: GroupedMoments, repeats: int, seed: int, progress: bool) -> np.ndarray:
    ours, theirs = half_samples(len(real.parts), 2 * repeats, seed).reshape(2, repeats, -1)
    distances = np.empty(repeats)
    with _one_thread():
        for number in tqdm(range(repeats), desc="Interval of the FID", unit=" halves", delay=2, disable=not progress):
            real_half = real.merged(np.flatnonzero(ours[number]))
            distances[number] = _distance(real_half, fake.merged(np.flatnonzero(theirs[number])))
    return distances


def too_few(n_real: int, n_fake: int, dimension: int) -> list[str]:
    """Warnings in words where a side has too few images for a covariance of ``dimension`` features."""
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
