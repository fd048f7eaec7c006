"""Compare several systems under the same photographs, seed and budget, in one picture and one table.

runs/compare/comparison.json    what was asked for
             dcgan/ ...         a run folder for each system
             comparison.png     the last grid of each, with the same number of faces
             curves.png         losses, D(x) and D(G(z)), spread
             comparison.csv     the table; with ``features``, FID and other scores of each
             reconstructions.png    of systems with an encoder: the same photographs through each

The same budget means: every D sees the same photographs in the same order, equally often. A system with ``d_steps``
steps of D for each step of G makes that many times fewer iterations of them. Losses of different kinds measure
different things; between systems compare the faces, the spread and the time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_faces.files import atomic_write
from keras_faces.models.options import parse_system, standard_options
from keras_faces.records import as_record, read_json
from keras_faces.runs.folder import RunConfig, RunError, RunFolder, check_least, given, go_on, trained_run, write_json

if TYPE_CHECKING:
    import pandas

    from keras_faces.data import Faces
    from keras_faces.metrics import Score

FINAL = ("d_loss", "g_loss", "d_real", "d_fake", "spread")  # at the end of the log
TERMS = ("reconstruction_loss", "kl_loss", "bits_loss")  # of systems that have them, behind the other columns
_BEFORE = ("system", "state", "g_parameters", "d_parameters", "seconds_per_iteration", "iterations")
COLUMNS = [*_BEFORE, *FINAL, "minutes"]


@dataclass
class Comparison:
    """What was asked for, as ``comparison.json`` holds it; :func:`compare` documents the fields."""

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
    labels: str | None = None
    features: str | None = None

    def check(self) -> None:
        """Raise ValueError if a value of the right type cannot be meant."""
        check_least(self, image_size=1, epochs=1, batch_size=1, seed=0, count=1, sample_every=1, checkpoint_every=1)

    def config(self, system: str) -> RunConfig:
        """Return the configuration of one of the runs, with present names of the system's options."""
        name, options = parse_system(system)
        shared = {key: value for key, value in asdict(self).items() if key not in ("systems", "features")}
        return RunConfig(system=name, options=standard_options(name, options), **shared)


def compare(
    systems: Sequence[str] = (),
    data: str | None = None,
    *,
    image_size: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    labels: str | None = None,
    seed: int | None = None,
    precision: str | None = None,
    count: int | None = None,
    crop: str | None = None,
    strict: bool = False,
    sample_every: int | None = None,
    checkpoint_every: int | None = None,
    features: str | None = None,
    backend: str | None = None,
    out: str | Path = "runs/compare",
    resume: bool = False,
) -> pandas.DataFrame:
    """Train several systems one after another, and compare them, as ``keras-faces compare`` does.

    None means not given: a new comparison takes the default in parentheses, one that is resumed keeps its own value.

    Parameters
    ----------
    systems : sequence of str
        Two or more, with options where wanted: "dcgan:loss=hinge,width=32".
    data, labels, seed, count, crop, strict, sample_every, checkpoint_every, backend
        As in ``kf.train``.
    image_size, epochs, batch_size : int
        Of all systems: side in pixels (32), epochs (20), photographs in each step (64).
    precision : str
        Of the layers ("float32").
    features : str
        Score each system with these features, see ``kf.metrics.features.get`` (no scores).
    out : str or Path
        The folder of the comparison.
    resume : bool
        Skip what is finished in ``out``, and go on with the rest; epochs, data, systems and features may be others.
        Where there is no comparison, a new one begins.

    Returns
    -------
    DataFrame
        The table, see :func:`table`. Its ``state`` is "finished", or says where a training was stopped.

    Raises
    ------
    ValueError
        As ``kf.train`` does, before anything is trained; RunError if the folder is in use, or was begun with other
        settings.
    """
    from keras_faces.runs.backend import backend_name, use_backend

    path = Path(out)
    asked = given(Comparison, {**locals(), "systems": list(systems) or None})
    resume = resume and (path / "comparison.json").exists()
    if resume:
        comparison = go_on(path, read(path), asked, ("epochs", "data", "systems", "features"))
        use_backend(comparison.backend)
    else:
        RunFolder(path).check_free()
        use_backend(backend)
        comparison = Comparison(**{"backend": backend_name(), **asked})
    from keras_faces.data import load
    from keras_faces.metrics.features import get

    if comparison.features is not None:
        get(comparison.features)  # a mistake is told before anything is trained
    where = {"count": comparison.count, "seed": comparison.seed, "crop": comparison.crop, "strict": strict}
    if comparison.labels is None:
        entries = _prepare(comparison, path)  # a mistake is told before the photographs are read
        faces = load(comparison.data, comparison.image_size, **where)
    else:
        faces = load(comparison.data, comparison.image_size, **where).labelled(comparison.labels)
        entries = _prepare(comparison, path, faces)
    print(faces.summary())
    _run(comparison, entries, path, faces)
    _draw_reconstructions(entries, path, faces, seed=comparison.seed)
    if comparison.features is not None:
        _score(comparison, entries, path)
    return table(entries)


