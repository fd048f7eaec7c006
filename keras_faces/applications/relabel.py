"""The same z under every label: what a code says of a face, and what it leaves to the label.

Source: the dissertation, section 4.3.5 and the frames of figure 4.8: faces of one z and several labels have the same
pose, expression, background and light, and each its own identity. So z holds the attributes that the label does not
name, and E can find faces by them (``retrieve.py``).

Read next: ``label_pictures.py``, the same with noise instead of a photograph's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.codes import label_rows
from keras_faces.encoding_pictures import check_encoder

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def relabelled(model: Any, images: np.ndarray, wanted: Sequence[Any], labels: Any = None) -> np.ndarray:
    """Photographs' codes under other labels.

    Parameters
    ----------
    model
        A system with an encoder that reads labels.
    images
        uint8 (n, H, W, 3), of the model's size.
    wanted
        The labels to make, m of them; see ``Labelled.label_vectors``.
    labels
        Those of the photographs; ``None``: what the model's classifier says, if it has one.

    Returns
    -------
    uint8 (m, n, H, W, 3).

    Raises
    ------
    ValueError
        For a model without an encoder or without labels, and unknown labels.
    """
    check_encoder(model)
    if not hasattr(model, "label_vectors"):
        raise ValueError(f"{model.name} reads no labels: its codes hold all of a face.")
    codes = model.encode(images, label_rows(model, images, labels))
    rows = model.label_vectors(list(wanted), len(wanted))
    made = model.decode(np.tile(codes, (len(rows), 1)), np.repeat(rows, len(codes), axis=0))
    return made.reshape(len(rows), *images.shape)


def figure_of(images: np.ndarray, names: Sequence[str], made: np.ndarray, title: str = "") -> Figure:
    """A photograph a column: itself, then its code under each label."""
    from keras_faces import plots

    rows = [("photograph", images), *zip(names, made, strict=True)]
    return plots.evolution([(name, plots.magnify(faces, 96)) for name, faces in rows], title)
