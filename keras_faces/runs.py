"""The run folder: everything to show and to go on with, and the training that fills it.

runs/x/config.json              what was asked for
       samples/*.png            grids of the same noise, epoch by epoch
       samples/fresh/*.png      8 faces of new noise at the same moments
       evolution.png            rows: moments of training; columns: the same noise
       evolution.gif            the same as an animation
       log.csv  losses.png      the losses and D's scores
       scores.csv  scores.png   FID and its kin while it trains, with --score-every
       checkpoint.h5            everything that training needs to go on, bit for bit
       model.keras              the trained model, once training is over
       tensorboard/             with --tensorboard
       .lock                    held while a training writes here
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import lock, replacing

if TYPE_CHECKING:
    from keras_faces.training.devices import Devices


class RunError(ValueError):
    """A run folder that cannot be used as asked; the message names the way out."""


@dataclass
class RunConfig:
    """What a training was asked for; ``config.json`` holds it."""

    system: str
    data: str = "drawn"
    image_size: int | None = None
    epochs: int = 20
    batch_size: int = 64
    seed: int = 0
    precision: str = "float32"  # "auto" until training begins, then what was chosen; the compiler likewise
    compiler: str = "graph"
    steps_per_call: int = 1
    backend: str = "tensorflow"
    count: int | None = None
    crop: str = "auto"
    sample_every: int = 200
    checkpoint_every: int = 200
    select: str | None = None  # of the data: "Smiling & !Eyeglasses"
    score_every: int | None = None  # iterations; None: no scores while it trains
    score_features: str = "pixels"
    labels: str | None = None  # for conditional systems: "Smiling, Male", see data/labels.py
    keep_labels: int | None = None  # hide all labels but so many, for semi-supervised systems
    options: dict[str, Any] = field(default_factory=dict)
    label_names: list[str] = field(default_factory=list)  # these three are filled in when the data are loaded
    label_kind: str = ""
    fingerprint: str = ""

    def settle(self) -> str:
        """Put what is fastest on this machine in the place of "auto"; returns a line that explains it."""
        from keras_faces.training import choices

        chosen = choices.choose(self.precision, self.compiler)
        self.precision, self.compiler = chosen.precision, chosen.compiler
        return chosen.line

    def build(self):
        """The system that this asks for, compiled."""
        import keras

        from keras_faces import models

        named = {"label_names": self.label_names, "label_kind": self.label_kind} if self.label_names else {}
        model = models.build(self.system, self.image_size, self.seed, self.precision, **self.options, **named)
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = self.compiler == "xla"
        model.steps_per_execution = self.steps_per_call
        return model

    def faces(self, strict: bool = False):
        """The photographs that this asks for, chosen and labelled; the names of the labels are noted here.

        Raises
        ------
        ValueError
            As ``kf.data.load`` and ``Faces.labelled`` do; if the system learns from labels and none are asked for, or
            the other way round.
        """
        from keras_faces import data, models

        models.check_labels(self.system, self.labels, self.keep_labels)
        faces = data.load(self.data, self.image_size, count=self.count, seed=self.seed, crop=self.crop, strict=strict)
        faces = faces.select(self.select) if self.select else faces
        faces = faces.labelled(self.labels) if self.labels else faces
        faces = faces.with_labels_of(self.keep_labels, self.seed) if self.keep_labels else faces
        if faces.labels is not None:
            models.check_label_kind(self.system, faces.labels.kind)
            self.label_names, self.label_kind = list(faces.labels.names), faces.labels.kind
        return faces


class RunFolder:
    """The paths of a run and its configuration."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.checkpoint = self.path / "checkpoint.h5"
        self.samples = self.path / "samples"
        self.fresh = self.samples / "fresh"
        self.log = self.path / "log.csv"
        self.model = self.path / "model.keras"

    def check_free(self) -> None:
        """Stop before a folder that holds anything is written over.

        Raises
        ------
        RunError
            If the folder exists and is not empty, or if a file has its name.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            way_out = "Go on with it by --resume, or choose" if self.config_file.exists() else "Choose"
            raise RunError(f"{self.path} is there already and is not overwritten. {way_out} another --out.")

    def check_same(self, config: Any, faces: Any) -> None:
        """Stop before a training goes on with other images than it was begun with.

        Raises
        ------
        RunError
            If the fingerprint of the faces is not that of ``config``.
        """
        if config.fingerprint not in ("", faces.fingerprint()):
            raise RunError(f"{config.data} no longer holds the images that {self.path} was trained on; train anew.")

    def write(self, config: RunConfig) -> None:
        """Make the folder if it is not there, and write ``config.json``."""
        self.samples.mkdir(parents=True, exist_ok=True)
        with replacing(self.config_file) as beside:
            beside.write_text(json.dumps(asdict(config), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def read(self) -> RunConfig:
        """Read ``config.json``.

        Raises
        ------
        RunError
            If the folder is no run folder or its configuration is damaged.
        """
        try:
            return RunConfig(**json.loads(self.config_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise RunError(f"{self.path} is no run folder: it has no config.json.") from None
        except (ValueError, TypeError) as error:
            raise RunError(f"{self.config_file} is damaged: {error}") from error

    def grids(self, fresh: bool = False) -> list[tuple[int, int, Path]]:
        """The sample grids, or those of fresh noise, in the order of training: ``(epoch, iteration, file)``."""
        found = []
        for file in (self.fresh if fresh else self.samples).glob("epoch*.png"):
            if match := re.fullmatch(r"epoch(\d+)-(\d+)\.png", file.name):
                found.append((int(match[1]), int(match[2]), file))
        return sorted(found)


def train(
    folder: RunFolder,
    config: RunConfig,
    faces: Any,
    *,
    resume: bool = False,
    devices: Devices | None = None,
    callbacks: Sequence[Any] = (),
    **watching,
) -> Any:
    """Train a system into a run folder, from the beginning or on from its checkpoint.

    The folder is made, and ``config.json`` written, when the networks and the data have been found to fit.

    Parameters
    ----------
    faces
        The photographs, as ``kf.data.load`` gives them.
    resume
        Go on from ``checkpoint.h5``. The weights at the end are, bit for bit, those of a training never interrupted.
    devices
        Where to train, as ``training/devices.py`` found them; ``None`` for one device. ``batch_size`` is that of all.
    callbacks
        More Keras callbacks.
    watching
        ``show``, ``pause``, ``tensorboard``: booleans, see the command line.

    Returns
    -------
    The trained model.
    """
    import keras

    from keras_faces.training.devices import Devices

    devices = devices or Devices()
    if resume:
        folder.check_same(config, faces)
    config.fingerprint = faces.fingerprint()
    config.backend = keras.backend.backend()
    config.settle()
    devices.check_batch(config.batch_size)
    asked = (config.system, config.fingerprint, config.precision, config.batch_size, config.seed, config.options)
    devices.check_same(", ".join(map(str, asked)))
    with devices.scope(), devices.own_folder(folder.path) as place:
        begun = folder.checkpoint if resume and folder.checkpoint.exists() else None
        return _train(RunFolder(place), config, faces, begun, resume, devices, callbacks, watching)


def _train(folder, config, faces, begun: Path | None, resume: bool, devices, callbacks, watching: dict) -> Any:
    """:func:`train` into the folder of this process; ``begun`` is the checkpoint to go on from."""
    from keras_faces.training import checkpoint
    from keras_faces.training.callbacks import Progress
    from keras_faces.training.waiting import Waiting

    with devices.making():
        model = config.build()
    part = (devices.process, devices.processes)
    batches = model.batches(faces, config.batch_size * model.d_steps, config.seed, part)
    progress = Progress(iterations=len(batches), call=config.steps_per_call)
    waiting = Waiting(batches)
    reference = _reference(config, faces)
    if not resume:
        folder.check_free()
    folder.path.mkdir(parents=True, exist_ok=True)
    with open(folder.path / ".lock", "ab") as held:
        lock(held, folder.path)
        if begun is not None:
            progress.epoch, progress.iteration = checkpoint.load(begun, model)
        folder.write(config)
        _tidy(folder, progress)
        watchers = [*_watchers(folder, config, model, progress, reference, **watching), *callbacks]
        try:
            _fit(model, batches, progress, config.epochs, [*watchers, waiting])
        finally:
            draw_pictures(folder, config)
        _export(folder, model)
    if waiting.total:
        print(f"Of the steps' time, {waiting.share:.1%} was spent waiting for photographs.")
    return model


def _fit(model, batches, progress, epochs: int, callbacks: list) -> None:
    """Keras's ``fit``; an epoch that was interrupted is finished first."""
    done = progress.epoch if progress.epoch_is_over else max(0, progress.epoch - 1)
    batches.epoch = done
    if not progress.epoch_is_over and progress.iteration:
        batches.start = progress.iteration
        model.fit(batches, initial_epoch=done, epochs=done + 1, callbacks=callbacks)
        done += 1
    if done < epochs:
        model.fit(batches, initial_epoch=done, epochs=epochs, callbacks=callbacks)


