"""Train a classifier of faces: ``kf.classify`` and, with the same function, ``keras-faces classify``.

runs/c/config.json       what was asked for, and the names of the classes or attributes
       log.csv           loss and accuracy of each epoch, on the training's faces and on held-out ones (``val_``)
       accuracy.png      the same as curves
       classifier.keras  C of table 3.3 (``models/networks/classifier.py``) after the last whole epoch
       checkpoint.h5     all state needed to resume after that epoch, bit for bit
       report.json       accuracy of each label, beside that of always giving the commonest answer
       mistakes.png      held-out faces that C got wrong with the greatest certainty
       .lock             held while a training writes here

The learning rate falls along a cosine to zero, and the last epoch is kept. No epoch is chosen by its held-out accuracy,
so that this stays an honest one.

See also ``classifier_report.py`` (how it is judged), ``metrics/features/classifier.py`` (scores by its features).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import atomic_write, lock
from keras_faces.models.networks import trained_classifier
from keras_faces.records import as_record
from keras_faces.runs.classifier_report import MOST_HELD_OUT, curves, report
from keras_faces.runs.folder import RunError, RunFolder, check_least, facts_of_given, given, go_on

if TYPE_CHECKING:
    from keras_faces.data import Faces
    from keras_faces.data.labels import Labels

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass
class ClassifierConfig:
    """What a classifier was asked for, as ``config.json`` holds it; :func:`classify` documents the fields.

    ``kind``, ``names`` and ``fingerprint`` are set by the training, and ``precision`` if it is "auto".
    """

    data: str = "drawn"
    labels: str = "Smiling"
    image_size: int = 64
    epochs: int = 12
    batch_size: int = 64
    width: int = 32
    learning_rate: float = 1e-3
    held_out: float = 0.1
    seed: int = 0
    precision: str = "float32"
    backend: str = "tensorflow"
    count: int | None = None
    crop: str = "auto"
    kind: str = ""
    names: list[str] = field(default_factory=list)
    fingerprint: str = ""
    what: str = "classifier"

    def check(self) -> None:
        """Raise ValueError if a value of the right type cannot be meant."""
        check_least(self, image_size=1, epochs=1, batch_size=1, width=1, seed=0, count=1)


class ClassifierFolder(RunFolder):
    """The paths of a classifier's run, see :class:`RunFolder`."""

    OTHER_IMAGES = "Put them back to go on, or train anew in another folder."

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.network = self.path / "classifier.keras"
        self.report = self.path / "report.json"

    def read(self) -> ClassifierConfig:
        """Read ``config.json``; raise ValueError if this is not a classifier's folder, or it cannot be used."""
        found = trained_classifier.read_config(self.path)
        return as_record(ClassifierConfig, found, self.config_file, ClassifierConfig.check)

    def finished(self) -> bool:
        """Return whether all of its epochs are done and judged."""
        if not (self.report.exists() and self.log.exists()):
            return False
        return len(self.log.read_text(encoding="utf-8").splitlines()) - 1 == self.read().epochs

    def load(self) -> Any:
        """Return the trained C, see :func:`keras_faces.models.networks.trained_classifier.load_network`."""
        return trained_classifier.load_network(self.path)


def classify(
    labels: str | None = None,
    data: str | Path | Faces | None = None,
    *,
    image_size: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    width: int | None = None,
    learning_rate: float | None = None,
    held_out: float | None = None,
    seed: int | None = None,
    precision: str | None = None,
    count: int | None = None,
    crop: str | None = None,
    strict: bool = False,
    backend: str | None = None,
    out: str | Path = "runs/classifier",
    resume: bool = False,
    verbose: str | int = "auto",
) -> dict[str, Any]:
    """Train a classifier of faces into a run folder, as ``keras-faces classify`` does.

    None means not given: a new run takes the default in parentheses, a run that is resumed keeps its own value.

    Parameters
    ----------
    labels : str
        What to tell apart: "Smiling, Male" (attributes), "man = Male; girl = Young & !Male" (classes), "identity:20"
        (people with 20 pictures or more), "table.csv:column".
    data : str, Path or Faces
        "drawn" (default), a folder, a packed .h5 file, or faces that are loaded already; labels that they have stay.
    image_size, epochs, batch_size : int
        Side in pixels (64), epochs in all (12), photographs in each step (64).
    width : int
        Channels of the first layer (32; the source has 64).
    learning_rate : float
        Of Adam at the beginning (0.001); it falls to zero.
    held_out : float
        Share of the faces that it is judged by, above 0 and below 1 (0.1).
    seed : int
        Of weights, order and split (0).
    precision, count, crop, strict, backend, verbose
        As in ``kf.train``.
    out : str or Path
        The run folder.
    resume : bool
        Go on after the last whole epoch of the run in ``out``. Of one that is finished the report is returned; where
        there is none, a new one begins.

    Returns
    -------
    dict
        What ``report.json`` holds, see :func:`classifier_report.report`. As features for scores, the classifier is
        called "classifier:OUT".

    Raises
    ------
    ValueError
        If no labels are given, for labels that these faces do not have, faces that do not fill a batch, or a loss that
        is not finite. RunError, if the folder is in use or was begun with other settings.
    """
    from keras_faces.runs.backend import backend_name, use_backend

    folder, faces = ClassifierFolder(out), None
    if data is not None and not isinstance(data, (str, PathLike)):
        faces = data
        data, image_size, count = facts_of_given(faces, image_size, count, crop)
        if labels is None and faces.labels is not None:
            labels = ", ".join(faces.labels.names)
    asked = given(ClassifierConfig, locals())
    resume = resume and folder.config_file.exists()
    if resume:
        if faces is not None:
            del asked["count"]  # the fingerprint tells whether these are the same faces
        config = go_on(folder.path, folder.read(), asked, free=("data",))
        use_backend(config.backend)
        if folder.finished():
            return json.loads(folder.report.read_text(encoding="utf-8"))
    else:
        folder.check_free()
        if labels is None:
            raise ValueError('--labels is missing: what to tell apart, such as --labels "Smiling, Male".')
        use_backend(backend)
        config = ClassifierConfig(**{"precision": "auto", "backend": backend_name(), **asked})
    if faces is None:
        from keras_faces.data import load

        where = {"count": config.count, "seed": config.seed, "crop": config.crop, "strict": strict}
        faces = load(config.data, config.image_size, **where)
    faces = faces.labelled(config.labels) if faces.labels is None else faces
    if verbose != 0:
        print(faces.summary())
    return train_classifier(folder, config, faces, resume=resume, verbose=verbose)


