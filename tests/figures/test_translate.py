"""`translate` and `complete`, the pictures they are given, and how the commands say what is wrong."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.cli import main as cli
from keras_faces.cli import translating
from keras_faces.data import load_images
from keras_faces.figures import complete, grids, translate
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.training import checkpoint

SYSTEMS = {
    "pix2pix": {"width": 2, "task": "edges"},
    "cyclegan": {"width": 2, "blocks": 1, "pool": 0},
    "pixelcnn": {"width": 3, "depth": 1, "components": 1},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run folder of each system, untrained, at 16×16."""
    place = tmp_path_factory.mktemp("runs")
    for system, options in SYSTEMS.items():
        config = RunConfig(system, image_size=16, options=options, backend=keras.backend.backend())
        if system == "cyclegan":
            config.label_names, config.label_kind = ["not Smiling", "Smiling"], "classes"
        folder = RunFolder(place / system)
        folder.write(config)
        checkpoint.save(folder.checkpoint, config.build(), epoch=1, iteration=1)
    return place


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A photograph, a folder of three, a packed file of drawn faces with their attributes, and things that are none."""
    place = tmp_path_factory.mktemp("pictures")
    drawn = kf.data.load("drawn", image_size=20, count=40)
    (place / "folder").mkdir()
    for index in range(3):
        grids.save_picture(drawn.images[index], place / "folder" / f"{index}.png")
    grids.save_picture(drawn.images[3], place / "one.png")
    drawn.save(place / "faces.h5", progress=False)
    (place / "broken.jpg").write_bytes(b"no picture")
    (place / "notes.txt").write_text("none")
    return place


def test_pictures_are_files_folders_packed_files_and_drawn_faces(pictures):
    found = load_images([pictures / "one.png", pictures / "folder", pictures / "faces.h5", "drawn"], 16, count=2)
    assert found.shape == (1 + 2 + 2 + 2, 16, 16, 3) and found.dtype == np.uint8
    smiling = load_images([pictures / "faces.h5"], 16, count=5, select="Smiling")
    faces = kf.data.load(pictures / "faces.h5", 16).select("Smiling")
    np.testing.assert_array_equal(smiling, faces.images[:5])


def main(*arguments):
    return cli.main([str(one) for one in arguments])


def test_translate_writes_a_picture_or_single_files(runs, pictures, tmp_path, capsys):
    run = runs / "pix2pix"
    assert main("translate", run, pictures / "folder", "--out", tmp_path / "new/x.png") == 0
    assert "3 pictures, translated (input, output, photograph)" in capsys.readouterr().out
    assert grids.read_picture(tmp_path / "new/x.png").shape[0] > 3 * 96
    assert main("translate", run, pictures / "one.png", "--drawn", "--out", tmp_path / "single") == 0
    assert grids.read_picture(tmp_path / "single/translation-00000.png").shape == (16, 16, 3)
    assert main("translate", runs / "cyclegan", pictures / "faces.h5", "--select", "Smiling", "--to", "X") == 0
    assert "to not Smiling, and back" in capsys.readouterr().out
    assert (runs / "cyclegan/translations.png").exists()


def test_complete_writes_a_picture(runs, pictures, tmp_path, capsys):
    asked = ["complete", runs / "pixelcnn", pictures / "folder", "--times", "2", "--hide", "right"]
    assert main(*asked, "--out", tmp_path / "x.png") == 0
    assert "3 faces, their right part drawn 2 times" in capsys.readouterr().out
    assert grids.read_picture(tmp_path / "x.png").shape[0] > 4 * 96


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("translate", "pixelcnn", "one.png"), "pixelcnn makes no pictures of pictures"),
        (("complete", "pix2pix", "one.png"), "pix2pix draws no pixel after another"),
        (("translate", "pix2pix", "one.png", "--to", "Y"), "leave --to out"),
        (("translate", "cyclegan", "one.png", "--drawn"), "leave --drawn out"),
        (("translate", "cyclegan", "one.png", "--to", "Z"), "not to 'Z'"),
        (("translate", "pix2pix", "broken.jpg"), "broken.jpg: not a picture"),
        (("translate", "pix2pix", "notes.txt"), "notes.txt is neither a folder nor a packed file"),
        (("translate", "pix2pix", "missing.png"), "missing.png: cannot be opened"),
        (("translate", "pix2pix", "nowhere"), "nowhere does not exist"),
        (("translate", "pix2pix", "faces.h5", "--select", "Smilling"), "Smilling"),
        (("complete", "pixelcnn", "one.png", "--out", "x.jpg"), "must be the name of a .png file"),
        (("complete", "nothing", "one.png"), "is no run folder"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(runs, pictures, capsys, arguments, message):
    command, run, picture, *options = arguments
    before = {file: file.read_bytes() for file in (runs / "pixelcnn").rglob("*") if file.is_file()}
    assert main(command, runs / run, pictures / picture, *options) == 1
    assert message in capsys.readouterr().err
    assert before == {file: file.read_bytes() for file in (runs / "pixelcnn").rglob("*") if file.is_file()}


def test_hidden_parts_are_halves_or_the_middle():
    assert translating.PARTS == complete.PARTS
    lower, upper = complete.hidden_part("lower", 6), complete.hidden_part("upper", 6)
    assert lower[3:].all() and not lower[:3].any() and (lower != upper).all()
    right, left = complete.hidden_part("right", 6), complete.hidden_part("left", 6)
    assert right[:, 3:].all() and not right[:, :3].any() and (right != left).all()
    middle = complete.hidden_part("middle", 8)
    assert middle[2:6, 2:6].all() and middle.sum() == 16
    with pytest.raises(ValueError, match="part='nose'"):
        complete.hidden_part("nose", 8)


def test_the_library_says_the_same(narrow, photographs):
    names = [name for name, _ in translate.rows(narrow("pix2pix"), photographs[:2])]
    assert names == ["input", "output", "photograph"]
