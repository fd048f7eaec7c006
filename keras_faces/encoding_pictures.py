"""Pictures that need an encoder: what is left of a photograph, from one to another, and where all of them lie.

    rows = reconstructions(model, images)                    # photographs, and what the code kept of them
    faces = morph(model, one, other, steps=8)                # from one photograph to the other, through their codes
    place = latent_map(model, images, labels)                # all codes, seen from the side on which they differ most

They work with every system that has ``encode`` and ``decode`` (``training/encoding.py``): pca, vae, cvae, vaegan, aae,
cvae-gan.

Read next: ``commands/encoding.py``, which reads the photographs; ``eigenfaces.py``, pictures of pca alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots
from keras_faces.interpolate import path

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from keras_faces.data.labels import Labels

LATTICE = 9  # places a side in the map's picture of faces
COLOURS = 10  # classes with a colour of their own
PANELS = 4  # attributes with a panel of their own


def check_encoder(model: Any, what: str = "this") -> None:
    """Stop if a system has no encoder; the message names those that have one."""
    if not hasattr(model, "encode"):
        raise ValueError(
            f"{what} is a run of {model.name}, which has no encoder: it makes faces of noise, and cannot say which "
            "noise makes a given one. Take a run of pca, vae, cvae, vaegan, aae or cvae-gan."
        )


def reconstructions(model: Any, images: np.ndarray, labels: Any = None) -> tuple[np.ndarray, float]:
    """Photographs' reconstructions and how far they are from them.

    Parameters
    ----------
    model
        A system with an encoder.
    images
        uint8 (n, H, W, 3).
    labels
        Of a system that reads labels, those of the images.

    Returns
    -------
    uint8 (n, H, W, 3), and the mean PSNR in decibels (``metrics.psnr``): 20 is blurred, 30 hard to tell apart.
    """
    from keras_faces.metrics import psnr

    check_encoder(model)
    found = model.reconstruct(images, labels)
    return found, float(psnr(images, found).value)


def picture_of_reconstructions(images: np.ndarray, found: np.ndarray, columns: int = 8) -> np.ndarray:
    """Each photograph above its reconstruction, ``columns`` of them side by side: one uint8 picture."""
    rows = []
    for start in range(0, len(images), columns):
        for part in (images[start : start + columns], found[start : start + columns]):
            rows.append(np.concatenate([part, np.full((columns - len(part), *part.shape[1:]), 255, "uint8")]))
    return plots.tile(np.concatenate(rows), columns)


def morph(
    model: Any, start: np.ndarray, end: np.ndarray, steps: int = 8, mode: str = "linear", labels: Any = None
) -> np.ndarray:
    """Faces on the way from one photograph to another, through their codes.

    ``z = (1 − α) z₁ + α z₂`` with α from 0 to 1 (dissertation, eq. 4.7, which goes the other way round).

    Parameters
    ----------
    start, end
        uint8 (H, W, 3).
    steps
        How many faces, both reconstructions included.
    mode
        "linear" or "spherical", see ``interpolate.py``.
    labels
        Of a system that reads labels: two, those of the photographs; they change evenly on the way, too.

    Returns
    -------
    uint8 (steps, H, W, 3).

    Raises
    ------
    ValueError
        For a system without an encoder, pictures of another size, fewer than 2 steps, and missing labels.
    """
    check_encoder(model)
    codes = model.encode(np.stack([start, end]), labels)
    between = path(codes[0], codes[1], steps, mode)
    if labels is None:
        return model.decode(between)
    first, last = model.label_vectors(labels, 2)
    return model.decode(between, path(first, last, steps))


# ------------------------------------------------------------------------------------------------ the map


@dataclass
class LatentMap:
    """All codes in the plane in which they differ most.

    Attributes
    ----------
    points
        (n, 2): the first two principal components of the codes.
    shares
        How much of the codes' variance lies along each of the two, 0 to 1.
    lattice
        For each place of a square lattice over the points, row by row from the top: the number of the photograph that
        is nearest, or −1 where none is near.
    faces
        uint8 (places, H, W, 3): what the model makes of the places themselves; white where none is near.
    """

    points: np.ndarray
    shares: np.ndarray
    lattice: np.ndarray
    faces: np.ndarray


def latent_map(model: Any, images: np.ndarray, labels: Any = None, lattice: int = LATTICE) -> LatentMap:
    """Where the codes of photographs lie: a map in two dimensions, and faces on it.

    Parameters
    ----------
    images
        uint8 (n, H, W, 3), three or more.
    labels
        Of a system that reads labels: those of the images.
    lattice
        Places a side.

    Raises
    ------
    ValueError
        For a system without an encoder, and for fewer than three photographs.
    """
    from sklearn.decomposition import PCA

    check_encoder(model)
    if len(images) < 3:
        raise ValueError(f"{len(images)} photographs are no map: take three or more.")
    codes = model.encode(images, labels)
    plane = PCA(2, random_state=0) if codes.shape[1] > 1 else None
    points = plane.fit_transform(codes) if plane else np.concatenate([codes, np.zeros_like(codes)], axis=1)
    shares = plane.explained_variance_ratio_ if plane else np.array([1.0, 0.0])
    places, near = _lattice(points, lattice)
    there = near >= 0
    wanted = plane.inverse_transform(places[there]) if plane else places[there, :1]
    told = None if labels is None else model.label_vectors(labels, len(images))[near[there]]
    faces = np.full((len(places), *images.shape[1:]), 255, "uint8")
    faces[there] = model.decode(wanted, told)
    return LatentMap(points, shares, near, faces)


def _lattice(points: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Places (side², 2) over the middle 96 % of the points, and the nearest point of each, −1 if it is not near."""
    low, high = np.percentile(points, 2, axis=0), np.percentile(points, 98, axis=0)
    step = np.maximum(high - low, 1e-6) / (side - 1)
    across, up = np.meshgrid(low[0] + step[0] * np.arange(side), high[1] - step[1] * np.arange(side))
    places = np.stack([across.ravel(), up.ravel()], axis=1)
    distances = np.abs((places[:, None] - points[None]) / step).max(axis=2)
    nearest = distances.argmin(axis=1)
    return places, np.where(distances.min(axis=1) <= 1.0, nearest, -1)


