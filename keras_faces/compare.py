"""Several systems under the same photographs, seed and budget, and what became of them in one picture and one table.

runs/compare/comparison.json    what was asked for
             dcgan/ ...         a run folder for each system
             comparison.png     the last grid of each, the same count of faces
             curves.png         losses, D(x) and D(G(z)), spread
             comparison.csv     the table; with --features, FID and its kin of each
             reconstructions.png    of systems with an encoder: the same photographs through each

The same budget means: every D sees the same photographs in the same order, as often. A system with several steps of D
for each step of G (``d_steps``) makes so many times fewer iterations of them. Losses of different kinds measure
different things; between systems, compare the faces, the spread and the time.

Read next: ``runs.py``, which trains each of them; ``commands/comparing.py`` for the command.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_faces.files import replacing
from keras_faces.key_values import system_and_options
from keras_faces.runs import RunConfig, RunError, RunFolder

if TYPE_CHECKING:
    import pandas

    from keras_faces.metrics import Score

FINAL = ("d_loss", "g_loss", "d_real", "d_fake", "spread")  # at the end of the log
TERMS = ("reconstruction_loss", "kl_loss", "bits_loss")  # of systems that have them, behind the other columns
_BEFORE = ("system", "state", "g_parameters", "d_parameters", "seconds_per_iteration", "iterations")
COLUMNS = [*_BEFORE, *FINAL, "minutes"]


@dataclass
class Comparison:
    """What was asked for; ``comparison.json`` holds it. ``systems`` are written as ``dcgan:loss=hinge,width=32``."""

    systems: list[str] = field(default_factory=list)
    data: str = "drawn"
    image_size: int = 32
    epochs: int = 20
    batch_size: int = 64
    seed: int = 0
    precision: str = "float32"
    backend: str = "tensorflow"
    count: int | None = None
    crop: str = "auto"
    sample_every: int = 200
    checkpoint_every: int = 200
    labels: str | None = None  # what all of them are told of the photographs
    features: str | None = None  # what the scores in the table look at; None: no scores

    def config(self, system: str) -> RunConfig:
        """The configuration of one of the runs."""
        name, options = system_and_options(system)
        shared = {key: value for key, value in asdict(self).items() if key not in ("systems", "features")}
        return RunConfig(system=name, options=options, **shared)


@dataclass
class Entry:
    """One of the systems: its run folder, what is known of its networks, and how its training went."""

    system: str
    folder: RunFolder
    g_parameters: int
    d_parameters: int
    d_steps: int
    probability: bool  # D's score is a probability
    encodes: bool = False  # it has an encoder
    state: str = "not begun"  # "finished", "broken off", "stopped in epoch 3, iteration 20"
    scores: list[Score] = field(default_factory=list)


def read(path: Path) -> Comparison:
    """The comparison of a folder.

    Raises
    ------
    RunError
        If it has no ``comparison.json`` or a damaged one.
    """
    file = path / "comparison.json"
    try:
        return Comparison(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise RunError(f"{path} holds no comparison: it has no comparison.json.") from None
    except (ValueError, TypeError) as error:
        raise RunError(f"{file} is damaged: {error}") from error


def folder_name(system: str) -> str:
    """The name of a system's run folder, good for every file system: ``dcgan-loss=hinge-width=32``."""
    return re.sub(r"[^A-Za-z0-9=.+_]+", "-", system).strip("-.")


def prepare(comparison: Comparison, path: Path, faces: Any = None) -> list[Entry]:
    """Build each system once, so that a mistake in the last one is told before the first one trains.

    Parameters
    ----------
    faces
        The photographs; needed where the systems learn from labels.

    Raises
    ------
    ValueError
        For fewer than two systems, the same one twice, and whatever ``models.build`` refuses.
    """
    import keras

    from keras_faces import models

    names = [folder_name(system) for system in comparison.systems]
    if len(names) < 2:
        raise ValueError("a comparison needs two systems or more, such as `compare dcgan dcgan:loss=hinge`.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} is named twice; give one of them another option.")
    entries = []
    for system, name in zip(comparison.systems, names, strict=True):
        asked = comparison.config(system)
        try:
            models.check_labels(asked.system, asked.labels)
            if asked.labels:
                models.check_label_kind(asked.system, faces.labels.kind)
                _tell(asked, faces)
            model = asked.build()
        except (ValueError, TypeError) as error:
            raise ValueError(f"{system}: {error}") from error
        judge = getattr(model, "discriminator", None)  # not every system has one
        counts = model.generator.count_params(), judge.count_params() if judge is not None else 0
        probability = not hasattr(model, "pair") or model.pair.probability
        encodes = hasattr(model, "encode")
        entries.append(Entry(system, RunFolder(path / name), *counts, model.d_steps, probability, encodes))
        del model
        keras.utils.clear_session()
    return entries


