"""Attribute transfer by IP-GAN: the identity of one picture with the pose, smile, light and background of another.

    images = matrix(model, subjects, pictures)       # one person per row, the attributes of one picture per column
    figure(subjects, pictures, images)

Source: the dissertation, section 5.4.1, figures 5.6 (people of the training) and 5.7 (strangers). See also
``metrics/factors.py``, which measures on drawn faces how well both are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure


def matrix(model: Any, subjects: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Combine the identity of every subject with the attributes of every picture.

    Parameters
    ----------
    model : IPGAN
    subjects, pictures : ndarray of uint8, shape (n, H, W, 3) and (m, H, W, 3)
        Of the model's size.

    Returns
    -------
    ndarray of uint8, shape (n, m, H, W, 3)

    Raises
    ------
    ValueError
        If the model is not an ip-gan, or for images of another size.
    """
    check_model(model)
    identity, attributes = model.identity(subjects), model.attributes(pictures)
    rows, columns = len(identity), len(attributes)
    images = model.combine(identity.repeat(columns, axis=0), np.tile(attributes, (rows, 1)))
    return images.reshape(rows, columns, *images.shape[1:])


def check_model(model: Any) -> None:
    """Raise a ValueError if a model does not separate identity from attributes."""
    if not hasattr(model, "identity_of"):
        raise ValueError(f"{model.name} does not tell a person from the rest of a picture: take a run of ip-gan.")


def figure(subjects: np.ndarray, pictures: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """Draw the :func:`matrix` with the subjects on its left and the pictures above it."""
    above = np.concatenate([np.full_like(pictures[:1], 255), pictures])
    return rows_figure(np.concatenate([above[None], np.concatenate([subjects[:, None], images], axis=1)]), title)


def rows_figure(rows: np.ndarray, title: str = "") -> Figure:
    """Draw pictures (rows, columns, H, W, 3) as one grid, magnified to 64 pixels or more."""
    return grids.grid(grids.magnify(rows.reshape(-1, *rows.shape[2:]), 64), rows.shape[1], title)
