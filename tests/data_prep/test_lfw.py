"""Person folders as a table, and LFW's lists of people with their faults."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from data_prep import lfw
from data_prep.engine.celeba_files import read_file
from data_prep.engine.script import DONE, LOOK

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NAMES = ["lfw/Bob/Bob_0001.jpg", "lfw/Ann/Ann_0001.jpg", "lfw/Bob/Bob_0002.jpg", "lfw/Çiğdem/1.jpg"]


@pytest.fixture
def lists(tmp_path):
    (tmp_path / "peopleDevTrain.txt").write_text("2\nAnn\t1\nBob\t2\n", encoding="utf-8")
    (tmp_path / "peopleDevTest.txt").write_text("1\r\nÇiğdem\t1\r\n", encoding="utf-8")
    return [tmp_path / "peopleDevTrain.txt", tmp_path / "peopleDevTest.txt"]


def test_persons_are_the_folders():
    table = lfw.person_table(NAMES)
    assert table.index.tolist() == NAMES
    assert table["person"].tolist() == ["Bob", "Ann", "Bob", "Çiğdem"]
    assert table["identity"].tolist() == [1, 0, 1, 2] and table["identity"].dtype == np.int64
    with pytest.raises(ValueError, match=r"^1\.jpg lies in no person's folder"):
        lfw.person_table([*NAMES, "1.jpg"])
    with pytest.raises(ValueError, match="no pictures"):
        lfw.person_table([])


def test_lists_give_the_partition_and_choose_the_people(lists):
    table, differing = lfw.with_partition(lfw.person_table(NAMES), lists)
    assert table["partition"].tolist() == [0, 0, 0, 2] and table["partition"].dtype == np.int8 and differing == []
    table, _ = lfw.with_partition(lfw.person_table(NAMES), lists[1:])
    assert table.index.tolist() == NAMES[3:]
    _, differing = lfw.with_partition(lfw.person_table(NAMES[:2]), lists)
    assert differing == ["Bob (1 for 2)", "Çiğdem (0 for 1)"]
    with pytest.raises(ValueError, match=r"Train.txt: Ann is in another list"):
        lfw.with_partition(lfw.person_table(NAMES), [lists[0], lists[0]])
    with pytest.raises(ValueError, match="none of the lists' people has pictures here; the folders begin with Zoë"):
        lfw.with_partition(lfw.person_table(["Zoë/1.jpg"]), lists)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ann\t1\n", r"line 1: 'Ann\\t1' is no count of people"),
        ("2\nAnn\t1\n", "its first line counts 2 people, but there are 1"),
        ("1\nAnn 1\n", "line 2: 'Ann 1' is not a name, a tab and a number"),
        ("1\nAnn\t1\t2\nAnn\t1\tBob\t1\n", "line 2: .*this is a list of pairs.*give peopleDevTrain.txt"),
        ("2\nAnn\t1\n\nAnn\t2\n", "line 4: Ann was there before"),
        ("", r"is empty \(0 bytes\)"),
        ("2\n1\nAnn\t1\n1\nBob\t1\n", "line 2: '1' is not a name, a tab and a number"),
    ],
)
def test_faults_of_lists(tmp_path, text, message):
    path = tmp_path / "peopleDevTrain.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        lfw.read_people(path)
    assert str(caught.value).startswith(str(path))


def test_a_list_that_says_neither_training_nor_test(tmp_path):
    (tmp_path / "people.txt").write_text("1\nAnn\t1\n")
    with pytest.raises(ValueError, match="people.txt: give peopleDevTrain.txt or peopleDevTest.txt"):
        lfw.with_partition(lfw.person_table(NAMES), [tmp_path / "people.txt"])


def test_the_script(lists, tmp_path, capsys):
    for name in NAMES:
        place = tmp_path / "pictures" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(cv2.imencode(".jpg", np.zeros((4, 4, 3), np.uint8))[1].tobytes())
    arguments = [str(tmp_path / "pictures"), "--out", str(tmp_path / "lfw.csv")]
    assert lfw.main([*arguments, "--dry-run"]) == DONE and not (tmp_path / "lfw.csv").exists()
    assert lfw.main([*arguments, "--people", *map(str, lists)]) == DONE
    assert "3 people\npartition: 3 training, 0 validation, 1 test" in capsys.readouterr().out
    table = read_file(tmp_path / "lfw.csv")
    assert sorted(table.index) == sorted(NAMES) and table.columns.tolist() == ["person", "identity", "partition"]
    (tmp_path / "pictures" / NAMES[0]).unlink()
    assert lfw.main([*arguments, "--people", *map(str, lists)]) == LOOK
    assert "1 person has another number of pictures than the lists say:\n  Bob (1 for 2)" in capsys.readouterr().out
    with pytest.raises(ValueError, match="nowhere does not exist; make it first"):
        lfw.main([str(tmp_path / "pictures"), "--out", str(tmp_path / "nowhere" / "x.csv")])


@pytest.mark.skipif(not (DATA / "lfw-protocol").is_dir(), reason="the real lists are not in ../shared/data")
def test_the_real_list():
    people = lfw.read_people(DATA / "lfw-protocol" / "peopleDevTrain.txt")
    assert len(people) == 4038 and people["Aaron_Peirsol"] == 4
