"""Retrieval by code: photographs of the same pose, expression and light, whoever is on them.

Source: the dissertation, section 4.4.3, figure 4.12: z holds what the label leaves open (section 4.3.5), so photographs
are ranked by the ℓ2 distance of their z. See also ``metrics/neighbours.py``, the same in other features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.codes import codes_of
from keras_faces.figures import grids

if TYPE_CHECKING:
    from keras_faces.data import Faces
    from keras_faces.figures.figure import Figure


def retrieve(
    model: Any, pictures: np.ndarray, faces: Faces, k: int = 8, labels: Any = None, progress: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Find the ``k`` photographs nearest to each picture in z.

    Parameters
    ----------
    model : EncoderMixin
    pictures : ndarray of uint8, shape (m, H, W, 3)
        Of the model's size.
    faces : Faces
        Where to search; a picture is not its own neighbour if it is among them.
    k : int
    labels : optional
        Of the pictures, see :func:`codes.label_rows`. Those of ``faces`` are its own.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    indices : ndarray of int64, shape (m, k)
        Into ``faces``, the nearest first.
    distances : ndarray of float64, shape (m, k)

    Raises
    ------
    ValueError
        For a model without an encoder, missing labels, and fewer than ``k`` other photographs.
    """
    from keras_faces.metrics.neighbours import nearest_from_features

    queries, codes = codes_of(model, pictures, labels, progress=False), codes_of(model, faces, progress=progress)
    twins = [np.flatnonzero(np.isclose(codes, query, atol=1e-4).all(axis=1)) for query in queries]
    extra = max(map(len, twins))
    if not 1 <= k <= len(codes) - extra:
        raise ValueError(f"k={k}: must be from 1 to {len(codes) - extra}, the number of other photographs.")
    indices, distances = nearest_from_features(queries, codes, k + extra)
    kept = []
    for picture, row, candidates in zip(pictures, indices, twins, strict=True):
        itself = [index for index in candidates if np.array_equal(faces.images[int(index)], picture)]
        kept.append(np.flatnonzero(~np.isin(row, itself))[:k])
    return np.take_along_axis(indices, np.stack(kept), 1), np.take_along_axis(distances, np.stack(kept), 1)


def figure_of(
    pictures: np.ndarray, faces: Faces, indices: np.ndarray, distances: np.ndarray, title: str = ""
) -> Figure:
    """Draw figure 4.12, one picture per row: (a) the picture, (b) its :func:`retrieve` results with their distances."""
    from keras_faces.figures.figure import Figure

    rows, columns = indices.shape
    figure = Figure(figsize=(1.15 * (columns + 1) + 0.2, 1.3 * rows + 0.4), layout="constrained")
    cells = figure.subplots(rows, columns + 1, squeeze=False)
    for line, picture, row, distance in zip(cells, pictures, indices, distances, strict=True):
        images = [picture, *(faces.images[int(index)] for index in row)]
        for axes, image, text in zip(line, images, ["", *(f"{value:.1f}" for value in distance)], strict=True):
            axes.imshow(grids.magnify(image, 96), interpolation="antialiased")
            axes.set_axis_off()
            axes.set_title(text, fontsize="small", pad=2)
    cells[0, 0].set_title("(a) asked for", fontsize="small", pad=2)
    figure.suptitle(title or "(b) nearest in z, with their distance", fontsize="medium")
    return figure
