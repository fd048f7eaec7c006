"""Accuracy against the number of labels: SGAN beside the same D trained on those labels alone.

Both are the D of ``models/conditional/sgan.py``. They begin with the same weights, make as many iterations with the
same optimizer, and are judged on faces that neither has seen. The one alone minimises L_sup (eq. 5-11) on the labelled
faces; SGAN also has the faces without labels, and G's (as in tables 1 to 3 of Salimans et al. 2016).

See also ``examples/18_sgan.py``, which draws the curve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from keras_faces import models
from keras_faces.models.conditional.sgan import class_probabilities, supervised_loss

if TYPE_CHECKING:
    import pandas

    from keras_faces.data import Faces
    from keras_faces.figures.figure import Figure


def label_curve(
    faces: Faces,
    held_out: Faces,
    keep: Sequence[int],
    iterations: int = 800,
    batch_size: int = 32,
    seeds: Sequence[int] = (0,),
    precision: str = "float32",
    tell: Callable[[str], None] = print,
    **options: Any,
) -> pandas.DataFrame:
    """Train both networks on each number of labels.

    Parameters
    ----------
    faces : Faces
        To learn from, all labelled with classes (``faces.labelled("Male")``); all labels but a few are hidden.
    held_out : Faces
        To be judged by, labelled with the same classes; best other people.
    keep : sequence of int
        Numbers of labels, at least one for each class.
    iterations : int
        Of both networks; rounded to whole epochs.
    batch_size : int
        Faces in a batch; half of those that SGAN reads have a label.
    seeds : sequence of int
        Each is a training of its own, with other labels kept and other initial weights.
    precision : str
        As in ``kf.models.build``.
    tell : callable
        Called with a line of text after each training.
    **options
        Of the system ``sgan``.

    Returns
    -------
    DataFrame
        A row for each number and seed, with the columns ``labels``, ``seed``, ``sgan`` and ``alone`` (shares of
        ``held_out`` put into the right class) and ``commonest`` (of always naming the commonest class).

    Raises
    ------
    ValueError
        If the two have not the same classes, or as of ``Labels.hidden``.
    """
    import pandas

    if faces.labels is None or held_out.labels is None or faces.labels.names != held_out.labels.names:
        raise ValueError("faces and held_out must be labelled with the same classes: call .labelled(...) on both.")
    commonest = held_out.labels.vectors.mean(axis=0).max()
    rows = []
    for number in keep:
        for seed in seeds:
            few = faces.with_labels_of(number, seed)
            row = {"labels": number, "seed": seed}
            for name, learn in (("sgan", train_sgan), ("alone", train_alone)):
                model = models.build("sgan", faces.image_size, seed, precision, label_names=few.labels.names, **options)
                learn(model, few, iterations, batch_size, seed)
                row[name] = accuracy(model.discriminator, held_out)
            tell(f"{number} labels, seed {seed}: sgan {row['sgan']:.1%}, alone {row['alone']:.1%}")
            rows.append({**row, "commonest": commonest})
    return pandas.DataFrame(rows)


def train_sgan(model: Any, faces: Faces, iterations: int, batch_size: int, seed: int) -> None:
    """Train SGAN on faces of which a few have labels."""
    batches = faces.batches(batch_size, seed)
    model.fit(batches, epochs=max(1, round(iterations / len(batches))), verbose=0)
    model.synchronise()


def train_alone(model: Any, faces: Faces, iterations: int, batch_size: int, seed: int) -> None:
    """Train the D of ``model`` on the labelled faces alone, by L_sup and D's own optimizer."""
    labelled = faces.take(np.flatnonzero(faces.labels.vectors.any(axis=1)))
    batches = labelled.batches(min(batch_size // 2, len(labelled)), seed)
    size = faces.image_size
    learner = keras.Sequential(
        [layers.Input((size, size, 3)), layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32"), model.discriminator]
    )
    rule = model.optimizer.discriminator
    rule = rule.__class__.from_config(rule.get_config())
    learner.compile(rule, lambda labels, logits: supervised_loss(logits, labels))
    learner.fit(batches, epochs=max(1, round(iterations / len(batches))), verbose=0)


def accuracy(discriminator: keras.Model, faces: Faces) -> float:
    """Return the share of labelled faces that a D of ``sgan`` puts into their class."""
    found = class_probabilities(discriminator, faces.images).argmax(axis=1)
    return float((found == faces.labels.class_ids).mean())


def curve(table: pandas.DataFrame, title: str = "") -> Figure:
    """Draw the table of :func:`label_curve` as two curves: with several seeds, their mean and each of them."""
    from keras_faces.figures.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, label in (("sgan", "with the faces without labels (sgan)"), ("alone", "on these labels alone")):
        mean = table.groupby("labels")[name].mean()
        line = axes.plot(mean.index, mean * 100, marker="o", label=label)[0]
        axes.scatter(table["labels"], table[name] * 100, s=12, alpha=0.5, color=line.get_color())
    axes.axhline(table["commonest"].iloc[0] * 100, color="grey", linestyle=":", label="always the commonest class")
    axes.set_xscale("log")
    ticks = sorted(table["labels"].unique())
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="labels", ylabel="right on held-out faces, %", title=title)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
