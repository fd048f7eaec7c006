"""What is chosen for which machine; the cache that no damage makes an error; the line that explains it."""

import json
import os
from pathlib import Path

import pytest

from keras_faces import cli
from keras_faces.training import choices, measure
from keras_faces.training.choices import Machine

CPU = Machine("cpu", "a processor", 2, "tensorflow", bfloat16=True)
MEASURED = choices.measured  # the suite's own choices are made without, see conftest.py
TIMES = {"graph float32": 0.2, "xla float32": 0.3, "graph bfloat16": 0.1, "xla bfloat16": 0.4}


@pytest.fixture
def on(monkeypatch, tmp_path):
    """``on(machine, times)``: choose as if on that machine, where the small step takes these times."""
    calls = []

    def pretend(here, times=TIMES):
        def seconds(variants, **_):
            calls.append(variants)
            return {" ".join(variant): times[" ".join(variant)] for variant in variants}

        monkeypatch.setattr(choices, "machine", lambda: here)
        monkeypatch.setattr(choices, "fingerprint", lambda here: "somewhere")
        monkeypatch.setattr(measure, "seconds", seconds)
        monkeypatch.setattr(choices, "measured", MEASURED)
        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "cache"))
        choices._measured.cache_clear()
        return calls

    yield pretend
    choices._measured.cache_clear()


def test_what_is_faster_is_taken_and_said(on):
    on(CPU)
    chosen = choices.choose()
    assert (chosen.precision, chosen.compiler, chosen.threads) == ("bfloat16", "graph", 2)
    assert chosen.line == (
        "On 2 cores of a processor: TensorFlow as a graph (1.50 times as fast as with XLA), "
        "bfloat16 layers (2.00 times as fast as float32)."
    )


def test_bfloat16_that_gains_too_little_is_not_taken(on):
    on(CPU, TIMES | {"graph bfloat16": 0.19})
    chosen = choices.choose()
    assert chosen.precision == "float32" and "bfloat16 is 1.05 times as fast" in chosen.line


def test_xla_where_it_wins_and_bfloat16_is_judged_under_it(on):
    on(CPU, TIMES | {"xla float32": 0.15})
    chosen = choices.choose()
    assert (chosen.compiler, chosen.precision) == ("xla", "float32")


def test_what_is_asked_for_is_not_measured(on):
    calls = on(CPU)
    chosen = choices.choose("float32", "xla")
    assert (chosen.precision, chosen.compiler) == ("float32", "xla") and calls == []
    assert "as asked for" in chosen.line


def test_a_processor_without_bfloat16_measures_float32_alone(on):
    calls = on(Machine("cpu", "an old one", 4, "tensorflow", bfloat16=False))
    chosen = choices.choose()
    assert chosen.precision == "float32" and "no bfloat16 units" in chosen.line
    assert calls == [[("graph", "float32"), ("xla", "float32")]]


@pytest.mark.parametrize(
    "device, capability, precision",
    [("gpu", 9.0, "bfloat16"), ("gpu", 8.0, "bfloat16"), ("gpu", 7.5, "float16"), ("gpu", 6.1, "float32")]
    + [("gpu", None, "float32"), ("tpu", None, "bfloat16")],
)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_an_accelerator_decides_by_what_it_is(on, device, capability, precision, backend):
    on(Machine(device, "a card", 8, backend, capability))
    assert choices.choose().precision == precision


def test_measured_once_a_machine_and_remembered(on, tmp_path):
    calls = on(CPU)
    choices.choose()
    choices._measured.cache_clear()  # as in a new process
    assert choices.choose().precision == "bfloat16" and len(calls) == 1
    (file,) = (tmp_path / "cache").iterdir()
    assert json.loads(file.read_text()) == TIMES


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"graph float32": "fast"}', '{"graph float32": 0.0}', '{"other": 1.0}', "\0"]
)
def test_a_damaged_cache_is_measured_anew(on, tmp_path, content):
    calls = on(CPU)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/choices-somewhere.json").write_text(content)
    assert choices.choose().precision == "bfloat16" and len(calls) == 1
    assert json.loads((tmp_path / "cache/choices-somewhere.json").read_text()) == TIMES


