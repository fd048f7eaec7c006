"""Precision, recall, density, coverage: quality and variety of generated images, measured apart.

Each set is a union of balls around its images' features, with the distance to the k-th nearest neighbour as radius:

    precision   share of fake images inside a ball of a real one
    recall      share of real images inside a ball of a fake one
    density     mean number of real balls around a fake image, divided by k: may exceed 1
    coverage    share of real balls with a fake image inside

Sources: Kynkäänniemi et al. 2019, "Improved precision and recall metric", eq. 1–2 (k = 3); Naeem et al. 2020, "Reliable
fidelity and diversity metrics", eq. 4 and 6 (k = 5), who show that one outlier spoils the first two. Balls are closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, both_features, checked_features, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

_MEGABYTES = 256  # of distances at once
_FEW = 1000  # images below which the balls are so wide that the values depend on the set's size


def precision_recall(
    real: Images,
    fake: Images,
    features: str | Features = "inception",
    *,
    neighbours: int = 5,
    seed: int = 0,
    split: str = "not stated",
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, Score]:
    """Precision, recall, density and coverage of generated images against real ones.

    Parameters
    ----------
    real, fake, features, split, batch_size, progress
        As in ``fid``. Take as many of both sides: the balls of the smaller set are wider. All features stay in memory;
        the time is proportional to N · M.
    neighbours : int
        k.
    seed : int
        Of the intervals, which resample images with the balls held fixed.

    Returns
    -------
    dict of str to Score
        By the four names.

    Raises
    ------
    ValueError
        For images of another kind, or not more than ``neighbours`` on a side.
    """
    features = as_features(features)
    described = both_features(real, fake, features, batch_size, seed, progress)
    return precision_recall_from_features(*described, features, neighbours=neighbours, seed=seed, split=split)


def precision_recall_from_features(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    features: str | Features = "given features",
    *,
    neighbours: int = 5,
    seed: int = 0,
    split: str = "not stated",
) -> dict[str, Score]:
    """`precision_recall` of computed features, (N, D) and (M, D); ``features`` names them in the result."""
    real = checked_features(real_features, "real").astype("float64")
    fake = checked_features(fake_features, "fake", like=real).astype("float64")
    if neighbours < 1 or min(len(real), len(fake)) <= neighbours:
        raise ValueError(
            f"neighbours={neighbours} must be from 1 on and below the numbers of images: "
            f"here are {len(real)} real and {len(fake)} fake."
        )
    shared = {
        "n_real": len(real),
        "n_fake": len(fake),
        "split": split,
        "seed": seed,
        "warnings": tuple(_warnings(len(real), len(fake))),
        "interval": f"{BOOTSTRAP} over images, balls held fixed, k = {neighbours}",
        **names_of(features),
    }
    return {
        name: Score(name, values.mean(), *mean_interval(values, seed, share=name != "density"), **shared)
        for name, values in _per_image(real, fake, neighbours).items()
    }


def _radii(points: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of each point to its k-th nearest other point, (N,)."""
    radii, first = [], 0
    for distances in pairwise_distances_chunked(points, working_memory=_MEGABYTES):
        rows = np.arange(len(distances))
        distances[rows, first + rows] = 0.0  # a point's own distance, which rounding may have made positive
        radii.append(np.partition(distances, neighbours, axis=1)[:, neighbours])  # the 0th is the point itself
        first += len(distances)
    return np.concatenate(radii)


def _per_image(real: np.ndarray, fake: np.ndarray, neighbours: int) -> dict[str, np.ndarray]:
    """What each score is the mean of: over fake images for precision and density, over real ones for the others."""
    real_radii, fake_radii = _radii(real, neighbours), _radii(fake, neighbours)
    balls_around_fake = np.zeros(len(fake), "int64")
    recalled, covered, first = [], [], 0
    for distances in pairwise_distances_chunked(real, fake, working_memory=_MEGABYTES):  # some real, all fake
        inside_real = distances <= real_radii[first : first + len(distances), None]
        balls_around_fake += inside_real.sum(axis=0)
        covered.append(inside_real.any(axis=1))
        recalled.append((distances <= fake_radii).any(axis=1))
        first += len(distances)
    return {
        "precision": balls_around_fake > 0,
        "recall": np.concatenate(recalled),
        "density": balls_around_fake / neighbours,
        "coverage": np.concatenate(covered),
    }


def _warnings(n_real: int, n_fake: int) -> list[str]:
    warnings = []
    if min(n_real, n_fake) < _FEW:
        warnings.append(
            f"{min(n_real, n_fake):,} images on a side are few: balls are wide, and all four numbers move with the "
            f"set's size; {_FEW:,} and more are better. Compare at equal numbers."
        )
    if max(n_real, n_fake) > 1.5 * min(n_real, n_fake):
        warnings.append(
            f"{n_real:,} real and {n_fake:,} fake images: the smaller set's balls are wider, which favours one of "
            "precision and recall. Take as many of both."
        )
    return warnings
