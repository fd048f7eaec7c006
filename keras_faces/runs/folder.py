"""The run folder: its files, its configuration, and the trained model in it.

runs/x/config.json              what was asked for
       samples/*.png            grids of the same noise, epoch by epoch
       samples/fresh/*.png      8 faces of new noise at the same moments
       evolution.png            rows: moments of training; columns: the same noise
       evolution.gif            the same as an animation
       log.csv  losses.png      the losses and D's scores
       scores.csv  scores.png   FID and other scores during training, with --score-every
       checkpoint.h5            all state needed to resume, bit for bit
       model.keras              the trained model, written when training has ended
       tensorboard/             with --tensorboard
       .lock                    held while a training writes here

See also ``train.py``, which fills it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from keras_faces.files import atomic_write, open_hdf5
from keras_faces.records import as_record, read_json


class RunError(ValueError):
    """A run folder that cannot be used as asked; the message says what to do."""


@dataclass
class RunConfig:
    """What a training was asked for, as ``config.json`` holds it.

    ``train`` documents the fields. ``precision`` and ``compiler`` may be "auto" until training begins; then they hold
    what was chosen. ``label_names``, ``label_kind`` and ``fingerprint`` are set when the photographs are loaded.
    """

    system: str
    data: str = "drawn"
    image_size: int | None = None
    epochs: int = 20
    batch_size: int = 64
    seed: int = 0
    precision: str = "float32"
    compiler: str = "graph"
    steps_per_execution: int = 1
    backend: str = "tensorflow"
    count: int | None = None
    crop: str = "auto"
    sample_every: int = 200
    checkpoint_every: int = 200
    select: str | None = None
    score_every: int | None = None
    score_features: str = "pixels"
    labels: str | None = None
    keep_labels: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    label_names: list[str] = field(default_factory=list)
    label_kind: str = ""
    fingerprint: str = ""
    from_run: str | None = None

    def check(self) -> None:
        """Raise ValueError if a value of the right type cannot be meant."""
        from keras_faces import models

        check_least(self, image_size=1, epochs=1, batch_size=1, seed=0, steps_per_execution=1, count=1)
        check_least(self, sample_every=1, checkpoint_every=1, score_every=1, keep_labels=1)
        if self.system not in models.SYSTEMS:
            models.lesson(self.system)  # raises; Keras must not be loaded here
        if reserved := {"name", "system", "image_size", "seed", "precision", "label_names", "label_kind"} & set(
            self.options
        ):
            raise ValueError(f"options hold {', '.join(sorted(reserved))}, which is no option of a system.")

    def settle(self) -> str:
        """Replace "auto" by the fastest choice on this machine; return one line that explains it."""
        from keras_faces.fast import autotune

        chosen = autotune.choose(self.precision, self.compiler)
        self.precision, self.compiler = chosen.precision, chosen.compiler
        return chosen.line

    def build(self) -> Any:
        """Build and compile the system."""
        import keras

        from keras_faces import models

        named = {"label_names": self.label_names, "label_kind": self.label_kind} if self.label_names else {}
        model = models.build(self.system, self.image_size, self.seed, self.precision, **self.options, **named)
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = self.compiler == "xla"
        model.steps_per_execution = self.steps_per_execution
        return model

    def faces(self, strict: bool = False, given: Any = None) -> Any:
        """Load, choose and label the photographs, and note the names of their labels.

        Faces that are ``given`` are used instead of ``data``, with the labels that they have. ``strict`` makes an
        unreadable file an error. Raises ValueError as ``kf.data.load`` and ``Faces.labelled`` do, and if the system
        needs labels and there are none, or learns from no labels and some are asked for.
        """
        from keras_faces import data, models

        models.check_labels(self.system, self.labels, self.keep_labels)
        faces = given
        if given is None:
            where = {"count": self.count, "seed": self.seed, "crop": self.crop, "strict": strict}
            faces = data.load(self.data, self.image_size, **where)
        faces = faces.select(self.select) if self.select else faces
        if self.labels:
            faces = faces.labelled(self.labels) if faces.labels is None else faces
            faces = faces.with_labels_of(self.keep_labels, self.seed) if self.keep_labels else faces
            models.check_label_kind(self.system, faces.labels.kind)
            self.note_labels(faces)
        return faces

    def note_labels(self, faces: Any) -> None:
        """Note the names and the kind of the faces' labels; the system is built with them."""
        self.label_names, self.label_kind = list(faces.labels.names), faces.labels.kind


