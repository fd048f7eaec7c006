"""Pictures of what a label does: everything else is held still, the noise above all.

    rows = same_noise(model, ["", "Smiling", "Smiling, Male"], faces=8)    # a label a row, a noise vector a column
    steps = strengths(model, add="Smiling", start="Male", values=[0, 0.5, 1, 1.5])

If a system has understood its labels, a row shares what its label says and a column shares all that the label leaves
open: pose, hair, light. A column in which nothing but the label's effect moves is better than one in which everybody
is another person, though both are right.

A label is a vector, so one can also calculate with it: half a smile lies half way to the smile's vector, and one and a
half times the way is more than any photograph has shown.

Read next: ``commands/conditional.py`` (`keras-faces classes` and `attributes`), ``training/conditional.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_faces.training.conditional import ConditionalModel

ROWS = 16  # labels in one picture, if nobody says which
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


def labels_to_show(model: ConditionalModel) -> list[str]:
    """Labels for the rows of a picture: the classes; of up to four attributes every combination, else each alone.

    The first 16 of them. "" is a face that has none of the attributes.
    """
    names = list(model.label_names)
    if model.label_kind == "attributes":
        together = len(names) if 2 ** len(names) <= ROWS else 1
        names = [", ".join(some) for size in range(together + 1) for some in combinations(names, size)]
    return names[:ROWS]


def same_noise(
    model: ConditionalModel, labels: Sequence[Any], faces: int = 8, seed: int = 0, truncation: float | None = None
) -> np.ndarray:
    """The same noise through several labels.

    Parameters
    ----------
    labels
        One a row: texts such as "Smiling, Male", or vectors (n,); see ``ConditionalModel.label_vectors``.
    faces
        How many noise vectors, one a column.
    seed, truncation
        Of the noise, as in ``ConditionalModel.sample``.

    Returns
    -------
    uint8 (len(labels), faces, H, W, 3).

    Raises
    ------
    ValueError
        For a label that the model does not know.
    """
    from keras_faces.training.sampling import latent_noise

    wanted = model.label_vectors(list(labels), len(labels))
    noise = latent_noise(faces, model.latent_dim, seed, truncation)
    images = model.render(np.tile(noise, (len(wanted), 1)), np.repeat(wanted, faces, axis=0))
    return images.reshape(len(wanted), faces, *images.shape[1:])


def strengths(
    model: ConditionalModel,
    add: str,
    start: str,
    values: Sequence[float] = STRENGTHS,
    faces: int = 8,
    seed: int = 0,
    truncation: float | None = None,
) -> np.ndarray:
    """From one label to another: ``(1 - s) · start + s · end`` for each strength s.

    Parameters
    ----------
    add
        Attributes to add to those of ``start``, such as "Smiling, !Male" (the second is taken away); or the class to
        go to.
    start
        The label at strength 0: attributes, "" for none of them, or a class.
    values
        The strengths s: 1 is what the photographs had, more is beyond them.
    faces, seed, truncation
        As in :func:`same_noise`.

    Returns
    -------
    uint8 (len(values), faces, H, W, 3).

    Raises
    ------
    ValueError
        For a label that the model does not know, one that changes nothing, and a strength that is no number.
    """
    shares = np.asarray(values, "float32")[:, None]
    if not np.isfinite(shares).all():
        raise ValueError(f"strengths {list(values)}: each must be a number.")
    first = model.label_vectors(start, 1)
    joined = f"{start}, {add}" if model.label_kind == "attributes" else add  # what comes later counts
    last = model.label_vectors(joined, 1)
    if (first == last).all():
        raise ValueError(f"adding {add!r} to {start!r} changes nothing: the label is the same.")
    return same_noise(model, (1.0 - shares) * first + shares * last, faces, seed, truncation)


def figure_of_labels(model: ConditionalModel, labels: Sequence[str], images: np.ndarray) -> Figure:
    """A row a label, with its name; a noise vector a column. ``images``: of :func:`same_noise`."""
    rows = [(label or "none", enlarged(row)) for label, row in zip(labels, images, strict=True)]
    return plots.evolution(rows, title=f"{model.name}: the same noise down each column")


def figure_of_strengths(
    model: ConditionalModel, add: str, start: str, values: Sequence[float], images: np.ndarray
) -> Figure:
    """A row a strength; a noise vector a column. ``images``: of :func:`strengths`."""
    rows = [(f"{add} × {value:g}", enlarged(row)) for value, row in zip(values, images, strict=True)]
    sign = "+" if model.label_kind == "attributes" else "→"
    return plots.evolution(rows, title=f"{model.name}: {start or 'none'} {sign} {add}")


def enlarged(images: np.ndarray, side: int = 64) -> np.ndarray:
    """Images (count, H, W, 3), each pixel repeated until they are at least ``side`` high."""
    times = -(-side // images.shape[1])
    return images.repeat(times, axis=1).repeat(times, axis=2)
