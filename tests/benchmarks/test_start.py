"""The benchmark of starting runs on tiny nets and accounts for the whole time."""

import subprocess
import sys
import time

import pytest

from benchmarks import start

TASK = {"system": "gan", "image_size": 16, "batch_size": 4, "backend": "tensorflow", "options": {"width": 8}}


def test_the_parts_add_up_to_the_time_of_the_start(tmp_path):
    since = time.perf_counter()
    times = start.start({**TASK, "plain": True}, tmp_path)
    whole = time.perf_counter() - since
    assert list(times)[:2] == ["Python", "Keras and its backend"] and list(times)[-2:] == ["first step", "second step"]
    assert all(value >= 0 for value in times.values()) and 0.5 * whole < sum(times.values()) < whole
    assert not list(tmp_path.iterdir())  # plain Keras chooses nothing


def test_a_start_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="there is no system 'nobody'"):
        start.start({**TASK, "system": "nobody", "plain": True}, tmp_path)


def test_the_table_has_medians_and_their_sum():
    rounds = [{"Keras": 1.0, "choices": 0.0, "first step": 2.0, "second step": 0.5} for _ in range(2)]
    rounds.append({"Keras": 9.0, "choices": 0.0, "first step": 3.0, "second step": 0.25})
    lines = start.table({"ours": rounds}, {"ours": {"first step": 8.0}}).splitlines()
    assert lines[2:5] == ["| Keras | 1.00 |", "| choices | 0.00 |", "| first step | 2.00 |"]
    assert lines[5:] == [
        "| **together** | 3.00 |",
        "| a later step | 0.50 |",
        "| first step, empty cache | 8.00 |",
    ]


@pytest.mark.parametrize("backend, unwanted", [("tensorflow", "sklearn"), ("jax", "tensorflow")])
def test_commands_load_nothing_for_nothing_and_it_can_be_loaded_later(backend, unwanted):
    code = (
        f"import sys; from keras_faces.runs.backend import use_backend; use_backend({backend!r})\n"
        "import keras, keras_faces as kf, numpy as np\n"
        "model = kf.models.build('gan', 16, width=8)\n"
        "model.fit(kf.data.Faces(np.zeros((8, 16, 16, 3), 'uint8')).batches(4), verbose=0)\n"
        f"assert keras.backend.backend() == {backend!r} and {unwanted!r} not in sys.modules\n"
        f"import {unwanted} as later; later.__version__"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
