"""From one face to another: the noise of the first, step by step into the noise of the second.

    noise = latent_noise(2, model.latent_dim, seed=3)
    faces = model.render(slerp(noise[0], noise[1], np.linspace(0, 1, 8)))

A generator that has learned faces by heart would jump from one to the next; one that has learned what a face is gives a
face at every step (Radford et al. 2016, section 6.1). There are two ways to go:

- :func:`lerp`, the straight line. Noise of many dimensions lies close to a sphere: 100 standard normal numbers have the
  length 10 ± 0.7. Half way between two of them the line passes at 7, where G was hardly ever trained; its faces are
  plainer there, as those of truncated noise are.
- :func:`slerp`, along the sphere (Shoemake 1985, section 3.3; for GANs White 2016, section 2.1).

Read next: ``keras-faces interpolate RUN`` (``commands/pictures.py``), ``training/sampling.py`` for the noise itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MODES = ("linear", "spherical")


def lerp(start: np.ndarray, end: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """The straight line: ``(1 - share) · start + share · end``.

    Parameters
    ----------
    start, end
        Vectors (dim,).
    share
        0 for ``start``, 1 for ``end``; a number, or many of them (steps,).

    Returns
    -------
    float32 (dim,) for one share, (steps, dim) for many.

    Raises
    ------
    ValueError
        If the vectors are of different lengths or not vectors.
    """
    start, end, share = _checked(start, end, share)
    return ((1.0 - share) * start + share * end).astype("float32")


def slerp(start: np.ndarray, end: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Along the sphere: the direction turns at constant speed, the length goes evenly from one to the other.

    For vectors of equal length this is Shoemake's ``sin((1-t)Ω)/sin Ω · start + sin(tΩ)/sin Ω · end`` with Ω the angle
    between them. That formula divides 0 by 0 for parallel vectors and has no answer for opposite ones. Written as
    ``cos(tΩ) · u + sin(tΩ) · v``, with u the direction of ``start`` and v the one at right angles to it that leads to
    ``end``, it divides by nothing: parallel vectors stay where they are, and between opposite ones, where every great
    circle is as short as any other, one is chosen, always the same. Ω comes from atan2, since arccos loses half of its
    digits at small angles. A vector of length 0 has no direction; then the way is straight.

    Parameters, result and errors as of :func:`lerp`.
    """
    start, end, share = _checked(start, end, share)
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if not all(lengths):
        return lerp(start, end, share[..., 0])
    first, last = start / lengths[0], end / lengths[1]
    angle = 2.0 * np.arctan2(np.linalg.norm(last - first), np.linalg.norm(last + first))
    direction = np.cos(share * angle) * first + np.sin(share * angle) * _at_right_angles(first, last)
    path = ((1.0 - share) * lengths[0] + share * lengths[1]) * direction
    return np.where(share == 0.0, start, np.where(share == 1.0, end, path)).astype("float32")


def _at_right_angles(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The unit vector at right angles to ``first`` on the side of ``last``; any one if they are (almost) parallel."""
    rest = last - (first @ last) * first
    if np.linalg.norm(rest) < 1e-12:
        axis = np.zeros_like(first)
        axis[np.argmin(np.abs(first))] = 1.0
        rest = axis - (first @ axis) * first
    length = np.linalg.norm(rest)
    return rest / length if length else rest  # in one dimension nothing is at right angles


def _checked(start, end, share) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start, end, share = (np.asarray(value, "float64") for value in (start, end, share))
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(f"start and end must be vectors of one length, got the shapes {start.shape} and {end.shape}.")
    return start, end, share[..., None]


def path(start: np.ndarray, end: np.ndarray, steps: int, mode: str = "linear") -> np.ndarray:
    """``steps`` vectors from ``start`` to ``end``, both included: float32 (steps, dim).

    Raises
    ------
    ValueError
        For fewer than 2 steps or another mode than "linear" and "spherical".
    """
    if mode not in MODES:
        raise ValueError(f"mode={mode!r}: choose from {', '.join(MODES)}.")
    if steps < 2:
        raise ValueError(f"steps={steps}: a way from one face to another has at least 2, its two ends.")
    return (lerp if mode == "linear" else slerp)(start, end, np.linspace(0.0, 1.0, steps))


def round_trip(noise: np.ndarray, steps: int, mode: str = "linear") -> np.ndarray:
    """From each vector to the next, and from the last back to the first.

    Parameters
    ----------
    noise
        (faces, dim), two or more.
    steps, mode
        As of :func:`path`.

    Returns
    -------
    float32 (faces, steps, dim): row i goes from ``noise[i]`` to the one after it, both included.

    Raises
    ------
    ValueError
        For fewer than two vectors, and as :func:`path` does.
    """
    noise = np.asarray(noise)
    if noise.ndim != 2 or len(noise) < 2:
        raise ValueError(f"noise has the shape {noise.shape}: two or more vectors are needed, (faces, dim).")
    return np.stack([path(noise[i], noise[(i + 1) % len(noise)], steps, mode) for i in range(len(noise))])


def faces_between(
    model: Any, faces: int, steps: int, mode: str = "linear", seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Faces on the way from each of ``faces`` to the next and back to the first: uint8 (faces, steps, H, W, 3).

    The way is through the noise; for a model with styles (stylegan) through w, which is what it was made for.

    Parameters
    ----------
    model
        What ``kf.models.build`` gave, trained.
    seed, truncation
        As of ``model.sample``: the faces passed are the first of ``model.sample(count, seed, truncation)``.
    """
    from keras_faces.training.sampling import latent_noise

    if hasattr(model, "translate"):
        raise ValueError(f"{model.name} makes no faces of noise, so there is no way between them: use `translate`.")
    if not hasattr(model, "styles"):
        ends = latent_noise(faces, model.latent_dim, seed, truncation)
        between = round_trip(ends, steps, mode).reshape(-1, model.latent_dim)
        one = (model.patterns(1)[0],) if hasattr(model, "patterns") else ()  # one label all the way
        between = model.render(between, *one)
    else:
        if truncation is not None and not 0.0 <= truncation <= 1.0:
            raise ValueError(f"truncation={truncation}: for this system it is ψ, the share of w kept, from 0 to 1.")
        ends = model.styles(latent_noise(faces, model.latent_dim, seed))
        ends = ends if truncation is None else model.truncated(ends, truncation)
        between = model.synthesize(round_trip(ends, steps, mode).reshape(-1, ends.shape[1]))
    return between.reshape(faces, steps, *between.shape[1:])
