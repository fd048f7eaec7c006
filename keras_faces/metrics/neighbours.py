"""Did it learn by heart? The training images nearest to each sample, as a picture and as a rate.

Source of the picture: the dissertation on conditional face synthesis, figure 4.9: six samples, beside each the five
training images nearest to it; they are alike, and not the same.

Source of the rate: Meehan, Chaudhuri and Dasgupta 2020, "A non-parametric test to detect data-copying in generative
models", who compare samples and held-out photographs by their distances to the nearest training image: a system that
copies comes nearer to its training images than new photographs of the same kind do. Here: let t be the distance within
which 5 % of the held-out photographs have a training image; the score is the share of samples nearer than t. A system
as far from its training images as new photographs are has 0.05, copies have 1. Below 0.05 is no merit: faces like no
photograph are far from all of them. Mean-like, blurred faces come near to many photographs and raise the rate in
features that see pixels; look at the picture as well.

What to read next: ``coverage.py`` (what the samples leave out), ``features/`` (in which space "near" is meant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, checked_features, features_of, names_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images


def nearest_neighbours(
    fake: Images,
    train: Images,
    features: str | Features = "pixels",
    *,
    k: int = 5,
    seed: int = 0,
    batch_size: int = 64,
    progress: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The training images whose features are nearest to those of each sample.

    Parameters
    ----------
    fake, train
        uint8 RGB: an array (N, H, W, 3), a `Faces`, or an iterable of batches.
    features
        "pixels", "inception", "classifier:RUN", "file:PATH" or a `Features` object; distances are Euclidean.
    k
        How many neighbours.
    seed, batch_size, progress
        As in ``fid``.

    Returns
    -------
    Numbers of training images, int64 (M, k), the nearest first, and their distances, float64 (M, k).

    Raises
    ------
    ValueError
        Images of another kind, or fewer training images than ``k``.
    """
    features = as_features(features)
    train_features = features_of(train, features, batch_size, "real", seed, progress)
    return nearest_from_features(features_of(fake, features, batch_size, "fake", seed, progress), train_features, k)


def nearest_from_features(
    fake_features: np.ndarray, train_features: np.ndarray, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """`nearest_neighbours` of features that are there already, (M, D) and (N, D)."""
    from sklearn.neighbors import NearestNeighbors

    train = checked_features(train_features, "training").astype("float64")
    fake = np.asarray(fake_features, "float64")
    if fake.ndim != 2 or fake.shape[1] != train.shape[1]:
        raise ValueError(f"samples' features of shape {fake.shape} do not fit the training's {train.shape}.")
    if not 1 <= k <= len(train):
        raise ValueError(f"k={k}: must be from 1 to {len(train)}, the number of training images.")
    distances, numbers = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(train).kneighbors(fake)
    return numbers.astype("int64"), distances


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
    """The share of samples that lie nearer to a training image than nearly all held-out photographs do.

    Parameters
    ----------
    fake, train, held_out
        uint8 RGB as in `nearest_neighbours`. The held-out photographs must be of the training's kind, not of its
        photographs: other pictures of the same people are near, and make the score mild.
    quantile
        The share of held-out photographs that are nearer than the threshold: what an honest system scores.
    seed, batch_size, progress
        As in ``fid``. ``features``: as in `nearest_neighbours`.

    Returns
    -------
    Score
        "memorisation", from 0 to 1; ``n_real`` is the number of training images. The interval resamples the samples
        with the threshold held fixed.

    Raises
    ------
    ValueError
        Images of another kind, or a ``quantile`` out of range.
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
    """`memorisation` of features that are there already."""
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


def neighbours_figure(
    fake: np.ndarray, train: np.ndarray, numbers: np.ndarray, count: int = 6, title: str = ""
) -> Figure:
    """Figure 4.9: samples on the left, beside each the training images nearest to it.

    Parameters
    ----------
    fake
        Samples, uint8 (M, H, W, 3).
    train
        Training images, uint8 (N, ..., 3), an array or a `Faces`; brought to the samples' size if they have another.
    numbers
        What `nearest_neighbours` gave, (M, k).
    count
        Rows: the first so many samples.
    """
    from matplotlib.figure import Figure

    from keras_faces import plots
    from keras_faces.metrics.features.resize import resize

    if fake.ndim != 4 or len(numbers) != len(fake) or not len(fake):
        raise ValueError(f"{len(numbers)} rows of neighbours do not fit samples of shape {fake.shape}.")
    count, k = min(count, len(fake)), numbers.shape[1]
    nearest = np.asarray(getattr(train, "images", train)[numbers[:count].ravel()])
    if nearest.shape[1:] != fake.shape[1:]:
        nearest = resize(nearest, fake.shape[1]).round().astype("uint8")
    figure = Figure(figsize=(1.25 * (k + 1.6), 1.25 * count + 0.7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, k))
    for axes, images, columns, what in (
        (left, fake[:count], 1, "(a) samples"),
        (right, nearest, k, "(b) their nearest training images, the nearest first"),
    ):
        axes.imshow(plots.tile(plots.magnify(images, 128), columns), interpolation="antialiased")
        axes.set_title(what, fontsize="medium")
        axes.set_axis_off()
    figure.suptitle(title)
    return figure
