"""Files that mirror the source: formats, names that would collide, going on after a stop."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from data_prep.engine import pipeline
from data_prep.resize import main, resize_to_folder
from keras_faces.data.pictures import decode, to_square

ROOT = Path(__file__).resolve().parents[3]


def smooth(height, width, seed=0):
    blobs = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(blobs, (width, height), interpolation=cv2.INTER_LINEAR)


def put(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())


@pytest.fixture
def photographs(tmp_path):
    for number in range(12):
        put(tmp_path / "in" / f"person {number // 4}" / f"{number:02d}.png", smooth(40, 48, seed=number))
    return tmp_path / "in"


def mirrored(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pictures(folder):
    return [name for name in mirrored(folder) if not name.startswith(".")]


def test_tree_is_mirrored(photographs, tmp_path):
    report = resize_to_folder(photographs, tmp_path / "out" / "deep", 20, progress=False)
    assert pictures(tmp_path / "out" / "deep") == mirrored(photographs) == report.names
    for name in report.names:
        expected = to_square(decode(photographs / name), 20)
        np.testing.assert_array_equal(decode(tmp_path / "out" / "deep" / name), expected)
    assert (report.done, report.skipped, report.broken) == (12, 0, [])


@pytest.mark.parametrize("extension", [".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".JPG"])
def test_format_is_kept(tmp_path, extension):
    image = smooth(50, 50)
    put(tmp_path / "in" / f"x{extension}", image)
    resize_to_folder(tmp_path / "in", tmp_path / "out", 25, progress=False)
    result = tmp_path / "out" / f"x{extension}"
    assert result.read_bytes()[:2] == (tmp_path / "in" / f"x{extension}").read_bytes()[:2]
    assert np.abs(decode(result).astype(int) - to_square(image[..., ::-1], 25)).mean() < 4


def test_gif_becomes_png_and_grey_pgm_stays_grey(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(smooth(40, 40)).save(tmp_path / "in" / "x.gif")
    put(tmp_path / "in" / "grey.pgm", smooth(40, 40)[..., 0])
    (tmp_path / "in" / "colour.pgm").write_bytes(cv2.imencode(".ppm", smooth(40, 40))[1].tobytes())
    resize_to_folder(tmp_path / "in", tmp_path / "out", 20, progress=False)
    assert pictures(tmp_path / "out") == ["colour.pgm", "grey.pgm", "x.png"]
    assert (tmp_path / "out" / "grey.pgm").read_bytes()[:2] == b"P5"
    assert decode(tmp_path / "out" / "colour.pgm").std(axis=2).max() > 10


def test_quality_and_one_format_for_all(photographs, tmp_path):
    for quality in (10, 95):
        resize_to_folder(
            photographs, tmp_path / f"q{quality}", 40, extension="jpg", quality=quality, progress=False, workers=2
        )
    small, large = (sum(p.stat().st_size for p in (tmp_path / q).rglob("*.jpg")) for q in ("q10", "q95"))
    assert small < 0.7 * large and len(pictures(tmp_path / "q10")) == 12


def test_second_run_does_only_what_is_new_or_changed(photographs, tmp_path):
    out = tmp_path / "out"
    resize_to_folder(photographs, out, 20, progress=False)
    put(photographs / "person 0" / "new.png", smooth(30, 30, seed=50))
    put(photographs / "person 0" / "00.png", smooth(30, 30, seed=51))
    (out / "person 1" / "04.png").unlink()
    (out / "person 1" / "05.png").write_bytes(b"")  # what a power cut may leave
    report = resize_to_folder(photographs, out, 20, progress=False)
    assert (report.done, report.skipped, len(report.names)) == (4, 9, 13)
    for name in report.names:
        np.testing.assert_array_equal(decode(out / name), to_square(decode(photographs / name), 20))
    assert resize_to_folder(photographs, out, 20, progress=False).done == 0


def test_other_settings_make_all_anew(photographs, tmp_path, capsys):
    out = tmp_path / "out"
    resize_to_folder(photographs, out, 20, progress=False)
    assert resize_to_folder(photographs, out, 10).done == 12
    assert "made again" in capsys.readouterr().out
    assert all(decode(out / name).shape == (10, 10, 3) for name in pictures(out))


KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from data_prep.engine import journal, pipeline
from data_prep.resize import resize_to_folder
pipeline._PORTION = 2
add, count = journal.FolderJournal.add, [0]

def add_and_die(self, done):
    add(self, done)
    count[0] += len(done)
    if count[0] >= 4:
        os._exit(9)  # as kill -9: nothing is tidied up

journal.FolderJournal.add = add_and_die
resize_to_folder(sys.argv[2], sys.argv[3], 20, workers=2, progress=False)
"""


