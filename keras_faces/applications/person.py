"""Random faces of one person: who it is from a picture, all the rest drawn from N(0, 1).

Source: the dissertation, section 5.4.2 with figures 5.8 (people of the training) and 5.9 (strangers). KL has taught A
that attributes are normally distributed (eq. 5.3), so that G knows what to make of normal noise.

Read next: ``transfer.py``, where the attributes are those of a picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def people(model: Any, subjects: np.ndarray, count: int = 8, seed: int = 0) -> np.ndarray:
    """Faces of each subject, the same attributes in each column.

    Parameters
    ----------
    model
        An IP-GAN.
    subjects
        uint8 (n, H, W, 3).
    count
        Faces of each.
    seed
        Of the attributes.

    Returns
    -------
    uint8 (n, count, H, W, 3).

    Raises
    ------
    ValueError
        As ``transfer.matrix``, and for a ``count`` below 1.
    """
    check_model(model)
    if count < 1:
        raise ValueError(f"count={count}: one face of each person at least.")
    return np.stack([model.person(subject, count, seed) for subject in subjects])


def figure(subjects: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """A row a person: the photograph, then the faces made."""
    return rows_figure(np.concatenate([subjects[:, None], images], axis=1), title)