class RunFolder:
    """The paths of a run and its configuration.

    Parameters
    ----------
    path : str or Path
        The folder; it need not exist.
    """

    OTHER_IMAGES = (
        "Put them back to go on; or begin a new run on others with its weights: --from {path} (from_run=) and another "
        "--out."
    )

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.checkpoint = self.path / "checkpoint.h5"
        self.samples = self.path / "samples"
        self.fresh = self.samples / "fresh"
        self.log = self.path / "log.csv"
        self.model = self.path / "model.keras"

    def check_free(self) -> None:
        """Raise RunError if the folder exists and is not empty, or if a file has its name."""
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            way_out = "Go on with it by --resume (resume=True), or choose" if self.config_file.exists() else "Choose"
            raise RunError(f"{self.path} is there already and is not overwritten. {way_out} another --out.")

    def check_same(self, config: Any, faces: Any) -> None:
        """Raise RunError if the faces are not the images that the training of ``config`` began with."""
        if config.fingerprint not in ("", faces.fingerprint()):
            raise RunError(
                f"{config.data} no longer holds the images that {self.path} was trained on. "
                f"{self.OTHER_IMAGES.format(path=self.path)}"
            )

    def check_checkpoint(self, config: RunConfig) -> None:
        """Raise RunError if the training came to a checkpoint once, and the checkpoint is not there any more."""
        if self.checkpoint.exists():
            return
        last = max(((epoch, iteration) for epoch, iteration, _ in self.grids()), default=(0, 0))
        first = config.checkpoint_every + config.steps_per_execution
        if not self.model.exists() and last < (2, 0) and last[1] < first:
            return  # broken off before its first checkpoint: begins anew
        there = "model.keras, the trained model" if self.model.exists() else "grids and log.csv"
        more = f" with its weights, by --from {self.path}," if self.model.exists() else ""
        raise RunError(
            f"{self.path} has no checkpoint.h5 to go on from. It holds {there}, until epoch {last[0]}, iteration "
            f"{last[1]}; nothing was changed. Put checkpoint.h5 back, or begin a new run{more} in another --out."
        )

    def write(self, config: Any) -> None:
        """Write ``config.json``; the folder is made."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.config_file, asdict(config))

    def read(self) -> RunConfig:
        """Read ``config.json``; raise RunError if there is none, or it cannot be used."""
        try:
            found = read_json(self.config_file)
            if "steps_per_call" in found:  # written before the option was renamed
                found["steps_per_execution"] = found.pop("steps_per_call")
            return as_record(RunConfig, found, self.config_file, RunConfig.check)
        except (FileNotFoundError, NotADirectoryError):
            raise RunError(f"{self.path} is no run folder: it has no config.json.") from None
        except ValueError as error:
            raise RunError(str(error)) from error

    def place(self) -> tuple[int, int]:
        """Return epoch and iteration of the last checkpoint, counted from 1; raise RunError if it cannot be read."""
        try:
            with open_hdf5(self.checkpoint) as file:
                return int(file.attrs["epoch"]), int(file.attrs["iteration"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.checkpoint} is no checkpoint that can be read: {error}") from error

    def is_finished(self, epochs: int) -> bool:
        """Return whether ``epochs`` epochs are done and ``model.keras`` was written after the last checkpoint."""
        if not (self.checkpoint.exists() and self.model.exists()):
            return False
        try:
            done, _ = self.place()
        except RunError:
            return False  # a training that goes on says what is wrong
        return done >= epochs and self.model.stat().st_mtime >= self.checkpoint.stat().st_mtime

    def grids(self, fresh: bool = False) -> list[tuple[int, int, Path]]:
        """Return the sample grids, or those of fresh noise, as ``(epoch, iteration, file)`` in order of training."""
        found = []
        for file in (self.fresh if fresh else self.samples).glob("epoch*.png"):
            if match := re.fullmatch(r"epoch(\d+)-(\d+)\.png", file.name):
                found.append((int(match[1]), int(match[2]), file))
        return sorted(found)


def write_json(file: Path, content: Any) -> None:
    """Write ``content`` as JSON; an older file stays until the new one is whole."""
    with atomic_write(file) as beside:
        beside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def given(kind: type, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a function that are fields of the dataclass ``kind`` and not None."""
    fields = kind.__dataclass_fields__
    return {
        name: fspath(value) if isinstance(value, PathLike) else value
        for name, value in arguments.items()
        if name in fields and value is not None
    }


def check_least(config: Any, **least: int) -> None:
    """Raise ValueError if a whole number in a configuration is smaller than it may be; None is no number."""
    for name, smallest in least.items():
        value = getattr(config, name)
        if value is not None and value < smallest:
            raise ValueError(f"{name} is {value}, and must be {smallest} or more.")


def go_on(
    path: Path, config: Any, asked: dict[str, Any], free: Collection[str], way_out: str = "choose another --out"
) -> Any:
    """Change the configuration of a run that goes on, in place, and return it.

    Parameters
    ----------
    path : Path
        Of the run, for the error message.
    config : RunConfig or another dataclass
        What the run was begun with.
    asked : dict
        What is asked for now; "auto" keeps what the run chose.
    free : collection of str
        Names that may change. RunError is raised if another one differs.
    way_out : str
        For the error message: what to do to have it otherwise.
    """
    for key, value in asked.items():
        if value == getattr(config, key) or (value == "auto" and key in ("precision", "compiler")):
            continue
        if key not in free:
            raise RunError(
                f"{path} was begun with {key} {getattr(config, key)!r}, not {value!r}: "
                f"leave the option out to go on, or {way_out}."
            )
        setattr(config, key, value)
    return config


def facts_of_given(faces: Any, image_size: int | None, count: int | None, crop: str | None) -> tuple[str, int, int]:
    """Return source, image size and number of faces that are loaded already; raise ValueError if an option differs."""
    if count is not None or crop is not None:
        raise ValueError("count and crop are for data that are still to be loaded; choose faces by faces.take(...).")
    if image_size not in (None, faces.image_size):
        raise ValueError(f"image_size={image_size}: these faces have {faces.image_size}; leave it out, or load others.")
    return "drawn" if faces.source.startswith("drawings") else faces.source, faces.image_size, len(faces)


def trained_run(path: str | Path) -> tuple[RunFolder, RunConfig, Any]:
    """Return the folder, the configuration and the model of a run, with the weights of its last checkpoint.

    Raises RunError if ``path`` is not a run folder; FileNotFoundError or CheckpointError without a fitting checkpoint.
    """
    from keras_faces.runs.backend import use_backend

    folder = RunFolder(path)
    config = folder.read()
    use_backend(config.backend)
    from keras_faces.training import checkpoint

    model = config.build()
    checkpoint.load(folder.checkpoint, model)
    return folder, config, model
