"""How good a classifier is: its report on held-out faces, its curves, and the faces that it got wrong.

Read next: ``classifying.py``, which trains it and calls this.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import replacing
from keras_faces.training.classifying import MOST_HELD_OUT, ClassifierConfig, ClassifierFolder

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def report(
    folder: ClassifierFolder, config: ClassifierConfig, faces: Any, learned: np.ndarray, held_out: np.ndarray
) -> dict[str, Any]:
    """Judge the trained C on both sides of the split, write ``report.json`` and ``mistakes.png``.

    Returns
    -------
    ``accuracy`` and ``training_accuracy`` (of at most 5,000 faces), ``commonest`` (accuracy of always giving the
    commonest answer), ``n_training``, ``n_held_out``, ``split`` in words, and ``labels``: for each its held-out
    ``accuracy``, its ``commonest``, and ``balanced``, the mean of the accuracies with and without it. For classes,
    ``accuracy`` is top-1; for attributes, the mean over them.
    """
    from keras_faces import plots

    network = folder.load()
    some = learned[np.sort(np.random.default_rng(config.seed).permutation(len(learned))[:MOST_HELD_OUT])]
    vectors = faces.labels.vectors
    images, truth = faces.images[held_out], vectors[held_out]
    logits = _logits(network, images)
    answers = _answers(logits, config.kind)
    means = truth.mean(0, dtype="float64")
    commonest = means.max() if config.kind == "classes" else np.maximum(means, 1 - means).mean()
    found = {
        "accuracy": _accuracy(answers, truth, config.kind),
        "training_accuracy": _accuracy(
            _answers(_logits(network, faces.images[some]), config.kind), vectors[some], config.kind
        ),
        "commonest": float(commonest),
        "n_training": len(learned),
        "n_held_out": len(held_out),
        "split": f"{config.held_out:.0%} held out by seed {config.seed}",
        "labels": {name: _of_label(answers[:, i], truth[:, i]) for i, name in enumerate(config.names)},
    }
    with replacing(folder.report) as beside:
        beside.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if (figure := mistakes(images, logits, truth, config.kind, config.names)) is not None:
        plots.save(figure, folder.path / "mistakes.png")
    return found


def table(found: dict[str, Any], kind: str) -> pandas.DataFrame:
    """A report as a table: one row a label, and all of them together, in per cent."""
    import pandas

    rows = [{"label": name, **numbers} for name, numbers in found["labels"].items()]
    if kind == "classes":  # that most faces are not in a class is easy to know; what counts is who is found
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
    """What C says, as label vectors: a 1 at the largest logit of classes, or at each positive one of attributes."""
    if kind == "classes":
        return np.eye(logits.shape[1], dtype="float32")[logits.argmax(1)]
    return (logits > 0).astype("float32")


def _accuracy(answers: np.ndarray, truth: np.ndarray, kind: str) -> float:
    right = answers == truth
    return float(right.all(1).mean() if kind == "classes" else right.mean())


def _of_label(answers: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Accuracy of one label. ``found`` is the share of the faces with it that C finds; None without such faces."""
    with_it, without = ((answers[truth == side] == side) for side in (1, 0))
    share = float(truth.mean(dtype="float64"))
    return {
        "accuracy": float((answers == truth).mean()),
        "commonest": max(share, 1 - share),
        "balanced": float((with_it.mean() + without.mean()) / 2) if 0 < share < 1 else None,
        "found": float(with_it.mean()) if share > 0 else None,
    }


def curves(log: pandas.DataFrame) -> Figure:
    """Accuracy and loss of each epoch, on the training's faces and on held-out ones."""
    from matplotlib.figure import Figure

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
    images: np.ndarray, logits: np.ndarray, truth: np.ndarray, kind: str, names: list[str], columns: int = 8
) -> Figure | None:
    """The faces that C is most certain of and wrong about, at most six labels, a row each; None without a mistake."""
    from keras_faces import plots

    if kind == "classes":
        shifted = logits - logits.max(1, keepdims=True)
        certain = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
        wrong = certain * (_answers(logits, kind) != truth) * (1 - truth)  # the class that C names, and is not
        said = [f"taken for\n{name}" for name in names]
    else:
        wrong = np.abs(logits) * (_answers(logits, kind) != truth)
        said = [f"{name}:\nwrong" for name in names]
    chosen = [number for number in np.argsort(-wrong.max(0))[:6] if wrong[:, number].any()]
    rows = []
    for number in chosen:
        first = np.argsort(-wrong[:, number])[:columns]
        row = np.full((columns, *images.shape[1:]), 255, "uint8")
        row[: len(first)] = np.where(wrong[first, number][:, None, None, None] > 0, images[first], 255)
        rows.append((said[number], plots.magnify(row, 96)))
    return (
        plots.evolution(rows, title="held-out faces that the classifier got wrong, the most certain first")
        if rows
        else None
    )
