"""Figures of systems with an encoder (pca, vae, cvae, vaegan, aae, cvae-gan).

    faces, psnr = reconstructions(model, images)             # photographs, decoded from their codes
    faces = morph(model, first, last, steps=8)               # from one photograph to the other, through their codes
    found = latent_map(model, images, labels)                # all codes, projected on two principal components

See also ``training/encoder.py`` for ``encode`` and ``decode``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids
from keras_faces.figures.interpolate import path

if TYPE_CHECKING:
    import pandas

    from keras_faces.data.labels import Labels
    from keras_faces.figures.figure import Figure

COLOURS = 10  # classes with a colour of their own
PANELS = 4  # attributes with a panel of their own


def check_encoder(model: Any, what: str = "this") -> None:
    """Raise a ValueError if a model has no encoder; ``what`` names its run in the message."""
    if not hasattr(model, "encode"):
        raise ValueError(
            f"{what} is a run of {model.name}, which has no encoder: it makes faces of noise, and cannot say which "
            "noise makes a given one. Take a run of pca, vae, cvae, vaegan, aae or cvae-gan."
        )


def reconstructions(model: Any, images: np.ndarray, labels: Any = None) -> tuple[np.ndarray, float]:
    """Reconstruct photographs and measure the PSNR.

    Parameters
    ----------
    model : EncoderMixin
    images : ndarray of uint8, shape (n, H, W, 3)
    labels : optional
        Of the images, for a model that reads labels; see ``LabelMixin.label_vectors``.

    Returns
    -------
    faces : ndarray of uint8, shape (n, H, W, 3)
    psnr : float
        Mean PSNR in dB: 20 is blurred, 30 hard to tell apart.
    """
    from skimage.metrics import peak_signal_noise_ratio

    check_encoder(model)
    faces = model.reconstruct(images, labels)
    with np.errstate(divide="ignore"):  # equal images have an infinite PSNR
        psnr = [peak_signal_noise_ratio(*pair, data_range=255) for pair in zip(images, faces, strict=True)]
    return faces, float(np.mean(psnr))


def picture_of_reconstructions(images: np.ndarray, faces: np.ndarray, columns: int = 8) -> np.ndarray:
    """Tile photographs with their reconstructions below, ``columns`` side by side: one uint8 picture (h, w, 3)."""
    rows = []
    for start in range(0, len(images), columns):
        for part in (images[start : start + columns], faces[start : start + columns]):
            rows.append(np.concatenate([part, np.full((columns - len(part), *part.shape[1:]), 255, "uint8")]))
    return grids.tile(np.concatenate(rows), columns)


def morph(
    model: Any, start: np.ndarray, end: np.ndarray, steps: int = 8, mode: str = "linear", labels: Any = None
) -> np.ndarray:
    """Make faces between two photographs, through their codes: ``z = (1 − α) z₁ + α z₂``, α from 0 to 1.

    Source: the dissertation, eq. 4.7, which goes the other way round.

    Parameters
    ----------
    model : EncoderMixin
    start, end : ndarray of uint8, shape (H, W, 3)
    steps : int
        Faces, both reconstructions included; at least 2.
    mode : {"linear", "spherical"}
        See ``interpolate.py``.
    labels : optional
        The labels of the two photographs, for a model that reads labels; they are interpolated linearly.

    Returns
    -------
    ndarray of uint8, shape (steps, H, W, 3)

    Raises
    ------
    ValueError
        For a model without an encoder, pictures of another size, fewer than 2 steps, and missing labels.
    """
    check_encoder(model)
    codes = path(*model.encode(np.stack([start, end]), labels), steps, mode)
    return model.decode(codes, None if labels is None else path(*model.label_vectors(labels, 2), steps))


# ------------------------------------------------------------------------------------------------ the map


@dataclass
class LatentMap:
    """Codes of n photographs in the plane of their first two principal components.

    Attributes
    ----------
    points : ndarray of float, shape (n, 2)
    shares : ndarray of float, shape (2,)
        Share of the codes' variance along each component, 0 to 1.
    lattice : ndarray of int, shape (places,)
        Index of the photograph nearest to each place of a square lattice, row by row from the top; −1 if none is near.
    faces : ndarray of uint8, shape (places, H, W, 3)
        The decoded places; white where no photograph is near.
    """

    points: np.ndarray
    shares: np.ndarray
    lattice: np.ndarray
    faces: np.ndarray


def latent_map(model: Any, images: np.ndarray, labels: Any = None, lattice: int = 9) -> LatentMap:
    """Project the codes of photographs to two dimensions, and decode faces on a lattice there.

    Parameters
    ----------
    model : EncoderMixin
    images : ndarray of uint8, shape (n, H, W, 3)
        At least three.
    labels : optional
        Of the images, for a model that reads labels.
    lattice : int
        Places per side.

    Raises
    ------
    ValueError
        For a model without an encoder, and for fewer than three photographs.
    """
    from sklearn.decomposition import PCA

    check_encoder(model)
    if len(images) < 3:
        raise ValueError(f"{len(images)} photographs are no map: take three or more.")
    codes = model.encode(images, labels)
    plane = PCA(2, random_state=0) if codes.shape[1] > 1 else None
    points = plane.fit_transform(codes) if plane else np.concatenate([codes, np.zeros_like(codes)], axis=1)
    shares = plane.explained_variance_ratio_ if plane else np.array([1.0, 0.0])
    places, nearest = _lattice(points, lattice)
    near = nearest >= 0
    latents = plane.inverse_transform(places[near]) if plane else places[near, :1]
    vectors = None if labels is None else model.label_vectors(labels, len(images))[nearest[near]]
    faces = np.full((len(places), *images.shape[1:]), 255, "uint8")
    faces[near] = model.decode(latents, vectors)
    return LatentMap(points, shares, nearest, faces)


def _lattice(points: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Places (side², 2) over the middle 96 % of the points, and the index of each one's nearest point, or −1."""
    low, high = np.percentile(points, 2, axis=0), np.percentile(points, 98, axis=0)
    step = np.maximum(high - low, 1e-6) / (side - 1)
    across, up = np.meshgrid(low[0] + step[0] * np.arange(side), high[1] - step[1] * np.arange(side))
    places = np.stack([across.ravel(), up.ravel()], axis=1)
    distances = np.abs((places[:, None] - points[None]) / step).max(axis=2)
    return places, np.where(distances.min(axis=1) <= 1.0, distances.argmin(axis=1), -1)


