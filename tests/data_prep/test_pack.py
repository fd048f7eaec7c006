"""Packing: pictures meet their rows, every label arrives with its picture, and nothing half-made is taken for whole."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest

from data_prep import celeba, pack
from data_prep.engine.script import DONE, LOOK
from keras_faces.data import load

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
ROWS = ["image_id,partition,identity,Smiling,Male", "a.jpg,0,70,1,-1", "b.jpg,1,80,-1,1", "c.jpg,2,70,1,1"]


def picture(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.full((8, 8, 3), grey, np.uint8))[1].tobytes())


@pytest.fixture
def photographs(tmp_path):
    """Three pictures, whose grey tells which they are, in a folder of their own."""
    for name, grey in (("a", 10), ("b", 20), ("c", 30)):
        picture(tmp_path / "photographs" / "img" / f"{name}.png", grey)
    return tmp_path / "photographs"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(ROWS) + "\n")
    return path


def greys(faces):
    return faces.images[:][:, 0, 0, 0].tolist()


def packed(source, target, *options, code=DONE):
    assert pack.main([str(source), str(target), "--quiet", *map(str, options)]) == code
    return load(target, None)


def test_every_label_arrives_with_its_picture(photographs, table, tmp_path, capsys):
    faces = packed(photographs, tmp_path / "x.h5", "--table", table)
    assert faces.names == ["img/a.png", "img/b.png", "img/c.png"]
    assert greys(faces) == [10, 20, 30]
    assert faces.identities.tolist() == [70, 80, 70] and faces.identity_names is None
    assert faces.partition.tolist() == [0, 1, 2]
    assert faces.attributes["Smiling"].tolist() == [1, -1, 1] and faces.attributes["Male"].tolist() == [-1, 1, 1]
    said = capsys.readouterr().out
    assert "3 pictures, img/a.png to img/c.png\n2 people\npartition: 1 training, 1 validation, 1 test" in said
    assert "x.h5: 0.0 MB, read back and whole" in said


def test_an_archive_gives_the_same_file(photographs, table, tmp_path):
    with zipfile.ZipFile(tmp_path / "photographs.zip", "w") as archive:
        for name in "cab":  # in another order
            archive.write(photographs / "img" / f"{name}.png", f"img/{name}.png")
    faces = packed(tmp_path / "photographs.zip", tmp_path / "x.h5", "--table", table)
    found = dict(zip(faces.names, greys(faces), strict=True))
    assert found == {"img/a.png": 10, "img/b.png": 20, "img/c.png": 30}
    assert dict(zip(faces.names, faces.partition.tolist(), strict=True)) == {
        "img/a.png": 0,
        "img/b.png": 1,
        "img/c.png": 2,
    }


def test_size_crop_and_celeba_files(photographs, tmp_path):
    names = " ".join(f"Attribute_{number}" for number in range(40))
    rows = [f"{name}.jpg {'1 -1 ' * 20}" for name in "abc"]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(["3", names, *rows]) + "\n")
    (tmp_path / "identity_CelebA.txt").write_text("c.jpg 3\nb.jpg 2\na.jpg 1\n")
    files = [tmp_path / "list_attr_celeba.txt", tmp_path / "identity_CelebA.txt"]
    faces = packed(photographs, tmp_path / "x.h5", "--size", 4, "--crop", "center", "--celeba", *files)
    assert faces.images.shape == (3, 4, 4, 3) and faces.attributes.shape == (3, 40)
    assert faces.identities.tolist() == [1, 2, 3] and faces.partition is None


def test_select_packs_the_rows_of_an_expression(photographs, table, tmp_path, capsys):
    faces = packed(photographs, tmp_path / "x.h5", "--table", table, "--select", "smiling & male")
    assert faces.names == ["img/c.png"] and greys(faces) == [30] and faces.partition.tolist() == [2]
    assert "2 pictures left out by 'smiling & male'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--select", "Smiling"], r"an expression needs attributes: give a table"),
        (["--table", "TABLE", "--select", "Bald"], "there is no attribute 'Bald'"),
        (["--table", "TABLE", "--select", "Male & !Male"], "true for none of the 3 pictures"),
        (
            ["--table", "OTHER"],
            "no picture of .*photographs is in the table: the pictures are img/a.png, img/b.png and 1",
        ),
        (["--table", "TABLE", "--celeba", "TABLE2"], "both .*table.csv and .*table2.csv have the column 'partition'"),
    ],
)
def test_wrong_tables_and_expressions(photographs, table, tmp_path, options, message):
    (tmp_path / "other.csv").write_text("image_id,Male\nx.jpg,1\n")
    shutil.copy(table, tmp_path / "table2.csv")
    places = {"TABLE": table, "OTHER": tmp_path / "other.csv", "TABLE2": tmp_path / "table2.csv"}
    with pytest.raises(ValueError, match=message):
        pack.main([str(photographs), str(tmp_path / "x.h5"), *(str(places.get(option, option)) for option in options)])
    assert not (tmp_path / "x.h5").exists()


def test_pictures_without_row_and_rows_without_picture(photographs, table, tmp_path, capsys):
    picture(photographs / "img" / "z.png", 99)
    (photographs / "img" / "b.png").unlink()
    faces = packed(photographs, tmp_path / "x.h5", "--table", table, code=LOOK)
    assert faces.names == ["img/a.png", "img/c.png"] and faces.partition.tolist() == [0, 2]
    said = capsys.readouterr().out
    assert "1 picture without a row, left out: img/z.png" in said and "1 row without a picture, left out: b.jpg" in said


def test_broken_pictures_take_no_label_of_another(photographs, table, tmp_path, capsys):
    (photographs / "img" / "b.png").write_bytes(b"no picture")
    faces = packed(photographs, tmp_path / "x.h5", "--table", table, code=LOOK)
    assert faces.names == ["img/a.png", "img/c.png"]
    assert faces.partition.tolist() == [0, 2] and faces.attributes["Male"].tolist() == [-1, 1]
    said = capsys.readouterr().out
    assert "img/b.png" in said and "2 pictures, img/a.png to img/c.png" in said


def test_person_folders(tmp_path, capsys):
    for name, grey in (("Ann/1", 1), ("Bob/1", 2), ("Bob/2", 3)):
        picture(tmp_path / "people" / f"{name}.png", grey)
    faces = packed(tmp_path / "people", tmp_path / "x.h5")
    assert faces.identities.tolist() == [0, 1, 1] and faces.identity_names == ["Ann", "Bob"]
    assert "2 people, from the folders" in capsys.readouterr().out
    (tmp_path / "own.csv").write_text("image_id,Happy\nBob/1.png,1\nBob/2.png,-1\nAnn/1.png,1\n")
    faces = packed(tmp_path / "people", tmp_path / "x.h5", "--table", tmp_path / "own.csv")
    assert faces.identity_names == ["Ann", "Bob"] and faces.attributes["Happy"].tolist() == [1, 1, -1]
    (tmp_path / "own.csv").write_text("image_id,person\nBob/1.png,Zoë\nBob/2.png,Ann\nAnn/1.png,Ann\n")
    faces = packed(tmp_path / "people", tmp_path / "x.h5", "--table", tmp_path / "own.csv")
    assert faces.identity_names == ["Ann", "Zoë"] and faces.identities.tolist() == [0, 1, 0]
    assert faces.attributes is None


def test_flat_pictures_without_table_have_no_labels(photographs, tmp_path, capsys):
    faces = packed(photographs, tmp_path / "x.h5")
    assert len(faces) == 3 and faces.identities is None and faces.attributes is None and faces.partition is None
    assert "no labels" in capsys.readouterr().out


def test_dry_run_writes_nothing(photographs, table, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    arguments = [str(photographs), str(tmp_path / "x.h5"), "--table", str(table), "--size", "4", "--select", "Male"]
    assert pack.main([*arguments, "--dry-run"]) == DONE
    assert "would pack 2 pictures at 4×4 into" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before


def test_what_does_not_read_back_is_an_error(photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "verify_packed", lambda path, progress: [f"{path}: dataset 'images' is damaged"])
    with pytest.raises(ValueError, match="was written, but does not read back:\n.*dataset 'images' is damaged"):
        packed(photographs, tmp_path / "x.h5")


def test_verify(photographs, table, tmp_path, capsys):
    packed(photographs, tmp_path / "x.h5", "--table", table)
    assert pack.main(["--verify", str(tmp_path / "x.h5")]) == DONE
    assert "x.h5 is whole: every dataset is as it was written" in capsys.readouterr().out
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file["partition"][0] = 1
    assert pack.main(["--verify", str(tmp_path / "x.h5")]) == LOOK
    assert "dataset 'partition' is not as it was written" in capsys.readouterr().out
    whole = (tmp_path / "x.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    assert pack.main(["--verify", str(tmp_path / "cut.h5")]) == LOOK


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give SRC and OUT.h5, or --verify FILE.h5"),
        (["photographs"], "give SRC and OUT.h5"),
        (["photographs", "--verify", "x.h5"], "--verify FILE.h5 stands alone"),
        (["photographs", "x.h5", "--size", "0"], "give a whole number from 1 to 16384"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        pack.main(arguments)
    assert ended.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--verify", "nothing.h5"], FileNotFoundError, "nothing.h5 is not there"),
        (["nothing", "x.h5"], FileNotFoundError, "nothing is not there"),
        (["photographs", "x.npz"], ValueError, "x.npz: a packed file ends in .h5"),
        (["photographs", "nowhere/x.h5"], ValueError, "lies in a folder that exists"),
    ],
)
def test_places_that_cannot_be_used(photographs, monkeypatch, arguments, error, message):
    monkeypatch.chdir(photographs.parent)
    with pytest.raises(error, match=message):
        pack.main(arguments)


def test_the_command_ends_with_a_message_and_no_traceback(photographs):
    command = [sys.executable, "-m", "data_prep.pack", "--verify", "nothing.h5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=photographs.parent, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1 and ended.stderr.strip() == "nothing.h5 is not there, or is no file"


@pytest.mark.skipif(not (DATA / "celeba_178x218").is_dir(), reason="the real files are not in ../shared/data")
def test_real_faces_keep_their_labels(tmp_path):
    folder = DATA / "celeba_178x218"
    assert celeba.main([*map(str, sorted(folder.glob("*.txt"))), "--out", str(tmp_path / "celeba.csv")]) == DONE
    faces = packed(folder / "img_align_celeba", tmp_path / "x.h5", "--size", 64, "--table", tmp_path / "celeba.csv")
    assert len(faces) == 32 and faces.identities[0] == 2880
    expected = load(folder / "img_align_celeba", 64).images[:]
    difference = np.abs(faces.images[:].astype(int) - expected)
    assert difference.mean() < 2  # the JPEGs were decoded at half size
    text = pd.read_csv(folder / "list_attr_celeba.txt", sep=r"\s+", skiprows=1)
    assert (faces.attributes.to_numpy() == text.to_numpy()).all()


def test_a_photograph_that_is_left_out_is_named_with_the_way_out_and_the_exit_code_is_3(photographs, tmp_path, capsys):
    (photographs / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert pack.main([str(photographs), str(tmp_path / "a.h5"), "--size", "8", "--quiet"]) == 3
    assert "IMG_1.HEIC: a HEIC photograph" in (said := capsys.readouterr().out) and "export it as JPEG" in said
