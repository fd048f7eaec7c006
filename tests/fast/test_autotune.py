"""What is chosen for which machine, and the line that tells it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_faces.fast import autotune
from keras_faces.fast.autotune import Machine

CPU = Machine("cpu", "a processor", 2, "tensorflow", bfloat16=True)
CPU_PRECISION = autotune.cpu_precision  # the other tests train in float32 everywhere, see conftest.py


@pytest.fixture
def on(monkeypatch):
    """``on(machine)``: choose as if on that machine."""

    def pretend(here):
        monkeypatch.setattr(autotune, "machine", lambda: here)
        monkeypatch.setattr(autotune, "cpu_precision", CPU_PRECISION)

    return pretend


@pytest.mark.parametrize(
    "here, precision, compiler, line",
    [
        (CPU, "bfloat16", "graph", "On 2 cores of a processor, TensorFlow runs as a graph in bfloat16."),
        (
            Machine("cpu", "an old one", 1, "tensorflow", bfloat16=False),
            "float32",
            "graph",
            "On 1 core of an old one, TensorFlow runs as a graph in float32 (the processor has no bfloat16 units).",
        ),
        (
            Machine("cpu", "a laptop", 2, "tensorflow", bfloat16=False, onednn=True),
            "float32",
            "graph",
            "On 2 cores of a laptop, TensorFlow runs as a graph in float32 with oneDNN (the processor has no bfloat16 "
            "units).",
        ),
        (
            Machine("cpu", "an unknown one", 4, "tensorflow", bfloat16=None),
            "float32",
            "graph",
            "On 4 cores of an unknown one, TensorFlow runs as a graph in float32.",
        ),
        (
            Machine("cpu", "a processor", 4, "jax", bfloat16=True),
            "float32",
            "xla",
            "On 4 cores of a processor, JAX runs with XLA in float32.",
        ),
        (
            Machine("cpu", "a processor", 4, "torch", bfloat16=True),
            "float32",
            "xla",
            "On 4 cores of a processor, PyTorch runs eagerly in float32.",
        ),
        (
            Machine("gpu", "a card", 8, "tensorflow", 7.5),
            "float16",
            "xla",
            "On a card, TensorFlow runs with XLA in float16 with a loss scale (this GPU has no bfloat16 units).",
        ),
    ],
)
def test_each_machine_has_its_choices_and_a_line(on, here, precision, compiler, line):
    on(here)
    chosen = autotune.choose()
    assert (chosen.precision, chosen.compiler, chosen.threads) == (precision, compiler, here.cores)
    assert chosen.line == line


def test_what_is_asked_for_is_taken(on):
    on(CPU)
    chosen = autotune.choose("float32", "xla")
    assert (chosen.precision, chosen.compiler) == ("float32", "xla")
    assert chosen.line == "On 2 cores of a processor, TensorFlow runs with XLA in float32."


@pytest.mark.parametrize(
    "device, capability, precision",
    [("gpu", 9.0, "bfloat16"), ("gpu", 8.0, "bfloat16"), ("gpu", 7.5, "float16"), ("gpu", 6.1, "float32")]
    + [("gpu", None, "float32"), ("tpu", None, "bfloat16")],
)
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_an_accelerator_decides_by_what_it_is(on, device, capability, precision, backend):
    on(Machine(device, "a card", 8, backend, capability))
    assert autotune.choose().precision == precision


def test_this_machine_is_recognised():
    import keras

    here = autotune.machine()
    assert here.backend == keras.backend.backend() and here.device in ("cpu", "gpu", "tpu") and here.cores >= 1


def test_importing_it_loads_no_framework():
    code = "import sys, keras_faces.fast.autotune; print([name for name in ('keras', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("asked", [{"precision": "float8"}, {"compiler": "eager"}])
def test_unknown_words_are_refused(asked):
    with pytest.raises(ValueError, match="choose from auto"):
        autotune.choose(**asked)


def test_the_processors_name(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Xeon: a\n\nmodel name\t: other\n")
    assert autotune.processor(tmp_path / "cpuinfo") == "Xeon: a"
    assert autotune.processor(tmp_path / "nothing")


def test_cores_are_those_of_the_container(tmp_path):
    cores = autotune.usable_cores(tmp_path)
    assert cores == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores >= 1
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert autotune.usable_cores(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert autotune.usable_cores(tmp_path) == cores
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert autotune.usable_cores(tmp_path) == cores


def test_the_cache_has_a_place_on_every_system(monkeypatch):
    monkeypatch.delenv("KERAS_FACES_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setattr(autotune.sys, "platform", "linux")
    assert autotune.cache_folder() == Path("/elsewhere/keras_faces")
    monkeypatch.setattr(autotune.sys, "platform", "darwin")
    assert autotune.cache_folder() == Path.home() / "Library/Caches/keras_faces"


def test_a_run_keeps_what_was_chosen(on, tmp_path, capsys):
    """`train` chooses, config.json holds it, and a resumed run goes on with it where another choice would be made."""
    from keras_faces.cli import main as cli

    on(CPU)
    narrow = [
        "--image-size",
        "16",
        "--option",
        "width=4",
        "--option",
        "latent_dim=5",
        "--count",
        "8",
        "--batch-size",
        "8",
    ]
    out = ["--out", str(tmp_path / "run")]
    assert cli.main(["train", "dcgan", *narrow, "--epochs", "1", *out]) == 0
    assert "On 2 cores of a processor, TensorFlow runs as a graph in bfloat16.\n" in capsys.readouterr().out
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert (config["precision"], config["compiler"]) == ("bfloat16", "graph")

    on(Machine("cpu", "an old one", 4, "tensorflow", bfloat16=False))
    assert cli.main(["train", "dcgan", "--resume", "--epochs", "2", "--precision", "auto", *out]) == 0
    assert json.loads((tmp_path / "run/config.json").read_text())["precision"] == "bfloat16"
    assert cli.main(["train", "dcgan", "--resume", "--epochs", "3", "--precision", "float32", *out]) == 1
    assert "begun with precision 'bfloat16'" in capsys.readouterr().err


def test_memory_stays_where_the_c_library_can_be_told(monkeypatch):
    asked = []

    class Library:
        @staticmethod
        def mallopt(setting, value):
            asked.append((setting, value))
            return 1

    keep = autotune.keep_freed_memory.__wrapped__  # not the answer of an earlier test
    monkeypatch.setattr(autotune.ctypes, "CDLL", lambda name: Library)
    monkeypatch.setattr(autotune.sys, "platform", "linux")
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    assert keep() is True and asked == [(-2, 2**28)]  # M_TOP_PAD of malloc.h

    monkeypatch.setenv("MALLOC_TOP_PAD_", "131072")  # the user has decided
    assert keep() is False
    monkeypatch.delenv("MALLOC_TOP_PAD_")
    monkeypatch.setattr(autotune.sys, "platform", "darwin")
    assert keep() is False
    monkeypatch.setattr(autotune.sys, "platform", "linux")
    monkeypatch.setattr(autotune.ctypes, "CDLL", lambda name: object())  # a library without mallopt
    assert keep() is False and len(asked) == 1


def test_jax_keeps_what_it_compiles_where_it_can(monkeypatch, tmp_path):
    jax = pytest.importorskip("jax")
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update("jax_compilation_cache_dir", None)
        (tmp_path / "file").write_text("no folder")
        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "file"))
        autotune.prepare("jax")
        assert jax.config.jax_compilation_cache_dir is None

        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "cache"))
        autotune.prepare("jax")
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache/jax")
        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "another"))
        autotune.prepare("jax")  # what is set stays
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache/jax")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
