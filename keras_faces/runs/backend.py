"""Choose Keras's backend before Keras is loaded."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from keras_faces.fast import onednn

BACKENDS = ("tensorflow", "jax", "torch")  # each is an extra of this package


def backend_name(asked: str | None = None) -> str:
    """Return the backend asked for, else the one that Keras runs on, else ``KERAS_BACKEND``, else the first installed.

    TensorFlow is the first, then JAX, then PyTorch.
    """
    running = sys.modules["keras"].backend.backend() if "keras" in sys.modules else None
    first = next((name for name in BACKENDS if _is_installed(name)), "tensorflow")
    return asked or running or os.environ.get("KERAS_BACKEND") or first


def use_backend(asked: str | None = None) -> None:
    """Load Keras with a backend; it cannot be changed afterwards.

    Parameters
    ----------
    asked : {"tensorflow", "jax", "torch"}, optional
        By default what :func:`backend_name` says.

    Raises
    ------
    ValueError
        If Keras is loaded with another backend, or the backend is not installed.
    """
    name = backend_name(asked)
    if "keras" not in sys.modules:
        if name not in BACKENDS:
            raise ValueError(f"KERAS_BACKEND={name}: choose from {', '.join(BACKENDS)}.")
        if not _is_installed(name):
            others = ", ".join(f'pip install "keras-faces[{extra}]"' for extra in BACKENDS)
            raise ValueError(f"{name} is not installed. Keras needs one backend: {others}.")
        os.environ["KERAS_BACKEND"] = name
        _load_keras()
    elif (running := sys.modules["keras"].backend.backend()) != name:
        raise ValueError(f"Keras already runs on {running}; {name} needs a new process.")


def _is_installed(name: str) -> bool:
    if name in sys.modules:
        return sys.modules[name] is not None
    return importlib.util.find_spec(name) is not None


def _load_keras() -> None:
    """Import Keras without scikit-learn and, on another backend, TensorFlow: both cost seconds and are not used."""
    with onednn.without_notes(), _as_if_not_installed("sklearn"):
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
