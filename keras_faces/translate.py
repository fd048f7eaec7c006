"""Pictures made of pictures, by a trained pix2pix or CycleGAN, laid beside what they were made of.

    model = kf.models.load("runs/pix2pix/model.keras")
    photographs = given_pictures(["me.jpg"], image_size=64)
    figure(model.rows(photographs)).savefig("me-again.png")

Read next: ``models/pix2pix.py``, ``models/cyclegan.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 96  # of a small picture, in the figure's pixels


def rows(model: Any, images: np.ndarray, to: str | None = None, drawn: bool = False) -> list[tuple[str, np.ndarray]]:
    """What a model makes of images, and what to lay beside it: pairs of a name and uint8 (count, H, W, 3).

    Parameters
    ----------
    model
        A system that translates.
    images
        uint8 (count, H, W, 3) of its size.
    to
        Of cyclegan: "Y", "X", or the name of one of them; ``None`` for Y.
    drawn
        Of pix2pix: the images are its input already, such as a drawing for the task "edges".

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
    """Rows of images with their names, a photograph a column."""
    return plots.evolution([(name, plots.magnify(images, SIDE)) for name, images in named], title=title)
