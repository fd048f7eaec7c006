"""What benchmarks that train share: a run or a classifier in a process of its own, and what is there is not made again.

What to read next: ``table_3_4.py``, ``augment.py``.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from keras_faces.runs.classifier import ClassifierFolder
from keras_faces.runs.folder import RunError, RunFolder


def train(path: Path, arguments: list[str], data: str) -> None:
    """``keras-faces train ARGUMENTS --out PATH``, or on from where it stopped, unless it is finished.

    Parameters
    ----------
    arguments
        The system and its options, ``--data`` apart.
    data
        Where the photographs are now.

    Raises
    ------
    RunError
        If the training ends with an error.
    """
    from benchmarks.results import state_of

    folder = RunFolder(path)
    if state_of(folder) == "finished":
        return
    resume = folder.config_file.exists()
    _call(["train", arguments[0], *([] if resume else arguments[1:]), *(["--resume"] if resume else [])], path, data)


def classify(path: Path, arguments: list[str], data: str) -> None:
    """``keras-faces classify ARGUMENTS --out PATH``, or on from its last epoch; otherwise as :func:`train`."""
    folder = ClassifierFolder(path)
    if folder.finished():
        return
    resume = folder.config_file.exists()
    _call(["classify", *(["--resume"] if resume else arguments)], path, data)


def _call(words: list[str], path: Path, data: str) -> None:
    command = [*words, "--data", data, "--out", str(path)]
    print(f"\nkeras-faces {shlex.join(command)}", flush=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path)}
    if code := subprocess.run([sys.executable, "-m", "keras_faces", *command], env=environment).returncode:
        raise RunError(f"keras-faces {words[0]} ended with {code}; what it said is above.")
