"""Photographs' codes decoded under other labels: pose, expression, background and light stay, the identity changes.

Source: the dissertation, section 4.3.5, figure 4.8. See also ``figures/label_grids.py``, the same with noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.applications.codes import label_rows
from keras_faces.figures import grids
from keras_faces.figures.encoding import check_encoder

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure


def relabelled(model: Any, images: np.ndarray, wanted: Sequence[Any], labels: Any = None) -> np.ndarray:
    """Encode photographs and decode them under other labels.

    Parameters
    ----------
    model : EncoderMixin and LabelMixin
    images : ndarray of uint8, shape (n, H, W, 3)
        Of the model's size.
    wanted : sequence of m labels
        As in ``LabelMixin.label_vectors``.
    labels : optional
        Those of the photographs; by default as in :func:`codes.label_rows`.

    Returns
    -------
    ndarray of uint8, shape (m, n, H, W, 3)

    Raises
    ------
    ValueError
        For a model without an encoder or without labels, and unknown labels.
    """
    check_encoder(model)
    if not hasattr(model, "label_vectors"):
        raise ValueError(f"{model.name} reads no labels: its codes hold all of a face.")
    codes = model.encode(images, label_rows(model, images, labels))
    vectors = model.label_vectors(list(wanted), len(wanted))
    faces = model.decode(np.tile(codes, (len(vectors), 1)), np.repeat(vectors, len(codes), axis=0))
    return faces.reshape(len(vectors), *images.shape)


def figure_of(images: np.ndarray, names: Sequence[str], faces: np.ndarray, title: str = "") -> Figure:
    """Draw one photograph per column: itself, then its :func:`relabelled` faces."""
    return grids.evolution([("photograph", images), *zip(names, faces, strict=True)], title, side=96)
