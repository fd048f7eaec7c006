"""What the applications ask of a model: codes of photographs, and a label for each where the model reads labels.

Read next: ``inpaint.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from keras_faces.encoding_pictures import check_encoder

if TYPE_CHECKING:
    from keras_faces.data import Faces

AT_ONCE = 256  # photographs


def label_rows(model: Any, images: np.ndarray, labels: Any = None) -> np.ndarray | None:
    """The labels that a model reads with ``images``, float32 (n, K); ``None`` for a model that reads none.

    Parameters
    ----------
    labels
        See ``Labelled.label_vectors``; ``None``: what the model's own classifier says, if it has one (cvae-gan).

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
    """Codes of many photographs, float32 (N, latent_dim), some hundred at a time.

    Parameters
    ----------
    faces
        A `Faces`, whose own labels are read where the model's labels have their names; or uint8 (N, H, W, 3).
    labels
        Instead of these; see :func:`label_rows`.
    progress
        Show a progress bar where it takes longer than a second.
    """
    check_encoder(model)
    images = getattr(faces, "images", faces)
    own = getattr(faces, "labels", None)
    if labels is None and own is not None and tuple(own.names) == tuple(getattr(model, "label_names", ())):
        labels = own.vectors
    elif labels is not None:
        labels = label_rows(model, images, labels)
    codes = []
    for start in tqdm(range(0, len(images), AT_ONCE), desc="Encoding", unit=" batches", delay=1, disable=not progress):
        part = np.asarray(images[np.arange(start, min(start + AT_ONCE, len(images)))])
        told = None if labels is None else labels[start : start + AT_ONCE]
        codes.append(model.encode(part, label_rows(model, part, told)))
    return np.concatenate(codes)
