"""From a folder or an archive to a packed file: pixels, broken pictures, stops of every kind."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep.engine import pipeline, resize_packed
from data_prep.engine.decode import Framing
from data_prep.engine.journal import PackedJournal
from data_prep.engine.sources import open_source
from data_prep.resize import main, resize_to_packed
from keras_faces.data import load
from keras_faces.data.pictures import decode, to_square

ROOT = Path(__file__).resolve().parents[2]


def smooth(height, width, seed=0):
    blobs = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(blobs, (width, height), interpolation=cv2.INTER_LINEAR)


def put(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())


@pytest.fixture
def photographs(tmp_path):
    """Twenty pictures of four people, PNG and JPEG, 40×48 and 48×40."""
    for number in range(20):
        shape = (40, 48) if number % 2 else (48, 40)
        suffix = ".png" if number % 3 else ".jpg"
        put(tmp_path / "in" / f"person {number // 5}" / f"é{number:02d}{suffix}", smooth(*shape, seed=number))
    return tmp_path / "in"


@pytest.fixture
def small_portions(monkeypatch):
    monkeypatch.setattr(pipeline, "_PORTION", 4)


def expected(folder, size, crop="auto"):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return np.stack([to_square(decode(path), size, crop) for path in files])


def packed(path):
    return load(path, None).images[:]


def nothing_beside(target):
    return [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("workers", [1, 3])
def test_folder_to_packed_file(photographs, tmp_path, workers, small_portions):
    target = tmp_path / "x.h5"
    report = resize_to_packed(photographs, target, 30, workers=workers, progress=False)
    faces = load(target, None)
    np.testing.assert_array_equal(faces.images[:], expected(photographs, 30))
    assert faces.names == report.names == sorted(faces.names) and faces.names[0] == "person 0/é00.jpg"
    assert faces.identity_names == [f"person {number}" for number in range(4)]
    assert (report.done, report.skipped, report.broken, report.device) == (20, 0, [], "cpu")
    assert nothing_beside(target)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_archive_gives_what_its_folder_gives(photographs, tmp_path, kind, small_portions):
    archive = tmp_path / f"photographs.{kind}"
    names = sorted(path.relative_to(photographs).as_posix() for path in photographs.rglob("*.*g"))
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("readme.txt", "none of the pictures")
            for name in names:
                file.write(photographs / name, name)
    else:
        with tarfile.open(archive, "w:gz") as file:
            for name in names:
                file.add(photographs / name, name)
    report = resize_to_packed(archive, tmp_path / "x.h5", 24, workers=2, progress=False)
    np.testing.assert_array_equal(packed(tmp_path / "x.h5"), expected(photographs, 24))
    assert report.names == names and report.ignored == (["readme.txt"] if kind == "zip" else [])


def test_crops_and_box(photographs, tmp_path):
    for crop in ("center", "none"):
        resize_to_packed(photographs, tmp_path / "x.h5", 16, crop=crop, progress=False)
        np.testing.assert_array_equal(packed(tmp_path / "x.h5"), expected(photographs, 16, crop))
    resize_to_packed(photographs, tmp_path / "x.h5", 5, box=(10, 0, 20, 10), reduced=False, progress=False)
    first = decode(photographs / "person 0" / "é00.jpg")[0:10, 10:30]
    np.testing.assert_array_equal(packed(tmp_path / "x.h5")[0], to_square(first, 5, "none"))


def test_names_and_labels(photographs, tmp_path):
    asked = ["person 1/é07.png", "person 0/é00.jpg", "not there.jpg"]

    def labels(names):
        assert names == ["person 0/é00.jpg", "person 1/é07.png"]
        return {"attributes": pd.DataFrame({"Smiling": [1, -1]}, index=names), "partition": [0, 2]}

    resize_to_packed(photographs, tmp_path / "x.h5", 16, names=asked, labels=labels, progress=False)
    faces = load(tmp_path / "x.h5", None)
    assert faces.attributes["Smiling"].tolist() == [1, -1] and faces.partition.tolist() == [0, 2]
    assert faces.identities is None and len(faces) == 2


def test_kept_size(tmp_path):
    for number in range(3):
        put(tmp_path / "in" / f"{number}.png", smooth(22, 18, seed=number))
    resize_to_packed(tmp_path / "in", tmp_path / "x.h5", None, progress=False)
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["images"].shape == (3, 22, 18, 3)
    resize_to_packed(tmp_path / "in", tmp_path / "x.h5", None, crop="center", progress=False)
    assert packed(tmp_path / "x.h5").shape == (3, 18, 18, 3)
    put(tmp_path / "in" / "3.png", smooth(18, 22))
    with pytest.raises(ValueError, match=r"3\.png has 22×18 pixels and those before it 18×22.*give --size"):
        resize_to_packed(tmp_path / "in", tmp_path / "x.h5", None, progress=False)
    assert nothing_beside(tmp_path / "x.h5") and packed(tmp_path / "x.h5").shape == (3, 18, 18, 3)


def test_broken_pictures_are_left_out_and_listed(photographs, tmp_path, small_portions):
    whole = (photographs / "person 0" / "é00.jpg").read_bytes()
    (photographs / "a.jpg").write_bytes(whole[: len(whole) // 2])
    (photographs / "person 1" / "b.jpg").write_bytes(b"")
    (photographs / "z.jpg").write_text("a text")
    (photographs / "list.txt").write_text("a list")
    (photographs / "gone.png").symlink_to("nowhere.png")
    put(photographs / "tiny.png", smooth(1, 1))
    report = resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False)
    assert dict(report.broken).keys() == {"a.jpg", "person 1/b.jpg", "z.jpg", "gone.png"}
    assert "cut short" in dict(report.broken)["a.jpg"] and report.ignored == ["list.txt"]
    faces = load(tmp_path / "x.h5", None)
    assert len(faces) == 21 == report.done and faces.names == report.names
    assert (faces.images[faces.names.index("tiny.png")] == decode(photographs / "tiny.png")[0, 0]).all()


def test_nothing_readable_is_an_error_and_the_older_file_stays(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "x.h5").write_text("older")
    with pytest.raises(ValueError, match="holds no pictures"):
        resize_to_packed(tmp_path / "in", tmp_path / "x.h5", 16, progress=False)
    (tmp_path / "in" / "a.jpg").write_text("text")
    with pytest.raises(ValueError, match=r"none of 1 pictures can be read; a\.jpg: not a picture"):
        resize_to_packed(tmp_path / "in", tmp_path / "x.h5", 16, progress=False)
    assert (tmp_path / "x.h5").read_text() == "older" and nothing_beside(tmp_path / "x.h5")


KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from data_prep.engine import journal, pipeline
from data_prep.resize import resize_to_packed
pipeline._PORTION, journal._SYNC_BYTES = 2, 1
sync = journal.PackedJournal.sync

def sync_and_die(self):
    sync(self)
    if self.seen >= 8:
        self._pixels.write(b"pixels of which no line tells")
        os._exit(9)  # as kill -9: nothing is tidied up

journal.PackedJournal.sync = sync_and_die
resize_to_packed(sys.argv[2], sys.argv[3], 30, workers=2, progress=False)
"""


