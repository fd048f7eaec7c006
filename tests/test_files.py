"""A file is whole or it is not there."""

import io
import os
import subprocess
import sys

import h5py
import pytest

from keras_faces import files
from keras_faces.files import (
    atomic_write,
    escape_missing_letters,
    open_hdf5,
    printable,
    printable_lines,
    read_file,
)


def test_the_new_file_takes_the_old_ones_place(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with atomic_write(target) as beside:
        beside.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(type(error)), atomic_write(target) as beside:
        beside.write_text("half")
        raise error
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_the_suffix_stays_for_writers_that_look_at_it(tmp_path):
    with atomic_write(tmp_path / "model.keras") as beside:
        assert beside.suffix == ".keras"
        beside.touch()


def test_what_a_killed_process_left_is_removed_by_the_next_run_and_nothing_else(tmp_path):
    killed = f"""
import os
from keras_faces.files import atomic_write
with atomic_write({str(tmp_path / "a.h5")!r}) as part:
    part.write_text("half")
    os._exit(9)
"""
    subprocess.run([sys.executable, "-c", killed], check=False)
    (left,) = tmp_path.iterdir()
    alive = tmp_path / left.name.replace(left.name.split(".")[2].split("-")[0], str(os.getppid()))
    elsewhere = tmp_path / (left.name.rpartition(".part")[0][:-8] + "00000000.part.h5")  # of another machine
    for path in (alive, elsewhere, tmp_path / ".a.part", tmp_path / "x.999999.part.h5"):
        path.touch()
    with atomic_write(tmp_path / "a.h5") as part:
        part.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.h5",
        alive.name,
        elsewhere.name,
        ".a.part",
        "x.999999.part.h5",
    }


def test_a_folder_is_searched_for_left_files_once(tmp_path, monkeypatch):
    searched = []
    real = os.scandir
    monkeypatch.setattr(files.os, "scandir", lambda path: searched.append(path) or real(path))
    for name in "abc":
        with atomic_write(tmp_path / name) as part:
            part.touch()
    assert searched == [str(tmp_path)]


def test_pipes_and_devices_are_refused_before_anything_is_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    assert read_file(tmp_path / "a.txt") == b"abc"
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.h5", tmp_path / "zero.png"):
        with pytest.raises(OSError, match=f"{path.name} is a pipe or a device"):
            read_file(path)
    with pytest.raises(OSError, match="no plain file"):
        open_hdf5(tmp_path / "pipe.h5")
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "absent")


def test_hdf5_is_read_without_a_lock(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    with h5py.File(tmp_path / "a.h5", "w", locking=False) as file:
        file["x"] = 1
    with open(tmp_path / "a.h5", "rb+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with open_hdf5(tmp_path / "a.h5") as file:
            assert file["x"][()] == 1


def test_names_are_printed_without_what_a_terminal_would_obey():
    assert printable("\x1b[31mRED\x1b[0m\x07\n\u202egnp.exe\udcff\x9b") == (
        r"\x1b[31mRED\x1b[0m\x07\n\u202egnp.exe\udcff\x9b"
    )
    assert printable("ünï 中文 é_1%s{0}") == "ünï 中文 é_1%s{0}"


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii"])
def test_output_in_a_code_page_never_stops(monkeypatch, encoding):
    bytes_ = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_, encoding=encoding))
    escape_missing_letters()
    print("Peña ψ 中 64×64", flush=True)
    told = bytes_.getvalue().decode(encoding)
    for letter in "ñψ中×":
        told = told.replace(letter.encode("unicode_escape").decode(), letter)
    assert told == "Peña ψ 中 64×64\n"


def test_messages_keep_their_lines():
    assert printable_lines(ValueError("a\x1b[1m\nb")) == "a\\x1b[1m\nb"
