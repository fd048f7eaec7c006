"""Adversarial examples against a face recogniser: a picture that nobody sees was changed is taken for somebody else.

Source: the dissertation, section 5.4.5 with eq. 5.9:

    min ‖r‖²   so that   ‖f_C(x₁ + r) − f_C(x₂)‖² < θ

and a recogniser takes x₁ + r for x₂. Not printed there, and decided here: features have length 1, so that θ is a
squared distance between 0 and 4 (errata S18); the search is that of Rony et al. 2019 (DDN: turn r by a step against the
gradient, shorten it by a few per cent where the constraint holds, lengthen it where it does not); and every x₁ + r that
counts is a picture of whole grey levels.

Read next: ``detection.py``, how IP-GAN finds them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_faces.training.pullback import value_and_slope


class Attack(NamedTuple):
    """What came of n attacks.

    Attributes
    ----------
    images
        uint8 (n, H, W, 3).
    distances
        Their squared distances to the targets, float (n,).
    fooled
        Whether these are below θ, bool (n,).
    needed
        Whether the pictures' own were not, bool (n,): who is taken for the target as he is needs no attack.
    """

    images: np.ndarray
    distances: np.ndarray
    fooled: np.ndarray
    needed: np.ndarray


def unit_features(model: Any, images: Any) -> Any:
    """f_C of images 0..255, float32 (n, identity_dim), each of length 1."""
    features, _ = model.recognise(model.scaled(images))
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
    model
        An IP-GAN, whose recogniser is attacked.
    images, targets
        x₁ and x₂, uint8 (n, H, W, 3).
    threshold
        θ, between 0 and 4.
    steps
        Of the search.
    step
        Length of a step at the beginning, as a share of the longest possible r; it falls along a cosine.
    turn
        By how much r is shortened or lengthened at a step.

    Returns
    -------
    The best x₁ + r that was found for each: the nearest to x₁ whose distance is below θ; where none is, the one of the
    least distance.

    Raises
    ------
    ValueError
        For a ``threshold`` out of range and for fewer than one step.
    """
    if not 0 < threshold < 4 or steps < 1:
        raise ValueError(f"threshold={threshold}, steps={steps}: θ between 0 and 4, and one step at least.")
    model.synchronise()
    wanted = ops.stop_gradient(unit_features(model, targets))
    start = images.astype("float32")
    longest = 255.0 * np.sqrt(start[0].size)
    r, length = np.zeros_like(start), np.full(len(start), 0.5 * step * longest, "float32")
    best, distances = images.copy(), np.full(len(images), np.inf, "float32")
    fooled, needed = np.zeros(len(images), bool), np.ones(len(images), bool)
    lengths = np.full(len(images), np.inf, "float32")
    for number in range(steps + 1):
        tried = np.clip(np.rint(start + r), 0, 255).astype("float32")
        distance, slope = _distance_and_slope(model, tried, wanted)
        through, size = distance < threshold, _norm(tried - start)
        better = np.where(through, ~fooled | (size < lengths), ~fooled & (distance < distances))
        best[better], distances[better], lengths[better] = tried[better].astype("uint8"), distance[better], size[better]
        fooled |= through
        needed = ~through if number == 0 else needed
        rate = step * longest * 0.5 * (1.0 + np.cos(np.pi * number / (steps + 1)))
        r = r - rate * slope / np.maximum(_norm(slope), 1e-12)[:, None, None, None]
        if number:  # the first step only finds a direction
            length = length * np.where(through, 1.0 - turn, 1.0 + turn)
        r = r * (length / np.maximum(_norm(r), 1e-6))[:, None, None, None]
    return Attack(best, distances, fooled, needed)


def _distance_and_slope(model: Any, images: np.ndarray, wanted: Any) -> tuple[np.ndarray, np.ndarray]:
    """‖f_C(x) − f_C(x₂)‖² of each image, and its derivative by the pixels."""

    def distances(pixels):
        return ops.sum((unit_features(model, pixels) - wanted) ** 2, axis=-1)

    pixels = ops.convert_to_tensor(images)
    _, slope = value_and_slope(lambda pixels: ops.sum(distances(pixels)), pixels)
    return ops.convert_to_numpy(distances(pixels)), ops.convert_to_numpy(slope)


def _norm(images: np.ndarray) -> np.ndarray:
    return np.sqrt((images.astype("float64") ** 2).sum(axis=(1, 2, 3))).astype("float32")
