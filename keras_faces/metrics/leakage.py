"""The KL test: can people be told apart by the attributes that A gives? They should not.

Source: the dissertation, section 5.3.4 with figure 5.5. A multilayer perceptron with layers of 1024, 1024, 1024 and the
530 people of FaceScrub learns from A's features of one part of the photographs and is asked about the other part. With
the KL loss its accuracy there is lower: the features hold less of who it is.

Read next: ``retrieval.py``, which asks the same of pictures; ``models/ip_gan.py``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Leakage(NamedTuple):
    """Top-1 accuracy on the features that the perceptron learned from and on the others, and by chance."""

    training: float
    validation: float
    chance: float


def identity_leakage(
    features: np.ndarray,
    identities: np.ndarray,
    held_out: float = 0.3,
    layers: Sequence[int] = (1024, 1024, 1024),
    epochs: int = 60,
    seed: int = 0,
) -> Leakage:
    """How well people are told apart by features.

    Parameters
    ----------
    features
        float (n, D), such as ``model.attributes(images)``.
    identities
        Who is on each, (n,); people with a single picture are left out.
    held_out
        Share of each person's pictures to validate with.
    layers
        Hidden layers of the perceptron; the source's by default.
    epochs
        It stops earlier if the training's loss does not fall any more.
    seed
        Of the split and the weights.

    Raises
    ------
    ValueError
        If fewer than two people have two pictures, or the features are not finite.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, identities = np.asarray(features, "float64"), np.asarray(identities)
    who, counts = np.unique(identities, return_counts=True)
    kept = np.isin(identities, who[counts >= 2])
    if (counts >= 2).sum() < 2:
        raise ValueError("fewer than two people have two pictures: there is nobody to tell apart.")
    if not np.isfinite(features).all():
        raise ValueError("the features are not finite.")
    features, identities = features[kept], identities[kept]
    people = len(np.unique(identities))
    size = min(max(round(held_out * len(features)), people), len(features) - people)
    parts = train_test_split(features, identities, test_size=size, stratify=identities, random_state=seed)
    learned, asked, names, truth = parts
    perceptron = MLPClassifier(tuple(layers), max_iter=epochs, batch_size=min(64, len(learned)), random_state=seed)
    machine = make_pipeline(StandardScaler(), perceptron)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(learned, names)
    return Leakage(machine.score(learned, names), machine.score(asked, truth), 1 / people)
