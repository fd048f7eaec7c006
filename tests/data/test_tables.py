"""Tables of labels: every fault is told with its line, and a row finds its picture."""

import pytest

from keras_faces.data.labels import read_labels
from keras_faces.data.tables import read_csv, rows_of


@pytest.mark.parametrize(
    ("row", "picture", "fits"),
    [
        ("a.jpg", "a.jpg", True),
        ("a.jpg", "img/a.jpg", True),
        ("a.jpg", "img/a.png", True),
        ("Ann/1.jpg", "lfw/Ann/1.jpg", True),
        ("Ann/1.jpg", "Bob/1.jpg", False),
        ("Ann/1.jpg", "1.jpg", False),
        ("a.jpg", "aa.jpg", False),
        ("a", "a.jpg", True),
        ("a.b.jpg", "a.jpg", False),
        (r"Ann\1.jpg", "lfw/Ann/1.jpg", True),
        ("./Ann/1.jpg", "Ann/1.jpg", True),
        ("Ann/1.JPG", "Ann/1.jpg", True),
        ("/home/ann/lfw/Ann/1.jpg", "Ann/1.jpg", True),
        ("/home/ann/lfw/Ann/1.jpg", "1.JPG", True),
        (r"C:\faces\Ann\1.jpg", "Ann/1.jpg", True),
        ("/home/ann/lfw/Ann/1.jpg", "Bob/1.jpg", False),
    ],
)
def test_a_row_and_its_picture(row, picture, fits):
    assert rows_of([row], [picture]).tolist() == [0 if fits else -1]


def test_the_closest_name_wins():
    rows = ["a.jpg", "a.png", "b.jpg"]
    assert rows_of(rows, ["x/a.png", "a.jpg", "a.gif", "x/b.jpg", "b.gif"]).tolist() == [1, 0, -1, 2, -1]
    assert rows_of([], ["a.jpg"]).tolist() == [-1] and rows_of(["a"], []).tolist() == []


def test_whole_paths_with_one_end_fit_no_picture():
    assert rows_of(["/a/1.jpg", "/b/1.jpg"], ["1.jpg", "a/1.jpg"]).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("image_id,发型\n1.jpg,长\n".encode("gbk"), r"t.csv, line 1: byte 0xB7 is no UTF-8 text; .*CSV UTF-8"),
        ("image_id,hair\n1.jpg,x\n".encode("utf-16"), "t.csv is UTF-16"),
        (b"", "t.csv is empty"),
        (b"image_id,hair\n", "t.csv has no row"),
        (b"image_id;hair\n1.jpg;a\n", "line 1: semicolons separate its columns; save it with commas"),
        (b"image_id\thair\n1.jpg\ta\n", "line 1: tabs separate its columns; save it with commas"),
        (b"1.jpg\n2.jpg\n", "line 1: the header '1.jpg' has one column"),
        (b"image_id,hair\n1.jpg,a\n\nx,1,2,3\n", "line 4: 'x' has 3 values and the header names 1"),
        (b'image_id,hair\n1.jpg,a\n"2.jpg,b\n3.jpg,c\n', "line 3: .* check the quotes"),
        (
            b"image_id,hair\n1.jpg,a\n2.jpg,b\n1.jpg,b\n",
            "line 4: .*more than one row for '1.jpg', .* line 2",
        ),
    ],
)
def test_faults_of_a_table_have_their_line(tmp_path, data, message):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_csv(tmp_path / "t.csv")


def test_windows_files_and_all_line_ends_are_read(tmp_path):
    for end in ("\n", "\r\n", "\r"):
        (tmp_path / "t.csv").write_text(
            end.join(["\ufeffimage_id,hair", "001.jpg,a", "", '"b,2.jpg",7', ""]), newline=""
        )
        table = read_csv(tmp_path / "t.csv")
        assert table.index.tolist() == ["001.jpg", "b,2.jpg"] and table["hair"].tolist() == ["a", "7"]


def test_labels_find_rows_as_data_prep_does_and_tell_what_is_left_out(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("image_id,hair\nimg\\1.jpg,a\n./img/2.JPG,b\nIMG/3.jpg,b\n")
    chosen, labels = read_labels(
        f"{tmp_path / 't.csv'}:hair", ["img/1.jpg", "img/2.jpg", "img/3.jpg"], None, None, None
    )
    assert chosen.tolist() == [0, 1] and labels.names == ("a", "b")
    assert (
        "2 of 3 pictures have a value, the others are left out, such as img/3.jpg; 1 of 3 rows"
        in capsys.readouterr()[0]
    )
