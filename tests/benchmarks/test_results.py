"""The table of results: what is trained, what is taken as it is, what is scored, and what stands in the files."""

import shutil

import numpy as np
import pandas
import pytest

from benchmarks import _results_table, results
from keras_faces import models
from keras_faces.cli import main as cli
from keras_faces.data.pictures import decode
from keras_faces.figures import grids
from keras_faces.files import lock
from keras_faces.metrics import Score
from keras_faces.runs import evaluate
from keras_faces.runs.folder import RunFolder

SLOW_AT_125 = ("lsgan", "wgan", "wgan-gp", "sngan", "sagan")
GIVEN = ["--image-size", "16", "--batch-size", "8", "--option", "latent_dim=5"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photographs, and a run on the first 16 of them that somebody trained with ``keras-faces train``."""
    path = tmp_path_factory.mktemp("results")
    random = np.random.default_rng(0)
    (path / "faces").mkdir()
    for index in range(28):
        picture = random.integers(0, 256, (4, 4, 3)).repeat(4, axis=0).repeat(4, axis=1).astype("uint8")
        grids.save_picture(picture, path / f"faces/{index:02d}.png")
    given = ["--data", str(path / "faces"), "--count", "16", *GIVEN, "--option", "width=4"]
    assert cli.main(["train", "dcgan", *given, "--epochs", "3", "--out", str(path / "out/small/dcgan")]) == 0
    return path


@pytest.fixture
def tiny(monkeypatch):
    """One set at 16×16 and a budget of seconds."""
    monkeypatch.setattr(results, "SETS", {"small": results.Set(16, 16)})
    monkeypatch.setattr(results, "BUDGET", {"gan": {"small": 1}, "dcgan": {"small": 1}, "conv": {"small": None}})
    monkeypatch.setattr(results, "BATCH_SIZE", 8)


def arguments(made, *more, out="out"):
    return ["--data", f"small={made / 'faces'}", "--systems", "gan", "dcgan", "--out", str(made / out), *more]


def planned(*given):
    return results.planned(results._parser().parse_args(given))


def test_every_budget_is_one_that_the_system_can_train(tmp_path):
    """Each size is one that the networks can make, and each system of the course without labels has its place."""
    without_labels = [name for name in models.available() if not getattr(models.lesson(name), "LABELS", ())]
    assert set(results.BUDGET) <= set(without_labels)
    assert {"slides-v1", "gan", "dcgan", "wgan-gp", "stylegan"} <= set(results.BUDGET)
    assert results.BUDGET["dcgan"] == {"chinese": 200, "celeba32": 10, "celeba64": 8, "lfw": 8}
    assert results.BUDGET["pggan"]["lfw"] is None and results.BUDGET["slides-v2"]["celeba64"] is None
    rows = planned("--data", f"lfw={tmp_path}", "--data", f"celeba32={tmp_path}", "--out", str(tmp_path))
    assert len([row for row in rows if row.name == "celeba32"]) == 15
    assert "pggan" not in [row.system for row in rows if row.name == "lfw"]
    parser = cli.parser()
    for row in rows:
        asked = parser.parse_args(row.train_command())  # the command line takes what the table says
        assert asked.system == row.system and asked.epochs == results.BUDGET[row.system][row.name]
        small = ("slides-v2", "pggan", "stylegan") if row.name == "celeba32" else SLOW_AT_125
        expected = 64 if (row.name, row.system) == ("celeba32", "sagan") else 16 if row.system in small else 32
        assert asked.batch_size == expected
        assert asked.count == (3000 if row.name == "celeba32" else None) and asked.precision == "bfloat16"


def test_it_trains_what_is_missing_takes_what_is_there_and_scores_both(made, tiny, capfd):
    before = (made / "out/small/dcgan/checkpoint.h5").stat().st_mtime_ns
    assert results.main(arguments(made, "--count", "12")) == 0
    said = capfd.readouterr().out
    assert "small, gan: keras-faces train gan" in said and "small, dcgan: keras-faces train" not in said
    assert (made / "out/small/dcgan/checkpoint.h5").stat().st_mtime_ns == before

    table = pandas.read_csv(made / "out/results.csv")
    assert table["system"].tolist() == ["gan", "dcgan", "photographs"]
    assert table["state"].tolist()[:2] == ["finished"] * 2
    assert table["epochs"].tolist()[:2] == [1, 3]  # the second is what its config.json says, not the budget
    assert (table["n_real"] == 12).all() and (table["n_fake"] == 12).all() and (table["split"] == "held-out").all()
    found = evaluate.Evaluation.read(made / "out/small/dcgan/evaluation").scores["pixels"]
    for score in found:
        assert table.loc[1, score.name] == pytest.approx(score.value)
    assert table.loc[2, "memorisation"] == 1  # training photographs are what copies are
    assert "--option width=4" in table.loc[1, "train"] and "--data faces" in table.loc[1, "train"]
    height, width, _ = decode(made / "out/small/faces.png").shape
    assert width > 3 * height  # two rows of nine faces
    assert str(made) not in (made / "out/results.md").read_text()  # folders by name: the table is for others to read

    stamp = (made / "out/small/gan/checkpoint.h5").stat().st_mtime_ns
    scores = (made / "out/small/gan/evaluation/scores.json").read_bytes()
    assert results.main(arguments(made, "--count", "12")) == 0
    said = capfd.readouterr().out
    assert "keras-faces train gan --data" in said.partition("###")[2]  # in the table only
    assert "keras-faces train" not in said.partition("###")[0] and "scores by" not in said
    assert (made / "out/small/gan/checkpoint.h5").stat().st_mtime_ns == stamp
    assert (made / "out/small/gan/evaluation/scores.json").read_bytes() == scores
    pandas.testing.assert_frame_equal(table, pandas.read_csv(made / "out/results.csv"))


def test_a_row_can_be_made_again_by_its_command(made):
    """The command of the table, typed into a shell, gives the very weights."""
    import shlex

    import h5py

    folder = RunFolder(made / "out/small/dcgan")
    command = shlex.split(_results_table.command_of(folder, str(made / "faces")))
    assert command[0] == "keras-faces"
    assert cli.main([*command[1:], "--out", str(made / "again")]) == 0
    with h5py.File(folder.checkpoint) as one, h5py.File(made / "again/checkpoint.h5") as two:
        assert all((one["model"][name][()] == two["model"][name][()]).all() for name in one["model"])


def test_states(made, tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert results.state_of(folder) == "not begun"
    shutil.copytree(made / "out/small/dcgan", folder.path)
    assert results.state_of(folder) == "finished"
    with open(folder.path / ".lock", "ab") as held:
        lock(held, folder.path)
        assert results.state_of(folder) == "being trained"
    config = folder.read()
    config.epochs = 4
    folder.write(config)
    assert results.state_of(folder) == "broken off in epoch 3, iteration 2"
    config.epochs = 3
    folder.write(config)
    log = folder.log.read_text()
    folder.log.write_text(log + log.splitlines()[-1].replace("3,2,6,", "3,3,7,") + "\n")  # epochs of 3 iterations
    assert results.state_of(folder) == "broken off in epoch 3, iteration 2"
    folder.log.write_text(log)
    folder.model.unlink()
    assert results.state_of(folder) == "broken off in epoch 3, iteration 2"
    folder.checkpoint.write_bytes(b"no checkpoint")
    assert results.state_of(folder) == "damaged checkpoint"


def test_without_training_what_is_not_there_is_said_and_left_out(made, tiny, tmp_path, capsys):
    shutil.copytree(made / "out/small/dcgan", tmp_path / "out/small/dcgan")
    given = ["--data", f"small={made / 'faces'}", "--systems", "gan", "dcgan", "--no-training"]
    assert results.main([*given, "--count", "12", "--out", str(tmp_path / "out")]) == 3
    text = (tmp_path / "out/results.md").read_text()
    assert "gan: no scores, not begun." in text and "| dcgan | 6 |" in text
    assert not (tmp_path / "out/small/gan").exists()

    checkpoint = tmp_path / "out/small/dcgan/checkpoint.h5"
    checkpoint.write_bytes(checkpoint.read_bytes()[:3000])  # damaged: the others are not kept from their table
    assert results.main([*given, "--count", "12", "--out", str(tmp_path / "out")]) == 3
    assert "dcgan: no scores, not scored:" in (tmp_path / "out/results.md").read_text()


def test_the_markdown_has_a_table_for_each_set_and_features(tmp_path):
    def scores(features, fid):
        told = {"features": features, "split": "held-out", "n_real": 50, "n_fake": 40, "resize": "area"}
        return [Score("fid", fid, fid - 1, fid + 1, **told), Score("kid", 0.0123, warnings=("few images",), **told)]

    rows = [
        results.Row("chinese", "gan", RunFolder(tmp_path / "a"), "faces", "finished", {"p": scores("pixels", 7.25)}),
        results.Row("chinese", "dcgan", RunFolder(tmp_path / "b"), "faces", "broken off in epoch 3, iteration 1"),
        results.Row("lfw", "gan", RunFolder(tmp_path / "c"), "lfw", "finished", {"p": scores("pixels", 1500.0)}),
    ]
    rows[0].scores["i"] = scores("Inception-Keras", 99.0)
    text = _results_table.markdown(_results_table.table(rows), "2026-01-01, a machine", "keras-faces evaluate RUN")
    assert text.startswith("Scored on 2026-01-01, a machine.")
    assert [line for line in text.splitlines() if line.startswith("###")] == [
        "### chinese: pixels",
        "### chinese: Inception-Keras",
        "### lfw: pixels",
    ]
    assert "| gan |  |  | 7.25 [6.25, 8.25] | 0.0123 |" in text and "| gan |  |  | 1500 [1499, 1501] | 0.0123 |" in text
    assert "Real side: 50 held-out photographs; resize: area." in text and "Warning: few images" in text
    assert "dcgan: no scores, broken off in epoch 3, iteration 1." in text


@pytest.mark.parametrize(
    "given, message",
    [
        (["--data", "celeba=x"], "NAME=FOLDER with one of the names"),
        (["--data", "lfw"], "NAME=FOLDER"),
        (["--data", "lfw=nowhere"], "there is no nowhere"),
        (["--data", "lfw=.", "--systems", "pggan"], "no budget for pggan on lfw"),
        (["--data", "lfw=.", "--features", "pixel"], "no features 'pixel'"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(tmp_path, given, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        results.main([*given, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
