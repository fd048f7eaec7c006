"""What several commands share: types of options, the backend, a trained run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")  # of training/choices.py
COMPILERS = ("auto", "graph", "xla")
CROPS = ("auto", "center", "celeba", "none")
LOSSES = ("non-saturating", "saturating", "lsgan", "wgan", "wgan-gp", "hinge")  # of losses.PAIRS, which needs Keras


def add_backend(command: argparse.ArgumentParser) -> None:
    """``--backend``, which must be known before Keras is loaded."""
    command.add_argument("--backend", choices=BACKENDS, help="what Keras runs on (KERAS_BACKEND, else tensorflow)")


def add_data(command: argparse.ArgumentParser) -> None:
    """Which photographs, and how they are read. None is the mark of "not given"."""
    command.add_argument("--data", help='"drawn", a folder of photographs, or a packed .h5 (drawn)')
    command.add_argument("--count", type=positive, help="how many images (all; 10,000 drawn ones)")
    command.add_argument("--crop", choices=CROPS, help="of photographs (auto)")
    command.add_argument("--strict", action="store_true", help="an unreadable file is an error, not skipped")


def backend_name(asked: str | None) -> str:
    """The backend asked for, or that of the environment, or TensorFlow."""
    return asked or os.environ.get("KERAS_BACKEND") or "tensorflow"


def use_backend(asked: str | None) -> None:
    """Choose Keras's backend; it cannot be changed once Keras is loaded."""
    name = backend_name(asked)
    if "keras" in sys.modules and sys.modules["keras"].backend.backend() != name:
        raise ValueError(f"Keras already runs on {sys.modules['keras'].backend.backend()}; {name} needs a new process.")
    os.environ["KERAS_BACKEND"] = name
    _load_keras()


def _load_keras() -> None:
    """Import Keras without what it would load for nothing: seconds of each start.

    That is scikit-learn, for wrappers that nothing here uses, and on another backend TensorFlow, when it first sets
    TensorFlow's seed. Both can be imported afterwards as ever.
    """
    if "keras" in sys.modules:
        return
    with _as_if_not_installed("sklearn"):
        import keras
    if keras.backend.backend() != "tensorflow":
        with _as_if_not_installed("tensorflow"):
            keras.utils.set_random_seed(0)  # Keras looks for TensorFlow now, once


@contextmanager
def _as_if_not_installed(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None
    try:
        yield
    finally:
        del sys.modules[name]


def go_on(folder, config, asked: dict, free: tuple[str, ...]):
    """The configuration of a run that goes on: of what was ``asked`` only the ``free`` may be other than it was.

    Raises
    ------
    RunError
        If anything else is asked for.
    """
    from keras_faces.runs import RunError

    for key, value in asked.items():
        settled = value == "auto" and key in ("precision", "compiler")  # the run goes on with what it chose
        if value is None or settled or value == getattr(config, key):
            continue
        if key not in free:
            raise RunError(
                f"{folder.path} was begun with {key} {getattr(config, key)!r}, not {value!r}: "
                "leave the option out to go on, or choose another --out."
            )
        setattr(config, key, value)
    return config


def trained_run(path: Path):
    """The folder, the configuration and the model of a run, with the weights of its last checkpoint."""
    from keras_faces.runs import RunFolder

    folder = RunFolder(path)
    config = folder.read()
    use_backend(config.backend)
    from keras_faces.training import checkpoint

    model = config.build()
    checkpoint.load(folder.checkpoint, model)
    return folder, config, model


def png(path: Path) -> Path:
    """The path of a picture to write, as it is; another ending than .png is an error."""
    if path.suffix.lower() != ".png":
        raise ValueError(f"--out {path}: must be the name of a .png file.")
    return path


def positive(text: str) -> int:
    """A whole number from 1 on."""
    return _number(text, int, lambda value: value >= 1, "a positive whole number")


def natural(text: str) -> int:
    """A whole number from 0 on."""
    return _number(text, int, lambda value: value >= 0, "a whole number from 0 on")


def two_or_more(text: str) -> int:
    """A whole number from 2 on."""
    return _number(text, int, lambda value: value >= 2, "a whole number from 2 on")


def weight(text: str) -> float:
    """The weight of a penalty, from 0 on."""
    return _number(text, float, lambda value: 0 <= value < float("inf"), "a number from 0 on")


def decay(text: str) -> float:
    """The decay of an average: from 0 (none) to below 1."""
    return _number(text, float, lambda value: 0 <= value < 1, "from 0 to below 1; 0.999 is usual")


def _number(text: str, kind: type, fits, wanted: str):
    try:
        value = kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}") from None
    if not fits(value):
        raise argparse.ArgumentTypeError(f"{text} is not {wanted}")
    return value
