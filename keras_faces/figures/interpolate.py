"""Interpolation between faces: from the noise of one, step by step, to the noise of another.

    noise = latent_noise(2, model.latent_dim, seed=3)
    faces = model.render(slerp(noise[0], noise[1], np.linspace(0, 1, 8)))

A generator that has memorised its photographs jumps from one to the next; one that has learnt faces shows a face at
every step (Radford et al. 2016, section 6.1). :func:`lerp` is the straight line. It leaves the sphere near which normal
noise of many dimensions lies (length 10 ± 0.7 for 100 dimensions, about 7 half-way), so its faces are plainer there.
:func:`slerp` follows the sphere (Shoemake 1985, section 3.3; for GANs White 2016, section 2.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

MODES = ("linear", "spherical")


def lerp(start: np.ndarray, end: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Interpolate linearly: ``(1 - share) · start + share · end``.

    Parameters
    ----------
    start, end : ndarray of float, shape (dim,)
    share : float or ndarray, shape (steps,)
        0 gives ``start``, 1 gives ``end``.

    Returns
    -------
    ndarray of float32, shape (dim,) or (steps, dim)

    Raises
    ------
    ValueError
        If ``start`` and ``end`` are not vectors of one length.
    """
    start, end, share = _checked(start, end, share)
    return ((1.0 - share) * start + share * end).astype("float32")


def slerp(start: np.ndarray, end: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Interpolate along the sphere: the direction turns at constant speed, the length changes linearly.

    For vectors of equal length this is Shoemake's ``sin((1-t)Ω)/sin Ω · start + sin(tΩ)/sin Ω · end``, Ω the angle
    between them. It is computed as ``cos(tΩ) · u + sin(tΩ) · v``, u the direction of ``start`` and v orthogonal to it,
    so that parallel and opposite vectors work too (between opposite ones one great circle is chosen, always the same).
    Ω comes from atan2, which keeps its precision at small angles. If a length is 0, the path is linear.

    Parameters, result and errors as in :func:`lerp`.
    """
    start, end, share = _checked(start, end, share)
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if not all(lengths):
        return lerp(start, end, share[..., 0])
    first, last = start / lengths[0], end / lengths[1]
    angle = 2.0 * np.arctan2(np.linalg.norm(last - first), np.linalg.norm(last + first))
    direction = np.cos(share * angle) * first + np.sin(share * angle) * _orthogonal(first, last)
    between = ((1.0 - share) * lengths[0] + share * lengths[1]) * direction
    return np.where(share == 0.0, start, np.where(share == 1.0, end, between)).astype("float32")


def _orthogonal(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The unit vector orthogonal to ``first`` on the side of ``last``; a fixed one if they are (almost) parallel."""
    rest = last - (first @ last) * first
    if np.linalg.norm(rest) < 1e-12:
        axis = np.eye(len(first))[np.argmin(np.abs(first))]
        rest = axis - (first @ axis) * first
    length = np.linalg.norm(rest)
    return rest / length if length else rest  # in one dimension nothing is orthogonal


def _checked(start, end, share) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start, end, share = (np.asarray(value, "float64") for value in (start, end, share))
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(f"start and end must be vectors of one length, got the shapes {start.shape} and {end.shape}.")
    return start, end, share[..., None]


def path(start: np.ndarray, end: np.ndarray, steps: int, mode: str = "linear") -> np.ndarray:
    """Interpolate from ``start`` (dim,) to ``end`` (dim,), both included: float32 (steps, dim).

    Raises
    ------
    ValueError
        For fewer than 2 steps, or a mode that is neither "linear" nor "spherical".
    """
    if mode not in MODES:
        raise ValueError(f"mode={mode!r}: choose from {', '.join(MODES)}.")
    if steps < 2:
        raise ValueError(f"steps={steps}: a way from one face to another has at least 2, its two ends.")
    return (lerp if mode == "linear" else slerp)(start, end, np.linspace(0.0, 1.0, steps))


def round_trip(noise: np.ndarray, steps: int, mode: str = "linear") -> np.ndarray:
    """Interpolate from each vector to the next, and from the last back to the first.

    Parameters
    ----------
    noise : ndarray of float, shape (faces, dim)
        At least two vectors.
    steps, mode : int, str
        As in :func:`path`.

    Returns
    -------
    ndarray of float32, shape (faces, steps, dim)
        Row i goes from ``noise[i]`` to the next, both included.

    Raises
    ------
    ValueError
        For fewer than two vectors, and as in :func:`path`.
    """
    noise = np.asarray(noise)
    if noise.ndim != 2 or len(noise) < 2:
        raise ValueError(f"noise has the shape {noise.shape}: two or more vectors are needed, (faces, dim).")
    return np.stack([path(start, end, steps, mode) for start, end in zip(noise, np.roll(noise, -1, 0), strict=True)])


def faces_between(
    model: Any, faces: int, steps: int, mode: str = "linear", seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Make the faces of a :func:`round_trip` through the noise, or through w for a model with styles (stylegan).

    Parameters
    ----------
    model : FaceModel
    faces : int
        Faces to pass: the first of ``model.sample(count, seed, truncation)``.
    steps, mode : int, str
        As in :func:`path`.
    seed, truncation : int, float or None
        As in ``model.sample``.

    Returns
    -------
    ndarray of uint8, shape (faces, steps, H, W, 3)

    Raises
    ------
    ValueError
        For a model without noise, and for a stylegan's ``truncation`` outside [0, 1].
    """
    from keras_faces.training.sampling import latent_noise

    if hasattr(model, "translate"):
        raise ValueError(f"{model.name} makes no faces of noise, so there is no way between them: use `translate`.")
    if hasattr(model, "styles"):
        if truncation is not None and not 0.0 <= truncation <= 1.0:
            raise ValueError(f"truncation={truncation}: for this system it is ψ, the share of w kept, from 0 to 1.")
        ends = model.styles(latent_noise(faces, model.latent_dim, seed))
        ends = ends if truncation is None else model.truncated(ends, truncation)
        images = model.synthesize(round_trip(ends, steps, mode).reshape(-1, ends.shape[1]))
    else:
        ends = latent_noise(faces, model.latent_dim, seed, truncation)
        labels = (model.patterns(1)[0],) if hasattr(model, "patterns") else ()  # one label for the whole trip
        images = model.render(round_trip(ends, steps, mode).reshape(-1, model.latent_dim), *labels)
    return images.reshape(faces, steps, *images.shape[1:])
