"""From profile to frontal view: the person of the profile, the attributes of somebody who looks straight ahead.

Source: the dissertation, section 5.4.4 with figure 5.11: "a frontal picture is given to A as the attribute picture, the
profile to I". Nobody told the model about angles; it is not taught this task.

Which frontal picture? A face that looks ahead is nearly its own mirror image (:func:`asymmetry`). Of the most symmetric
ones :func:`fitting_fronts` takes the one whose colours are nearest to those of the profile, since light, skin and wall
come along with the attributes.

Read next: ``transfer.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def asymmetry(images: np.ndarray) -> np.ndarray:
    """How far each picture is from its mirror image: 1 minus the correlation of both, float (n,), 0 to 2.

    Read in grey from the middle 40 % of both sides, where eyes, nose and mouth are; hair and wall would mislead.
    Shadows of a light from one side do count. (Of 300 drawn faces of 32×32 the 30 most symmetric are turned by 2.3° in
    the mean, the 30 least symmetric by 12.2°, all by 7.2°.)
    """
    grey = np.asarray(images, "float32").mean(axis=-1)
    edge = round(0.3 * grey.shape[1])
    grey = grey[:, edge : grey.shape[1] - edge, edge : grey.shape[2] - edge]
    centred = grey - grey.mean(axis=(1, 2), keepdims=True)
    power = (centred**2).sum(axis=(1, 2))
    return 1.0 - (centred * centred[:, :, ::-1]).sum(axis=(1, 2)) / np.maximum(power, 1e-6)


def fitting_fronts(profiles: np.ndarray, images: np.ndarray, among: int = 20) -> np.ndarray:
    """For each profile the number of the picture to take attributes from: int64 (n,).

    Parameters
    ----------
    profiles, images
        uint8 (n, H, W, 3) and (m, H, W, 3).
    among
        Of so many of the most symmetric images the one nearest in mean colour is taken.
    """
    straight = np.argsort(asymmetry(images), kind="stable")[: max(1, among)]
    wanted = np.asarray(profiles, "float32").mean(axis=(1, 2))
    offered = np.asarray(images[straight], "float32").mean(axis=(1, 2))
    return straight[((wanted[:, None] - offered[None]) ** 2).sum(axis=-1).argmin(axis=1)]


def frontal(model: Any, profiles: np.ndarray, fronts: np.ndarray) -> np.ndarray:
    """The people of the profiles with the attributes of the frontal pictures beside them.

    Parameters
    ----------
    model
        An IP-GAN.
    profiles, fronts
        uint8 (n, H, W, 3), as many of each.

    Returns
    -------
    uint8 (n, H, W, 3).

    Raises
    ------
    ValueError
        As ``transfer.matrix``, and if there are not as many of each.
    """
    check_model(model)
    if len(profiles) != len(fronts):
        raise ValueError(f"{len(profiles)} profiles and {len(fronts)} frontal pictures: one for each.")
    return model.transfer(profiles, fronts)


def figure(profiles: np.ndarray, fronts: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """Rows: the profiles, the frontal pictures whose attributes were taken, the frontal views."""
    return rows_figure(np.stack([profiles, fronts, images]), title)
