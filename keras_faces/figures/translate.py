"""Output of a trained pix2pix or CycleGAN beside its input.

    model = kf.models.load("runs/pix2pix/model.keras")
    images = kf.data.load("photographs/", image_size=64).images[:8]
    kf.plots.save(figure(rows(model, images)), "translated.png")

See also ``models/translation/pix2pix.py`` and ``models/translation/cyclegan.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure


def rows(model: Any, images: np.ndarray, to: str | None = None, drawn: bool = False) -> list[tuple[str, np.ndarray]]:
    """Translate images and name the rows of a figure.

    Parameters
    ----------
    model : TranslationModel
        A pix2pix or a cyclegan.
    images : ndarray of uint8, shape (n, H, W, 3)
        Of the model's size.
    to : str, optional
        Of cyclegan: "X", "Y" (default) or the name of one of the two domains.
    drawn : bool
        Of pix2pix: the images are already input, such as drawings for the task "edges".

    Returns
    -------
    list of (str, ndarray of uint8, shape (n, H, W, 3))

    Raises
    ------
    ValueError
        If the model does not translate, or has no such option.
    """
    if not hasattr(model, "translate"):
        raise ValueError(f"{model.name} makes no pictures of pictures: take a run of pix2pix or cyclegan.")
    two_ways = hasattr(model, "backward")
    if to is not None and not two_ways:
        raise ValueError(f"{model.name} translates one way only; leave --to out.")
    if drawn and two_ways:
        raise ValueError(f"{model.name} reads photographs; leave --drawn out.")
    return model.rows(images, to or "Y") if two_ways else model.rows(images, drawn)


def figure(named: Sequence[tuple[str, np.ndarray]], title: str = "") -> Figure:
    """Draw the :func:`rows`, one photograph per column."""
    return grids.evolution(named, title, side=96)