@dataclass
class Entry:
    """One of the systems: its run folder, facts of its networks, and how its training went.

    ``probability`` says whether D's score is one, ``encodes`` whether there is an encoder. ``state`` is "not begun",
    "broken off", "finished", or such as "stopped in epoch 3, iteration 20".
    """

    system: str
    folder: RunFolder
    g_parameters: int
    d_parameters: int
    d_steps: int
    probability: bool
    encodes: bool = False
    state: str = "not begun"
    scores: list[Score] = field(default_factory=list)


def read(path: Path) -> Comparison:
    """Read ``comparison.json`` of a folder; raise RunError if there is none, or it cannot be used."""
    file = path / "comparison.json"
    try:
        return as_record(Comparison, read_json(file), file, Comparison.check)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{path} holds no comparison: it has no comparison.json.") from None
    except ValueError as error:
        raise RunError(str(error)) from error


def folder_name(system: str) -> str:
    """Return the name of a system's run folder, valid on every file system: ``dcgan-loss=hinge-width=32``."""
    return re.sub(r"[^A-Za-z0-9=.+_]+", "-", system).strip("-.")


def _prepare(comparison: Comparison, path: Path, faces: Faces | None = None) -> list[Entry]:
    """Build each system once, so that a mistake in the last one is told before the first one trains."""
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
                asked.note_labels(faces)
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


def _run(comparison: Comparison, entries: list[Entry], path: Path, faces: Faces) -> None:
    """Train the systems one after another, and draw the pictures and the table after each.

    What is finished is skipped, and what was broken off goes on. If a training fails the others go on.
    """
    import keras

    from keras_faces.runs.callbacks import TrainingStopped
    from keras_faces.runs.train import train_run

    configs = [_config(comparison, entry, faces) for entry in entries]
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "comparison.json", asdict(comparison))
    for number, (entry, config) in enumerate(zip(entries, configs, strict=True), 1):
        print(f"\n{number} of {len(entries)}: {entry.system}, in {entry.folder.path}")
        if config.fingerprint == faces.fingerprint() and entry.folder.is_finished(config.epochs):
            entry.state = "finished"
            print("It is finished already.")
            continue
        entry.state = "broken off"
        try:
            train_run(entry.folder, config, faces, resume=entry.folder.config_file.exists())
            entry.state = "finished"
        except TrainingStopped as stop:
            entry.state = str(stop).partition(":")[0]
            print(f"\n{entry.system} {stop}")
        finally:
            draw(entries, path)
            keras.utils.clear_session()
    draw(entries, path)


def _config(comparison: Comparison, entry: Entry, faces: Faces) -> RunConfig:
    """What the system is trained with: the configuration of its run, if it has begun, with the epochs asked for."""
    asked = comparison.config(entry.system)
    if asked.labels:
        asked.note_labels(faces)
    if len(faces) < (needed := asked.batch_size * entry.d_steps):
        raise ValueError(f"{entry.system}: {len(faces)} faces do not fill one batch of {needed}; take more faces.")
    if not entry.folder.config_file.exists():
        entry.folder.check_free()
        return asked
    begun = entry.folder.read()
    begun.options = standard_options(begun.system, begun.options)
    settled = {key: value for key, value in asdict(asked).items() if key not in ("fingerprint", "compiler")}
    entry.folder.check_checkpoint(begun)
    return go_on(entry.folder.path, begun, settled, ("epochs", "data"))


