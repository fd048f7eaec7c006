"""Does a conditional system make what was asked for? A classifier looks at its faces and counts.

Source: the dissertation on conditional face synthesis, section 3.4 and tables 3.4 and 4.1: a face recogniser is trained
on real faces; the top-1 accuracy is the share of the images G(z, y) for which its most probable class is y. A vector of
attributes has no top-1: there the score is the mean over the attributes of how often the classifier finds an attribute
that was asked for, or finds none that was not.

The classifier errs as well, on real faces too: its own held-out accuracy stands in the features' name, and a score
above it says no more. A generator can also please the classifier that it was trained with: score with another one.

What to read next: ``features/classifier.py`` (the classifier), ``retrieval.py`` (the same question for people).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from keras_faces.data.labels import Labels
from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score
from keras_faces.metrics.sets import as_features, image_batches, names_of

if TYPE_CHECKING:
    from keras_faces.metrics.features.base import Features
    from keras_faces.metrics.sets import Images

GOOD = 0.9  # held-out accuracy of a classifier below which its verdicts come with a warning


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
    """How often a classifier finds in images the labels that were asked for.

    Parameters
    ----------
    images
        Generated (or real) images, uint8 RGB: an array (N, H, W, 3), a `Faces`, or an iterable of batches.
    labels
        What was asked for, image by image: `Labels`, whose names must be among the classifier's; or vectors (N, n) of 0
        and 1 in the classifier's own order; or, of classes, their numbers (N,).
    features
        A classifier: "classifier:RUN" or a `Features` object with probabilities.
    seed
        Seed of the interval.
    split
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
        The features know no classes or not these, or the numbers of images and labels differ.
    """
    features = as_features(features)
    wanted, columns = _wanted(labels, features)
    answers = _answers(images, features, batch_size, progress)
    right = _right(answers, wanted, columns, features)
    classes = features.label_kind == "classes"
    values = right[:, 0] if classes else right.mean(axis=1)
    return Score(
        "label_consistency" if classes else "attribute_consistency",
        values.mean(),
        *mean_interval(values, seed, share=classes),
        n_fake=len(values),
        split=split,
        seed=seed,
        warnings=_warnings(features),
        interval=BOOTSTRAP,
        **names_of(features),
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
    """`label_consistency` of each label by itself, over the images that were to have it.

    For an attribute "Smiling" there is a second score, "not Smiling", over the images that were to be without it: a
    generator that always smiles is perfect in the one and zero in the other. Labels that were never asked for are left
    out. Parameters as in `label_consistency`.
    """
    features = as_features(features)
    wanted, columns = _wanted(labels, features)
    right = _right(_answers(images, features, batch_size, progress), wanted, columns, features)
    names = [features.class_names[column] for column in columns]
    if features.label_kind == "classes":
        groups = {name: right[wanted[:, place] > 0, 0] for place, name in enumerate(names)}
    else:
        groups = {}
        for place, name in enumerate(names):
            groups[name] = right[wanted[:, place] > 0, place]
            groups[f"not {name}"] = right[wanted[:, place] <= 0, place]
    shared = {"split": split, "seed": seed, "interval": BOOTSTRAP, **names_of(features)}
    shared["warnings"] = _warnings(features)
    return {
        name: Score(
            f"consistency of {name}", hits.mean(), *mean_interval(hits, seed, share=True), n_fake=len(hits), **shared
        )
        for name, hits in groups.items()
        if len(hits)
    }


def _wanted(labels: Labels | np.ndarray, features: Features) -> tuple[np.ndarray, list[int]]:
    """What was asked for as vectors (N, n), and the place of each of the n among the classifier's names."""
    if features.class_names is None:
        features.probabilities(np.zeros((1, 8, 8, 3), "uint8"))  # raises, and names the way out
    known = list(features.class_names)
    if isinstance(labels, Labels):
        if labels.kind != features.label_kind:
            raise ValueError(
                f"{features.name} was trained on {features.label_kind}, the labels are {labels.kind}: train a "
                "classifier with the same --labels."
            )
        if missing := [name for name in labels.names if name not in known]:
            raise ValueError(f"{features.name} does not know {', '.join(missing)}; it knows {', '.join(known)}.")
        vectors, columns = labels.vectors, [known.index(name) for name in labels.names]
    else:
        vectors, columns = _vectors(np.asarray(labels), known, features), list(range(len(known)))
    if features.label_kind == "classes" and (np.asarray(vectors).sum(axis=1) != 1).any():
        raise ValueError("some images have no label, or two: take only those of which one class was asked for.")
    return np.asarray(vectors), columns


def _vectors(labels: np.ndarray, known: list[str], features: Features) -> np.ndarray:
    """Plain arrays as vectors in the classifier's own order."""
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


def _answers(images: Images, features: Features, batch_size: int, progress: bool) -> np.ndarray:
    """The classifier's probabilities, (N, C)."""
    whole = getattr(images, "images", images)
    total = len(whole) if hasattr(whole, "shape") else None
    found = []
    with tqdm(total=total, desc="Labels found", unit=" images", delay=1, disable=not progress) as bar:
        for batch in image_batches(images, batch_size, "fake"):
            found.append(np.asarray(features.probabilities(batch, batch_size=batch_size)))
            bar.update(len(batch))
    return np.concatenate(found)


def _right(answers: np.ndarray, wanted: np.ndarray, columns: list[int], features: Features) -> np.ndarray:
    """Whether the classifier agrees: bool (N, 1) for classes, (N, n) for attributes."""
    if len(answers) != len(wanted):
        raise ValueError(f"{len(answers)} images with {len(wanted)} labels: give one for each image.")
    if features.label_kind == "classes":
        asked = np.asarray(columns)[wanted.argmax(axis=1)]
        return (answers.argmax(axis=1) == asked)[:, None]
    return (answers[:, columns] > 0.5) == (wanted > 0.5)


def _warnings(features: Features) -> tuple[str, ...]:
    accuracy = getattr(features, "accuracy", None)
    if accuracy is None or accuracy >= GOOD:
        return ()
    return (
        f"the classifier itself is right on {accuracy:.1%} of held-out real faces: it cannot tell good systems apart. "
        "More faces, more epochs or fewer labels make a better one.",
    )
