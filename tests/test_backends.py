"""The training core on the other backends: the same tests, in a process of their own, since Keras has one backend."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_faces as kf

ROOT = Path(__file__).parent.parent
CORE = ["tests/test_losses.py", "tests/training/test_gradients.py", "tests/training/test_adversarial.py"]
RESUME = "tests/test_runs.py::test_resumed_after_any_stop_the_weights_are_bit_for_bit_the_same"
JAX = [*CORE, "tests/training/test_optimizers.py", f"{RESUME}[slides-v1-3]"]
JAX += ["tests/models/test_slides.py::test_layers_shapes_and_counts_are_the_slides"]
JAX += [f"tests/layers/test_{name}.py" for name in ("bias", "convolution", "noise")]
TOLD = ["tests/training/test_conditional.py", "tests/models/test_cgan.py", "tests/models/test_acgan.py"]
TRAINED = "tests/models/test_every_system.py::test_trained_saved_and_loaded_it_samples_the_same"
NAMES = [name for name in kf.models.available() if not name.startswith("slides")]
HALVES = [[f"{TRAINED}[{name}]" for name in NAMES[start::2]] for start in (0, 1)]


@pytest.mark.parametrize(
    "backend, files, least",
    [("jax", JAX, 25), ("jax", TOLD, 25), ("jax", HALVES[0], 8), ("jax", HALVES[1], 8), ("torch", CORE, 25)],
    ids=["jax", "jax, labels", "jax, systems", "jax, other systems", "torch"],
)
def test_on(backend, files, least):
    if keras.backend.backend() == backend:
        pytest.skip(f"this is {backend} already")
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # compiles in half the time
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path), "XLA_FLAGS": quick}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= least
