"""Label consistency: whether a classifier finds in generated faces the labels that were asked for.

Source: the dissertation on conditional face synthesis, section 3.4 and tables 3.4 and 4.1: the top-1 accuracy of a face
recogniser on images G(z, y), y being right. For attributes, the score is the mean accuracy over the attributes. The
classifier's own held-out accuracy is in the features' name: a score above it says no more. Do not score a generator
with the classifier that it was trained with. See also ``features/classifier.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.data.labels import Labels
from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, names_of, probabilities_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

GOOD = 0.9  # held-out accuracy of a classifier below which its scores carry a warning


def label_consistency(
    images: Images,
    labels: Labels | np.ndarray,
    features: str | Features,
    *,
    seed: int = 0,
    split: str = "generated",
    batch_size: int = 64,
    progress: bool = True,
) -> Score:
    """Share of images in which a classifier finds the label that was asked for.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, 3), Faces, or iterable of batches
        Generated or real.
    labels : Labels, or ndarray
        What was asked for: `Labels` whose names are among the classifier's; or vectors (N, n) of 0 and 1 in the
        classifier's order; or class ids (N,).
    features : str or Features
        "classifier:RUN" or an object with probabilities.
    seed : int
        Of the interval.
    split : str
        What the images are, for the result only.
    batch_size, progress
        As in ``fid``.

    Returns
    -------
    Score
        "label_consistency", the top-1 accuracy, for classes; "attribute_consistency", the mean over images and
        attributes, for attributes. Both from 0 to 1.

    Raises
    ------
    ValueError
        If the features know no classes or not these, or the numbers of images and labels differ.
    """
    features = as_features(features)
    _, _, right = _right(images, labels, features, batch_size, progress)
    classes = features.label_kind == "classes"
    values = right[:, 0] if classes else right.mean(axis=1)
    return Score(
        "label_consistency" if classes else "attribute_consistency",
        values.mean(),
        *mean_interval(values, seed, share=classes),
        n_fake=len(values),
        **_shared(features, split, seed),
    )


def consistency_by_label(
    images: Images,
    labels: Labels | np.ndarray,
    features: str | Features,
    *,
    seed: int = 0,
    split: str = "generated",
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, Score]:
    """`label_consistency` of each label, over the images that should have it; parameters as there.

    For an attribute "Smiling" there is also "not Smiling", over the images that should be without it: a generator that
    always smiles scores 1 and 0. Labels that were never asked for are left out.
    """
    features = as_features(features)
    names, wanted, right = _right(images, labels, features, batch_size, progress)
    groups = {}
    for column, name in enumerate(names):
        has = wanted[:, column] > 0
        if features.label_kind == "classes":
            groups[name] = right[has, 0]
        else:
            groups |= {name: right[has, column], f"not {name}": right[~has, column]}
    shared = _shared(features, split, seed)
    return {
        name: Score(
            f"consistency of {name}", hits.mean(), *mean_interval(hits, seed, share=True), n_fake=len(hits), **shared
        )
        for name, hits in groups.items()
        if len(hits)
    }


def _right(
    images: Images, labels: Labels | np.ndarray, features: Features, batch_size: int, progress: bool
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the n labels, what was asked for (N, n), and whether C agrees: bool, (N, 1) for classes, else (N, n)."""
    wanted, columns = _wanted(labels, features)
    found = probabilities_of(images, features, batch_size, progress)
    if len(found) != len(wanted):
        raise ValueError(f"{len(found)} images with {len(wanted)} labels: give one for each image.")
    if features.label_kind == "classes":
        right = (found.argmax(axis=1) == np.asarray(columns)[wanted.argmax(axis=1)])[:, None]
    else:
        right = (found[:, columns] > 0.5) == (wanted > 0.5)
    return [features.class_names[column] for column in columns], wanted, right


def _wanted(labels: Labels | np.ndarray, features: Features) -> tuple[np.ndarray, list[int]]:
    """What was asked for as vectors (N, n), and the index of each of the n among the classifier's names."""
    if features.class_names is None:
        features.probabilities(np.zeros((1, 8, 8, 3), "uint8"))  # raises, with the way out
    known = list(features.class_names)
    if isinstance(labels, Labels):
        if labels.kind != features.label_kind:
            raise ValueError(
                f"{features.name} was trained on {features.label_kind}, the labels are {labels.kind}: train a "
                "classifier with the same --labels."
            )
        if missing := [name for name in labels.names if name not in known]:
            raise ValueError(f"{features.name} does not know {', '.join(missing)}; it knows {', '.join(known)}.")
        vectors, columns = np.asarray(labels.vectors), [known.index(name) for name in labels.names]
    else:
        vectors, columns = _vectors(np.asarray(labels), known, features), list(range(len(known)))
    if features.label_kind == "classes" and (vectors.sum(axis=1) != 1).any():
        raise ValueError("some images have no label, or two: take only those of which one class was asked for.")
    return vectors, columns


def _vectors(labels: np.ndarray, known: list[str], features: Features) -> np.ndarray:
    """Plain arrays as vectors in the classifier's order."""
    if labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer) and features.label_kind == "classes":
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(known):
            raise ValueError(f"class numbers are from 0 to {len(known) - 1}, not {labels.min()} to {labels.max()}.")
        return np.eye(len(known), dtype="float32")[labels]
    if labels.ndim == 2 and labels.shape[1] == len(known) and np.isin(labels, (0, 1)).all():
        return labels
    raise ValueError(
        f"labels of shape {labels.shape} do not fit {features.name}: give Labels, or vectors of 0 and 1 "
        f"(N, {len(known)}) in the order {', '.join(known[:6])}{', ...' if len(known) > 6 else ''}."
    )


def _shared(features: Features, split: str, seed: int) -> dict:
    """What all scores of one classifier have in common."""
    accuracy, warnings = getattr(features, "accuracy", None), ()
    if accuracy is not None and accuracy < GOOD:
        warnings = (
            f"the classifier itself is right on {accuracy:.1%} of held-out real faces: it cannot tell good systems "
            "apart. More faces, more epochs or fewer labels make a better one.",
        )
    return {"split": split, "seed": seed, "warnings": warnings, "interval": BOOTSTRAP, **names_of(features)}