def kill_half_way(source, target):
    ended = subprocess.run([sys.executable, "-c", KILLED, ROOT, source, target], capture_output=True, text=True)
    assert ended.returncode == 9, ended.stderr


def test_killed_and_run_again(photographs, tmp_path):
    (photographs / "a.jpg").write_bytes(b"")
    target = tmp_path / "x.h5"
    kill_half_way(photographs, target)
    assert not target.exists()
    index = tmp_path / ".x.h5.journal" / "index.jsonl"
    index.write_bytes(index.read_bytes() + b'{"seen": 12, "byt')  # a line that was cut short
    report = resize_to_packed(photographs, target, 30, progress=False)
    assert (report.skipped, report.done, [name for name, _ in report.broken]) == (7, 13, ["a.jpg"])
    (photographs / "a.jpg").unlink()
    np.testing.assert_array_equal(packed(target), expected(photographs, 30))
    assert nothing_beside(target)


@pytest.mark.parametrize("change", ["size", "source", "crop"])
def test_other_settings_or_source_begin_anew(photographs, tmp_path, change, capsys):
    target, size, crop = tmp_path / "x.h5", 30, "auto"
    kill_half_way(photographs, target)
    if change == "size":
        size = 24
    elif change == "crop":
        crop = "none"
    else:
        put(photographs / "person 0" / "é00.jpg", smooth(50, 50, seed=77))
    report = resize_to_packed(photographs, target, size, crop=crop)
    assert (report.skipped, report.done) == (0, 20) and "starts over" in capsys.readouterr().out
    np.testing.assert_array_equal(packed(target), expected(photographs, size, crop))


def test_failing_labels_cost_no_pictures(photographs, tmp_path):
    def labels(names):
        raise ValueError("no row for é00.jpg")

    with pytest.raises(ValueError, match="no row"):
        resize_to_packed(photographs, tmp_path / "x.h5", 30, labels=labels, progress=False)
    report = resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False)
    assert (report.skipped, report.done) == (20, 0) and len(load(tmp_path / "x.h5", None)) == 20


def test_ctrl_c_keeps_what_is_finished(photographs, tmp_path, monkeypatch, small_portions):
    add, calls = PackedJournal.add, []

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        add(self, *arguments)

    monkeypatch.setattr(PackedJournal, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False)
    monkeypatch.setattr(PackedJournal, "add", add)
    assert resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False).skipped == 8