def test_a_cache_that_cannot_be_written_is_no_error(on, tmp_path):
    on(CPU)
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert choices.choose().precision == "bfloat16"


@pytest.mark.parametrize("asked", [{"precision": "float8"}, {"compiler": "eager"}])
def test_unknown_words_are_refused(asked):
    with pytest.raises(ValueError, match="choose from auto"):
        choices.choose(**asked)


def test_the_small_step_is_really_timed():
    times = measure.seconds(
        [("xla", "float32")] if choices.machine().backend == "jax" else [("graph", "float32")], 1, 1
    )
    assert len(times) == 1 and all(0 < value < 60 for value in times.values())


def test_processors_by_their_flags(tmp_path):
    def processor(text):
        (tmp_path / "cpuinfo").write_text(text)
        return choices.processor(tmp_path / "cpuinfo")

    assert processor("model name\t: Xeon\nflags\t\t: fpu amx_bf16\n\nmodel name: Xeon\n") == ("Xeon", True)
    assert processor("model name\t: Core\nflags\t\t: fpu avx2\n") == ("Core", False)
    assert processor("Features\t: asimd bf16\n")[1] is True
    assert processor("")[1] is None and choices.processor(tmp_path / "nothing")[1] is None


def test_cores_are_those_of_the_container(tmp_path):
    cores = choices.usable_cores(tmp_path)
    assert cores == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores >= 1
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert choices.usable_cores(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert choices.usable_cores(tmp_path) == cores
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert choices.usable_cores(tmp_path) == cores


def test_the_cache_has_a_place_on_every_system(monkeypatch):
    monkeypatch.delenv("KERAS_FACES_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setattr(choices.sys, "platform", "linux")
    assert choices.cache_folder() == Path("/elsewhere/keras_faces")
    monkeypatch.setattr(choices.sys, "platform", "darwin")
    assert choices.cache_folder() == Path.home() / "Library/Caches/keras_faces"


def test_a_run_keeps_what_was_chosen(on, tmp_path, capsys):
    """`train` chooses, config.json holds it, and a resumed run goes on with it where another choice would be made."""
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
    assert "bfloat16 layers (2.00 times as fast" in capsys.readouterr().out
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

    keep = choices.keep_freed_memory.__wrapped__  # not the answer of an earlier test
    monkeypatch.setattr(choices.ctypes, "CDLL", lambda name: Library)
    monkeypatch.setattr(choices.sys, "platform", "linux")
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    assert keep() is True and asked == [(-2, 2**28)]  # M_TOP_PAD of malloc.h

    monkeypatch.setenv("MALLOC_TOP_PAD_", "131072")  # the user has decided
    assert keep() is False
    monkeypatch.delenv("MALLOC_TOP_PAD_")
    monkeypatch.setattr(choices.sys, "platform", "darwin")
    assert keep() is False
    monkeypatch.setattr(choices.sys, "platform", "linux")
    monkeypatch.setattr(choices.ctypes, "CDLL", lambda name: object())  # a library without mallopt
    assert keep() is False and len(asked) == 1


def test_jax_keeps_what_it_compiles_where_it_can(monkeypatch, tmp_path):
    jax = pytest.importorskip("jax")
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update("jax_compilation_cache_dir", None)
        (tmp_path / "file").write_text("no folder")
        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "file"))
        choices.prepare("jax")
        assert jax.config.jax_compilation_cache_dir is None

        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "cache"))
        choices.prepare("jax")
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache/jax")
        monkeypatch.setenv("KERAS_FACES_CACHE", str(tmp_path / "another"))
        choices.prepare("jax")  # what is set stays
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache/jax")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
