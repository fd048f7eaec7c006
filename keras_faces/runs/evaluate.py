"""The scores of a run, what is kept of them, and their picture.

RUN/evaluation/scores.json      each score with all that it was measured on
               scores.csv       the same as a table
               evaluation.png   samples, the nearest training photographs, and the curves if the run has scored itself

See also ``reference.py`` (which photographs), ``metrics/score.py`` (what a score holds).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import atomic_write
from keras_faces.records import as_record, read_json
from keras_faces.runs.folder import RunError, RunFolder, write_json
from keras_faces.runs.reference import COUNT, Photographs, Reference

if TYPE_CHECKING:
    import pandas

    from keras_faces.data.labels import Labels
    from keras_faces.figures.figure import Figure
    from keras_faces.metrics import Score

COLUMNS = ("name", "value", "low", "high", "spread", "features", "split", "n_real", "n_fake", "seed", "resize")


@dataclass
class Evaluation:
    """The scores of a run at one checkpoint; ``scores.json`` holds it.

    ``fingerprint`` and ``held_out`` identify the photographs of the training and the others ("" for none), ``note``
    says where the others come from, and ``scores`` has a list for each kind of features.
    """

    system: str
    image_size: int
    epoch: int
    iteration: int
    fingerprint: str
    held_out: str
    count: int
    seed: int
    against: str
    note: str = ""
    scores: dict[str, list] = field(default_factory=dict)  # of Score

    def settings(self) -> dict[str, Any]:
        """Return what scores must have in common to be in one file."""
        return {name: value for name, value in vars(self).items() if name not in ("scores", "note")}

    def take_over(self, path: Path) -> None:
        """Add the scores of ``path/scores.json``, if they were measured in the same way."""
        before = Evaluation.read(path)
        if before is not None and before.settings() == self.settings():
            self.scores = {**before.scores, **self.scores}

    def write(self, path: Path) -> None:
        """Write ``scores.json`` and ``scores.csv`` into a folder; the folder is made."""
        path.mkdir(parents=True, exist_ok=True)
        scores = {asked: [score.to_dict() for score in found] for asked, found in self.scores.items()}
        write_json(path / "scores.json", {**vars(self), "scores": scores})
        with atomic_write(path / "scores.csv") as beside:
            self.table().to_csv(beside, index=False)

    @classmethod
    def read(cls, path: Path) -> Evaluation | None:
        """Read what :meth:`write` wrote; None if there is nothing, RunError if it is damaged."""
        from keras_faces.metrics import Score

        file = path / "scores.json"
        if not file.exists():
            return None
        try:
            found = as_record(cls, read_json(file), file)
            found.scores = {asked: [Score.from_dict(one) for one in scores] for asked, scores in found.scores.items()}
            return found
        except (ValueError, TypeError, AttributeError) as error:
            raise RunError(f"{file} cannot be used ({error}): remove it and evaluate again.") from error

    def table(self) -> pandas.DataFrame:
        """Return one row for each score, with the columns COLUMNS and ``warnings``."""
        import pandas

        rows = [score.to_dict() for scores in self.scores.values() for score in scores]
        whole = pandas.DataFrame(rows, columns=[*COLUMNS, "warnings"])
        return whole.assign(warnings=[" ".join(warnings) for warnings in whole["warnings"]])


def begin(
    folder: RunFolder, photographs: Photographs, count: int = COUNT, seed: int = 0, against: str | None = None
) -> Evaluation:
    """Begin the evaluation of a run's last checkpoint, with the scores of it that ``RUN/evaluation`` holds already.

    Those are kept that have the same weights, photographs, count, seed and split. Add others to ``scores`` and
    ``write`` it.

    Parameters
    ----------
    folder : RunFolder
        The run.
    photographs : Photographs
        What it is scored against.
    count, seed : int
        Images of each side, and the seed of every random draw.
    against : {"held-out", "training"}, optional
        See :class:`Photographs`.
    """
    config, (epoch, iteration) = folder.read(), folder.place()
    what = (config.system, config.image_size, epoch, iteration, config.fingerprint)
    held_out = photographs.held_out.fingerprint() if photographs.held_out is not None else ""
    found = Evaluation(*what, held_out, count, seed, photographs.split(against)[0], photographs.note)
    found.take_over(folder.path / "evaluation")
    return found


def usual_labels(model: Any, count: int) -> Labels | None:
    """Return the labels that ``model.sample(count)`` asks for by itself; None for a model without labels."""
    if not hasattr(model, "usual_labels"):
        return None
    from keras_faces.data.labels import Labels

    return Labels(model.label_kind, model.label_names, model.usual_labels(count))


def consistency(model: Any, classifier: str | Path, count: int, seed: int = 0) -> tuple[dict, pandas.DataFrame]:
    """Ask a conditional model for labels, and count how often a classifier finds them in its faces.

    Attributes are asked for at random, each with probability ½; classes in turn. Of a system of sentences only those
    attributes are asked for that the classifier knows.

    Parameters
    ----------
    model : FaceModel
        A model with labels.
    classifier : str or Path
        A run folder of ``keras-faces classify`` with the same labels.
    count : int
        How many faces to ask for.
    seed : int
        Of noise and labels.

    Returns
    -------
    report : dict
        All of it, for JSON.
    table : DataFrame
        In per cent, a row for each label. Of attributes, how often it is found where it was asked for (``found``) and
        missing where it was not (``absent``), and the mean of both; of classes, how often a face is taken for its own.
        ``real`` is the classifier's own score on held-out photographs.
    """
    import pandas

    from keras_faces.data.labels import Labels
    from keras_faces.metrics import consistency_by_label, label_consistency
    from keras_faces.metrics.features import get

    features = get(f"classifier:{classifier}")
    names, are_attributes = list(model.label_names), model.label_kind == "attributes"
    if hasattr(model, "text_encoder"):
        names = [name for name in names if name in features.class_names] or names
    columns, n = [model.label_names.index(name) for name in names], len(names)
    if are_attributes:
        vectors = np.random.default_rng(seed).integers(0, 2, (count, n)).astype("float32")
    else:
        vectors = np.eye(n, dtype="float32")[np.arange(count) % n]
    asked = np.full((count, len(model.label_names)), np.nan, "float32")  # NaN: not said
    asked[:, columns] = vectors
    images = model.sample(count, seed=seed, labels=asked)
    labels = Labels(model.label_kind, tuple(names), vectors)
    each = {name: score.value * 100 for name, score in consistency_by_label(images, labels, features).items()}
    report = json.loads((Path(classifier) / "report.json").read_text(encoding="utf-8"))["labels"]
    rows = {}
    for name in names:
        real = report[name]["balanced" if are_attributes else "found"]  # None: no held-out face shows it
        rows[name] = {"found": each.get(name, np.nan), "real": np.nan if real is None else real * 100}
        if are_attributes:
            absent = each.get(f"not {name}", np.nan)  # of few faces, a label may be asked of none
            rows[name] |= {"absent": absent, "mean": (rows[name]["found"] + absent) / 2}
    chance = 50.0 if are_attributes else 100.0 / n
    mean = "mean" if are_attributes else "found"
    rows["all"] = {kind: np.nanmean([row[kind] for row in rows.values()]) for kind in (mean, "real")}
    whole = label_consistency(images, labels, features, seed=seed).to_dict()
    known = {name: {kind: value for kind, value in row.items() if not np.isnan(value)} for name, row in rows.items()}
    told = {"score": whole, "classifier": features.name, "chance": chance, "labels": known}
    columns = ["found", "absent", "mean", "real"] if are_attributes else ["found", "real"]
    return told, pandas.DataFrame(rows).T[columns].rename_axis(f"chance {chance:.1f}")


# --------------------------------------------------------------------------------------------------- pictures


def picture(
    faces: np.ndarray, reference: Reference, title: str = "", history: pandas.DataFrame | None = None
) -> Figure:
    """Draw 64 faces, eight of them beside their nearest training photographs, and the curves of the run's own scores.

    Parameters
    ----------
    faces : ndarray of uint8, shape (N, H, W, 3)
        Generated faces; the first ones are shown.
    reference : Reference
        Nearest by its features, as in the dissertation's figure 4.9.
    title : str
        Of the picture.
    history : DataFrame, optional
        The run's own ``scores.csv`` (see ``score_curve.py``).
    """
    from keras_faces.figures import grids
    from keras_faces.figures.figure import Figure
    from keras_faces.metrics.neighbours import nearest_from_features

    rows, near = min(8, len(faces)), min(5, len(reference.train))
    indices, _ = nearest_from_features(reference.describe(faces[:rows]), reference.train_features, near)
    lines = [np.stack([face, *reference.train[found]]) for face, found in zip(faces, indices, strict=False)]
    has_curve = history is not None and len(history) > 0
    figure = Figure(figsize=(11, 9 if has_curve else 6), layout="constrained")
    figure.suptitle(title)
    above, *below = figure.subfigures(2, 1, height_ratios=(3, 2)) if has_curve else [figure]
    left, right = above.subplots(1, 2, width_ratios=(8, near + 1))
    left.imshow(grids.magnify(grids.tile(faces[:64], 8), 500), interpolation="antialiased")
    left.set_title("generated faces")
    right.imshow(grids.magnify(grids.tile(np.concatenate(lines), near + 1), 500), interpolation="antialiased")
    right.set_title(f"left: generated; then the nearest training photographs\nby {reference.features.name}")
    for axes in (left, right):
        axes.set_axis_off()
    if has_curve:
        grids.scores(history, below[0])
    return figure


def title(evaluation: Evaluation) -> str:
    """Return "dcgan, epoch 10, iteration 93", for the picture."""
    return f"{evaluation.system}, epoch {evaluation.epoch}, iteration {evaluation.iteration}"


def report(scores: list[Score]) -> str:
    """Return the scores of one kind of features as a few lines of text."""
    from keras_faces.metrics.score import TITLES

    first = scores[0]
    sides = f"{first.n_real:,} real ({first.split}), {first.n_fake:,} fake, seed {first.seed}"
    lines = [first.features, f"  {sides}; resize: {first.resize}"]
    for score in scores:
        name = TITLES.get(score.name, score.name)
        interval = "" if score.low is None else f"  [{score.low:.4g}, {score.high:.4g}]"
        lines.append(f"  {name:<13}{score.value:>9.4g}{interval}")
    warnings = dict.fromkeys(warning for score in scores for warning in score.warnings)
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in warnings)])


def history(folder: RunFolder) -> pandas.DataFrame | None:
    """Return the run's own scores during training, None if it has none."""
    import pandas

    file = folder.path / "scores.csv"
    return pandas.read_csv(file) if file.exists() else None