def _reference(config: RunConfig, faces: Any):
    """With ``--score-every``: a thousand of the photographs, at most, to measure the distance to while it trains."""
    if not config.score_every:
        return None
    from keras_faces.evaluate import Photographs, Reference, some
    from keras_faces.training.scoring import ScoreCurve

    chosen = faces.take(some(len(faces), ScoreCurve.COUNT, config.seed))
    return Reference(Photographs(chosen, None, ""), config.score_features, seed=config.seed)


def _watchers(folder, config, model, progress, reference, show=False, pause=False, tensorboard=False) -> list:
    """The callbacks of a run. What is written before the checkpoint is there whenever the checkpoint is."""
    import keras

    from keras_faces.training import callbacks as watch
    from keras_faces.training.sampling import latent_noise

    noise = latent_noise(64, model.latent_dim, config.seed)
    grids = watch.SampleGrids(folder.samples, progress, noise, config.sample_every, fresh_seed=config.seed)
    watchers = [
        watch.Count(progress),
        watch.Watch(progress),
        watch.TrainingLog(folder.log, progress, model.NUMBERS),
        grids,
        watch.Checkpoint(folder.checkpoint, progress, config.checkpoint_every),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: draw_pictures(folder, config, gif=False)),
    ]
    watchers[-2:-2] = model.watchers(folder.path, progress, config.sample_every)
    if reference is not None:
        from keras_faces.training.scoring import ScoreCurve

        watchers.insert(-2, ScoreCurve(folder.path, progress, reference.scores, config.score_every, config.seed))
    if show:
        watchers.append(watch.LiveWindow(grids))
    if tensorboard:
        watchers.append(keras.callbacks.TensorBoard(folder.path / "tensorboard", update_freq=20, write_graph=False))
    if pause:
        watchers.append(watch.Pause(progress))
    return watchers


