"""Face verification: do two faces show the same person? A threshold on the cosine of their features decides.

Source: the dissertation, section 4.4.4 and table 4.2, after the protocol of LFW (Huang et al. 2007): half of the pairs
show one person; of ten parts of the pairs, each is tested with the threshold that is best on the nine others. The score
is the mean accuracy, 0.5 by chance. The people should not be those that a classifier of people was trained on. See also
``retrieval.py``, and ``benchmarks/augment.py``, which uses it.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, checked_features, features_of, names_of, unit_rows

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

PARTS = 10


def pairs_of(identities: np.ndarray, count: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of faces, half of one person, half of two, in turn; no pair twice.

    Parameters
    ----------
    identities : ndarray of int, shape (N,)
        Who is on each face; faces with negative numbers are in no pair.
    count : int
        Pairs; fewer if there are not so many of one person.
    seed : int

    Returns
    -------
    pairs : ndarray of int64, shape (pairs, 2)
        Indices of the faces.
    same : ndarray of bool, shape (pairs,)

    Raises
    ------
    ValueError
        If there are fewer than ten pairs of either kind.
    """
    random = np.random.default_rng(seed)
    identities = np.asarray(identities)
    known = np.flatnonzero(identities >= 0)
    pictures = [known[identities[known] == person] for person in np.unique(identities[known])]
    same = [pair for mine in pictures for pair in combinations(mine, 2)]
    others = len(known) * (len(known) - 1) // 2 - len(same)
    half = min(count // 2, len(same), others)
    if half < PARTS:
        raise ValueError(
            f"{len(same)} pairs of one person and {others} of two, {count} pairs asked for: {PARTS} parts need "
            f"{PARTS} pairs of either kind."
        )
    chosen = np.asarray(same)[random.choice(len(same), half, replace=False)]
    different: dict[tuple[int, int], None] = {}
    while len(different) < half:
        one, other = sorted(random.choice(known, 2, replace=False))
        if identities[one] != identities[other]:
            different[(one, other)] = None
    pairs = np.stack([chosen, np.asarray(list(different))], axis=1).reshape(-1, 2)
    return pairs.astype("int64"), np.arange(2 * half) % 2 == 0


def identity_verification(
    images: Images,
    identities: np.ndarray,
    features: str | Features,
    *,
    pairs: int = 1000,
    seed: int = 0,
    split: str = "not stated",
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """Mean accuracy of "same person or not" over ten parts of the pairs.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, 3), Faces, or iterable of batches
    identities : ndarray of int, shape (N,)
        Who is on each; negative if unknown.
    features : str or Features
        "classifier:RUN" of people, "file:FOLDER" of a recogniser, or an object.
    pairs, seed : int
        As ``count`` and ``seed`` of :func:`pairs_of`.
    split, batch_size, progress
        As in ``fid``.

    Returns
    -------
    Score
        "identity_verification", from 0 to 1, with the mean ± 1.96 standard errors of the parts as its interval;
        ``n_real`` is the number of pairs.

    Raises
    ------
    ValueError
        As in :func:`pairs_of`, and if the numbers of images and identities differ.
    """
    features = as_features(features)
    found = features_of(images, features, batch_size, "real", seed, progress)
    if len(found) != len(identities):
        raise ValueError(f"{len(found)} images of {len(identities)} identities: say who is on each.")
    chosen, same = pairs_of(identities, pairs, seed)
    return identity_verification_from_features(
        found[chosen[:, 0]], found[chosen[:, 1]], same, features, seed=seed, split=split
    )


def identity_verification_from_features(
    ones: np.ndarray,
    others: np.ndarray,
    same: np.ndarray,
    features: str | Features = "given features",
    *,
    seed: int = 0,
    split: str = "not stated",
) -> Score:
    """`identity_verification` of pairs with computed features (pairs, D) on each side; ``same`` is bool (pairs,)."""
    ones, others = (unit_rows(checked_features(side, "a pair's")) for side in (ones, others))
    same = np.asarray(same, bool)
    if not len(ones) == len(others) == len(same) or len(same) < 2 * PARTS or same.all() or not same.any():
        raise ValueError(
            f"{len(ones)} and {len(others)} features for {len(same)} pairs: at least {2 * PARTS}, of both."
        )
    cosines = np.sum(ones * others, axis=1)
    part = np.empty(len(same), int)
    for kind in (same, ~same):  # both kinds evenly over the parts
        part[kind] = np.arange(kind.sum()) % PARTS
    accuracies = []
    for index in range(PARTS):
        threshold = best_threshold(cosines[part != index], same[part != index])
        accuracies.append(np.mean((cosines[part == index] >= threshold) == same[part == index]))
    error = 1.96 * np.std(accuracies, ddof=1) / np.sqrt(PARTS)
    mean = float(np.mean(accuracies))
    return Score(
        "identity_verification",
        mean,
        max(0.0, mean - error),
        min(1.0, mean + error),
        n_real=len(same),
        split=split,
        seed=seed,
        interval=f"mean of {PARTS} parts of the pairs, ± 1.96 standard errors",
        **names_of(features),
    )


def best_threshold(cosines: np.ndarray, same: np.ndarray) -> float:
    """The cosine threshold (``same`` at or above it) of the highest accuracy, half-way between two pairs."""
    order = np.argsort(cosines, kind="stable")
    values, truth = cosines[order], np.asarray(same, bool)[order]
    # From place p on all are called the same: right are the different ones before it, and the same ones from it on.
    right = np.concatenate([[0], np.cumsum(~truth)]) + np.concatenate([np.cumsum(truth[::-1])[::-1], [0]])
    edges = np.concatenate([[values[0] - 1.0], (values[1:] + values[:-1]) / 2, [values[-1] + 1.0]])
    return float(edges[np.argmax(right)])
