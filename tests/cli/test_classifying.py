"""``keras-faces classify`` as a user types it."""

import json

import pytest

from keras_faces.cli import main as cli

SMALL = ["--count", "40", "--image-size", "16", "--width", "2", "--epochs", "1", "--held-out", "0.2"]


def classify(tmp_path, *more, labels="Male, Eyeglasses"):
    return cli.main(["classify", "--data", "drawn", "--labels", labels, *SMALL, "--out", str(tmp_path / "c"), *more])


def test_it_trains_and_says_how_good_it_is(tmp_path, capsys):
    assert classify(tmp_path, "--seed", "3") == 0
    said = capsys.readouterr().out
    assert "Of 8 held-out faces (20% held out by seed 3)" in said and f"classifier:{tmp_path / 'c'}" in said
    assert {"balanced", "found", "Male", "Eyeglasses"} <= set(said.split())
    config = json.loads((tmp_path / "c/config.json").read_text())
    assert (config["what"], config["seed"], config["width"], config["count"]) == ("classifier", 3, 2, 40)
    assert classify(tmp_path) == 1
    assert "not overwritten" in capsys.readouterr().err


def test_it_goes_on_with_what_was_asked_for(tmp_path, capsys):
    assert classify(tmp_path) == 0
    said = capsys.readouterr().out
    assert cli.main(["classify", "--resume", "--out", str(tmp_path / "c")]) == 0
    assert said.splitlines()[-8:] == capsys.readouterr().out.splitlines()[-8:]
    assert cli.main(["classify", "--resume", "--width", "3", "--out", str(tmp_path / "c")]) == 1
    assert "was begun with width 2, not 3" in capsys.readouterr().err


def test_the_old_spelling_of_the_rate(tmp_path, capsys):
    assert classify(tmp_path, "--rate", "0.002") == 0
    assert "--rate is now called --learning-rate" in capsys.readouterr().err
    assert json.loads((tmp_path / "c/config.json").read_text())["learning_rate"] == 0.002


def test_without_labels(tmp_path, capsys):
    assert cli.main(["classify", "--out", str(tmp_path / "c")]) == 1
    assert "--labels is missing" in capsys.readouterr().err and not (tmp_path / "c").exists()


def test_people(tmp_path, capsys):
    assert classify(tmp_path, labels="identity:8") == 0
    assert "top-1 accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    "more, labels, message",
    [
        (["--data", "nowhere"], "Male", "nowhere"),
        ([], "Mael", "Male"),
        ([], "identity:1000", "fewer than two people"),
        (["--image-size", "8"], "Male", "between 16 and 512"),
        (["--held-out", "0.001"], "Male", "larger --held-out"),
    ],
)
def test_mistakes_are_told_in_a_line_and_leave_no_folder(tmp_path, capsys, more, labels, message):
    assert classify(tmp_path, *more, labels=labels) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "more", [["--learning-rate", "nan"], ["--held-out", "1"], ["--rate", "fast"], ["--width", "0"]]
)
def test_wrong_usage(tmp_path, capsys, more):
    with pytest.raises(SystemExit, match="2"):
        classify(tmp_path, *more)
    assert more[1] in capsys.readouterr().err
