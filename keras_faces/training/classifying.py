"""A classifier's training: Keras's own compile and fit, a split that is stated, and a folder to score with.

runs/c/config.json       what was asked for, and the names of the classes or attributes
       log.csv           loss and accuracy of each epoch, on the training's faces and on held-out ones (``val_``)
       accuracy.png      the same as curves
       classifier.keras  C of table 3.3 (see ``models/classifier.py``), of the last whole epoch
       checkpoint.h5     what training needs to go on after that epoch, bit for bit
       report.json       accuracy of each label beside what always giving the commonest answer would reach
       mistakes.png      held-out faces of which C was most certain and wrong
       .lock             held while a training writes here

The learning rate falls along a cosine to zero, so the last epoch is the one to keep; no epoch is chosen by its
held-out accuracy, which therefore stays an honest one.

Read next: ``classifier_report.py`` (how it is judged), ``commands/classifying.py`` (the command),
``metrics/features/classifier.py`` (who reads the folder).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import lock, replacing
from keras_faces.runs import RunError, RunFolder

if TYPE_CHECKING:
    from keras_faces.data.labels import Labels

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
MOST_HELD_OUT = 5000  # more faces would only cost time: 5,000 tell an accuracy to about 1 %


@dataclass
class ClassifierConfig:
    """What a classifier was asked for; ``config.json`` holds it. The last four are filled in by the training."""

    data: str = "drawn"
    labels: str = "Smiling"
    image_size: int = 64
    epochs: int = 12
    batch_size: int = 64
    width: int = 32
    rate: float = 1e-3
    held_out: float = 0.1
    seed: int = 0
    precision: str = "float32"  # "auto" until the training begins, then what was chosen
    backend: str = "tensorflow"
    count: int | None = None
    crop: str = "auto"
    kind: str = ""
    names: list[str] = field(default_factory=list)
    fingerprint: str = ""
    what: str = "classifier"


class ClassifierFolder(RunFolder):
    """The paths of a classifier's run."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.network = self.path / "classifier.keras"
        self.report = self.path / "report.json"

    def write(self, config: ClassifierConfig) -> None:
        """Write ``config.json``."""
        with replacing(self.config_file) as beside:
            beside.write_text(json.dumps(asdict(config), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def read(self) -> ClassifierConfig:
        """Read ``config.json``.

        Raises
        ------
        RunError
            If this is no folder of `keras-faces classify`, or its configuration is damaged.
        """
        try:
            found = json.loads(self.config_file.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or found.get("what") != "classifier":
                raise RunError(f"{self.path} is a run, but of no classifier; make one by `keras-faces classify`.")
            return ClassifierConfig(**found)
        except FileNotFoundError:
            raise RunError(f"{self.path} is no classifier's run: it has no config.json.") from None
        except RunError:
            raise
        except (ValueError, TypeError) as error:
            raise RunError(f"{self.config_file} is damaged: {error}") from error

    def finished(self) -> bool:
        """Whether all of its epochs are done and judged."""
        if not (self.report.exists() and self.log.exists()):
            return False
        return len(self.log.read_text(encoding="utf-8").splitlines()) - 1 == self.read().epochs

    def load(self) -> Any:
        """The trained C, a Keras model from images in [-1, 1] to logits.

        Raises
        ------
        RunError
            If no epoch of it was finished, or the file is damaged.
        """
        from keras_faces import models

        if not self.network.exists():
            raise RunError(f"{self.path} holds no trained classifier yet: no epoch was finished. Go on by --resume.")
        try:
            return models.load(self.network, compile=False)
        except Exception as error:  # Keras and the zip and HDF5 readers under it raise many kinds
            raise RunError(f"{self.network} cannot be read as a Keras model: {error}. Train it anew.") from error


def split(labels: Labels, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the faces to learn from and of those held out, by a seed.

    Of classes, each gives the same share, and keeps one face at least to learn from. At most 5,000 faces are held out.

    Parameters
    ----------
    labels
        Of N faces.
    held_out
        The share, above 0 and below 1.
    seed
        Same seed, same split.

    Returns
    -------
    Two int64 arrays, in rising order: training and held out.

    Raises
    ------
    ValueError
        If the share is out of range or leaves one side without a face.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out={held_out}: must be above 0 and below 1; 0.1 is usual.")
    held_out = min(held_out, MOST_HELD_OUT / max(1, len(labels)))
    order = np.random.default_rng(seed).permutation(len(labels))
    group = labels.numbers[order] if labels.kind == "classes" else np.zeros(len(order), int)
    chosen = np.zeros(len(order), bool)
    for number in np.unique(group):
        mine = np.flatnonzero(group == number)
        chosen[mine[: min(round(held_out * len(mine)), len(mine) - 1)]] = True
    if not chosen.any():
        raise ValueError(
            f"{held_out:.0%} of {len(labels)} faces in {len(np.unique(group))} classes is not one face to hold out: "
            "take a larger --held-out, more faces, or people with more pictures, such as identity:20."
        )
    return np.sort(order[~chosen]), np.sort(order[chosen])


def train(folder: ClassifierFolder, config: ClassifierConfig, faces: Any, *, resume: bool = False) -> dict[str, Any]:
    """Train C into a folder, from the beginning or on from its last whole epoch.

    Parameters
    ----------
    config
        What is asked for; of a training that goes on, what ``folder.read()`` gives.
    faces
        Labelled faces, as ``kf.data.load(...).labelled(config.labels)`` gives them.
    resume
        Go on from ``checkpoint.h5``. The weights at the end are, bit for bit, those of a training never interrupted.

    Returns
    -------
    What ``report.json`` holds, see ``classifier_report.report``.

    Raises
    ------
    RunError
        If the folder is not empty, or the faces are not those that it was begun with.
    ValueError
        If the faces do not fill a batch, or the loss is no finite number any more.
    """
    import keras

    from keras_faces.training.choices import choose
    from keras_faces.training.classifier_report import report

    if not resume:
        folder.check_free()
    else:
        folder.check_same(config, faces)
    labels = faces.labels
    learned, held_out = split(labels, config.held_out, config.seed)
    config.kind, config.names, config.fingerprint = labels.kind, list(labels.names), faces.fingerprint()
    config.backend = keras.backend.backend()
    if config.precision == "auto":
        config.precision = choose().precision
    if config.precision not in POLICIES:
        raise ValueError(f"precision={config.precision!r}: choose from auto, {', '.join(POLICIES)}.")
    batches = faces.take(learned).batches(min(config.batch_size, len(learned)), seed=config.seed)
    model = _model(config, steps=config.epochs * len(batches))
    unseen = faces.images[held_out], labels.vectors[held_out]

    folder.path.mkdir(parents=True, exist_ok=True)
    with open(folder.path / ".lock", "ab") as held:
        lock(held, folder.path)
        batches.epoch = _begin(folder, model) if resume else 0
        folder.write(config)
        watchers = [
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.CSVLogger(str(folder.log), append=batches.epoch > 0),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: _keep(folder, model, epoch + 1)),
        ]
        epochs = {"initial_epoch": batches.epoch, "epochs": config.epochs}
        try:
            model.fit(batches, validation_data=unseen, callbacks=watchers, **epochs)
        finally:
            if folder.network.exists():
                found = report(folder, config, faces, learned, held_out)
    if not folder.network.exists():
        raise ValueError("the loss is no finite number any more: try a smaller --rate, or --precision float32.")
    return found


def train_once(folder: ClassifierFolder, config: ClassifierConfig, faces: Any) -> None:
    """:func:`train`, unless it is finished; one that was stopped goes on with what it was begun with."""
    if not folder.finished():
        begun = folder.config_file.exists()
        train(folder, folder.read() if begun else config, faces, resume=begun)


def _model(config: ClassifierConfig, steps: int) -> Any:
    import keras

    from keras_faces.models import classifier

    keras.utils.set_random_seed(config.seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[config.precision])
    try:
        rate = keras.optimizers.schedules.CosineDecay(config.rate, steps)
        return classifier.build(config.image_size, config.names, config.width, config.kind, rate, config.seed)
    finally:
        keras.config.set_dtype_policy(before)


def _begin(folder: ClassifierFolder, model: Any) -> int:
    """Put the checkpoint into the model and cut the log there; returns the epochs that are done."""
    import pandas

    from keras_faces.training import checkpoint

    if not folder.checkpoint.exists():
        if folder.network.exists():
            raise RunError(f"{folder.path} has no checkpoint.h5 to go on from; train anew in another folder.")
        return 0
    done, _ = checkpoint.load(folder.checkpoint, model)
    log = pandas.read_csv(folder.log, dtype=str)
    with replacing(folder.log) as beside:
        log[log["epoch"].astype(int) < done].to_csv(beside, index=False)
    return done


def _keep(folder: ClassifierFolder, model: Any, done: int) -> None:
    """After ``done`` epochs: the network, the curves, the checkpoint. Weights that are no numbers are not kept."""
    import pandas

    from keras_faces import plots
    from keras_faces.training import checkpoint
    from keras_faces.training.classifier_report import curves

    if folder.log.exists() and len(log := pandas.read_csv(folder.log)):
        plots.save(curves(log), folder.path / "accuracy.png")
    network = model.layers[-1]
    if all(np.isfinite(weights).all() for weights in network.get_weights()):
        with replacing(folder.network) as beside:
            network.save(beside)
        checkpoint.save(folder.checkpoint, model, epoch=done, iteration=int(model.optimizer.iterations))
