"""Adversarial examples against a face recogniser: invisible changes that make it see another person.

Source: the dissertation, section 5.4.5, eq. 5.9:

    min ‖r‖²   so that   ‖f_C(x₁ + r) − f_C(x₂)‖² < θ

Not printed there, and decided here: features have length 1, so that θ is in (0, 4) (errata S18); the search is DDN
(Rony et al. 2019: a gradient step turns r; r then shrinks by a few per cent if the constraint holds, else grows); and
x₁ + r has whole grey levels. See also ``detection.py``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_faces.training.gradients import value_and_input_grad


class Attack(NamedTuple):
    """The result of n attacks.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, H, W, 3)
    distances : ndarray of float, shape (n,)
        Squared distances to the targets' features.
    fooled : ndarray of bool, shape (n,)
        Whether the distance is below θ.
    needed : ndarray of bool, shape (n,)
        Whether the distance of the original picture was not below θ.
    """

    images: np.ndarray
    distances: np.ndarray
    fooled: np.ndarray
    needed: np.ndarray


def unit_features(model: Any, images: Any) -> Any:
    """f_C of images (n, H, W, 3) in 0..255: float32 (n, identity_dim), each of length 1."""
    features, _ = model.recognise(model.preprocess(images))
    return ops.normalize(features, axis=-1)


def attack(
    model: Any,
    images: np.ndarray,
    targets: np.ndarray,
    threshold: float = 0.4,
    steps: int = 40,
    step: float = 0.03,
    turn: float = 0.05,
) -> Attack:
    """Change pictures as little as possible so that the recogniser takes them for others (eq. 5.9).

    Parameters
    ----------
    model : IPGAN
        Its recogniser is attacked.
    images, targets : ndarray of uint8, shape (n, H, W, 3)
        x₁ and x₂.
    threshold : float
        θ, in (0, 4).
    steps : int
        Steps of the search, at least 1.
    step : float
        Length of the first step as a share of the longest possible r; it decays along a cosine.
    turn : float
        Share by which r shrinks or grows at each step.

    Returns
    -------
    Attack
        For each pair the x₁ + r nearest to x₁ with a distance below θ; if there is none, that of the least distance.

    Raises
    ------
    ValueError
        For a ``threshold`` out of range and for fewer than one step.
    """
    if not 0 < threshold < 4 or steps < 1:
        raise ValueError(f"threshold={threshold}, steps={steps}: θ between 0 and 4, and one step at least.")
    model.synchronise()
    target_features = ops.stop_gradient(unit_features(model, targets))
    start = images.astype("float32")
    longest = 255.0 * np.sqrt(start[0].size)
    r, length = np.zeros_like(start), np.full(len(start), 0.5 * step * longest, "float32")
    best, distances = images.copy(), np.full(len(images), np.inf, "float32")
    fooled, needed = np.zeros(len(images), bool), np.ones(len(images), bool)
    lengths = np.full(len(images), np.inf, "float32")
    for index in range(steps + 1):
        candidates = np.clip(np.rint(start + r), 0, 255).astype("float32")
        distance, gradient = _distance_and_gradient(model, candidates, target_features)
        inside, size = distance < threshold, _norm(candidates - start)
        better = np.where(inside, ~fooled | (size < lengths), ~fooled & (distance < distances))
        best[better] = candidates[better].astype("uint8")
        distances[better], lengths[better] = distance[better], size[better]
        fooled |= inside
        needed = ~inside if index == 0 else needed
        step_size = step * longest * 0.5 * (1.0 + np.cos(np.pi * index / (steps + 1)))
        r = r - step_size * gradient / np.maximum(_norm(gradient), 1e-12)[:, None, None, None]
        if index:  # the first step only finds a direction
            length = length * np.where(inside, 1.0 - turn, 1.0 + turn)
        r = r * (length / np.maximum(_norm(r), 1e-6))[:, None, None, None]
    return Attack(best, distances, fooled, needed)


def _distance_and_gradient(model: Any, images: np.ndarray, target_features: Any) -> tuple[np.ndarray, np.ndarray]:
    """‖f_C(x) − f_C(x₂)‖² of each image, and its gradient by the pixels."""

    def distances(pixels):
        return ops.sum((unit_features(model, pixels) - target_features) ** 2, axis=-1)

    pixels = ops.convert_to_tensor(images)
    _, gradient = value_and_input_grad(lambda pixels: ops.sum(distances(pixels)), pixels)
    return ops.convert_to_numpy(distances(pixels)), ops.convert_to_numpy(gradient)


def _norm(images: np.ndarray) -> np.ndarray:
    return np.sqrt((images.astype("float64") ** 2).sum(axis=(1, 2, 3))).astype("float32")
