"""Codes of photographs for the applications, and the labels that a model reads with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from keras_faces.figures.encoding import check_encoder

if TYPE_CHECKING:
    from keras_faces.data import Faces

BATCH = 256  # photographs


def label_rows(model: Any, images: np.ndarray, labels: Any = None) -> np.ndarray | None:
    """Label vectors of images, float32 (n, K); ``None`` for a model that reads no labels.

    Parameters
    ----------
    model : EncoderMixin
    images : ndarray of uint8, shape (n, H, W, 3)
    labels : optional
        As in ``LabelMixin.label_vectors``; by default what the model's own classifier finds, if it has one (cvae-gan).

    Raises
    ------
    ValueError
        For labels that are missing or unknown, and labels for a model that reads none.
    """
    if not hasattr(model, "label_vectors"):
        if labels is not None:
            raise ValueError(f"{model.name} reads no labels: leave them out.")
        return None
    if labels is not None:
        return model.label_vectors(labels, len(images))
    if hasattr(model, "named"):
        return model.named(images)
    raise ValueError(f"{model.name} reads a face with its label: say which, of {', '.join(model.label_names[:10])}.")


def codes_of(model: Any, faces: Faces | np.ndarray, labels: Any = None, progress: bool = True) -> np.ndarray:
    """Encode photographs batch by batch: float32 (N, latent_dim).

    Parameters
    ----------
    model : EncoderMixin
    faces : Faces, or ndarray of uint8, shape (N, H, W, 3)
        The labels of a ``Faces`` are read if they have the names of the model's labels.
    labels : optional
        Instead of these; see :func:`label_rows`.
    progress : bool
        Show a progress bar if it takes longer than a second.
    """
    check_encoder(model)
    images, own = getattr(faces, "images", faces), getattr(faces, "labels", None)
    if labels is not None:
        labels = label_rows(model, images, labels)
    elif own is not None and tuple(own.names) == tuple(getattr(model, "label_names", ())):
        labels = own.vectors
    codes = []
    for start in tqdm(range(0, len(images), BATCH), desc="Encoding", unit=" batches", delay=1, disable=not progress):
        batch = np.asarray(images[np.arange(start, min(start + BATCH, len(images)))])
        given = None if labels is None else labels[start : start + BATCH]
        codes.append(model.encode(batch, label_rows(model, batch, given)))
    return np.concatenate(codes)