def test_killed_and_run_again(photographs, tmp_path):
    out = tmp_path / "out"
    ended = subprocess.run([sys.executable, "-c", KILLED, ROOT, photographs, out], capture_output=True, text=True)
    assert ended.returncode == 9, ended.stderr
    (out / "person 0" / ".03.png.part").write_bytes(b"half a file")
    report = resize_to_folder(photographs, out, 20, progress=False)
    assert report.skipped == 4 and report.done == 8 and len(report.names) == 12
    for name in pictures(out):
        if not name.endswith(".part"):
            np.testing.assert_array_equal(decode(out / name), to_square(decode(photographs / name), 20))


def test_full_disk_leaves_no_half_file(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "_PORTION", 1)
    write_bytes, calls = Path.write_bytes, []

    def full(self, data):
        calls.append(self)
        if len(calls) > 5:
            write_bytes(self, bytes(data)[:10])
            raise OSError(28, "No space left on device")
        return write_bytes(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"the disk is full.*stay in .*run the same command again"):
        resize_to_folder(photographs, tmp_path / "out", 20, workers=1, progress=False)
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    assert len(mirrored(tmp_path / "out")) == 6  # five pictures and the list of what is done
    report = resize_to_folder(photographs, tmp_path / "out", 20, progress=False)
    assert len(report.names) == 12 and report.skipped >= 3


def test_names_that_become_one_are_refused_before_anything_is_written(tmp_path):
    put(tmp_path / "in" / "a.png", smooth(20, 20))
    put(tmp_path / "in" / "a.jpg", smooth(20, 20))
    with pytest.raises(ValueError, match=r"a\.jpg and a\.png would both become a\.jpg"):
        resize_to_folder(tmp_path / "in", tmp_path / "out", 10, extension="jpg", progress=False)
    assert not (tmp_path / "out").exists()
    assert resize_to_folder(tmp_path / "in", tmp_path / "out", 10, progress=False).done == 2
    put(tmp_path / "in" / "A.png", smooth(20, 20))
    if len(os.listdir(tmp_path / "in")) == 3:
        with pytest.raises(ValueError, match=r"A\.png and a\.png would both become a\.png.*rename"):
            resize_to_folder(tmp_path / "in", tmp_path / "other", 10, progress=False)


def test_foreign_files_and_folders_in_the_source_are_refused(photographs, tmp_path):
    put(tmp_path / "out" / "person 0" / "00.png", smooth(5, 5))
    before = (tmp_path / "out" / "person 0" / "00.png").read_bytes()
    with pytest.raises(FileExistsError, match=r"00\.png is there already.*empty folder"):
        resize_to_folder(photographs, tmp_path / "out", 20, progress=False)
    assert (tmp_path / "out" / "person 0" / "00.png").read_bytes() == before
    for inside in (photographs, photographs / "small"):
        with pytest.raises(ValueError, match="would be read next time"):
            resize_to_folder(photographs, inside, 20, progress=False)
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError, match="is a file; give a folder"):
        resize_to_folder(photographs, tmp_path / "file", 20, progress=False)


def test_wrong_settings(photographs, tmp_path):
    for wrong in ({"extension": "gif"}, {"quality": 0}, {"workers": 0}, {"size": 0}, {"device": "tpu"}):
        with pytest.raises(ValueError):
            resize_to_folder(photographs, tmp_path / "out", **{"size": 20, "progress": False, **wrong})


@pytest.mark.parametrize("failure", ["answer", "error"])
def test_format_that_cannot_hold_a_picture_makes_it_broken(photographs, tmp_path, monkeypatch, failure):
    put(photographs / "x.webp", smooth(40, 40))
    imencode = cv2.imencode

    def refusing(suffix, *rest):  # as for more than 16383 pixels a side
        if suffix != ".webp":
            return imencode(suffix, *rest)
        if failure == "error":
            raise cv2.error("too large")
        return False, ()

    monkeypatch.setattr(cv2, "imencode", refusing)
    report = resize_to_folder(photographs, tmp_path / "out", 20, progress=False)
    assert len(report.names) == 12 and report.broken == [("x.webp", "cannot be written as .webp in 20×20 pixels")]


def test_command_line_and_dry_run(photographs, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([str(photographs), str(out), "--size", "20", "--dry-run"]) == 0 and not out.exists()
    (photographs / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    assert main([str(photographs), str(out), "--size", "20", "--format", "jpg", "--quality", "80", "--quiet"]) == 3
    printed = capsys.readouterr().out
    assert "12 done now" in printed and "cut.jpg: cut short" in printed
    assert len(pictures(out)) == 12 and all(name.endswith(".jpg") for name in pictures(out))


def test_pictures_without_a_known_ending_get_one(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.jfif", "b.jpe", "c", "d.0001"):
        (tmp_path / "in" / name).write_bytes(cv2.imencode(".jpg", smooth(20, 20))[1].tobytes())
    report = resize_to_folder(tmp_path / "in", tmp_path / "out", 10, progress=False)
    assert report.broken == [] and pictures(tmp_path / "out") == ["a.jpg", "b.jpg", "c.png", "d.0001.png"]
    assert decode(tmp_path / "out" / "d.0001.png").shape == (10, 10, 3)