def run(comparison: Comparison, entries: list[Entry], path: Path, faces: Any, resume: bool = False) -> None:
    """Train the systems one after another, and draw the pictures and the table after each.

    Afterwards the ``state`` of each is "finished", or "stopped in ..." if its training was lost; the others go on.

    Parameters
    ----------
    entries
        What :func:`prepare` gave.
    path
        The folder of the comparison.
    faces
        The photographs, as ``kf.data.load`` gives them with the comparison's ``image_size``, ``count`` and ``seed``.
    resume
        Skip what is finished, go on with what was broken off.

    Raises
    ------
    RunError
        If ``path`` is not empty and ``resume`` is false, or if a run in it was begun with something else.
    """
    import keras

    from keras_faces.runs import train
    from keras_faces.training.callbacks import TrainingStopped

    if not resume:
        RunFolder(path).check_free()
    configs = [_config(comparison, entry, faces) for entry in entries]
    path.mkdir(parents=True, exist_ok=True)
    with replacing(path / "comparison.json") as beside:
        beside.write_text(json.dumps(asdict(comparison), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for number, (entry, config) in enumerate(zip(entries, configs, strict=True), 1):
        print(f"\n{number} of {len(entries)}: {entry.system}, in {entry.folder.path}")
        if _is_finished(entry, config, faces):
            entry.state = "finished"
            print("It is finished already.")
            continue
        entry.state = "broken off"
        try:
            train(entry.folder, config, faces, resume=entry.folder.config_file.exists())
            entry.state = "finished"
        except TrainingStopped as stop:
            entry.state = str(stop).partition(":")[0]
            print(f"\n{entry.system} {stop}")
        finally:
            draw(entries, path)
            keras.utils.clear_session()
    draw(entries, path)


def _config(comparison: Comparison, entry: Entry, faces: Any) -> RunConfig:
    """What the system is trained with: the configuration of its run, if it has begun, with the epochs asked for."""
    asked = comparison.config(entry.system)
    if asked.labels:
        _tell(asked, faces)
    if len(faces) < (needed := asked.batch_size * entry.d_steps):
        raise ValueError(f"{entry.system}: {len(faces)} faces do not fill one batch of {needed}; take more faces.")
    if not entry.folder.config_file.exists():
        entry.folder.check_free()
        return asked
    begun = entry.folder.read()
    for key, value in asdict(asked).items():
        chosen_then = key in ("epochs", "data", "fingerprint", "compiler") or value == "auto"
        if not chosen_then and value != getattr(begun, key):
            raise RunError(
                f"{entry.folder.path} was begun with {key} {getattr(begun, key)!r}, not {value!r}: leave the option "
                "out to go on, or choose another --out."
            )
    begun.epochs, begun.data = asked.epochs, asked.data
    return begun


def _tell(config: RunConfig, faces: Any) -> None:
    """Note the names of the labels, as ``RunConfig.faces`` does."""
    config.label_names, config.label_kind = list(faces.labels.names), faces.labels.kind


def _is_finished(entry: Entry, config: RunConfig, faces: Any) -> bool:
    """Whether the last checkpoint is the end of the last epoch, and the model was written after it."""
    import h5py

    checkpoint, model = entry.folder.checkpoint, entry.folder.model
    if not (checkpoint.exists() and model.exists() and model.stat().st_mtime >= checkpoint.stat().st_mtime):
        return False
    if config.fingerprint != faces.fingerprint():
        return False  # `train` says what is wrong
    try:
        with h5py.File(checkpoint) as file:
            place = int(file.attrs["epoch"]), int(file.attrs["iteration"])
    except (OSError, KeyError):
        return False  # `train` says what is wrong
    return place == (config.epochs, len(faces) // (config.batch_size * entry.d_steps))


def score(comparison: Comparison, entries: list[Entry], path: Path) -> None:
    """Measure what has been trained, with ``comparison.features``, and write the table anew.

    The photographs are those that no system was trained on, if there are some; see ``evaluate.py``. A run keeps its
    scores in its folder ``evaluation``; they are measured again only after more training.
    """
    from keras_faces import evaluate
    from keras_faces.training import checkpoint

    trained = [entry for entry in entries if entry.folder.checkpoint.exists()]
    if not trained:
        return
    photographs = evaluate.photographs(trained[0].folder.read(), comparison.data)
    print(f"\nScores by {comparison.features}; {photographs.note}")
    reference = None
    for entry in trained:
        evaluation = evaluate.begin(entry.folder, photographs, seed=comparison.seed)
        if comparison.features not in evaluation.scores:
            reference = reference or evaluate.Reference(photographs, comparison.features, seed=comparison.seed)
            model = entry.folder.read().build()
            checkpoint.load(entry.folder.checkpoint, model)
            faces = model.sample(evaluation.count, seed=evaluation.seed)
            evaluation.scores[comparison.features] = [
                *reference.scores(faces),
                *_consistency(comparison, model, evaluation),
            ]
            evaluation.write(entry.folder.path / "evaluation")
        entry.scores = evaluation.scores[comparison.features]
    draw(entries, path)


def _consistency(comparison: Comparison, model: Any, evaluation: Any) -> list[Score]:
    """With labels and a classifier of them: how often it finds what was asked for, each label as often."""
    if not comparison.labels or not comparison.features.startswith("classifier:"):
        return []
    from keras_faces.data.labels import Labels
    from keras_faces.metrics import label_consistency

    wanted = model.patterns(evaluation.count)
    faces = model.sample(evaluation.count, seed=evaluation.seed, labels=wanted)
    labels = Labels(model.label_kind, model.label_names, wanted)
    return [label_consistency(faces, labels, comparison.features, seed=evaluation.seed)]


# --------------------------------------------------------------------------------------- pictures and table


def draw_reconstructions(entries: list[Entry], path: Path, faces: Any, count: int = 10, seed: int = 0) -> bool:
    """Draw ``reconstructions.png``: photographs in the first row, in the others what each encoder's code keeps of
    them (figure 4.6 of the dissertation). Returns whether there was something to draw."""
    import numpy as np

    from keras_faces import plots
    from keras_faces.evaluate import some
    from keras_faces.training import checkpoint

    trained = [entry for entry in entries if entry.encodes and entry.folder.checkpoint.exists()]
    if not trained:
        return False
    chosen = faces.take(some(len(faces), count, seed))
    images = np.asarray(chosen.images[np.arange(len(chosen))])
    rows = [("photographs", images)]
    for entry in trained:
        model = entry.folder.read().build()
        checkpoint.load(entry.folder.checkpoint, model)
        labels = chosen.labels.vectors if hasattr(model, "label_vectors") else None
        rows.append((entry.system.replace(":", ":\n").replace(",", "\n"), model.reconstruct(images, labels)))
    plots.save(plots.evolution([(name, plots.magnify(row, 96)) for name, row in rows]), path / "reconstructions.png")
    return True


def draw(entries: list[Entry], path: Path, faces: int = 16) -> None:
    """Draw ``comparison.png`` and ``curves.png``, and write ``comparison.csv``, from what is there so far."""
    from keras_faces import plots

    grids = [(entry, grids[-1]) for entry in entries if (grids := entry.folder.grids())]
    if grids:
        columns = []
        for entry, (epoch, iteration, file) in grids:
            images = plots.untile(plots.read_picture(file), entry.folder.read().image_size)[:faces]
            columns.append((f"{entry.system}\nepoch {epoch}, iteration {iteration}", images))
        plots.save(plots.side_by_side(columns), path / "comparison.png")
    logs = {entry.system: log for entry in entries if len(log := _log(entry))}
    if logs:
        unbounded = [entry.system for entry in entries if not entry.probability]
        plots.save(plots.losses_of(logs, unbounded), path / "curves.png")
    with replacing(path / "comparison.csv") as beside:
        table(entries).to_csv(beside, index=False)


def table(entries: list[Entry]) -> pandas.DataFrame:
    """One row a system; what is not known yet is empty.

    ``seconds_per_iteration`` is the median over the rows of the log, so that the slow first steps, in which the
    backend traces the networks, do not enter it; ``minutes`` is all of the training. The losses and scores are
    the means of the last rows of the log, those of its last 20 iterations. What :func:`score` measured follows, to
    four digits; the run's own ``evaluation/scores.csv`` has all of it, with intervals and warnings.
    """
    import pandas

    from keras_faces.figures import mean_after

    rows = []
    for entry in entries:
        row = {"system": entry.system, "state": entry.state}
        row |= {"g_parameters": entry.g_parameters, "d_parameters": entry.d_parameters}
        if len(log := _log(entry)):
            last = log.iloc[-1]
            pace = log["seconds"].diff() / log["step"].diff()
            if len(log) > 1:
                row["seconds_per_iteration"] = round(pace.median(), 3)
            row |= {"iterations": int(last["step"])}
            known = [name for name in (*FINAL, *TERMS) if name in log]
            row |= {name: round(mean_after(log, name, last["step"] - 20), 5) for name in known}
            row["minutes"] = round(last["seconds"] / 60, 1)
        row |= {score.name: float(f"{score.value:.4g}") for score in entry.scores if score.name not in row}
        rows.append(row)
    measured = [name for row in rows for name in row if name not in COLUMNS]
    whole = pandas.DataFrame(rows, columns=[*COLUMNS, *dict.fromkeys(measured)])
    return whole.astype({"iterations": "Int64"})


def _log(entry: Entry) -> pandas.DataFrame:
    import pandas

    return pandas.read_csv(entry.folder.log) if entry.folder.log.exists() else pandas.DataFrame()