def draw_pictures(folder: RunFolder, config: RunConfig, gif: bool = True, rows: int = 8, columns: int = 8) -> None:
    """Draw ``losses.png``, ``evolution.png`` and ``evolution.gif`` from what the run folder holds so far."""
    import pandas

    from keras_faces import plots

    if folder.log.exists() and len(log := pandas.read_csv(folder.log)):
        plots.save(plots.losses(log, title=config.system), folder.path / "losses.png")
    grids = folder.grids()
    if not grids:
        return
    size = config.image_size
    chosen = sorted(set(np.geomspace(1, len(grids), min(rows, len(grids))).round().astype(int) - 1))
    lines = [
        (f"epoch {epoch}\niteration {iteration}", plots.untile(plots.read_picture(file), size)[:columns])
        for epoch, iteration, file in (grids[index] for index in chosen)
    ]
    plots.save(plots.evolution(lines, title=config.system), folder.path / "evolution.png")
    if gif:
        frames = [grids[index][2] for index in sorted(set(np.linspace(0, len(grids) - 1, 60).round().astype(int)))]
        plots.animation([plots.read_picture(file) for file in frames], folder.path / "evolution.gif")


def _tidy(folder: RunFolder, progress) -> None:
    """Remove what a killed process left: half-written files, and grids after the checkpoint (they are made again)."""
    for place in (folder.path, folder.samples, folder.fresh):
        for half in place.glob(".*.part*"):
            half.unlink()
    for epoch, iteration, file in (*folder.grids(), *folder.grids(fresh=True)):
        if (epoch, iteration) > (progress.epoch, progress.iteration):
            file.unlink()


def _export(folder: RunFolder, model) -> None:
    """Write ``model.keras``, with the state that pictures are made with: averaged weights, measured statistics.

    ``kf.models.load`` gives it back with ``.generator`` and ``.discriminator``; whoever calls the generator
    in inference mode gets the pictures of the last grid.
    """
    for variable, value in model.sampling_state():
        variable.assign(value)
    with replacing(folder.model) as beside:
        model.save(beside)
