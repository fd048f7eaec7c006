"""How far a reader has to jump: changes of file in one eager training step.

    ./run bench hops [--systems slides-v1 cgan fm-cgan]

It counts, over the Python calls of one training step, how often the called function is in another file of
``keras_faces`` than the one called before, and in how many files; with the fast layers and without. The networks are
narrow: width changes neither number. TensorFlow alone.

See also: ``training/gan.py``, the step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_faces as kf

PACKAGE = str(Path(kf.__file__).parent)
NAMES = ("Smiling", "Male", "Eyeglasses")
SYSTEMS: dict[str, dict[str, Any]] = {
    "slides-v1": {"dense": 8, "filters": (8, 4)},
    "cgan": {"width": 4, "label_names": NAMES, "label_kind": "classes"},
    "fm-cgan": {"width": 4, "classifier_first": 0, "label_names": NAMES, "label_kind": "classes"},
}


def hops(function: Callable[[], Any]) -> tuple[int, int]:
    """Return how often the called file of ``keras_faces`` changes while ``function`` runs, and how many there are."""
    files: list[str] = []

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            files.append(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return sum(one != other for one, other in zip(files[:-1], files[1:], strict=True)), len(set(files))


def hops_of_step(system: str, **options: Any) -> tuple[int, int]:
    """Return :func:`hops` of one eager training step of a narrow ``system``; ``options`` of ``kf.models.build``."""
    model = kf.models.build(system, 16, **SYSTEMS[system], **options)
    images = keras.ops.convert_to_tensor(np.zeros((6, 16, 16, 3), "uint8"))
    labels = keras.ops.convert_to_tensor(np.eye(3, dtype="float32")[np.arange(6) % 3])
    data = (images, labels) if "label_names" in SYSTEMS[system] else (images,)
    model.train_step(data)  # what is made at the first call
    return hops(lambda: model.train_step(data))


def main(arguments: list[str] | None = None) -> int:
    from benchmarks._measured import tensorflow_alone

    parser = argparse.ArgumentParser(prog="./run bench hops", description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    options = parser.parse_args(arguments)
    tensorflow_alone("a step that runs eagerly")
    print("| system | changes of file | files | changes, plain layers | files |\n|---|---:|---:|---:|---:|")
    for system in options.systems:
        numbers = [*hops_of_step(system), *hops_of_step(system, fast_layers=False)]
        print(f"| {system} | {' | '.join(map(str, numbers))} |", flush=True)
    return 0


if __name__ == "__main__":
    from data_prep.engine.script import run

    run(main)