def split(labels: Labels, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split faces by a seed into those to learn from and those held out.

    Each class gives the same share, and keeps at least one face to learn from. At most 5,000 faces are held out.

    Parameters
    ----------
    labels : Labels
        Of N faces.
    held_out : float
        The share, above 0 and below 1.
    seed : int
        Same seed, same split.

    Returns
    -------
    training, held_out : ndarray of int64
        Indices in rising order.

    Raises
    ------
    ValueError
        If the share is out of range or leaves one side without a face.
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out={held_out}: must be above 0 and below 1; 0.1 is usual.")
    held_out = min(held_out, MOST_HELD_OUT / max(1, len(labels)))
    order = np.random.default_rng(seed).permutation(len(labels))
    group = labels.class_ids[order] if labels.kind == "classes" else np.zeros(len(order), int)
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


def train_classifier(
    folder: ClassifierFolder,
    config: ClassifierConfig,
    faces: Faces,
    *,
    resume: bool = False,
    verbose: str | int = "auto",
) -> dict[str, Any]:
    """Train what ``config`` says on labelled ``faces``; :func:`classify` calls this, and documents result and errors.

    With ``resume``, ``config`` is what ``folder.read()`` gives, and it goes on from ``checkpoint.h5``: the weights
    at the end are, bit for bit, those of a training never interrupted.
    """
    import keras

    from keras_faces.fast.autotune import choose

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
        epochs = {"initial_epoch": batches.epoch, "epochs": config.epochs, "verbose": verbose}
        try:
            model.fit(batches, validation_data=unseen, callbacks=watchers, **epochs)
        finally:
            if folder.network.exists():
                how = f"{config.held_out:.0%} held out by seed {config.seed}"
                found = report(folder.load(), faces, learned, held_out, config.seed, how, folder.path)
    if not folder.network.exists():
        raise ValueError("the loss is no finite number any more: try a smaller --learning-rate or --precision float32.")
    return found


def _model(config: ClassifierConfig, steps: int) -> Any:
    import keras

    from keras_faces.fast.door import accelerate
    from keras_faces.models.networks import classifier

    keras.utils.set_random_seed(config.seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[config.precision])
    try:
        rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
        model = classifier.build(config.image_size, config.names, config.width, config.kind, rate, config.seed)
        return accelerate(model)
    finally:
        keras.config.set_dtype_policy(before)


def _begin(folder: ClassifierFolder, model: Any) -> int:
    """Put the checkpoint into the model and cut the log there; return how many epochs are done."""
    import pandas

    from keras_faces.training import checkpoint

    if not folder.checkpoint.exists():
        if folder.network.exists():
            raise RunError(f"{folder.path} has no checkpoint.h5 to go on from; train anew in another folder.")
        return 0
    done, _ = checkpoint.load(folder.checkpoint, model)
    log = pandas.read_csv(folder.log, dtype=str)
    with atomic_write(folder.log) as beside:
        log[log["epoch"].astype(int) < done].to_csv(beside, index=False)
    return done


def _keep(folder: ClassifierFolder, model: Any, done: int) -> None:
    """Write curves, network and checkpoint after ``done`` epochs; weights that are not finite are not kept."""
    import pandas

    from keras_faces.figures import grids
    from keras_faces.training import checkpoint

    if folder.log.exists() and len(log := pandas.read_csv(folder.log)):
        grids.save(curves(log), folder.path / "accuracy.png")
    network = model.layers[-1]
    if all(np.isfinite(weights).all() for weights in network.get_weights()):
        with atomic_write(folder.network) as beside:
            network.save(beside)
        checkpoint.save(folder.checkpoint, model, epoch=done, iteration=int(model.optimizer.iterations))
