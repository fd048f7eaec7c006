"""What a label changes: faces of the same noise under several labels, and between two labels.

    images = same_noise(model, ["", "Smiling", "Smiling, Male"])    # one label per row, one noise vector per column
    images = strengths(model, add="Smiling", start="Male", values=[0, 0.5, 1, 1.5])

If the model has learnt its labels, a row shares what its label names, and a column shares what the label leaves open:
pose, hair, light. A label is a vector, so it can also be mixed, or exceed what any photograph has. See also
``training/conditional.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure
    from keras_faces.training.conditional import ConditionalGAN

ROWS = 16  # labels in one figure by default
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


def labels_to_show(model: ConditionalGAN) -> list[str]:
    """Labels for the rows of a figure, at most 16: the classes; of up to four attributes every combination, else each.

    "" is a face with none of the attributes.
    """
    names = list(model.label_names)
    if model.label_kind == "attributes":
        largest = len(names) if 2 ** len(names) <= ROWS else 1
        names = [", ".join(some) for size in range(largest + 1) for some in combinations(names, size)]
    return names[:ROWS]


def same_noise(
    model: ConditionalGAN, labels: Sequence[Any], faces: int = 8, seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """Make faces of the same noise under several labels.

    Parameters
    ----------
    model : ConditionalGAN
    labels : sequence of str, or ndarray, shape (rows, n)
        Texts such as "Smiling, Male", or label vectors; see ``ConditionalGAN.label_vectors``.
    faces : int
        Noise vectors, one per column.
    seed, truncation : int, float or None
        Of the noise, as in ``ConditionalGAN.sample``.

    Returns
    -------
    ndarray of uint8, shape (rows, faces, H, W, 3)

    Raises
    ------
    ValueError
        For an unknown label.
    """
    from keras_faces.training.sampling import latent_noise

    vectors = model.label_vectors(list(labels), len(labels))
    noise = latent_noise(faces, model.latent_dim, seed, truncation)
    images = model.render(np.tile(noise, (len(vectors), 1)), np.repeat(vectors, faces, axis=0))
    return images.reshape(len(vectors), faces, *images.shape[1:])


def strengths(
    model: ConditionalGAN,
    add: str,
    start: str,
    values: Sequence[float] = STRENGTHS,
    faces: int = 8,
    seed: int = 0,
    truncation: float | None = None,
) -> np.ndarray:
    """Make faces of the same noise under ``(1 - s) · start + s · end`` for each strength s.

    Parameters
    ----------
    model : ConditionalGAN
    add : str
        Attributes to add to ``start``, such as "Smiling, !Male" ("!" takes one away); or the class to go to.
    start : str
        The label at strength 0: attributes ("" for none of them), or a class.
    values : sequence of float
        The strengths; 1 is the label of photographs, larger values exceed it.
    faces, seed, truncation : int, int, float or None
        As in :func:`same_noise`.

    Returns
    -------
    ndarray of uint8, shape (len(values), faces, H, W, 3)

    Raises
    ------
    ValueError
        For an unknown label, one that changes nothing, and a strength that is not finite.
    """
    shares = np.asarray(values, "float32")[:, None]
    if not np.isfinite(shares).all():
        raise ValueError(f"strengths {list(values)}: each must be a number.")
    first = model.label_vectors(start, 1)
    last = model.label_vectors(f"{start}, {add}" if model.label_kind == "attributes" else add, 1)  # the later wins
    if (first == last).all():
        raise ValueError(f"adding {add!r} to {start!r} changes nothing: the label is the same.")
    return same_noise(model, (1.0 - shares) * first + shares * last, faces, seed, truncation)


def figure_of_labels(model: ConditionalGAN, labels: Sequence[str], images: np.ndarray) -> Figure:
    """Draw the images of :func:`same_noise`, one label per row."""
    rows = [(label or "none", row) for label, row in zip(labels, images, strict=True)]
    return grids.evolution(rows, f"{model.name}: the same noise down each column", side=64)


def figure_of_strengths(
    model: ConditionalGAN, add: str, start: str, values: Sequence[float], images: np.ndarray
) -> Figure:
    """Draw the images of :func:`strengths`, one strength per row."""
    rows = [(f"{add} × {value:g}", row) for value, row in zip(values, images, strict=True)]
    sign = "+" if model.label_kind == "attributes" else "→"
    return grids.evolution(rows, f"{model.name}: {start or 'none'} {sign} {add}", side=64)
