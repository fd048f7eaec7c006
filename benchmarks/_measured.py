"""What several benchmarks need: two functions timed in turns, and the machine in words."""

from __future__ import annotations

import datetime
import os
import statistics
import sys
import time
from collections.abc import Callable

from keras_faces.training.choices import processor


def in_turns(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Median milliseconds of two functions that alternate, and the median of the ratios of neighbours.

    Other work on the machine disturbs neighbours alike, so the ratio is surer than the times. Each is called once
    before, to be compiled.
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
    """Stop where another backend runs: ``what`` is what TensorFlow has and it has not."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"the backend {keras.backend.backend()} has not {what}; set KERAS_BACKEND=tensorflow.")


def machine() -> str:
    """The day, the processor and the versions."""
    import keras

    backend = keras.backend.backend()
    version = getattr(sys.modules.get(backend), "__version__", "")
    name, _ = processor()
    return f"{datetime.date.today()}, {name}, {os.cpu_count()} cores; Keras {keras.__version__}, {backend} {version}"
