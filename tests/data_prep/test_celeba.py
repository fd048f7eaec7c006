"""The script on label files: table, expression, comparison with pictures, plots; nothing is written by a dry run."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_prep import celeba
from data_prep.engine.celeba_files import read_file
from data_prep.engine.celeba_plots import correlations, frequencies, ordered_correlations
from data_prep.engine.script import DONE, LOOK, counted, listed

ROWS = [
    "image_id,partition,identity,Smiling,Male",
    "a.jpg,0,7,1,-1",
    "b.jpg,0,7,1,1",
    "c.jpg,1,8,-1,-1",
    "d.jpg,2,9,-1,1",
]


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(ROWS) + "\n")
    return path


def pictures(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.zeros((4, 4, 3), np.uint8))
    return folder


def test_a_table_is_written_and_read_again(labels, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert celeba.main([str(labels), "--out", str(out)]) == DONE
    assert out.read_text().splitlines() == ROWS
    pd.testing.assert_frame_equal(read_file(out), read_file(labels))
    said = capsys.readouterr().out
    assert "4 pictures, a.jpg to d.jpg\n3 people\npartition: 2 training, 1 validation, 1 test\n" in said
    assert "2 attributes: Smiling 50.0 %, Male 50.0 %" in said


def test_names_with_commas_and_quotes_come_back(tmp_path):
    names = ["Smith, John.jpg", 'the "one".jpg', "père/1.jpg"]
    table = pd.DataFrame({"person": ["A, B", "x", "é"], "Male": np.array([1, -1, 1], np.int8)}, index=names)
    back = read_file(celeba.write_table(table, tmp_path / "t.csv"))
    assert back.index.tolist() == names and back["person"].tolist() == ["A, B", "x", "é"]


def test_select_keeps_the_rows_of_an_expression(labels, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert celeba.main([str(labels), "--select", "Smiling and not Male", "--out", str(out)]) == DONE
    assert read_file(out).index.tolist() == ["a.jpg"]
    with pytest.raises(ValueError, match="none of the 4 rows is 'Male & !Male'"):
        celeba.main([str(labels), "--select", "Male & !Male"])
    with pytest.raises(ValueError, match="did you mean Smiling"):
        celeba.main([str(labels), "--select", "Smilling"])


def test_names_without_picture_and_pictures_without_row_are_counted_and_listed(labels, tmp_path, capsys):
    folder = pictures(tmp_path / "pictures", "img/a.jpg", "img/b.png", "img/z.jpg", "d.jpg")
    assert celeba.main([str(labels), "--images", str(folder)]) == LOOK
    said = capsys.readouterr().out
    assert "4 pictures, 3 with a row" in said
    assert "1 row without a picture: c.jpg" in said and "1 picture without a row: img/z.jpg" in said
    pictures(folder, "c.jpg")
    (folder / "img" / "z.jpg").unlink()
    assert celeba.main([str(labels), "--images", str(folder), "--select", "Male"]) == DONE
    assert "without a" not in capsys.readouterr().out


def test_files_that_do_not_agree_are_told(labels, tmp_path, capsys):
    other = tmp_path / "other.csv"
    other.write_text("image_id,Happy\na.jpg,1\nb.jpg,1\nz.jpg,-1\n")
    assert celeba.main([str(labels), str(other)]) == LOOK
    said = capsys.readouterr().out
    assert f"{labels} lacks 1 picture that another file has, left out: z.jpg" in said
    assert f"{other} lacks 2 pictures that another file has, left out: c.jpg, d.jpg" in said
    assert "2 pictures, a.jpg to b.jpg" in said


def test_dry_run_writes_nothing(labels, tmp_path, capsys):
    out, plots = tmp_path / "out.csv", tmp_path / "plots"
    assert celeba.main([str(labels), "--out", str(out), "--plots", str(plots), "--dry-run"]) == DONE
    assert f"would write 4 rows to {out}" in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["labels.csv"]


def test_failures_keep_the_older_file(labels, tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("older")

    def full(self, path, **_):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space left"):
        celeba.main([str(labels), "--out", str(out)])
    assert out.read_text() == "older" and len(list(tmp_path.iterdir())) == 2


def test_places_that_do_not_exist(labels, tmp_path):
    with pytest.raises(ValueError, match="the folder .*nowhere does not exist; make it first"):
        celeba.main([str(labels), "--out", str(tmp_path / "nowhere" / "out.csv")])
    with pytest.raises(FileNotFoundError, match="nowhere is not there"):
        celeba.main([str(labels), "--images", str(tmp_path / "nowhere")])
    with pytest.raises(FileNotFoundError, match=r"none\.txt"):
        celeba.main([str(tmp_path / "none.txt")])


def test_plots_are_drawn(labels, tmp_path, capsys):
    plots = tmp_path / "plots"
    assert celeba.main([str(labels), "--plots", str(plots)]) == DONE
    for name in ("frequencies.png", "correlations.png"):
        with Image.open(plots / name) as picture:
            assert picture.format == "PNG" and len(np.unique(np.asarray(picture))) > 20
    partition = tmp_path / "partition.csv"
    partition.write_text("image_id,partition\na.jpg,0\n")
    with pytest.raises(ValueError, match="no attributes to draw; give list_attr_celeba"):
        celeba.main([str(partition), "--plots", str(plots)])


def test_frequencies_show_the_shares_in_order():
    attributes = pd.DataFrame({"A": [1, -1, -1, -1], "B": [1, 1, 1, -1]})
    axes = frequencies(attributes).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [25, 75]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B"]


def test_correlations_put_together_what_comes_together():
    rng = np.random.default_rng(0)
    one, two = rng.choice([-1, 1], (2, 500))
    noisy = np.where(rng.random(500) < 0.1, -one, one)
    table = pd.DataFrame({"P": one, "constant": 1, "X": two, "Q": noisy, "R": -one})
    matrix = ordered_correlations(table)
    assert matrix.columns[-1] == "constant" and matrix["constant"].isna().all()
    order = matrix.columns.tolist()
    assert abs(order.index("P") - order.index("Q")) == 1 and order.index("X") not in (0, 3)
    assert matrix.loc["P", "R"] == pytest.approx(-1) and matrix.loc["P", "Q"] == pytest.approx(
        np.corrcoef(one, noisy)[0, 1]
    )
    assert len(correlations(table).axes) == 2
    assert len(correlations(table.iloc[:1]).axes) == 2  # one face has no correlations


def test_words():
    assert listed("abcdefg") == "a, b, c, d, e and 2 more" and listed(["a\udce9.jpg"]) == r"a\udce9.jpg"
    assert (
        counted(1, "row") == "1 row"
        and counted(1234, "row") == "1,234 rows"
        and counted(2, "person", "people") == "2 people"
    )
