"""Memorisation: whether samples are nearer to training images than new photographs are.

Source: Meehan, Chaudhuri and Dasgupta 2020, "A non-parametric test to detect data-copying in generative models". Here t
is the distance within which 5 % of the held-out photographs have a training image; the rate is the share of samples
nearer than t: 0.05 for an honest system, 1 for copies. Below 0.05 is no merit: faces like no photograph are far from
all. In features that see pixels, blurred faces come near to many photographs: look also at the figure that
``keras-faces evaluate`` draws (the dissertation's figure 4.9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, checked_features, features_of, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images


def nearest_from_features(
    fake_features: np.ndarray, train_features: np.ndarray, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Find the training images nearest to each sample, by the Euclidean distance of features.

    Parameters
    ----------
    fake_features, train_features : ndarray of float, shape (M, D) and (N, D)
        From `features_of`.
    k : int
        Neighbours, 1 to N.

    Returns
    -------
    indices : ndarray of int64, shape (M, k)
        Into the training images, the nearest first.
    distances : ndarray of float64, shape (M, k)

    Raises
    ------
    ValueError
        For different D, or fewer training images than ``k``.
    """
    from sklearn.neighbors import NearestNeighbors

    train = checked_features(train_features, "training").astype("float64")
    fake = np.asarray(fake_features, "float64")
    if fake.ndim != 2 or fake.shape[1] != train.shape[1]:
        raise ValueError(f"samples' features of shape {fake.shape} do not fit the training's {train.shape}.")
    if not 1 <= k <= len(train):
        raise ValueError(f"k={k}: must be from 1 to {len(train)}, the number of training images.")
    distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(train).kneighbors(fake)
    return indices.astype("int64"), distances


def memorisation(
    fake: Images,
    train: Images,
    held_out: Images,
    features: str | Features = "pixels",
    *,
    quantile: float = 0.05,
    seed: int = 0,
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """Share of samples that are nearer to a training image than nearly all held-out photographs are.

    Parameters
    ----------
    fake, train, features, seed, batch_size, progress
        As in ``fid``.
    held_out : as ``fake``
        Photographs of the training's kind; other pictures of the same people are near, and make the score mild.
    quantile : float
        The share of held-out photographs below the threshold: what an honest system scores.

    Returns
    -------
    Score
        "memorisation", from 0 to 1; ``n_real`` is the number of training images. The interval resamples the samples
        with the threshold held fixed.

    Raises
    ------
    ValueError
        For images of another kind, or a ``quantile`` outside (0, 1).
    """
    features = as_features(features)
    train_features = features_of(train, features, batch_size, "real", seed, progress)
    held_out_features = features_of(held_out, features, batch_size, "held-out", seed, progress)
    fake_features = features_of(fake, features, batch_size, "fake", seed, progress)
    return memorisation_from_features(
        fake_features, train_features, held_out_features, features, quantile=quantile, seed=seed
    )


def memorisation_from_features(
    fake_features: np.ndarray,
    train_features: np.ndarray,
    held_out_features: np.ndarray,
    features: str | Features = "given features",
    *,
    quantile: float = 0.05,
    seed: int = 0,
) -> Score:
    """`memorisation` of computed features; ``features`` names them in the result."""
    if not 0 < quantile < 1:
        raise ValueError(f"quantile={quantile}: must be above 0 and below 1; 0.05 is usual.")
    held_out = nearest_from_features(held_out_features, train_features, 1)[1][:, 0]
    near = nearest_from_features(fake_features, train_features, 1)[1][:, 0] < np.quantile(held_out, quantile)
    warnings = ()
    if len(held_out) * quantile < 10:
        warnings = (
            f"{len(held_out):,} held-out photographs are few: the threshold at {quantile:.0%} of them moves from draw "
            f"to draw; {round(10 / quantile):,} and more are better.",
        )
    return Score(
        "memorisation",
        near.mean(),
        *mean_interval(near, seed, share=True),
        n_real=len(train_features),
        n_fake=len(near),
        split=f"training, against {len(held_out):,} held-out",
        seed=seed,
        warnings=warnings,
        interval=f"{BOOTSTRAP} over samples, threshold held fixed; {quantile:g} is what new photographs have",
        **names_of(features),
    )
