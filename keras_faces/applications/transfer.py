"""Attribute transfer: the person of one picture with the turn, smile, light and wall of another.

    images = matrix(model, subjects, pictures)       # a person a row, attributes a column
    figure(subjects, pictures, images)

Source: the dissertation, section 5.4.1 with figures 5.6 (people of the training) and 5.7 (strangers).

Read next: ``models/ip_gan.py``, the model; ``metrics/factors.py``, how well both are kept on drawn faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def matrix(model: Any, subjects: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Every subject with the attributes of every picture.

    Parameters
    ----------
    model
        An IP-GAN.
    subjects, pictures
        uint8 (n, H, W, 3) and (m, H, W, 3), of the model's size.

    Returns
    -------
    uint8 (n, m, H, W, 3): row i has the person of subject i, column j the attributes of picture j.

    Raises
    ------
    ValueError
        If the model takes no person from a picture, or for images of another size.
    """
    check_model(model)
    identity, attributes = model.identity(subjects), model.attributes(pictures)
    rows, columns = len(identity), len(attributes)
    images = model.combine(identity.repeat(columns, axis=0), np.tile(attributes, (rows, 1)))
    return images.reshape(rows, columns, *images.shape[1:])


def check_model(model: Any) -> None:
    """Stop if a model does not part the person from the rest."""
    if not hasattr(model, "identity_of"):
        raise ValueError(f"{model.name} does not tell a person from the rest of a picture: take a run of ip-gan.")


def figure(subjects: np.ndarray, pictures: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """The matrix with the subjects on its left and the pictures above it."""
    white = np.full_like(pictures[:1], 255)
    above = np.concatenate([white, pictures])
    return rows_figure(np.concatenate([above[None], np.concatenate([subjects[:, None], images], axis=1)]), title)


def rows_figure(rows: np.ndarray, title: str = "") -> Figure:
    """Pictures (rows, columns, H, W, 3) as one figure, small ones enlarged."""
    columns = rows.shape[1]
    return plots.grid(plots.magnify(rows.reshape(-1, *rows.shape[2:]), 64), columns, title)
