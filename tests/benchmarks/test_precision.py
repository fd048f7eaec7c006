"""The comparison of the precisions: its interval, its table, and one pair of tiny trainings."""

import numpy as np
import pytest

from benchmarks import precision
from keras_faces.cli import main as cli
from keras_faces.data import load
from keras_faces.data.packed import write_packed


def test_the_interval_is_students():
    mean, reach = precision.difference(np.array([40.0, 42.0, 44.0]), np.array([41.0, 41.0, 48.0]))
    # differences 1, -1, 4: mean 4/3, deviation 2.517, t(2) = 4.303
    assert mean == pytest.approx(4 / 3) and reach == pytest.approx(4.303 * 2.517 / np.sqrt(3), rel=1e-3)


def test_a_row_for_each_score():
    scores = {"FID": {"float32": [40.0, 42.0], "bfloat16": [41.0, 43.0]}}
    assert precision.table({"dcgan": scores}).splitlines()[2:] == [
        "| dcgan | FID | 41.0 ± 1.4 | 42.0 ± 1.4 | +1.0 [+1.0, +1.0] | 2 |"
    ]


def test_pairs_are_trained_and_scored(tmp_path, capsys, monkeypatch):
    asked = []

    def train(path, arguments, data):  # in this process
        asked.append(arguments)
        assert cli.main(["train", *arguments, "--data", data, "--out", str(path)]) == 0

    monkeypatch.setattr(precision, "train", train)
    faces = load("drawn", 16, count=48, progress=False)
    write_packed(tmp_path / "faces.h5", faces.images, [f"{n}.png" for n in range(48)], progress=False)
    given = ["--data", str(tmp_path / "faces.h5"), "--systems", "dcgan:width=4,latent_dim=5", "--seeds", "2"]
    given += ["--image-size", "16", "--train-count", "24", "--epochs", "1", "--batch-size", "8", "--count", "24"]
    assert precision.main([*given, "--out", str(tmp_path / "out")]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| dcgan")]
    assert [row.split(" | ")[1] for row in rows] == ["FID", "recall"] and rows[0].endswith("| 2 |")
    assert [(words[2], words[4]) for words in asked] == [
        ("float32", "0"),
        ("bfloat16", "0"),
        ("float32", "1"),
        ("bfloat16", "1"),
    ]
    assert all(words[-4:] == ["--option", "width=4", "--option", "latent_dim=5"] for words in asked)
