"""Morphing in attributes: one person, on the way from the attributes of one picture to those of another.

Source: the dissertation, section 5.4.3, eq. 5.8, z = α z₁ + (1 − α) z₂, with figure 5.10, whose rows turn a head,
change an expression and move the light. The identity stands still meanwhile. α goes from 1 to 0, as in the figure.

Read next: ``transfer.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attribute_path(model: Any, subjects: np.ndarray, first: np.ndarray, last: np.ndarray, steps: int = 8) -> np.ndarray:
    """Each subject on the way from one picture's attributes to another's.

    Parameters
    ----------
    model
        An IP-GAN.
    subjects, first, last
        uint8 (n, H, W, 3), as many of each.
    steps
        Pictures on the way, both ends included.

    Returns
    -------
    uint8 (n, steps, H, W, 3).

    Raises
    ------
    ValueError
        As ``transfer.matrix``, for fewer than 2 steps, and if there are not as many of each.
    """
    check_model(model)
    if steps < 2:
        raise ValueError(f"steps={steps}: a way has two ends, take 2 or more.")
    if not len(subjects) == len(first) == len(last):
        raise ValueError(
            f"{len(subjects)} subjects, {len(first)} first and {len(last)} last pictures: as many of each."
        )
    share = np.linspace(1.0, 0.0, steps, dtype="float32")[None, :, None]  # α
    z = share * model.attributes(first)[:, None] + (1.0 - share) * model.attributes(last)[:, None]
    images = model.combine(model.identity(subjects).repeat(steps, axis=0), z.reshape(-1, z.shape[-1]))
    return images.reshape(len(subjects), steps, *images.shape[1:])


def figure(subjects: np.ndarray, first: np.ndarray, last: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """As figure 5.10: (a) the person, (b) the first picture, (c) the way, (d) the last picture."""
    rows = np.concatenate([subjects[:, None], first[:, None], images, last[:, None]], axis=1)
    return rows_figure(rows, title)
