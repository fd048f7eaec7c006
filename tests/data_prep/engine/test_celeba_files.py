"""CelebA's files: every kind is recognised, good files read alike both ways, each fault is named with its line."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.engine.celeba_files import (
    BOX,
    LANDMARKS,
    Layout,
    attributes_of,
    read_fast,
    read_file,
    read_line_by_line,
    read_tables,
    recognise,
)

NAMES = [f"Attribute_{number:02d}" for number in range(39)] + ["5_o_Clock_Shadow"]
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def attribute_lines(count=3, value="-1"):
    rows = [f"{number + 1:06d}.jpg " + " ".join([value, "1"] * 20) for number in range(count)]
    return [str(count), " ".join(NAMES) + " ", *rows]


def written(path, lines, end="\n", encoding="utf-8"):
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


LANDMARK_LINES = ["2", " ".join(LANDMARKS), "a.jpg 1 2 3 4 5 6 7 8 9 10", "b.jpg  11 12 -3  4 5 6 7 8 9 10"]
BOX_LINES = ["2", "image_id x_1 y_1 width height", "a.jpg    95  71 226 313", "b.jpg    72  94 221 306"]
GOOD = {  # name of the file: lines, columns, values of the second row
    "list_attr_celeba.txt": (attribute_lines(2), NAMES, [-1, 1] * 20),
    "list_landmarks_align_celeba.txt": (LANDMARK_LINES, LANDMARKS, [11, 12, -3, *range(4, 11)]),
    "list_bbox_celeba.txt": (BOX_LINES, BOX, [72, 94, 221, 306]),
    "identity_CelebA.txt": (["a.jpg 2880", "b.jpg 1"], ["identity"], [1]),
    "list_eval_partition.txt": (["a.jpg 0", "b.jpg 2"], ["partition"], [2]),
    "list_attr_celeba.csv": (["image_id,Bald,Male", "a.jpg,-1,1", "b.jpg,1,-1"], ["Bald", "Male"], [1, -1]),
    "list_eval_partition.csv": (["image_id,partition", "a.jpg,0", "b.jpg,2"], ["partition"], [2]),
    "list_bbox_celeba.csv": (["image_id,x_1,y_1,width,height", "a.jpg,1,2,3,4", "b.jpg,5,6,7,8"], BOX, [5, 6, 7, 8]),
    "own.csv": (["image_id,person,Happy", "a.jpg,Ann,1", "b.jpg,Bob B.,-1"], ["person", "Happy"], ["Bob B.", -1]),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("own_name", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_kinds_are_recognised_by_content(tmp_path, name, own_name, end, mark):
    lines, columns, values = GOOD[name]
    path = written(tmp_path / (name if own_name else "file"), [mark + lines[0], *lines[1:]], end)
    table = read_file(path)
    assert list(table.columns) == list(columns) and len(table) == 2
    assert table.index.name == "image_id" and table.iloc[1].tolist() == values
    for column, dtype in table.dtypes.items():
        if column == "person":
            continue
        assert dtype == (np.int64 if column in ("identity", *LANDMARKS, *BOX) else np.int8)


def test_a_number_a_picture_is_partition_or_identity(tmp_path):
    assert read_file(written(tmp_path / "list", ["a 0", "b 2"])).columns == ["partition"]
    assert read_file(written(tmp_path / "list", ["a 0", "b 3"])).columns == ["identity"]
    assert read_file(written(tmp_path / "identity_CelebA.txt", ["a 1", "b 2"])).columns == ["identity"]
    with pytest.raises(ValueError, match=r"list_eval_partition.txt, line 2: b has '3' for partition, .* 2 \(test\)"):
        read_file(written(tmp_path / "list_eval_partition.txt", ["a 1", "b 3"]))


def without(lines, *numbers):
    return [line for number, line in enumerate(lines, start=1) if number not in numbers]


def changed(number, old, new):
    lines = attribute_lines()
    assert old in lines[number - 1]
    return [line.replace(old, new, 1) if place == number else line for place, line in enumerate(lines, start=1)]


ROW = attribute_lines()[3]
BAD = {
    "39 values": (changed(4, " 1", ""), ", line 4: 000002.jpg has 39 values and needs 40"),
    "41 values": (changed(4, " 1", " 1 1"), ", line 4: 000002.jpg has 41 values and needs 40"),
    "45 values": (changed(5, " 1", " 1" * 6), ", line 5: 000003.jpg has 45 values and needs 40"),
    "a name alone": (changed(4, ROW, "000002.jpg"), ", line 4: 000002.jpg has 0 values and needs 40"),
    "nought": (
        changed(5, " 1", " 0"),
        ", line 5: 000003.jpg has '0' for Attribute_01, which must be -1 (no) or 1 (yes)",
    ),
    "257": (changed(5, " 1", " 257"), ", line 5: 000003.jpg has '257' for Attribute_01"),  # 1 in eight bits
    "1.0": (changed(5, " 1", " 1.0"), ", line 5: 000003.jpg has '1.0' for Attribute_01"),
    "a word": (changed(5, " 1", " yes"), ", line 5: 000003.jpg has 'yes' for Attribute_01"),
    "too long": (changed(5, " 1", " 1" + "0" * 30), "for Attribute_01"),
    "other digits": (changed(5, " 1", " ١"), ", line 5: 000003.jpg has '١' for Attribute_01"),
    "count too high": (changed(1, "3", "4"), ": its first line counts 4 rows, but there are 3; the file was cut short"),
    "count too low": (changed(1, "3", "2"), ": its first line counts 2 rows, but there are 3"),
    "no header": (
        without(attribute_lines(), 2),
        ", line 2: 000001.jpg is a row; the header with the columns' names is",
    ),
    "no count": (without(attribute_lines(), 1), ", line 1: a header, but the line with the count of rows above it is"),
    "neither": (
        without(attribute_lines(), 1, 2),
        ", line 1: 000001.jpg is a row; the count of the rows and the header",
    ),
    "39 names": (changed(2, NAMES[7] + " ", ""), ", line 2: the header names 39 attributes and CelebA has 40"),
    "a name twice": (changed(2, NAMES[7], NAMES[3]), ", line 2: the header names 'Attribute_03' twice"),
    "a picture twice": (
        changed(5, "3.jpg", "1.jpg"),
        ", line 5: 000001.jpg was on line 3 already; remove one of the two",
    ),
    "count alone": (["3"], " ends after the count of its rows (3)"),
    "no rows": (["0", " ".join(NAMES)], " has no rows after its header"),
    "empty": ([], " is empty (0 bytes); download"),
    "blank": (["", "  "], " is empty; download"),
    "a web page": (["<!DOCTYPE html>", "<html>"], ", line 1: '<!DOCTYPE html>' begins no file of CelebA's"),
    "semicolons": (["image_id;Male", "a.jpg;1"], "begins no file of CelebA's; save it with commas instead"),
    "zero bytes": (changed(4, " 1", " \0"), ", line 4: zero bytes"),
    "CSV 1 value": (["image_id,A,B", "a,1,1", "b,1"], ", line 3: b has 1 value and needs 2"),
    "CSV 3 values": (["image_id,A,B", "a,1,1", "b,1,1,1"], ", line 3: b has 3 values and needs 2"),
    "CSV value": (
        ["image_id,A,B", "a,1,1", "", "b,1,0"],
        ", line 4: b has '0' for B, which must be -1 (no) or 1 (yes)",
    ),
    "CSV no value": (["image_id,A,B", "a,1,", "b,1,1"], ", line 2: a has '' for B"),
    "CSV no name": (["image_id,A", "a,1", ",1"], ", line 3: the row has no picture's name"),
    "CSV twice": (["image_id,A", "a,1", "b,1", "a,1"], ", line 4: a was on line 2 already"),
    "CSV no header": (
        ["a.jpg,1,-1", "b.jpg,1,1"],
        ", line 1: a.jpg is a row; the header with the columns' names is missing",
    ),
    "CSV no column's name": (["image_id,A,,B", "a,1,1,1"], ", line 1: column 3 has no name"),
    "CSV quotes": (["image_id,A", '"a,1', "b,1"], "check the quotes"),
    "CSV identity": (
        ["image_id,identity", "a,-1"],
        ", line 2: a has '-1' for identity, which must be a whole number from 0",
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_faults_are_named_with_file_and_line(tmp_path, name, end):
    lines, message = BAD[name]
    path = written(tmp_path / "list_attr_celeba.txt", lines, end)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_file(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("latin-1", r", line 4: byte 0xE9 is no UTF-8 text; save the file as UTF-8"), ("utf-16", " is UTF-16, as some")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_wrong_encodings(tmp_path, encoding, message, end):
    lines = attribute_lines()
    lines[3] = lines[3].replace("000002", "é")
    with pytest.raises(ValueError, match=message):
        read_file(written(tmp_path / "list_attr_celeba.txt", lines, end, encoding))


def test_blank_lines_tabs_and_spaces_do_no_harm(tmp_path):
    lines = ["", " 2 ", "\t".join(NAMES), "", "a.jpg\t" + "  1" * 40 + " ", "   ", " b.jpg" + "\t-1" * 40, "", ""]
    table = read_file(written(tmp_path / "x.txt", lines))
    assert table.index.tolist() == ["a.jpg", "b.jpg"] and table.iloc[1].eq(-1).all()
    lines = ["", "image_id, Bald ,Male,", "", "a.jpg , 1, -1,", "  ", "b.jpg,1 ,1"]
    table = read_file(written(tmp_path / "x.csv", lines))
    assert table.index.tolist() == ["a.jpg", "b.jpg"] and table.iloc[0].tolist() == [1, -1]
    assert table.columns.tolist() == ["Bald", "Male"]


def both_ways(layout: Layout, data: bytes):
    """What the fast and the slow reader make of the same file: a table, or None where it has a fault."""
    fast = read_fast(layout, data)
    try:
        slow = read_line_by_line(layout, data)
    except ValueError:
        slow = None
    return fast, slow


PIECES = st.sampled_from(
    ["a", "b.jpg", "1", "-1", "0", " 1", "+1", "01", "2", "1.0", "é", "", "\t", " ", "\n", "\r\n", "\x0b", "'", "#"]
)


@settings(max_examples=400, deadline=None)
@given(
    comma=st.booleans(),
    columns=st.sampled_from([("A",), ("A", "B"), ("identity",), ("person", "A"), ("partition", "x_1")]),
    rows=st.lists(st.lists(PIECES, max_size=4), max_size=5),
    count=st.one_of(st.none(), st.integers(0, 5)),
)
def test_the_fast_reader_accepts_nothing_that_the_slow_one_refuses(comma, columns, rows, count):
    between = "," if comma else " "
    data = "".join(between.join(row) + "\n" for row in [["x"], *rows]).encode()
    columns = columns if comma else tuple(column for column in columns if column != "person")
    fast, slow = both_ways(Layout(Path("x"), columns, first=2, count=count, comma=comma), data)
    if fast is not None:
        assert slow is not None
        pd.testing.assert_frame_equal(fast, slow, check_dtype=False, check_index_type=False, check_names=False)


names = st.text(st.characters(categories=["L", "N"], include_characters="._-/"), min_size=1).filter(
    lambda name: name[0] != "-"
)


@settings(max_examples=100, deadline=None)
@given(
    names=st.lists(names, min_size=1, max_size=6, unique=True),
    kind=st.sampled_from(["attributes", "landmarks", "partition.csv", "attributes.csv"]),
    end=st.sampled_from(["\n", "\r\n"]),
    data=st.data(),
)
def test_good_files_come_back_by_both_readers(tmp_path_factory, names, kind, end, data):
    columns = {"attributes": NAMES, "landmarks": LANDMARKS, "partition.csv": ["partition"]}.get(kind, ["A", "B B"])
    allowed = {"landmarks": st.integers(-9, 999), "partition.csv": st.integers(0, 2)}.get(
        kind, st.sampled_from([-1, 1])
    )
    values = [[data.draw(allowed) for _ in columns] for _ in names]
    between = "," if kind.endswith("csv") else "  "
    rows = [between.join([name, *map(str, row)]) for name, row in zip(names, values, strict=True)]
    head = [",".join(["image_id", *columns])] if kind.endswith("csv") else [str(len(rows)), " ".join(columns)]
    text = end.join([*head, *rows]).encode()
    layout = recognise(Path(kind), text)
    for table in both_ways(layout, text):
        assert table.index.tolist() == names
        assert table.columns.tolist() == list(columns)
        assert table.to_numpy().tolist() == values


def test_files_are_joined_by_name(tmp_path):
    attributes = written(tmp_path / "a.txt", attribute_lines(3))
    identity = written(tmp_path / "i.txt", ["000003.jpg 7", "000001.jpg 5", "000002.jpg 6"])
    partition = written(tmp_path / "p.csv", ["image_id,partition", "000001.jpg,0", "000002.jpg,1", "000003.jpg,2"])
    table, lacking = read_tables([attributes, identity, partition])
    assert lacking == {} and table.shape == (3, 42)
    assert table["identity"].tolist() == [5, 6, 7] and table["partition"].tolist() == [0, 1, 2]
    assert list(attributes_of(table).columns) == NAMES


def test_names_that_are_not_in_every_file_are_told(tmp_path):
    first = written(tmp_path / "i.txt", ["a 5", "b 6", "c 7"])
    second = written(tmp_path / "p.csv", ["image_id,partition", "d,0", "c,1", "a,2"])
    table, lacking = read_tables([first, second])
    assert table.index.tolist() == ["a", "c"] and table["partition"].tolist() == [2, 1]
    assert lacking == {first: ["d"], second: ["b"]}
    with pytest.raises(
        ValueError, match=r"no picture is named in every file: .*i.txt begins with a, .*q.csv begins with x"
    ):
        read_tables([first, written(tmp_path / "q.csv", ["image_id,partition", "x,0"])])


def test_a_column_in_two_files_is_an_error(tmp_path):
    first = written(tmp_path / "a.csv", ["image_id,Male", "a,1"])
    second = written(tmp_path / "b.csv", ["image_id,Bald,Male", "a,1,1"])
    with pytest.raises(ValueError, match=r"both .*a.csv and .*b.csv have the column 'Male'; give one"):
        read_tables([first, second])
    with pytest.raises(ValueError, match="no file was given"):
        read_tables([])


@pytest.mark.skipif(not (DATA / "celeba_89x109").is_dir(), reason="the real files are not in ../shared/data")
def test_the_real_files():
    folder = DATA / "celeba_89x109"
    table, lacking = read_tables(sorted(folder.glob("*.txt")))
    assert table.shape[0] >= 5000 and table.shape[1] == 42 and lacking == {}
    first = table.loc["000001.jpg"]
    assert (first["identity"], first["partition"], first["Smiling"], first["Eyeglasses"]) == (2880, 0, 1, -1)
    assert table.loc[:"005000.jpg", "identity"].nunique() == 3571
