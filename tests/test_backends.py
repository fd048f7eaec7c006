"""The training core on the other backends: the same tests, in a process of their own, since Keras has one backend."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parent.parent
CORE = ["tests/test_losses.py", "tests/training/test_gradients.py", "tests/training/test_adversarial.py"]
JAX = [*CORE, "tests/training/test_optimizers.py", "tests/training/test_run.py", "tests/models/test_slides.py"]


@pytest.mark.parametrize("backend, files", [("jax", JAX), ("torch", CORE)])
def test_on(backend, files):
    if keras.backend.backend() == backend:
        pytest.skip(f"this is {backend} already")
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 25