def figure_of_map(found: LatentMap, images: np.ndarray, labels: Labels | None = None, title: str = "") -> Figure:
    """Draw a :func:`latent_map`: the codes, then the photographs and the decoded faces on the lattice.

    Parameters
    ----------
    found : LatentMap
    images : ndarray of uint8, shape (n, H, W, 3)
        The photographs of the map.
    labels : Labels, optional
        What colours the points, such as ``faces.labelled(...).labels``: one panel per attribute, or one of all classes.
    title : str
    """
    from keras_faces.figures.figure import Figure

    panels = _panels(labels, len(images))
    count = len(panels) + 2
    columns = min(3, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.6 * columns, 4.8 * rows), layout="constrained")
    figure.suptitle(title)
    every = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axes, (name, groups) in zip(every, panels, strict=False):
        for label, chosen, colour in groups:
            axes.scatter(*found.points[chosen].T, s=5, c=colour, label=label, alpha=0.6, linewidths=0)
        axes.set_title(name or "codes", fontsize="medium")
        axes.set_xlabel(f"first component, {found.shares[0]:.0%} of the variance", fontsize="small")
        axes.set_ylabel(f"second, {found.shares[1]:.0%}", fontsize="small")
        if len(groups) > 1:
            axes.legend(markerscale=3, fontsize="x-small", loc="upper right")
    near = found.lattice >= 0
    photographs = np.full_like(found.faces, 255)
    photographs[near] = images[found.lattice[near]]
    grids.show(every[len(panels)], grids.tile(photographs), "photographs where they lie")
    grids.show(every[len(panels) + 1], grids.tile(found.faces), "decoded there")
    for axes in every[count:]:
        axes.set_axis_off()
    return figure


def _panels(labels: Labels | None, count: int) -> list[tuple[str, list[tuple[str, np.ndarray, str]]]]:
    """The panels: a title and (legend, which photographs, colour) of each group of points."""
    if labels is None:
        return [("", [("", np.ones(count, bool), "C0")])]
    has = np.asarray(labels.vectors) >= 0.5
    if labels.kind == "attributes":
        return [
            (name, [("without", ~has[:, column], "C0"), ("with", has[:, column], "C1")])
            for column, name in enumerate(labels.names[:PANELS])
        ]
    largest = np.argsort(-has.sum(axis=0), kind="stable")[:COLOURS]
    groups = [(labels.names[column], has[:, column], f"C{index}") for index, column in enumerate(largest)]
    others = ~has[:, largest].any(axis=1)
    if others.any():
        groups.insert(0, (f"{has.shape[1] - COLOURS} others", others, "lightgrey"))
    return [("", groups)]


def names_to_colour_by(attributes: pandas.DataFrame) -> str | None:
    """Attributes that colour a map by default: those of Male, Smiling and Eyeglasses in which the faces differ."""
    known = [name for name in ("Male", "Smiling", "Eyeglasses") if name in attributes]
    return ", ".join(name for name in known if attributes[name].nunique() > 1) or None
