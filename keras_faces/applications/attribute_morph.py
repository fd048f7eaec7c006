"""Attribute morphing by IP-GAN: one person, from the attributes of one picture to those of another.

Source: the dissertation, section 5.4.3, eq. 5.8, ``z = α z₁ + (1 − α) z₂``, and figure 5.10; α goes from 1 to 0. See
also ``transfer.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure


def attribute_path(model: Any, subjects: np.ndarray, first: np.ndarray, last: np.ndarray, steps: int = 8) -> np.ndarray:
    """Make each subject with attributes between those of two pictures.

    Parameters
    ----------
    model : IPGAN
    subjects, first, last : ndarray of uint8, shape (n, H, W, 3)
    steps : int
        Pictures from first to last, both included; at least 2.

    Returns
    -------
    ndarray of uint8, shape (n, steps, H, W, 3)

    Raises
    ------
    ValueError
        As in ``transfer.matrix``, for fewer than 2 steps, and for different numbers of pictures.
    """
    check_model(model)
    if steps < 2:
        raise ValueError(f"steps={steps}: a way has two ends, take 2 or more.")
    if not len(subjects) == len(first) == len(last):
        raise ValueError(
            f"{len(subjects)} subjects, {len(first)} first and {len(last)} last pictures: as many of each."
        )
    alpha = np.linspace(1.0, 0.0, steps, dtype="float32")[None, :, None]
    z = alpha * model.attributes(first)[:, None] + (1.0 - alpha) * model.attributes(last)[:, None]
    images = model.combine(model.identity(subjects).repeat(steps, axis=0), z.reshape(-1, z.shape[-1]))
    return images.reshape(len(subjects), steps, *images.shape[1:])


def figure(subjects: np.ndarray, first: np.ndarray, last: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """Draw figure 5.10: (a) the person, (b) the first picture, (c) the :func:`attribute_path`, (d) the last picture."""
    rows = np.concatenate([subjects[:, None], first[:, None], images, last[:, None]], axis=1)
    return rows_figure(rows, title)
