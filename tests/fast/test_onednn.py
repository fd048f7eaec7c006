"""oneDNN is switched on where TensorFlow leaves it off, before TensorFlow is imported, never against the user."""

import os
import subprocess
import sys

import pytest

from keras_faces.fast import onednn

LAPTOP = "processor\t: 0\nflags\t\t: fpu avx avx2 fma\n"


@pytest.fixture
def on(tmp_path, monkeypatch):
    """``on(text, **environment)``: a processor that Linux describes so; TensorFlow is not imported yet."""

    def pretend(text, **environment):
        for name in (onednn.SETTING, "ONEDNN_MAX_CPU_ISA"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
        (tmp_path / "cpuinfo").write_text(text)
        return tmp_path / "cpuinfo"

    return pretend


@pytest.mark.parametrize("text", [LAPTOP, "flags: avx2 avx512f avx512dq\n", "flags: avx2 avx512_vnni avx512_bf16\n"])
def test_on_with_avx2(on, text):
    cpuinfo = on(text)
    assert onednn.prefer(cpuinfo) and onednn.is_on(cpuinfo)


@pytest.mark.parametrize("text", ["flags: sse4_2 avx\n", "Features: asimd bf16\n", ""])
def test_left_alone_without(on, text):
    cpuinfo = on(text)
    assert not onednn.prefer(cpuinfo) and not onednn.is_on(cpuinfo)
    assert not onednn.prefer(cpuinfo.with_name("nothing"))


@pytest.mark.parametrize(("setting", "used"), [("0", False), ("1", True)])
def test_never_against_the_user(on, setting, used):
    cpuinfo = on(LAPTOP, **{onednn.SETTING: setting})
    assert not onednn.prefer(cpuinfo) and onednn.is_on(cpuinfo) is used


def test_not_once_tensorflow_is_there(on, monkeypatch):
    cpuinfo = on(LAPTOP)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert not onednn.prefer(cpuinfo) and not onednn.is_on(cpuinfo)


@pytest.mark.parametrize(
    ("text", "limit", "units"),
    [
        ("flags: avx2\n", "", False),
        ("flags: avx2 amx_bf16\n", "", True),
        ("flags: avx2 amx_bf16\n", "AVX2", False),
        ("flags: avx2 amx_bf16\n", "avx512_core", False),
        ("flags: avx2 amx_bf16\n", "AVX512_CORE_BF16", True),
        ("Features: asimd bf16\n", "", True),
        ("", "", None),
    ],
)
def test_bfloat16_units(on, text, limit, units):
    assert onednn.has_bfloat16(on(text, ONEDNN_MAX_CPU_ISA=limit)) is units


def test_importing_the_package_chooses():
    code = "import os; os.environ.pop('TF_ENABLE_ONEDNN_OPTS', 0); import keras_faces.fast.onednn as o; "
    code += "print('avx2' not in o.flags() or o.is_on())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"


def test_notes_are_held_back_and_nothing_else(monkeypatch, capfd):
    monkeypatch.setenv(onednn.SETTING, "1")
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with onednn.without_notes():
        os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on. You may see\nkept\n")
    assert capfd.readouterr().err == "kept\n"
    with pytest.raises(ImportError), onednn.without_notes():
        os.write(2, b"why\n")
        raise ImportError
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "why\nlater\n"