def figure_of_map(found: LatentMap, images: np.ndarray, labels: Labels | None = None, title: str = "") -> Figure:
    """The map: a panel of points for each attribute, or one coloured by class; then photographs and faces on it.

    Parameters
    ----------
    images
        Those that :func:`latent_map` was given.
    labels
        What to colour by: ``faces.labelled(...).labels``; ``None`` for one colour.
    """
    from matplotlib.figure import Figure

    panels = _panels(labels, len(images))
    count = len(panels) + 2
    columns = min(3, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.6 * columns, 4.8 * rows), layout="constrained")
    figure.suptitle(title)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for place in axes[count:]:
        place.set_axis_off()
    for place, (name, groups) in zip(axes, panels, strict=False):
        for label, chosen, colour in groups:
            place.scatter(*found.points[chosen].T, s=5, c=colour, label=label, alpha=0.6, linewidths=0)
        place.set_title(name or "codes", fontsize="medium")
        place.set_xlabel(f"first component, {found.shares[0]:.0%} of the variance", fontsize="small")
        place.set_ylabel(f"second, {found.shares[1]:.0%}", fontsize="small")
        if len(groups) > 1:
            place.legend(markerscale=3, fontsize="x-small", loc="upper right")
    shown = np.full_like(found.faces, 255)
    shown[found.lattice >= 0] = images[found.lattice[found.lattice >= 0]]
    for place, (name, faces) in zip(
        axes[len(panels) : count], (("photographs where they lie", shown), ("decoded there", found.faces)), strict=True
    ):
        place.imshow(plots.magnify(plots.tile(faces), 500), interpolation="antialiased")
        place.set_title(name, fontsize="medium")
        place.set_axis_off()
    return figure


def _panels(labels: Labels | None, count: int) -> list[tuple[str, list[tuple[str, np.ndarray, str]]]]:
    """What to draw: (title, [(legend, which photographs, colour)])."""
    if labels is None:
        return [("", [("", np.ones(count, bool), "C0")])]
    vectors = np.asarray(labels.vectors)
    if labels.kind == "attributes":
        return [
            (name, [("without", vectors[:, column] < 0.5, "C0"), ("with", vectors[:, column] >= 0.5, "C1")])
            for column, name in list(enumerate(labels.names))[:PANELS]
        ]
    largest = np.argsort(-vectors.sum(axis=0), kind="stable")[:COLOURS]
    groups = [(labels.names[one], vectors[:, one] >= 0.5, f"C{place}") for place, one in enumerate(largest)]
    others = vectors[:, largest].sum(axis=1) < 0.5
    if others.any():
        groups.insert(0, (f"{vectors.shape[1] - COLOURS} others", others, "lightgrey"))
    return [("", groups)]


def names_to_colour_by(attributes: pandas.DataFrame) -> str | None:
    """Attributes that a map shows if nobody says which: three that can be seen well, where faces differ in them."""
    known = [name for name in ("Male", "Smiling", "Eyeglasses") if name in attributes]
    return ", ".join(name for name in known if attributes[name].nunique() > 1) or None
