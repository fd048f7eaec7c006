"""Completion of faces with a hidden part, by a trained PixelCNN or PixelRNN.

Source: van den Oord et al. 2016, "Pixel Recurrent Neural Networks", figure 1. Each completion is another draw from the
model's distribution. See also ``AutoregressiveModel.complete`` in ``models/autoregressive/base.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure

PARTS = ("lower", "right", "upper", "left", "middle")


def hidden_part(part: str, image_size: int) -> np.ndarray:
    """Mask of the pixels to hide.

    Parameters
    ----------
    part : {"lower", "right", "upper", "left", "middle"}
        A half, or the square in the middle with half the side.
    image_size : int

    Returns
    -------
    ndarray of bool, shape (image_size, image_size)

    Raises
    ------
    ValueError
        For an unknown part.
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r}: choose from {', '.join(PARTS)}.")
    hidden, half, quarter = np.zeros((image_size, image_size), bool), image_size // 2, image_size // 4
    inner = slice(quarter, image_size - quarter)
    region = {"lower": np.s_[half:], "upper": np.s_[:half], "right": np.s_[:, half:], "left": np.s_[:, :half]}
    hidden[region.get(part, (inner, inner))] = True
    return hidden


def completions(
    model: Any, images: np.ndarray, hidden: np.ndarray, times: int = 4, seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Complete each face several times.

    Parameters
    ----------
    model : AutoregressiveModel
        A pixelcnn or a pixelrnn.
    images : ndarray of uint8, shape (n, H, W, 3)
    hidden : ndarray of bool, shape (H, W)
        True for the pixels to draw.
    times : int
    seed, truncation : int, float or None
        Of the noise.

    Returns
    -------
    ndarray of uint8, shape (times, n, H, W, 3)

    Raises
    ------
    ValueError
        If the model is not autoregressive.
    """
    if not hasattr(model, "complete"):
        raise ValueError(f"{model.name} draws no pixel after another: take a run of pixelcnn or pixelrnn.")
    completed = model.complete(np.concatenate([images] * times), hidden, seed, truncation)
    return completed.reshape(times, *images.shape)


def figure(images: np.ndarray, hidden: np.ndarray, completed: np.ndarray, title: str = "") -> Figure:
    """Draw photographs, their visible part and their :func:`completions`, one face per column."""
    visible = np.where(hidden[..., None], np.uint8(128), images)
    rows = [("photograph", images), ("shown", visible)]
    rows += [(f"completion {index}", faces) for index, faces in enumerate(completed, 1)]
    return grids.evolution(rows, title, side=96)
