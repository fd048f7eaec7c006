"""Faces of which a part is hidden, completed by a trained PixelCNN or PixelRNN, several times over.

A model of pixels in order completes what comes *after* what it sees: the lower half from the upper one, or the right
half, row by row, from the left one. Each completion is another draw: the model does not know what was there, it knows
what may be there.

Read next: ``AutoregressiveModel.complete`` in ``training/autoregressive.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = ("lower", "right", "upper", "left", "middle")
SIDE = 96  # of a small picture, in the figure's pixels


def hidden_part(part: str, image_size: int) -> np.ndarray:
    """True for the pixels to hide, (image_size, image_size): a half, or the square in the middle.

    Raises
    ------
    ValueError
        For an unknown part.
    """
    if part not in PARTS:
        raise ValueError(f"part={part!r}: choose from {', '.join(PARTS)}.")
    places = np.arange(image_size)
    later = places >= image_size // 2
    row, column = {"lower": (later, True), "upper": (~later, True), "right": (True, later), "left": (True, ~later)}.get(
        part, (middle := (places >= image_size // 4) & (places < image_size - image_size // 4), middle)
    )
    return np.broadcast_to(np.reshape(row, (-1, 1)) & np.reshape(column, (1, -1)), (image_size, image_size))


def completions(
    model: Any, images: np.ndarray, hidden: np.ndarray, times: int = 4, seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Each face completed several times, uint8 (times, count, H, W, 3).

    Parameters
    ----------
    model
        A pixelcnn or a pixelrnn.
    images
        uint8 (count, H, W, 3).
    hidden
        (H, W), True for what is to be drawn.
    seed, truncation
        Of the noise.

    Raises
    ------
    ValueError
        If the model cannot complete.
    """
    if not hasattr(model, "complete"):
        raise ValueError(f"{model.name} draws no pixel after another: take a run of pixelcnn or pixelrnn.")
    drawn = model.complete(np.concatenate([images] * times), hidden, seed, truncation)
    return drawn.reshape(times, *images.shape)


def figure(images: np.ndarray, hidden: np.ndarray, completed: np.ndarray, title: str = "") -> Figure:
    """Photographs, what the model was shown, and its completions, a face a column."""
    shown = np.where(hidden[..., None], np.uint8(128), images)
    rows = [("photograph", images), ("shown", shown)]
    rows += [(f"completion {number}", faces) for number, faces in enumerate(completed, 1)]
    return plots.evolution([(name, plots.magnify(faces, SIDE)) for name, faces in rows], title=title)
