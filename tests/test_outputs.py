"""A command writes over nothing but its own pictures."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_faces.figures import grids
from keras_faces.outputs import check_out, check_out_folder, made_here

PICTURE = np.zeros((8, 8, 3), "uint8")


@pytest.fixture
def mine(tmp_path):
    grids.save_picture(PICTURE, tmp_path / "mine.png")
    return tmp_path / "mine.png"


@pytest.fixture
def made(tmp_path):
    grids.save_picture(PICTURE, tmp_path / "made.png", signed=True)
    return tmp_path / "made.png"


def test_pictures_of_commands_are_known(tmp_path, mine, made):
    grids.save(Figure(), tmp_path / "figure.png", signed=True)
    assert made_here(made) and made_here(tmp_path / "figure.png")
    assert not made_here(mine) and not made_here(tmp_path / "nowhere.png")
    np.testing.assert_array_equal(grids.read_picture(made), PICTURE)


def test_a_new_name_and_an_earlier_picture_may_be_written(tmp_path, made):
    (tmp_path / "made.gif").write_bytes(b"its animation")
    assert check_out(tmp_path / "new.png", tmp_path / "new.gif") == tmp_path / "new.png"
    assert check_out(made, tmp_path / "made.gif") == made


def test_what_is_not_its_own_is_not_written_over(tmp_path, mine, made):
    (tmp_path / "new.csv").write_text("my own table")
    (tmp_path / "packed.h5").write_bytes(b"a data set")
    for out in (mine, tmp_path / "packed.h5"):
        with pytest.raises(ValueError, match=f"--out .*{out.name}: this file is there already"):
            check_out(out)
    with pytest.raises(ValueError, match=r"new\.csv, which is written with it, is there already"):
        check_out(tmp_path / "new.png", tmp_path / "new.csv")
    with pytest.raises(ValueError, match="is read by this command"):
        check_out(made, reads=[tmp_path / "nowhere.png", made])
    with pytest.raises(ValueError, match="is a folder"):
        check_out(tmp_path)


def test_a_folder_of_photographs_takes_no_made_faces(tmp_path, made):
    assert check_out_folder(tmp_path) == tmp_path and check_out_folder(tmp_path / "new") == tmp_path / "new"
    grids.save_picture(PICTURE, tmp_path / "000001.png")
    with pytest.raises(ValueError, match=r"holds other files, such as 000001\.png"):
        check_out_folder(tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        check_out_folder(made)
