"""Train a system into a run folder: ``kf.train`` and, with the same function, ``keras-faces train``.

See also ``folder.py`` (what a run folder holds), ``callbacks.py`` (what is written during training).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.files import atomic_write, lock
from keras_faces.runs.begin_from import put_weights, read_base
from keras_faces.runs.folder import RunConfig, RunFolder, facts_of_given, given, go_on, trained_run
from keras_faces.runs.memory import memory_in_words

if TYPE_CHECKING:
    from keras_faces.data import Faces
    from keras_faces.fast.devices import Devices

MAY_CHANGE = ("epochs", "data", "score_every", "score_features")  # of a run that goes on


def train(
    system: str,
    data: str | Path | Faces | None = None,
    *,
    image_size: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    out: str | Path | None = None,
    labels: str | None = None,
    seed: int | None = None,
    resume: bool = False,
    from_run: str | Path | None = None,
    select: str | None = None,
    count: int | None = None,
    crop: str | None = None,
    strict: bool = False,
    keep_labels: int | None = None,
    precision: str | None = None,
    compiler: str | None = None,
    steps_per_execution: int | None = None,
    backend: str | None = None,
    devices: int | str = 1,
    hosts: str | None = None,
    host: int | None = None,
    sample_every: int | None = None,
    checkpoint_every: int | None = None,
    score_every: int | None = None,
    score_features: str | None = None,
    tensorboard: bool = False,
    show: bool = False,
    pause: bool = False,
    callbacks: Sequence[Any] = (),
    verbose: str | int = "auto",
    **options: Any,
) -> Any:
    """Train a system into a run folder, as ``keras-faces train`` does.

    None means not given: a new run takes the default in parentheses, a run that is resumed keeps its own value.

    Parameters
    ----------
    system : str
        One of ``kf.models.available()``.
    data : str, Path or Faces
        "drawn" (default), a folder of photographs, a packed .h5 file, or faces that are loaded already.
    image_size : int
        Side of the images in pixels (the source's own; that of the faces, if they are given).
    epochs, batch_size : int
        How often each photograph is seen (20), and photographs in each step of D (64).
    out : str or Path
        The run folder (``runs/SYSTEM``). A folder that is not empty is not overwritten.
    labels : str
        What a conditional system learns: "Smiling, Male", "man = Male; woman = !Male", "identity:20".
    seed : int
        Of weights, noise and the order of the photographs (0).
    resume : bool
        Go on with the run in ``out`` from its checkpoint, bit for bit. A run that is finished is loaded and returned;
        where there is none, a new one begins.
    from_run : str or Path
        Begin a new run with the weights of this one, on other photographs. The system, its options and the image size
        are the same; optimizers begin anew.
    select : str
        Use only faces for which this is true: "Smiling & !Male".
    count, crop, strict
        Of ``kf.data.load``: how many images (all; 10,000 drawn ones), how photographs are cropped ("auto"), and
        whether an unreadable file is an error.
    keep_labels : int
        Hide all labels but this many, for semi-supervised systems.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Of the layers ("auto": the fastest here).
    compiler : {"auto", "graph", "xla"}
        How TensorFlow runs the step ("auto").
    steps_per_execution : int
        Training steps per compiled call, as in Keras (1).
    backend : {"tensorflow", "jax", "torch"}
        What Keras runs on (``KERAS_BACKEND``, else TensorFlow). It must be chosen before Keras is loaded.
    devices, hosts, host
        Several devices and machines, see ``fast/devices.py``.
    sample_every, checkpoint_every : int
        Iterations between sample grids (200) and between checkpoints (200); both are written at each epoch's end, too.
    score_every : int
        Iterations between scores (no scores).
    score_features : str
        What the scores compare, as in ``kf.metrics.features.get`` ("pixels").
    tensorboard, show, pause : bool
        Write curves for TensorBoard; show the faces in a window; wait for Enter after each epoch.
    callbacks : sequence of keras.callbacks.Callback
        Added to those of the run folder.
    verbose : "auto", 0, 1 or 2
        As in Keras's ``fit``; 0 prints nothing.
    **options
        Options of the system and of its training, as ``kf.models.build`` takes them: ``loss``, ``average``, ``r1``,
        ``d_steps``, ``separate_batches``, ``label_smoothing``, ``stages``, ``latent_dim``, ``width``, ... They are
        written to ``config.json``, so they must be numbers, texts, lists or dicts.

    Returns
    -------
    keras.Model
        The trained model, with ``.sample(count)``, ``.generator`` and what else the system has.

    Raises
    ------
    ValueError
        For an unknown system or option, a size that the networks cannot make, photographs that do not fill a batch.
        RunError, if the folder is in use or was begun with other settings. Nothing has been written then.
    TrainingStopped
        If training diverges or collapses; pictures, log and the last checkpoint are kept.
    """
    from keras_faces.runs.backend import backend_name, use_backend

    folder, faces = RunFolder(out or Path("runs") / system), None
    if data is not None and not isinstance(data, (str, PathLike)):
        faces = data
        data, image_size, count = facts_of_given(faces, image_size, count, crop)
    asked = given(RunConfig, {**locals(), "options": None})
    resume = resume and folder.config_file.exists()
    config = folder.read() if resume else None
    if resume and faces is not None:
        del asked["count"]  # the fingerprint tells whether these are the same faces
    if not resume and not host:
        folder.check_free()
    use_backend(config.backend if config is not None and backend is None else backend)
    from keras_faces import models
    from keras_faces.fast import autotune
    from keras_faces.fast.devices import connect
    from keras_faces.models.options import standard_options

    autotune.prepare(backend_name())
    options = standard_options(system, _plain(options))
    if config is None:
        chosen = {"precision": "auto", "compiler": "auto", "backend": backend_name(), "options": options}
        if from_run is not None:
            base = read_base(from_run, {**asked, **({"options": options} if options else {})})
            chosen |= {"image_size": base.image_size, "options": base.options, "labels": base.labels}
        config = RunConfig(**{**chosen, **asked})
        config.image_size = config.image_size or models.lesson(system).IMAGE_SIZE
    else:
        config.options = standard_options(config.system, config.options)
        go_on(folder.path, config, {**asked, **({"options": options} if options else {})}, MAY_CHANGE)
        folder.check_checkpoint(config)
        if folder.is_finished(config.epochs):
            _say(verbose, f"{folder.path} is finished (epochs: {config.epochs}); its model is loaded.")
            return trained_run(folder.path)[2]

    where = connect(devices, hosts, host)
    if getattr(faces, "labels", None) is not None and not labels and getattr(models.lesson(system), "LABELS", ()):
        config.labels = ", ".join(faces.labels.names)
    faces = config.faces(strict, faces)
    _say(verbose, faces.summary())
    _say(verbose, config.settle())
    if where.spread:
        _say(verbose, f"Each batch is cut in {len(where.names)} parts: {', '.join(where.names)}.")
    _say(verbose, f"Training {system} at {config.image_size}×{config.image_size}; watch {folder.samples}")
    watching = {"show": show, "pause": pause, "tensorboard": tensorboard}
    model = train_run(
        folder, config, faces, resume=resume, devices=where, callbacks=callbacks, verbose=verbose, **watching
    )
    if where.process:
        _say(verbose, f"\nDone. Process 0 has written {folder.path}.")
    return model


def _say(verbose: str | int, text: str) -> None:
    if verbose != 0:
        print(text)


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """The options as ``config.json`` gives them back: tuples are lists, paths are texts."""

    def convert(value: Any) -> Any:
        if isinstance(value, PathLike):
            return fspath(value)
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise ValueError(f"{value!r} cannot be written to config.json: pass it to kf.models.build, and train by fit.")

    return json.loads(json.dumps(options, default=convert))


def train_run(
    folder: RunFolder,
    config: RunConfig,
    faces: Faces,
    *,
    resume: bool = False,
    devices: Devices | None = None,
    callbacks: Sequence[Any] = (),
    verbose: str | int = "auto",
    show: bool = False,
    pause: bool = False,
    tensorboard: bool = False,
) -> Any:
    """Train what ``config`` says on ``faces`` into a run folder; :func:`train` calls this and documents the rest.

    The folder is made, and ``config.json`` written, when the networks and the data have been found to fit. With
    ``resume`` it goes on from ``checkpoint.h5``: the weights at the end are, bit for bit, those of a training never
    interrupted. ``devices`` are those that ``fast/devices.py`` found, one by default.
    """
    import keras

    from keras_faces.fast.devices import Devices

    devices = devices or Devices()
    if resume:
        folder.check_same(config, faces)
        folder.check_checkpoint(config)
    config.fingerprint = faces.fingerprint()
    config.backend = keras.backend.backend()
    config.settle()
    devices.check_batch(config.batch_size)
    asked = (config.system, config.fingerprint, config.precision, config.batch_size, config.seed, config.options)
    devices.check_same(", ".join(map(str, asked)))
    watching = {"callbacks": callbacks, "show": show, "pause": pause, "tensorboard": tensorboard, "verbose": verbose}
    with devices.scope(), devices.own_folder(folder.path) as place:
        begun = folder.checkpoint if resume and folder.checkpoint.exists() else None
        with memory_in_words(config.batch_size, config.image_size):
            return _train(RunFolder(place), config, faces, begun, resume, devices, **watching)


def _train(folder, config, faces, begun: Path | None, resume: bool, devices, callbacks, verbose, **watching) -> Any:
    """:func:`train_run` in the folder of this process; ``begun`` is the checkpoint to go on from."""
    from keras_faces.runs.callbacks import Checkpoint, Interruption, Progress, TrainingLog
    from keras_faces.runs.end_time import EndTime
    from keras_faces.training import checkpoint

    with devices.making():
        model = config.build()
    if begun is None and config.from_run:
        _say(verbose, put_weights(config, model))
    part = (devices.process, devices.processes)
    batches = model.batches(faces, config.batch_size * model.d_steps, config.seed, part)
    progress = Progress(iterations=len(batches), steps_per_execution=config.steps_per_execution)
    reference = _reference(config, faces)
    if not resume:
        folder.check_free()
    folder.path.mkdir(parents=True, exist_ok=True)
    with open(folder.path / ".lock", "ab") as held:
        lock(held, folder.path)
        if begun is not None:
            progress.epoch, progress.iteration = checkpoint.load(begun, model)
        folder.write(config)
        folder.samples.mkdir(exist_ok=True)
        _tidy(folder, progress)
        log, interruption = TrainingLog(folder.log, progress, model.METRICS), Interruption()
        if begun is not None:
            log.window = checkpoint.load_log(begun)
        saving = Checkpoint(folder.checkpoint, progress, config.checkpoint_every, log)
        state = (log, saving, interruption)
        watchers = [*_watchers(folder, config, model, progress, reference, *state, **watching), *callbacks]
        if verbose != 0:
            watchers.append(EndTime(progress, config.epochs))
        try:
            with interruption:
                _fit(model, batches, progress, config.epochs, callbacks=watchers, verbose=verbose)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_kept(folder, saving, interruption)) from None
        finally:
            draw_pictures(folder, config)
        _export(folder, model)
    return model


def _kept(folder: RunFolder, saving, interruption) -> str:
    """Write the checkpoint of a training that was interrupted; say from where it can go on."""
    if not interruption.within and saving.model is not None and saving.progress.step:
        saving.save()
    if not folder.checkpoint.exists():
        return f"No iteration was over, so that {folder.path} holds nothing to go on from yet."
    epoch, iteration = folder.place()
    return f"{folder.checkpoint} keeps epoch {epoch}, iteration {iteration}: --resume (resume=True) goes on from there."


def _fit(model, batches, progress, epochs: int, **how) -> None:
    """Keras's ``fit``; an epoch that was interrupted is finished first."""
    done = progress.epoch if progress.epoch_is_over else max(0, progress.epoch - 1)
    batches.epoch = done
    if not progress.epoch_is_over and progress.iteration:
        batches.start = progress.iteration
        model.fit(batches, initial_epoch=done, epochs=done + 1, **how)
        done += 1
    if done < epochs:
        model.fit(batches, initial_epoch=done, epochs=epochs, **how)


def _reference(config: RunConfig, faces: Faces):
    """With ``score_every``: at most a thousand of the photographs, to score the faces against during training."""
    if not config.score_every:
        return None
    from keras_faces.runs.reference import Photographs, Reference, some
    from keras_faces.runs.score_curve import ScoreCurve

    chosen = faces.take(some(len(faces), ScoreCurve.COUNT, config.seed))
    return Reference(Photographs(chosen, None, ""), config.score_features, seed=config.seed)


def _watchers(
    folder, config, model, progress, reference, log, saving, interruption, show=False, pause=False, tensorboard=False
) -> list:
    """The callbacks of a run. What is written before the checkpoint is there whenever the checkpoint is."""
    import keras

    from keras_faces.runs import callbacks as watch
    from keras_faces.runs.score_curve import ScoreCurve
    from keras_faces.training.sampling import latent_noise

    noise = latent_noise(64, model.latent_dim, config.seed)
    grids = watch.SampleGrids(folder.samples, progress, noise, config.sample_every, fresh_seed=config.seed)
    watchers = [
        watch.Count(progress),
        watch.Watch(progress),
        log,
        grids,
        *model.watchers(folder.path, progress, config.sample_every),
    ]
    if reference is not None:
        watchers.append(ScoreCurve(folder.path, progress, reference.scores, config.score_every, config.seed))
    watchers += [saving, interruption]
    draw = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: draw_pictures(folder, config, gif=False))
    watchers.append(draw)
    if show:
        watchers.append(watch.LiveWindow(grids))
    if tensorboard:
        watchers.append(keras.callbacks.TensorBoard(folder.path / "tensorboard", update_freq=20, write_graph=False))
    if pause:
        watchers.append(watch.Pause(progress))
    return watchers


