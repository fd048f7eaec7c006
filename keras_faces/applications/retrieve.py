"""Retrieval: the photographs that are like one in pose, expression and light, whoever is on them.

Source: the dissertation, section 4.4.3 and figure 4.12. E has put what the label leaves open into z (section 4.3.5); so
faces whose z are near to each other have the same attributes. The photographs are ranked by the ℓ2 distance of their
z to that of the one asked for.

Read next: ``augment.py``; ``metrics/neighbours.py``, which asks the same in other features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.codes import codes_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_faces.data import Faces


def retrieve(
    model: Any, pictures: np.ndarray, faces: Faces, k: int = 8, labels: Any = None, progress: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """For each picture the ``k`` photographs of ``faces`` that are nearest to it in z.

    Parameters
    ----------
    model
        Any system with ``encode``.
    pictures
        uint8 (m, H, W, 3), of the model's size.
    faces
        Where to look; a picture that lies there itself, pixel by pixel, is not its own neighbour.
    k
        How many.
    labels
        Of the pictures, for a model that reads labels; see :func:`codes.label_rows`. Those of ``faces`` are its own.
    progress
        Show a progress bar where it takes longer than a second.

    Returns
    -------
    Numbers of the photographs, int64 (m, k), the nearest first, and their distances, float64 (m, k).

    Raises
    ------
    ValueError
        For a model without an encoder, labels that are missing, and fewer than ``k`` other photographs.
    """
    from keras_faces.metrics.neighbours import nearest_from_features

    wanted, known = codes_of(model, pictures, labels, progress=False), codes_of(model, faces, progress=progress)
    twins = [np.flatnonzero(np.isclose(known, code, atol=1e-4).all(axis=1)) for code in wanted]
    most = max(map(len, twins))
    if not 1 <= k <= len(known) - most:
        raise ValueError(f"k={k}: must be from 1 to {len(known) - most}, the number of other photographs.")
    numbers, distances = nearest_from_features(wanted, known, k + most)
    chosen, far = [], []
    for picture, row, distance, alike in zip(pictures, numbers, distances, twins, strict=True):
        itself = [number for number in alike if np.array_equal(faces.images[int(number)], picture)]
        others = ~np.isin(row, itself)
        chosen.append(row[others][:k])
        far.append(distance[others][:k])
    return np.stack(chosen), np.stack(far)


def figure_of(
    pictures: np.ndarray, faces: Faces, numbers: np.ndarray, distances: np.ndarray, title: str = ""
) -> Figure:
    """Figure 4.12: a row a picture, (a) the picture, (b) the photographs nearest to it in z with their distances."""
    from matplotlib.figure import Figure

    from keras_faces import plots

    rows, columns = numbers.shape
    figure = Figure(figsize=(1.15 * (columns + 1) + 0.2, 1.3 * rows + 0.4), layout="constrained")
    places = figure.subplots(rows, columns + 1, squeeze=False)
    for line, picture, found, distance in zip(places, pictures, numbers, distances, strict=True):
        images = [picture, *(faces.images[int(number)] for number in found)]
        for axes, image, text in zip(line, images, ["", *(f"{value:.1f}" for value in distance)], strict=True):
            axes.imshow(plots.magnify(image, 96), interpolation="antialiased")
            axes.set_axis_off()
            axes.set_title(text, fontsize="small", pad=2)
    places[0, 0].set_title("(a) asked for", fontsize="small", pad=2)
    figure.suptitle(title or "(b) nearest in z, with their distance", fontsize="medium")
    return figure