def test_second_run_at_the_same_time_is_kept_out(photographs, tmp_path):
    if os.name != "nt":
        pytest.importorskip("fcntl")
    header = resize_packed._header(open_source(photographs), Framing(30))
    journal = PackedJournal(tmp_path / "x.h5", header)
    with pytest.raises(ValueError, match="another run writes to the same target"):
        resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False)
    journal.remove()
    assert resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False).done == 20


def test_disk_that_is_full_or_too_small(photographs, tmp_path):
    """The system refuses to let a file grow beyond 20 kB, as a full disk would."""
    resource = pytest.importorskip("resource")
    import signal

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    command = [sys.executable, "-m", "data_prep.resize", photographs, tmp_path / "x.h5", "--size", "30", "--quiet"]
    ended = subprocess.run(command, preexec_fn=limit, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "the disk is full" in ended.stderr and "run the same command again" in ended.stderr
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    np.testing.assert_array_equal(packed(tmp_path / "x.h5"), expected(photographs, 30))


def test_too_little_room_is_seen_before_the_start(photographs, tmp_path, monkeypatch):
    class Usage:
        free = 20 * 3 * 30 * 30 * 2 - 1

    monkeypatch.setattr(resize_packed.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(OSError, match=r"0 MB free, and 20 pictures of 30×30 need 0 MB"):
        resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False)
    Usage.free += 1
    assert resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False).done == 20


def test_auto_chooses_a_device(photographs, tmp_path, small_portions):
    report = resize_to_packed(photographs, tmp_path / "x.h5", 17, device="auto", progress=False)
    assert report.device == "cpu" and report.measured["cpu"] > 0 and "not tried" in report.measured["opencl"]


def test_command_line(photographs, tmp_path, capsys):
    target = str(tmp_path / "x.h5")
    assert main([str(photographs), target, "--size", "30", "--dry-run"]) == 0
    assert "20 pictures would go" in capsys.readouterr().out and os.listdir(tmp_path) == ["in"]
    assert main([str(photographs), target, "--size", "30", "--device", "auto", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "20 done now" in out and "on cpu, 1 thread" in out and "opencl: not tried" in out
    for number in range(12):
        (photographs / f"broken{number:02d}.jpg").write_text("text")
    assert main([str(photographs), target, "--size", "30", "--quiet"]) == 3
    out = capsys.readouterr().out
    assert "broken00.jpg: not a picture" in out and "and 2 broken ones more" in out and "broken10" not in out


@pytest.mark.parametrize(
    "wrong",
    ["--size 0", "--size big", "--size 30 --box 1,2,3", "--size 30 --workers 0", "--size 30 --device tpu", ""],
)
def test_wrong_usage_exits_with_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["in", "x.h5", *wrong.split()])
    assert ended.value.code == 2 and capsys.readouterr().err


def test_device_that_is_no_more_names_the_others(capsys):
    with pytest.raises(SystemExit):
        main(["in", "x.h5", "--size", "30", "--device", "accelerator"])
    assert re.search("invalid choice: 'accelerator' .*cpu.*opencl.*cuda.*auto", capsys.readouterr().err)


def test_killed_while_the_finished_journal_is_removed(photographs, tmp_path):
    """Pixels without an index do not count."""
    (tmp_path / ".x.h5.journal").mkdir()
    (tmp_path / ".x.h5.journal" / "pixels.raw").write_bytes(b"left behind")
    assert resize_to_packed(photographs, tmp_path / "x.h5", 30, progress=False).done == 20
    np.testing.assert_array_equal(packed(tmp_path / "x.h5"), expected(photographs, 30))


def test_errors_at_the_command_line_name_the_way_out(photographs, tmp_path):
    for arguments, message in [
        ([tmp_path / "nowhere", tmp_path / "x.h5"], "nowhere is not there"),
        ([Path(__file__), tmp_path / "x.h5"], "neither a folder nor an archive"),
        ([photographs, tmp_path / "no" / "x.h5"], "is not a folder; make it first"),
        ([photographs, tmp_path / "x.h5", "--quality", "80"], "are for folders"),
        ([photographs, tmp_path / "x.h5", "--crop", "celeba"], "none of 20 pictures can be read"),
        ([photographs, tmp_path / "x.h5", "--box", "0,0,4,4", "--crop", "none"], "one of the two"),
    ]:
        with pytest.raises((ValueError, OSError), match=message):
            main([*map(str, arguments), "--size", "30", "--quiet"])


def test_no_framework_is_imported():
    program = (
        "import sys, data_prep.resize, data_prep.pack, data_prep.celeba, data_prep.lfw, keras_faces.fast.autotune\n"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]", ended.stdout + ended.stderr
