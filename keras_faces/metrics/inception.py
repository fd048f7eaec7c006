"""Inception Score: whether the class of each image is certain, and whether all classes occur.

Source: Salimans et al. 2016, "Improved techniques for training GANs", section 4 (the dissertation's section 2.3.4):

    IS = exp( E_x KL( p(y|x) ‖ p(y) ) )

From 1 to the number of classes; higher is better. It uses no real image: one perfect face per class, memorised, gets
the maximum. With ImageNet's classes faces score about 2 to 3 whatever their quality, so the dissertation takes a
recogniser of faces, "classifier:RUN". See also ``coverage.py`` for variety against real images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.intervals import HALVES, half_interval, half_samples
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, names_of, probabilities_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

_HALVES_AT_ONCE = 2**24  # numbers; bounds the memory of the interval


def inception_score(
    images: Images,
    features: str | Features = "inception",
    *,
    splits: int = 10,
    seed: int = 0,
    repeats: int = 200,
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """Inception Score of generated images.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, 3), Faces, or iterable of batches
    features : str or Features
        With class probabilities: "inception" (ImageNet's 1000), "classifier:RUN", or an object.
    splits : int
        The value is the mean over this many random parts of the images, as in the article.
    seed : int
        Of the parts and of the interval.
    repeats : int
        Half samples for the interval; 0 for none.
    batch_size, progress
        As in ``fid``.

    Returns
    -------
    Score
        ``spread`` is the standard deviation over the splits, as articles print it; ``low`` and ``high`` say how the
        value varies over other draws of as many images (``intervals.py``).

    Raises
    ------
    ValueError
        If the features have no classes, or for fewer than two images per split.
    """
    features = as_features(features)
    if getattr(features, "label_kind", "") == "attributes":
        raise ValueError(f"{features.name} knows attributes, of which a face has several: this score wants classes.")
    probabilities = probabilities_of(images, features, batch_size, progress)
    return inception_score_from_probabilities(probabilities, features, splits=splits, seed=seed, repeats=repeats)


def inception_score_from_probabilities(
    probabilities: np.ndarray,
    features: str | Features = "given probabilities",
    *,
    splits: int = 10,
    seed: int = 0,
    repeats: int = 200,
) -> Score:
    """`inception_score` of computed p(y|x): (N, C), each row in [0, 1] with the sum 1."""
    rows = np.asarray(probabilities, "float64")
    _check(rows, splits)
    if repeats < 0 or repeats == 1:
        raise ValueError(f"repeats={repeats} must be 0 for no interval, or 2 half samples or more.")
    parts = np.array_split(np.random.default_rng(seed).permutation(len(rows)), splits)
    of_parts = np.array([_scores(np.full((1, len(part)), 1 / len(part)), rows[part])[0] for part in parts])
    value = of_parts.mean()
    interval = {}
    if repeats and len(rows) >= 4:
        low, high = half_interval(value, _of_halves(rows, repeats, seed), lowest=1.0, highest=float(rows.shape[1]))
        interval = {"low": low, "high": high, "interval": f"{repeats} half samples; {HALVES}"}
    return Score(
        "inception_score",
        value,
        n_fake=len(rows),
        split="no real images",
        seed=seed,
        warnings=tuple(_warnings(len(rows), rows.shape[1], splits)),
        spread=of_parts.std(ddof=1) if splits > 1 else None,
        **interval,
        **names_of(features),
    )


def _scores(weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """exp(H(p(y)) − mean H(p(y|x))), which is exp(E KL), for several weightings (W, N) of the rows at once: (W,)."""
    return np.exp(_entropy(weights @ rows) - weights @ _entropy(rows))


def _entropy(rows: np.ndarray) -> np.ndarray:
    return -np.sum(rows * np.log(np.where(rows > 0, rows, 1)), axis=1)  # 0 log 0 is 0


def _of_halves(rows: np.ndarray, repeats: int, seed: int) -> np.ndarray:
    """Scores of random halves of the rows, a few halves at a time."""
    step = max(1, _HALVES_AT_ONCE // len(rows))
    scores = []
    for index, start in enumerate(range(0, repeats, step)):
        halves = half_samples(len(rows), min(step, repeats - start), seed + index)
        scores.append(_scores(halves / (len(rows) // 2), rows))
    return np.concatenate(scores)


def _check(rows: np.ndarray, splits: int) -> None:
    if rows.ndim != 2 or rows.shape[1] < 2:
        raise ValueError(f"probabilities must have the shape (N, classes) with two classes or more, not {rows.shape}.")
    if splits < 1 or len(rows) < 2 * splits:
        raise ValueError(f"{len(rows)} images do not make splits={splits} of two or more: take fewer splits.")
    bad = ~np.isfinite(rows).all(axis=1) | (rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1) - 1) > 1e-3)
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"row {index} is no distribution over classes (sum {rows[index].sum():.4g}, least {rows[index].min():.4g}):"
            " give probabilities after softmax, neither logits nor a sigmoid's."
        )


def _warnings(count: int, classes: int, splits: int) -> list[str]:
    if count >= 10 * classes * splits:
        return []
    return [
        f"{count:,} images in {splits} split{'s' * (splits > 1)} are few for {classes:,} classes: p(y) is uncertain "
        f"and the score too low; {10 * classes * splits:,} are better. Compare at equal numbers of images and splits."
    ]
