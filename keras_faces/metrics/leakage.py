"""The KL test: how well a classifier tells people apart by IP-GAN's attributes. Lower is better.

Source: the dissertation, section 5.3.4 with figure 5.5: a perceptron with layers of 1024, 1024, 1024 and the 530 people
of FaceScrub is trained on A's features of some photographs and tested on the others; the KL loss lowers its accuracy.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Leakage(NamedTuple):
    """Top-1 accuracy on the training and on the held-out features, and by chance; all from 0 to 1."""

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
    """Train a perceptron that recognises people by features, and test it on held-out pictures.

    Parameters
    ----------
    features : ndarray of float, shape (n, D)
        Such as ``model.attributes(images)``.
    identities : ndarray, shape (n,)
        Who is on each picture; people with a single one are left out.
    held_out : float
        Share of each person's pictures to test on.
    layers : sequence of int
        Units of the hidden layers.
    epochs : int
        At most; it stops when the training loss no longer falls.
    seed : int
        Of the split and the weights.

    Raises
    ------
    ValueError
        If fewer than two people have two pictures, or a feature is not finite.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, identities = np.asarray(features, "float64"), np.asarray(identities)
    people, counts = np.unique(identities, return_counts=True)
    people = people[counts >= 2]
    if len(people) < 2:
        raise ValueError("fewer than two people have two pictures: there is nobody to tell apart.")
    if not np.isfinite(features).all():
        raise ValueError("the features are not finite.")
    kept = np.isin(identities, people)
    features, identities = features[kept], identities[kept]
    size = min(max(round(held_out * len(features)), len(people)), len(features) - len(people))
    x, x_test, y, y_test = train_test_split(
        features, identities, test_size=size, stratify=identities, random_state=seed
    )
    perceptron = MLPClassifier(tuple(layers), max_iter=epochs, batch_size=min(64, len(x)), random_state=seed)
    classifier = make_pipeline(StandardScaler(), perceptron)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(x, y)
    return Leakage(classifier.score(x, y), classifier.score(x_test, y_test), 1 / len(people))
