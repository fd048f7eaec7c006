"""Shared by the benchmarks: two functions timed in turns, and the machine in words."""

from __future__ import annotations

import datetime
import os
import statistics
import sys
import time
from collections.abc import Callable

from keras_faces.fast.autotune import processor


def in_turns(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Time two functions that alternate.

    Other work on the machine disturbs neighbours alike, so their ratio is more certain than the times.

    Parameters
    ----------
    first, second : callable
        Without arguments. Each is called once before, to be compiled.
    rounds : int
        How often both are timed.

    Returns
    -------
    tuple of float
        Median milliseconds of both, and the median of the ratios of neighbours.
    """
    for function in (first, second):
        function()
    times = [(_milliseconds(first), _milliseconds(second)) for _ in range(rounds)]
    one, other = (statistics.median(column) for column in zip(*times, strict=True))
    return one, other, statistics.median(a / b for a, b in times)


def _milliseconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - start)


def tensorflow_alone(what: str) -> None:
    """Raise ValueError on another backend; ``what`` names what only TensorFlow has."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"the backend {keras.backend.backend()} has not {what}; set KERAS_BACKEND=tensorflow.")


def machine() -> str:
    """Return the date, the processor and the versions."""
    import keras

    backend = keras.backend.backend()
    version = getattr(sys.modules.get(backend), "__version__", "")
    name = processor()
    return f"{datetime.date.today()}, {name}, {os.cpu_count()} cores; Keras {keras.__version__}, {backend} {version}"
