"""The same tests on the other backends, each in a process of its own, since Keras has one backend per process.

The suite runs one system for each distinct training step on JAX, and what saves and resumes it;
``./run test --all`` runs the rest.
"""

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
CORE = [f"tests/training/test_{name}.py" for name in ("losses", "gradients", "gan")]
GAN, OPTIMIZERS, LABELS = (f"tests/training/test_{name}.py::test_" for name in ("gan", "optimizers", "conditional"))
JAX = [
    *CORE[:2],
    f"{GAN}improving_d_moves_every_weight_of_d_and_none_of_g[slides-v2]",
    f"{GAN}improving_g_changes_nothing_of_d_bit_for_bit[slides-v2]",
    f"{GAN}saved_and_loaded_by_keras_it_goes_on_the_same",
    f"{GAN}k_steps_of_d_for_one_of_g",
    f"{GAN}r1_adds_the_gradient_at_photographs",
    f"{OPTIMIZERS}under_fit_each_optimizer_makes_its_own_steps",
    f"{OPTIMIZERS}saved_and_loaded_the_scale_is_kept",
    "tests/runs/test_train.py::test_resumed_after_any_stop_the_weights_are_bit_for_bit_the_same[slides-v1-3]",
    f"{LABELS}a_resumed_run_has_the_same_weights_and_labels_bit_for_bit[acgan-Male]",
    "tests/layers/test_noise.py",
    "tests/fast/test_bias.py",
    "tests/fast/test_convolution.py",
]
MORE = [*CORE, "tests/training/test_optimizers.py", "tests/training/test_conditional.py"]
MORE += ["tests/models/gans/test_slides.py::test_layers_shapes_and_counts_are_the_slides"]
MORE += [f"tests/models/conditional/test_{name}.py" for name in ("cgan", "acgan")]
TRAINED = "tests/models/test_every_system.py::test_trained_saved_and_loaded_it_samples_the_same"
# The step of these is that of slides-v1, which CORE trains.
SAME_STEP = ("gan", "dcgan", "linear", "linear-tanh", "conv", "multistage", "lsgan", "wgan", "sngan", "sagan")
DISTINCT = [name for name in kf.models.available() if name not in SAME_STEP and not name.startswith("slides")]


def systems(names):
    return [f"{TRAINED}[{name}]" for name in names]


@pytest.mark.parametrize(
    "backend, files, least",
    [
        pytest.param("jax", JAX, 25, id="jax"),
        pytest.param("jax", MORE, 50, id="jax, every test of the step", marks=pytest.mark.full),
        pytest.param("jax", systems(DISTINCT[0::2]), 8, id="jax, systems"),
        pytest.param("jax", systems(DISTINCT[1::2]), 8, id="jax, other systems"),
        pytest.param("jax", systems(SAME_STEP), 8, id="jax, systems with the same step", marks=pytest.mark.full),
        pytest.param("torch", CORE, 25, id="torch"),
    ],
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
