"""How good a classifier is: its report on held-out faces, its curves, and the faces that it got wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.runs.folder import write_json

if TYPE_CHECKING:
    import pandas

    from keras_faces.data import Faces
    from keras_faces.figures.figure import Figure

MOST_HELD_OUT = 5000  # more faces would only cost time: 5,000 give an accuracy to about 1 %


def report(
    network: Any, faces: Faces, learned: np.ndarray, held_out: np.ndarray, seed: int, how: str, folder: Path
) -> dict[str, Any]:
    """Judge a trained C on both sides of the split, and write ``report.json`` and ``mistakes.png``.

    Parameters
    ----------
    network : keras.Model
        C, from images in [-1, 1] to logits.
    faces : Faces
        Labelled faces.
    learned, held_out : ndarray of int
        Indices of those that C has learned from, and of those that it has not.
    seed : int
        Which of the learned faces are judged, if there are more than 5,000.
    how : str
        How the faces were split, in words.
    folder : Path
        Where to write.

    Returns
    -------
    dict
        ``accuracy`` and ``training_accuracy`` (top-1 for classes, the mean over labels for attributes), ``commonest``
        (of always giving the commonest answer), ``n_training``, ``n_held_out``, ``split``, and ``labels``: for each
        label its held-out ``accuracy``, ``commonest``, ``balanced`` (the mean of the accuracies with and without it)
        and ``found`` (the share of the faces with it that C finds).
    """
    from keras_faces.figures import grids

    some = learned[np.sort(np.random.default_rng(seed).permutation(len(learned))[:MOST_HELD_OUT])]
    kind, names, vectors = faces.labels.kind, faces.labels.names, faces.labels.vectors
    images, truth = faces.images[held_out], vectors[held_out]
    logits = _logits(network, images)
    answers = _answers(logits, kind)
    means = truth.mean(0, dtype="float64")
    commonest = means.max() if kind == "classes" else np.maximum(means, 1 - means).mean()
    found = {
        "accuracy": _accuracy(answers, truth, kind),
        "training_accuracy": _accuracy(_answers(_logits(network, faces.images[some]), kind), vectors[some], kind),
        "commonest": float(commonest),
        "n_training": len(learned),
        "n_held_out": len(held_out),
        "split": how,
        "labels": {name: _of_label(answers[:, i], truth[:, i]) for i, name in enumerate(names)},
    }
    write_json(folder / "report.json", found)
    if (figure := mistakes(images, logits, truth, kind, names)) is not None:
        grids.save(figure, folder / "mistakes.png")
    return found


def table(found: dict[str, Any], kind: str) -> pandas.DataFrame:
    """Return a report as a table in per cent, a row for each label; of classes only the share that is found."""
    import pandas

    rows = [{"label": name, **shares} for name, shares in found["labels"].items()]
    if kind == "classes":
        rows = [{"label": row["label"], "found": row["found"]} for row in rows]
    return (pandas.DataFrame(rows).set_index("label").astype("float64") * 100).round(1)


def _logits(network: Any, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """C's logits of uint8 images, float32 (N, n)."""
    parts = [
        network.predict_on_batch(images[start : start + batch_size].astype("float32") / 127.5 - 1)
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts).astype("float32")


def _answers(logits: np.ndarray, kind: str) -> np.ndarray:
    """C's answers as label vectors: 1 at the largest logit of classes, or at each positive logit of attributes."""
    if kind == "classes":
        return np.eye(logits.shape[1], dtype="float32")[logits.argmax(1)]
    return (logits > 0).astype("float32")


def _accuracy(answers: np.ndarray, truth: np.ndarray, kind: str) -> float:
    right = answers == truth
    return float(right.all(1).mean() if kind == "classes" else right.mean())


def _of_label(answers: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """The numbers of one label, see :func:`report`; None where there are no faces for them."""
    with_it, without = ((answers[truth == side] == side) for side in (1, 0))
    share = float(truth.mean(dtype="float64"))
    return {
        "accuracy": float((answers == truth).mean()),
        "commonest": max(share, 1 - share),
        "balanced": float((with_it.mean() + without.mean()) / 2) if 0 < share < 1 else None,
        "found": float(with_it.mean()) if share > 0 else None,
    }


def curves(log: pandas.DataFrame) -> Figure:
    """Draw accuracy and loss of each epoch, on the training's faces and on held-out ones."""
    from keras_faces.figures.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        axes.plot(log["epoch"] + 1, log[name], marker=".", label="training (moved and mirrored)")
        axes.plot(log["epoch"] + 1, log[f"val_{name}"], marker=".", label="held out")
        axes.set_title(name, loc="left", fontsize="medium")
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def mistakes(
    images: np.ndarray, logits: np.ndarray, truth: np.ndarray, kind: str, names: Sequence[str], columns: int = 8
) -> Figure | None:
    """Draw the faces that C got wrong with the greatest certainty, a row for each of at most six labels.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, 3)
        Held-out faces.
    logits, truth : ndarray, shape (N, n)
        C's logits, and the label vectors.
    kind, names
        Of the n labels.
    columns : int
        Faces in a row.

    Returns
    -------
    Figure or None
        None if C made no mistake.
    """
    from scipy.special import softmax

    from keras_faces.figures import grids

    is_wrong = _answers(logits, kind) != truth
    if kind == "classes":
        wrong = softmax(logits, axis=1) * is_wrong * (1 - truth)  # the class that C names, and is not
        said = [f"taken for\n{name}" for name in names]
    else:
        wrong = np.abs(logits) * is_wrong
        said = [f"{name}:\nwrong" for name in names]
    rows = []
    for label in (label for label in np.argsort(-wrong.max(0))[:6] if wrong[:, label].any()):
        first = np.argsort(-wrong[:, label])[:columns]
        row = np.full((columns, *images.shape[1:]), 255, "uint8")
        row[: len(first)] = np.where(wrong[first, label][:, None, None, None] > 0, images[first], 255)
        rows.append((said[label], grids.magnify(row, 96)))
    title = "held-out faces that the classifier got wrong, the most certain first"
    return grids.evolution(rows, title=title) if rows else None
