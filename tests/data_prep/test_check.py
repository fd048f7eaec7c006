"""What is in a folder: every kind of picture is named, every broken one explained, every double found."""

import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_prep.check import check, main, summary
from data_prep.engine.check_picture import THUMB, draw_sheet, header, headers_of_any_size, inspect, sample_images
from data_prep.engine.duplicates import equal_groups, fingerprint, near_groups, near_pairs
from data_prep.engine.pipeline import threaded
from data_prep.engine.sources import open_source
from keras_faces.data.pictures import decode_bytes

ROOT = Path(__file__).resolve().parents[2]
LFW = ROOT.parent / "shared" / "data" / "lfw-deepfunneled"


def scene(seed: int, side: int = 64) -> np.ndarray:
    """A coloured picture, another one for each seed: uint8 RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)


def file_of(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **options)
    return buffer.getvalue()


def jpeg(seed: int = 0, quality: int = 90, side: int = 64) -> bytes:
    return file_of(Image.fromarray(scene(seed, side)), "JPEG", quality=quality)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_of(Image.fromarray(scene(1)[:32]), "JPEG", exif=exif)


PICTURE = Image.fromarray(scene(0))
GREY16 = Image.fromarray(scene(0)[..., 0].astype(np.uint16) * 256)
FILES = {
    "rgb.jpg": (jpeg(), ("RGB",)),
    "grey.jpg": (file_of(PICTURE.convert("L"), "JPEG"), ("grey",)),
    "cmyk.jpg": (file_of(PICTURE.convert("CMYK"), "JPEG"), ("CMYK",)),
    "grey16.png": (file_of(GREY16, "PNG"), ("16 bit", "grey")),
    "rgb16.png": (cv2.imencode(".png", scene(0).astype(np.uint16) * 256)[1].tobytes(), ("16 bit", "RGB")),
    "alpha.png": (file_of(PICTURE.convert("RGBA"), "PNG"), ("RGB", "transparent")),
    "palette.png": (file_of(PICTURE.convert("P"), "PNG"), ("palette",)),
    "moving.gif": (file_of(PICTURE, "GIF", save_all=True, append_images=[Image.fromarray(scene(5))]), None),
    "turned.jpg": (turned(), ("RGB", "turned by EXIF")),
    "one.png": (file_of(PICTURE.crop((0, 0, 1, 1)), "PNG"), ("RGB",)),
}
BROKEN = {
    "cut.jpg": (jpeg()[:-200], "cut short"),
    "empty.jpg": (b"", r"empty file \(0 bytes\)"),
    "text.jpg": (b"no picture at all", "not a picture that OpenCV can read"),
    "half.png": (file_of(PICTURE, "PNG")[:300], "cut short"),
}


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_picture_is_known(name):
    data, kinds = FILES[name]
    looked = inspect(name, data)
    assert looked.reason == "" and looked.bytes == len(data)
    if kinds is None:
        assert "animated" in looked.kinds
    else:
        assert looked.kinds == kinds
    expected = {"turned.jpg": (32, 64), "one.png": (1, 1)}.get(name, (64, 64))
    assert (looked.width, looked.height) == expected  # as it is shown


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_file_has_a_reason(name):
    data, reason = BROKEN[name]
    looked = inspect(name, data)
    assert looked.fingerprint is None and looked.bytes == len(data)
    assert re.search(reason, looked.reason)


def test_a_header_of_400_million_pixels_is_read():
    data = bytearray(file_of(PICTURE.convert("1"), "PNG"))
    data[16:24] = struct.pack(">II", 20_000, 20_000)  # the PNG header's width and height, then its sum
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with headers_of_any_size():
        assert header(bytes(data)) == ("PNG", ("black and white",), 400_000_000)
    assert Image.MAX_IMAGE_PIXELS is not None


@pytest.fixture
def folder(tmp_path):
    files = {
        "Ann/1.jpg": jpeg(1),
        "Ann/2.jpg": jpeg(2),
        "Ann/again.jpg": jpeg(1),
        "Bo/small.jpg": jpeg(2, quality=40, side=48),
        "Bo/own.jpg": jpeg(3),
        "Bo/cut.jpg": jpeg(4)[:-100],
        "notes.txt": b"hello",
        "Bo/.hidden.jpg": b"",
    }
    return fill(tmp_path / "photographs", files)


def test_a_folder(folder):
    found = check(folder, progress=False)
    assert [picture.name for picture in found.pictures] == [
        *("Ann/1.jpg", "Ann/2.jpg", "Ann/again.jpg"),
        *("Bo/own.jpg", "Bo/small.jpg"),
    ]
    assert found.people == {"Ann": 3, "Bo": 2}
    assert found.sizes == {(64, 64): 4, (48, 48): 1}
    assert found.equal == [["Ann/1.jpg", "Ann/again.jpg"]]
    assert found.near == [["Ann/2.jpg", "Bo/small.jpg"]]
    assert list(found.broken) == ["Bo/cut.jpg"] and list(found.others) == ["notes.txt"]


def test_an_archive_gives_the_same(folder, tmp_path):
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    del files["Bo/.hidden.jpg"]
    path = packed(tmp_path / "a.zip", dict(sorted(files.items())))
    assert check(path, progress=False).as_dict() == check(folder, progress=False).as_dict()


def test_the_script_reports_draws_and_ends_with_3(folder, tmp_path, capsys):
    options = [str(folder), "--quiet", "--sheet", str(tmp_path / "s.png"), "--json", str(tmp_path / "f.json")]
    assert main(options) == 3
    said = capsys.readouterr().out
    for line in ("5 pictures", "64×64 (4), 48×48 (1)", "people   2;", "same bytes: 1", "nearly the same: 1"):
        assert line in said
    assert "Bo/cut.jpg: cut short" in said and "notes.txt: not a picture (.txt)" in said
    found = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert found["broken"] == {"Bo/cut.jpg": "cut short: the end of the picture is missing"}
    assert found["kinds"] == {"RGB": 5} and found["people"] == {"Ann": 3, "Bo": 2}
    sheet = np.asarray(Image.open(tmp_path / "s.png"))
    first = sheet[6 : 6 + THUMB, 6 : 6 + THUMB].astype(int)
    assert np.abs(first - cv2.resize(decode_bytes(jpeg(1)), (THUMB, THUMB), interpolation=cv2.INTER_CUBIC)).mean() < 1
    (folder / "Bo" / "cut.jpg").unlink()
    assert main([str(folder), "--quiet"]) == 0


def test_places_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent is not there; give a folder of pictures or an archive"):
        check(tmp_path / "absent")
    with pytest.raises(ValueError, match="test_check.py is neither a folder nor an archive"):
        check(Path(__file__))
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ValueError, match="bad.zip: damaged or cut short"):
        check(tmp_path / "bad.zip", progress=False)


def test_an_empty_folder_needs_a_look(tmp_path, capsys):
    assert main([str(tmp_path), "--quiet", "--sheet", str(tmp_path / "s.png")]) == 3
    assert "0 pictures" in capsys.readouterr().out and not (tmp_path / "s.png").exists()


def test_the_script_ends_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "data_prep.check", str(tmp_path / "absent")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "absent is not there" in result.stderr and "Traceback" not in result.stderr


def test_the_fingerprint_outlives_saving_and_scaling_but_not_another_picture():
    for seed in range(20):
        image = scene(seed, 160)
        one = fingerprint(image)
        worse = [
            decode_bytes(jpeg(seed, quality=30, side=160)),
            cv2.resize(image, None, fx=0.5, fy=0.5),
            image // 2 + 60,
        ]
        assert all(distance(one, fingerprint(other)) <= 8 for other in worse)
        assert distance(one, fingerprint(scene(seed + 100, 160))) > 30


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.unpackbits((one ^ other).view(np.uint8)).sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 12))
def test_the_search_finds_what_comparing_all_with_all_finds(seed, count, bits):
    random = np.random.default_rng(seed)
    centres = random.integers(0, 2, (4, 128), dtype=np.uint8)
    rows = centres[random.integers(0, 4, count)] ^ (random.random((count, 128)) < random.choice([0.01, 0.05, 0.1]))
    prints = np.unique(np.packbits(rows, axis=1).view(np.uint64), axis=0)
    expected = [
        [i, j, d] for i in range(len(prints)) for j in range(i + 1, len(prints))
        if (d := distance(prints[i], prints[j])) <= bits
    ]  # fmt: skip
    assert near_pairs(prints, bits).tolist() == expected


def test_groups_are_chained_and_equal_prints_belong_together():
    rows = np.zeros((5, 128), np.uint8)
    rows[1, :6], rows[2, :12], rows[3, 60:100] = 1, 1, 1
    prints = np.packbits(rows, axis=1).view(np.uint64)
    assert near_groups(prints, 8) == [[0, 1, 2, 4]]
    assert near_groups(prints, 5) == [[0, 4]]
    assert near_groups(prints[:0]) == [] and near_groups(prints[:1]) == []
    assert equal_groups(["a", "b", "a", "c", "b", "a"]) == [[0, 2, 5], [1, 4]]


def test_the_search_takes_seconds_for_many():
    """50,000 pictures, of which 100 are nearly there twice: comparing all with all would be a billion comparisons."""
    prints = np.random.default_rng(0).integers(0, 2**64, (50_000, 2), dtype=np.uint64)
    prints[-100:] = prints[:100]
    prints[-100:, 0] ^= np.uint64(0b10110)
    assert near_groups(prints) == [[number, 49_900 + number] for number in range(100)]


def test_the_sample_is_fair_and_in_order(tmp_path):
    source = open_source(fill(tmp_path, {f"{number:02d}.jpg": jpeg(number, side=8) for number in range(20)}))
    names, taken = [picture.name for picture in source.pictures], Counter()
    for seed in range(100):
        chosen = list(sample_images(source, names, 5, seed))
        assert len(chosen) == 5 and chosen == sorted(chosen)
        taken.update(chosen)
    assert all(10 <= taken[name] <= 45 for name in names)  # 25 on average
    images = sample_images(source, names, 99)
    assert list(images) == names and all(image.shape == (THUMB, THUMB, 3) for image in images.values())


def test_a_sheet_of_one_with_a_long_name():
    sheet = np.asarray(draw_sheet({"ä" * 300 + ".jpg": np.full((THUMB, THUMB, 3), 9, np.uint8)}))
    assert (sheet[6 : 6 + THUMB, 6 : 6 + THUMB] == 9).all() and (sheet[:6] == 255).all()


def test_few_items_are_under_way():
    started, done = [], []
    for result in threaded(lambda item: item * item, iter_and_note(started, 100), threads=2, ahead=3):
        done.append(result)
        assert len(started) <= len(done) + 6
    assert done == [number * number for number in range(100)]


def iter_and_note(started: list, count: int):
    for number in range(count):
        started.append(number)
        yield number


def test_a_file_that_cannot_be_opened_is_a_reason(folder):
    (folder / "Ann" / "1.jpg").unlink()
    (folder / "Ann" / "1.jpg").symlink_to("nowhere.jpg")
    assert check(folder, progress=False).broken["Ann/1.jpg"].startswith("cannot be opened (")


def test_many_broken_files_and_names_that_are_no_unicode(tmp_path, capsys):
    fill(tmp_path / "in", {f"{number:05d}.png": b"" for number in range(3000)})
    if sys.platform == "linux":
        (tmp_path / "in" / "caf\udce9.png").write_bytes(b"text")
    assert main([str(tmp_path / "in"), "--quiet", "--json", str(tmp_path / "f.json")]) == 3
    found = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert (
        len(found["broken"]) == 3000 + (sys.platform == "linux") and "00000.png: empty file" in capsys.readouterr().out
    )


@pytest.mark.skipif(not LFW.is_dir(), reason="no LFW photographs beside this checkout")
def test_on_lfw():
    place = sorted(LFW.iterdir())[0]
    found = check(place, progress=False)
    assert found.pictures and not found.broken
    assert set(found.sizes) == {(250, 250)} and "JPEG" in summary(found)


def test_small_faults_are_named_once_and_the_terminal_is_quiet(tmp_path, capfd):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for number in range(4):
        image = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        data = cv2.imencode(".jpg", image)[1].tobytes()
        if number % 2:
            at = data.index(b"\xff\xda")
            data = data[:at] + b"\1\2\3" + data[at:]
        (photographs / f"{number}.jpg").write_bytes(data)
    assert main([str(photographs), "--quiet", "--json", str(tmp_path / "f.json")]) == 0
    said = capfd.readouterr()
    assert "small faults: 2\n  1.jpg: Corrupt JPEG data: 3 extraneous bytes" in said.out and said.err == ""
    assert list(json.loads((tmp_path / "f.json").read_text())["small faults"]) == ["1.jpg", "3.jpg"]