def _score(comparison: Comparison, entries: list[Entry], path: Path) -> None:
    """Score what has been trained, with ``comparison.features``, and write the table anew.

    The photographs are those that no system was trained on, if there are some; see ``reference.py``. A run keeps its
    scores in its folder ``evaluation``; they are measured again only after more training.
    """
    from keras_faces.runs import evaluate
    from keras_faces.runs.reference import Reference, photographs

    trained = [entry for entry in entries if entry.folder.checkpoint.exists()]
    if not trained:
        return
    against = photographs(trained[0].folder.read(), comparison.data)
    print(f"\nScores by {comparison.features}; {against.note}")
    reference = None
    for entry in trained:
        evaluation = evaluate.begin(entry.folder, against, seed=comparison.seed)
        if comparison.features not in evaluation.scores:
            reference = reference or Reference(against, comparison.features, seed=comparison.seed)
            model = trained_run(entry.folder.path)[2]
            faces = model.sample(evaluation.count, seed=evaluation.seed)
            evaluation.scores[comparison.features] = [
                *reference.scores(faces),
                *_consistency(comparison, model, evaluation),
            ]
            evaluation.write(entry.folder.path / "evaluation")
        entry.scores = evaluation.scores[comparison.features]
    draw(entries, path)


def _consistency(comparison: Comparison, model: Any, evaluation: Any) -> list[Score]:
    """With labels and a classifier of them: how often it finds what was asked for, each label equally often."""
    if not comparison.labels or not comparison.features.startswith("classifier:"):
        return []
    from keras_faces.data.labels import Labels
    from keras_faces.metrics import label_consistency

    wanted = model.patterns(evaluation.count)
    faces = model.sample(evaluation.count, seed=evaluation.seed, labels=wanted)
    labels = Labels(model.label_kind, model.label_names, wanted)
    return [label_consistency(faces, labels, comparison.features, seed=evaluation.seed)]


# --------------------------------------------------------------------------------------- pictures and table


def _draw_reconstructions(entries: list[Entry], path: Path, faces: Faces, count: int = 10, seed: int = 0) -> None:
    """Draw ``reconstructions.png``: some photographs, and below them each encoder's reconstructions (figure 4.6)."""
    import numpy as np

    from keras_faces.figures import grids
    from keras_faces.runs.reference import some

    trained = [entry for entry in entries if entry.encodes and entry.folder.checkpoint.exists()]
    if not trained:
        return
    chosen = faces.take(some(len(faces), count, seed))
    images = np.asarray(chosen.images[np.arange(len(chosen))])
    rows = [("photographs", images)]
    for entry in trained:
        model = trained_run(entry.folder.path)[2]
        labels = chosen.labels.vectors if hasattr(model, "label_vectors") else None
        rows.append((entry.system.replace(":", ":\n").replace(",", "\n"), model.reconstruct(images, labels)))
    grids.save(grids.evolution([(name, grids.magnify(row, 96)) for name, row in rows]), path / "reconstructions.png")


def draw(entries: list[Entry], path: Path, faces: int = 16) -> None:
    """Draw ``comparison.png`` and ``curves.png``, and write ``comparison.csv``, of what is there so far."""
    from keras_faces.figures import grids

    latest = [(entry, found[-1]) for entry in entries if (found := entry.folder.grids())]
    if latest:
        columns = []
        for entry, (epoch, iteration, file) in latest:
            images = grids.untile(grids.read_picture(file), entry.folder.read().image_size)[:faces]
            columns.append((f"{entry.system}\nepoch {epoch}, iteration {iteration}", images))
        grids.save(grids.side_by_side(columns), path / "comparison.png")
    logs = {entry.system: log for entry in entries if len(log := _log(entry))}
    if logs:
        unbounded = [entry.system for entry in entries if not entry.probability]
        grids.save(grids.losses_of(logs, unbounded), path / "curves.png")
    try:
        with atomic_write(path / "comparison.csv") as beside:
            table(entries).to_csv(beside, index=False)
    except PermissionError as error:
        print(f"\n{path / 'comparison.csv'} is held by another program ({error.strerror}); close it there.")


def table(entries: list[Entry]) -> pandas.DataFrame:
    """Return one row for each system; what is not known yet is empty.

    ``seconds_per_iteration`` is the median over the rows of the log, so that it leaves out the first steps, in which
    the networks are compiled; ``minutes`` is all of the training. The losses and D's scores are means over the last 20
    iterations. The scores follow, to four digits; ``evaluation/scores.csv`` of the run has all of it.
    """
    import pandas

    from keras_faces.figures.papers import mean_after

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
