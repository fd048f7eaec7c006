"""Labels on the command line: trained with, asked for, drawn, kept by --resume, and refused where there are none."""

import numpy as np
import pytest

from keras_faces.cli import main as cli
from keras_faces.figures import grids
from keras_faces.runs.folder import RunFolder

SMALL = ["--image-size", "16", "--batch-size", "8", "--epochs", "1", "--precision", "float32"]
NARROW = [*SMALL, "--data", "drawn", "--count", "40", "--option", "width=4", "--option", "latent_dim=5"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A cgan of a few steps."""
    folder = tmp_path_factory.mktemp("runs") / "cgan"
    given = ["--labels", "smiling, Male", "--select", "!Bald", "--out", str(folder)]
    assert cli.main(["train", "cgan", *NARROW, *given]) == 0
    return folder


def test_the_run_knows_its_labels_and_its_choice(run):
    config = RunFolder(run).read()
    assert (config.labels, config.select) == ("smiling, Male", "!Bald")
    assert (config.label_names, config.label_kind) == (["Smiling", "Male"], "attributes")


def test_sample_makes_the_faces_asked_for(run):
    pictures = []
    for label in (["--label", "Smiling"], ["--label", "smiling, !male"], ["--label", "Male"], ["--label", ""], []):
        assert cli.main(["sample", str(run), "--count", "4", *label]) == 0
        pictures.append(grids.read_picture(run / "faces.png"))
    first, same, other, none, any_of_them = pictures
    np.testing.assert_array_equal(first, same)
    assert (first != other).any() and (none != other).any() and (any_of_them != none).any()


def test_the_pictures_of_labels_and_strengths(run, tmp_path, capsys):
    assert cli.main(["classes", str(run), "--faces", "3"]) == 0
    assert "4 labels, 3 faces of each" in capsys.readouterr().out and (run / "classes.png").stat().st_size > 5000
    chosen = ["--label", "Male", "--label", "", "--out", str(tmp_path / "new/two.png")]
    assert cli.main(["classes", str(run), "--faces", "2", *chosen]) == 0 and (tmp_path / "new/two.png").exists()
    given = ["--add", "Smiling, !Male", "--from", "Male", "--strengths", "0, 1, 2", "--faces", "2"]
    assert cli.main(["attributes", str(run), *given]) == 0
    assert (run / "attributes-Smiling---Male.png").exists()
    assert "3 strengths of it" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command, message",
    [
        (["sample", "--label", "Smilng"], "Did you mean Smiling"),
        (["classes", "--label", "Mail"], "Did you mean Male"),
        (["classes", "--out", "picture.jpg"], "must be the name of a .png"),
        (["attributes", "--add", "Bald"], "knows no label 'Bald'"),
        (["attributes", "--add", "Male", "--from", "male"], "changes nothing"),
        (["attributes", "--add", "Male", "--strengths", "0, nan"], "each must be a number"),
    ],
)
def test_mistakes_are_told_in_a_line(run, capsys, command, message):
    assert cli.main([command[0], str(run), *command[1:]]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_strengths_that_are_no_numbers(run, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["attributes", str(run), "--add", "Male", "--strengths", "half"])
    assert "numbers with commas between" in capsys.readouterr().err


def test_resume_keeps_the_labels_and_refuses_others(run, capsys):
    resume = ["train", "cgan", "--resume", "--out", str(run)]
    for wrong, name in ((["--labels", "Male"], "labels"), (["--select", "Male"], "select")):
        assert cli.main([*resume, *wrong]) == 1
        assert f"begun with {name}" in capsys.readouterr().err
    assert cli.main([*resume, "--epochs", "2"]) == 0
    assert RunFolder(run).read().label_names == ["Smiling", "Male"]


@pytest.mark.parametrize(
    "system, given, message",
    [
        ("cgan", [], "cgan learns from labels"),
        ("dcgan", ["--labels", "Male"], "dcgan learns from no labels"),
        ("cgan", ["--labels", "Mail"], "did you mean Male"),
        ("cgan", ["--labels", "man = Male; glasses = Eyeglasses"], "belong to two classes"),
        ("cgan", ["--labels", "Male", "--select", "Smiling & !Smiling"], "none of the 40 faces"),
        ("cgan", ["--labels", "Male", "--option", "discriminator_reads=add"], "choose from concatenate, project"),
    ],
)
def test_a_training_that_cannot_be_leaves_no_folder(tmp_path, capsys, system, given, message):
    options = [*SMALL, "--data", "drawn", "--count", "40", "--option", "width=4"]
    assert cli.main(["train", system, *options, *given, "--out", str(tmp_path / "x")]) == 1
    assert message in capsys.readouterr().err and not (tmp_path / "x").exists()


def test_a_run_without_labels_is_told_none(tmp_path, capsys):
    assert cli.main(["train", "dcgan", *NARROW, "--out", str(tmp_path / "x")]) == 0
    for command in (["sample", "--label", "Male"], ["classes"], ["attributes", "--add", "Male"]):
        assert cli.main([command[0], str(tmp_path / "x"), *command[1:]]) == 1
        assert "is a run of dcgan, which" in capsys.readouterr().err
