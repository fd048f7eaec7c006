"""Checkpoints from which training goes on bit for bit.

A checkpoint holds all that a later step depends on: the weights of both networks with their moving averages, the
random state of noise and Dropout, both optimizers with their step counts, and the place in the data (epoch and
iteration; the order of an epoch follows from the seed alone). Keras's own ``BackupAndRestore`` would lose the second
optimizer and the random state.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_faces.files import atomic_write_hdf5, open_hdf5

FORMAT = "keras_faces checkpoint 1"


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read, does not fit the model, or must not be written."""


def save(path: str | Path, model: keras.Model, epoch: int, iteration: int, log: Sequence[Sequence[float]] = ()) -> None:
    """Write the model's whole state to one HDF5 file; an older file stays until the new one is whole.

    Parameters
    ----------
    path : str or Path
        The file.
    model : FaceModel
        Compiled.
    epoch, iteration : int
        The last finished iteration: both count from 1.
    log : sequence of sequence of float
        What the next row of ``log.csv`` is to be the mean of: the values of the iterations since the last row.

    Raises
    ------
    CheckpointError
        If a weight is not a finite number (the file is not touched), or if the disk is full.
    """
    synchronise(model)
    try:
        with atomic_write_hdf5(path) as (file, check):
            file.attrs.update(format=FORMAT, system=model.name, backend=keras.backend.backend())
            file.attrs.update(epoch=epoch, iteration=iteration)
            for name, variable in _variables(model):
                value = keras.ops.convert_to_numpy(variable.value)
                if not np.isfinite(value).all():
                    raise CheckpointError(
                        f"{variable.path} holds a value that is not finite: {path} is left as it was."
                    )
                file[name] = value
                file[name].attrs.update(path=variable.path, crc32=_checksum(value))
                check()
            file.attrs["log"] = np.array(log, "float64")
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error
        raise CheckpointError(f"{path} could not be written ({reason}); the last whole checkpoint stays.") from error


def load(path: str | Path, model: keras.Model) -> tuple[int, int]:
    """Put the state of a checkpoint into a model of the same system and options.

    Parameters
    ----------
    path : str or Path
        A file of :func:`save`.
    model : FaceModel
        Compiled; changed only after everything has been read.

    Returns
    -------
    tuple of int
        ``(epoch, iteration)`` as given to :func:`save`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CheckpointError
        If the file is cut short or no checkpoint, or if its arrays are not those of ``model``.
    """
    return _load(path, model, list(_variables(model)))


def load_log(path: str | Path) -> list[list[float]]:
    """Return the ``log`` that :func:`save` was given; empty where an older version wrote the checkpoint."""
    with _opened(path) as file:
        return np.asarray(file.attrs.get("log", ())).tolist()


def load_weights(path: str | Path, model: keras.Model) -> None:
    """Put the weights of a checkpoint into a new model; its optimizers and random state stay as they are.

    Parameters
    ----------
    path : str or Path
        A file of :func:`save`.
    model : FaceModel
        Of the same system and options; changed only after everything has been read.

    Raises
    ------
    FileNotFoundError, CheckpointError
        As :func:`load`.
    """
    weights = {id(variable) for variable in model.weights}
    _load(path, model, [(name, variable) for name, variable in _variables(model) if id(variable) in weights])


def _load(path: str | Path, model: keras.Model, wanted: list[tuple[str, keras.Variable]]) -> tuple[int, int]:
    """Put the values of the wanted variables into a model, once all of them have been read."""
    with _opened(path) as file:
        _check_fits(path, file, model)
        values = [_value(file, name, variable) for name, variable in wanted]
        place = int(file.attrs["epoch"]), int(file.attrs["iteration"])
    for (_, variable), value in zip(wanted, values, strict=True):
        variable.assign(value)
    return place


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    """Open a checkpoint; whatever cannot be read in it becomes a :class:`CheckpointError`."""
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: there is no checkpoint; start the training anew in another folder.")
    try:
        with open_hdf5(path) as file:
            if str(written := file.attrs.get("format")) != FORMAT:
                raise CheckpointError(f"{path} is no checkpoint of keras_faces (format {written!r:.60}).")
            yield file
    except CheckpointError:
        raise
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is cut short or damaged ({error}). Put a whole copy in its place, or train anew in another "
            "folder; the pictures and log.csv beside it are untouched."
        ) from error


def _value(file: h5py.File, name: str, variable: keras.Variable) -> np.ndarray:
    """Read the value of a variable. Older checkpoints have no checksums."""
    stored = file[name]
    value = stored[()]
    if stored.attrs.get("crc32", _checksum(value)) != _checksum(value):
        raise ValueError(f"{name}, {variable.path}, is not what was written: its checksum is another")
    if value.dtype.kind not in "fiub" or not np.isfinite(value).all():
        raise CheckpointError(
            f"{file.filename}: {name} ({variable.path}) holds values that are no finite numbers: "
            "no training wrote them. Take another copy of the file."
        )
    return value


def _checksum(value: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(value))


def synchronise(model: keras.Model) -> None:
    """Write JAX's training state back into the variables; on the other backends it is always there."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()


def _variables(model: keras.Model):
    """Every variable under a name that depends on its place only (paths hold counters of the process)."""
    for group, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        for index, variable in enumerate(variables):
            yield f"{group}/{index:04d}", variable


def _check_fits(path, file: h5py.File, model: keras.Model) -> None:
    if str(file.attrs["system"]) != model.name:
        raise CheckpointError(f"{path} is a checkpoint of {file.attrs['system']}, not of {model.name}.")
    for name, variable in _variables(model):
        if name not in file:
            raise CheckpointError(f"{path} has no {name} ({variable.path}): it was written with other options.")
        if not _is_plain(file, name):
            raise CheckpointError(
                f"{path}: {name} ({variable.path}) is no array in this file. No training wrote that: take another copy."
            )
        if file[name].shape != tuple(variable.shape):
            raise CheckpointError(
                f"{path}: {name} ({variable.path}) has the shape {file[name].shape}, the model wants "
                f"{tuple(variable.shape)}: it was written with other options or another image size."
            )
    stored = sum(len(file[group]) for group in ("model", "optimizer") if group in file)
    if stored != (expected := sum(1 for _ in _variables(model))):
        raise CheckpointError(f"{path} holds {stored} arrays, the model has {expected}: other options made it.")


def _is_plain(file: h5py.File, name: str) -> bool:
    """Whether a name is an array whose values stand in this file: no group, and no way to another file."""
    links = isinstance(file.get(name.partition("/")[0], getlink=True), h5py.HardLink), file.get(name, getlink=True)
    found = file[name] if links[0] and isinstance(links[1], h5py.HardLink) else None
    return isinstance(found, h5py.Dataset) and found.external is None and not found.is_virtual
