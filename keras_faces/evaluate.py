"""A run's faces on one side, photographs on the other, and every score that fits both.

RUN/evaluation/scores.json      each score with all that it was measured on
               scores.csv       the same as a table
               evaluation.png   samples, the nearest training photographs, the curve if the run has scored itself

The real side is, wherever there are some, photographs that the run was *not* trained on (``split: held-out``): those of
the same folder behind its ``--count``, or drawings of another seed. A generator that returned its training photographs
would have a perfect distance to them; from others it is as far as they are. What was trained on is needed too, for the
memorisation rate.

Read next: ``metrics/score.py`` for what a score holds, ``commands/scoring.py`` for the command.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import replacing
from keras_faces.runs import RunConfig, RunError, RunFolder

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from keras_faces.data import Faces
    from keras_faces.data.labels import Labels
    from keras_faces.metrics import Features, Score

COUNT = 2000  # images of each side
SPLITS = ("held-out", "training")
COLUMNS = ("name", "value", "low", "high", "spread", "features", "split", "n_real", "n_fake", "seed", "resize")
_AT_ONCE = 256  # images


@dataclass
class Photographs:
    """What a run was trained on, and photographs of the same kind that it was not trained on, if there are any."""

    training: Faces
    held_out: Faces | None
    note: str  # where the held-out ones come from, or why there are none

    def split(self, against: str | None) -> tuple[str, Faces]:
        """The name and the photographs of the real side; ``against`` is one of SPLITS, None for the best there is.

        Raises
        ------
        RunError
            If held-out photographs are asked for and there are none.
        """
        if against == "training" or (against is None and self.held_out is None):
            return "training", self.training
        if self.held_out is None:
            raise RunError(f"{self.note}. Give some by --held-out FOLDER, or score --against training.")
        return "held-out", self.held_out


def photographs(
    config: RunConfig, data: str | None = None, held_out: str | None = None, count: int = COUNT
) -> Photographs:
    """The photographs of a run.

    Parameters
    ----------
    data
        Where the run's photographs lie now; None: where they were when it was trained.
    held_out
        A source of photographs that it was not trained on; None: those of ``data`` behind the run's ``count``, or, for
        drawn faces, drawings of another seed: other people.
    count
        How many held-out photographs, at most.

    Raises
    ------
    RunError
        If ``data`` does not hold the photographs that the run was trained on.
    """
    from keras_faces.data import load

    where = replace(config, data=data or config.data)
    training = where.faces()
    if config.fingerprint not in ("", training.fingerprint()):
        raise RunError(
            f"{where.data} does not hold the images that the run was trained on. Say by --data where they are now; "
            "photographs to score against besides are given by --held-out."
        )

    if held_out is None and where.data != "drawn":
        return Photographs(training, *_behind(where, count))
    source = held_out or "drawn"
    some_drawn = count if source == "drawn" else None  # of a folder all: it may be sorted by person
    found = load(source, config.image_size, count=some_drawn, seed=config.seed + 1, crop=config.crop)
    found = found.select(config.select) if config.select else found
    return Photographs(training, found, f"held out: {found.source}" + ("" if held_out else ", other people"))


def _behind(config: RunConfig, count: int) -> tuple[Faces | None, str]:
    """The photographs behind those that a run was trained on, at most ``count``, and a note on them."""
    from keras_faces.data import load

    trained = config.count
    whole = load(config.data, config.image_size, count=trained + count, crop=config.crop) if trained else ()
    if len(whole) <= (trained or 0):
        return None, f"no photograph is held out: the run was trained on all of {config.data}"
    rest = whole.take(np.arange(trained, len(whole)))
    rest = rest.select(config.select) if config.select else rest
    return rest, f"held out: photographs {trained + 1:,} to {len(whole):,} of {whole.source}"


class Reference:
    """The photographs' features, computed once for all systems that are scored against them.

    Parameters
    ----------
    photographs
        What was trained on and what not.
    features
        A name that ``metrics.features.get`` knows, or a ``Features``. It is fitted on the training photographs.
    count
        Images of the real side, at most; all the training photographs enter the memorisation rate.
    seed
        Which photographs where there are more, and every draw of the scores.
    against
        "held-out" or "training"; None for the first if there are any.
    """

    def __init__(
        self,
        photographs: Photographs,
        features: str | Features = "pixels",
        count: int = COUNT,
        seed: int = 0,
        against: str | None = None,
    ) -> None:
        from keras_faces.metrics import features_of
        from keras_faces.metrics.features import get

        self.seed = seed
        self.features = get(features)
        self.split, real = photographs.split(against)
        chosen = some(len(real), count, seed)
        self.real, self.train = real.images[chosen], photographs.training.images
        self.train_features = features_of(self.train, self.features, side="real", seed=seed)
        self.held_out_features = None
        if photographs.held_out is not None:
            held_out = photographs.held_out.images
            held_out = held_out[some(len(held_out), count, seed)]
            self.held_out_features = features_of(held_out, self.features, side="held-out")
        self.real_features = self.held_out_features if self.split == "held-out" else self.train_features[chosen]

    def describe(self, fakes: np.ndarray) -> np.ndarray:
        """Features float32 (N, D) of generated faces, uint8 (N, H, W, 3)."""
        from keras_faces.metrics import features_of

        return features_of(fakes, self.features, side="fake")

    def scores(self, fakes: np.ndarray, labels: Labels | None = None) -> list[Score]:
        """FID, KID, precision and its kin, memorisation (if photographs are held out) and spread of these faces.

        Features that tell classes apart add the Inception Score, and, where they know the ``labels`` by which the faces
        were asked for, how often they find them.
        """
        from keras_faces import metrics
        from keras_faces.metrics.neighbours import memorisation_from_features

        fake, named = self.describe(fakes), (self.features,)
        known = {"seed": self.seed, "split": self.split}
        found = [
            metrics.fid_from_features(self.real_features, fake, *named, **known),
            metrics.kid_from_features(self.real_features, fake, *named, **known),
            *metrics.precision_recall_from_features(self.real_features, fake, *named, **known).values(),
        ]
        if self.held_out_features is not None:
            sides = (fake, self.train_features, self.held_out_features)
            found.append(memorisation_from_features(*sides, *named, seed=self.seed))
        if getattr(self.features, "label_kind", "") == "classes" and len(fakes) >= 20:
            found.append(metrics.inception_score(fakes, self.features, seed=self.seed))
        if labels is not None and self._knows(labels):
            found.append(metrics.label_consistency(fakes, labels, self.features, seed=self.seed))
        return [*found, spread(self.real, fakes, self.split)]

    def _knows(self, labels: Labels) -> bool:
        kind, names = (getattr(self.features, name, None) for name in ("label_kind", "class_names"))
        return kind == labels.kind and set(labels.names) <= set(names or ())


def spread(real: np.ndarray, fake: np.ndarray, split: str = "training") -> Score:
    """How much the fakes differ from each other, as a share of how much the photographs do; near 0: all alike.

    The mean over all pixels of the standard deviation over the images, the same number as in ``log.csv``, there of one
    batch: see ``AdversarialModel.step``.
    """
    from keras_faces.metrics import Score

    value = _deviation(fake) / (_deviation(real) + 1e-6)
    return Score("spread", value, n_real=len(real), n_fake=len(fake), split=split, features="pixels")


def _deviation(images: np.ndarray) -> float:
    """Mean over the pixels of their standard deviation over the images, in parts so that it needs little memory."""
    total, squares = 0.0, 0.0
    for start in range(0, len(images), _AT_ONCE):
        part = np.asarray(images[start : start + _AT_ONCE], "float64")
        total, squares = total + part.sum(axis=0), squares + (part**2).sum(axis=0)
    mean = total / len(images)
    return float(np.sqrt(np.maximum(squares / len(images) - mean**2, 0.0)).mean())


def some(length: int, count: int, seed: int = 0) -> np.ndarray:
    """The numbers of ``count`` images, at most, in their order: folders are often sorted by person."""
    if length <= count:
        return np.arange(length)
    return np.sort(np.random.default_rng(seed).permutation(length)[:count])


# ----------------------------------------------------------------------------------------- what is kept of it


@dataclass
class Evaluation:
    """The scores of a run at one place of its training; ``scores.json`` holds it."""

    system: str
    image_size: int
    epoch: int
    iteration: int
    fingerprint: str  # of the photographs that it was trained on
    held_out: str  # that of the others, "" if there are none
    count: int
    seed: int
    against: str
    note: str = ""  # where the others come from, or why there are none
    scores: dict[str, list[Score]] = field(default_factory=dict)  # by what was asked for as --features

    def settings(self) -> dict[str, Any]:
        """What scores must have in common to stand in one file."""
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
        text = json.dumps({**vars(self), "scores": scores}, indent=2, ensure_ascii=False)
        with replacing(path / "scores.json") as beside:
            beside.write_text(text + "\n", encoding="utf-8")
        with replacing(path / "scores.csv") as beside:
            self.table().to_csv(beside, index=False)

    @classmethod
    def read(cls, path: Path) -> Evaluation | None:
        """What :meth:`write` wrote, or None.

        Raises
        ------
        RunError
            If ``scores.json`` is damaged.
        """
        from keras_faces.metrics import Score

        file = path / "scores.json"
        if not file.exists():
            return None
        try:
            found = cls(**json.loads(file.read_text(encoding="utf-8")))
            found.scores = {asked: [Score.from_dict(one) for one in scores] for asked, scores in found.scores.items()}
            return found
        except (ValueError, TypeError, AttributeError) as error:
            raise RunError(f"{file} is damaged ({error}): remove it and evaluate again.") from error

    def table(self) -> pandas.DataFrame:
        """One row a score, in the columns COLUMNS and the warnings."""
        import pandas

        rows = [score.to_dict() for scores in self.scores.values() for score in scores]
        whole = pandas.DataFrame(rows, columns=[*COLUMNS, "warnings"])
        return whole.assign(warnings=[" ".join(warnings) for warnings in whole["warnings"]])


def begin(
    folder: RunFolder, photographs: Photographs, count: int = COUNT, seed: int = 0, against: str | None = None
) -> Evaluation:
    """The evaluation of a run's last checkpoint, with the scores of it that ``RUN/evaluation`` holds already.

    They are those with the same weights, photographs, count, seed and split. Add others to ``scores`` and ``write`` it.
    """
    config, (epoch, iteration) = folder.read(), checkpoint_place(folder)
    what = (config.system, config.image_size, epoch, iteration, config.fingerprint)
    held_out = photographs.held_out.fingerprint() if photographs.held_out is not None else ""
    found = Evaluation(*what, held_out, count, seed, photographs.split(against)[0], photographs.note)
    found.take_over(folder.path / "evaluation")
    return found


def checkpoint_place(folder: RunFolder) -> tuple[int, int]:
    """Epoch and iteration of the last checkpoint, both counted from 1.

    Raises
    ------
    RunError
        If there is none or it cannot be read.
    """
    import h5py

    try:
        with h5py.File(folder.checkpoint) as file:
            return int(file.attrs["epoch"]), int(file.attrs["iteration"])
    except (OSError, KeyError) as error:
        raise RunError(f"{folder.checkpoint} is no checkpoint that can be read: {error}") from error


# --------------------------------------------------------------------------------------------------- pictures


def picture(
    faces: np.ndarray, reference: Reference, title: str = "", history: pandas.DataFrame | None = None
) -> Figure:
    """64 faces, eight of them beside their nearest training photographs, and the curves if the run has scored itself.

    Parameters
    ----------
    faces
        Generated faces, uint8 (N, H, W, 3); the first ones are shown.
    reference
        Nearest by its features, as in the dissertation's figure 4.9.
    history
        The run's own ``scores.csv`` (see ``training/scoring.py``).
    """
    from matplotlib.figure import Figure

    from keras_faces import plots
    from keras_faces.metrics.neighbours import nearest_from_features

    rows, near = min(8, len(faces)), min(5, len(reference.train))
    indices, _ = nearest_from_features(reference.describe(faces[:rows]), reference.train_features, near)
    lines = [np.stack([face, *reference.train[found]]) for face, found in zip(faces, indices, strict=False)]
    has_curve = history is not None and len(history) > 0
    figure = Figure(figsize=(11, 9 if has_curve else 6), layout="constrained")
    figure.suptitle(title)
    above, *below = figure.subfigures(2, 1, height_ratios=(3, 2)) if has_curve else [figure]
    left, right = above.subplots(1, 2, width_ratios=(8, near + 1))
    left.imshow(plots.magnify(plots.tile(faces[:64], 8), 500), interpolation="antialiased")
    left.set_title("generated faces")
    right.imshow(plots.magnify(plots.tile(np.concatenate(lines), near + 1), 500), interpolation="antialiased")
    right.set_title(f"left: generated; then the nearest training photographs\nby {reference.features.name}")
    for axes in (left, right):
        axes.set_axis_off()
    if has_curve:
        plots.scores(history, below[0])
    return figure


def title(evaluation: Evaluation) -> str:
    """ "dcgan, epoch 10, iteration 93", for the picture."""
    return f"{evaluation.system}, epoch {evaluation.epoch}, iteration {evaluation.iteration}"


def report(scores: list[Score]) -> str:
    """The scores of one kind of features in a few lines; ``str(score)`` says all of one in one line."""
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
    """The run's own scores during training, None if it has none."""
    import pandas

    file = folder.path / "scores.csv"
    return pandas.read_csv(file) if file.exists() else None