def draw_pictures(folder: RunFolder, config: RunConfig, gif: bool = True, rows: int = 8, columns: int = 8) -> None:
    """Draw ``losses.png``, ``evolution.png`` and ``evolution.gif`` from what the run folder holds so far.

    No training stops for a picture: one that cannot be written, or a grid that cannot be read, is told.
    """
    try:
        _draw(folder, config, gif, rows, columns)
    except (OSError, ValueError) as error:
        print(f"\nThe pictures of {folder.path} could not be drawn: {error}")


def _draw(folder: RunFolder, config: RunConfig, gif: bool, rows: int, columns: int) -> None:
    import pandas

    from keras_faces.figures import grids

    if folder.log.exists() and len(log := pandas.read_csv(folder.log)):
        grids.save(grids.losses(log, title=config.system), folder.path / "losses.png")
    files = folder.grids()
    if not files:
        return
    chosen = sorted(set(np.geomspace(1, len(files), min(rows, len(files))).round().astype(int) - 1))
    lines = [
        (f"epoch {epoch}\niteration {iteration}", faces[:columns])
        for epoch, iteration, file in (files[index] for index in chosen)
        if (faces := _faces_of(file, config.image_size)) is not None
    ]
    if lines:
        grids.save(grids.evolution(lines, title=config.system), folder.path / "evolution.png")
    if lines and gif:
        frames = [files[index][2] for index in sorted(set(np.linspace(0, len(files) - 1, 60).round().astype(int)))]
        found = [faces for file in frames if (faces := _faces_of(file, config.image_size)) is not None]
        whole = [grids.tile(faces) for faces in found if len(faces) == len(found[-1])]
        grids.animation(whole, folder.path / "evolution.gif")


def _faces_of(file: Path, image_size: int) -> np.ndarray | None:
    """The images of a sample grid; None, with a line, if the file is damaged."""
    from keras_faces.figures import grids

    try:
        return grids.untile(grids.read_picture(file), image_size)
    except (OSError, ValueError, SyntaxError) as error:
        print(f"\n{file} cannot be read, and is left out of the pictures: {error}")
        return None


def _tidy(folder: RunFolder, progress) -> None:
    """Remove what a killed process left: half-written files, and grids after the checkpoint (they are made again)."""
    for place in (folder.path, folder.samples, folder.fresh):
        for half in place.glob(".*.part*"):
            half.unlink()
    for epoch, iteration, file in (*folder.grids(), *folder.grids(fresh=True)):
        if (epoch, iteration) > (progress.epoch, progress.iteration):
            file.unlink()


def _export(folder: RunFolder, model) -> None:
    """Write ``model.keras`` with the state that pictures are made with: averaged weights, measured statistics."""
    for variable, value in model.sampling_state():
        variable.assign(value)
    with atomic_write(folder.model) as beside:
        model.save(beside)
