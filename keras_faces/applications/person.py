"""Random faces of one person by IP-GAN: the identity of a picture, attributes from N(0, 1).

Source: the dissertation, section 5.4.2, figures 5.8 (people of the training) and 5.9 (strangers); the KL loss makes the
attributes normally distributed (eq. 5.3). See also ``transfer.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure


def people(model: Any, subjects: np.ndarray, count: int = 8, seed: int = 0) -> np.ndarray:
    """Make faces of each subject, the same attributes in each column.

    Parameters
    ----------
    model : IPGAN
    subjects : ndarray of uint8, shape (n, H, W, 3)
    count : int
        Faces of each subject, at least 1.
    seed : int
        Of the attributes.

    Returns
    -------
    ndarray of uint8, shape (n, count, H, W, 3)

    Raises
    ------
    ValueError
        As in ``transfer.matrix``, and for a ``count`` below 1.
    """
    check_model(model)
    if count < 1:
        raise ValueError(f"count={count}: one face of each person at least.")
    return np.stack([model.person(subject, count, seed) for subject in subjects])


def figure(subjects: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """Draw one person per row: the photograph, then the :func:`people` faces."""
    return rows_figure(np.concatenate([subjects[:, None], images], axis=1), title)
