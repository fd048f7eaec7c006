"""Scores while a GAN trains: they follow its weights, change none of them, and resume with it."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pandas
import pytest
from PIL import Image

from keras_faces.cli import main as cli
from keras_faces.data import Faces
from keras_faces.figures import grids
from keras_faces.runs import reference
from keras_faces.runs.callbacks import Progress
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.score_curve import ScoreCurve
from keras_faces.runs.train import train_run


@pytest.fixture(scope="module", autouse=True)
def few():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScoreCurve, "COUNT", 20)
        yield


def config(**changes):
    asked = {"epochs": 2, "batch_size": 8, "image_size": 16, "seed": 5, "checkpoint_every": 2, "sample_every": 100}
    return RunConfig("gan", options={"width": 8, "latent_dim": 5}, **(asked | changes))


@pytest.fixture(scope="module")
def faces():
    """48 smooth uint8 pictures, 16×16."""
    coarse = np.random.default_rng(0).integers(0, 256, (48, 4, 4, 3))
    return Faces(coarse.repeat(4, axis=1).repeat(4, axis=2).astype("uint8"))


@pytest.fixture(scope="module")
def scored(tmp_path_factory, faces):
    """A run of 12 iterations with scores every 3: its folder and its model."""
    folder = tmp_path_factory.mktemp("scored") / "run"
    return folder, train_run(RunFolder(folder), config(score_every=3), faces)


def weights(model):
    return [keras.ops.convert_to_numpy(variable.value) for variable in (*model.variables, *model.optimizer.variables)]


def test_scores_change_no_weight(tmp_path, faces, scored):
    plain = train_run(RunFolder(tmp_path / "plain"), config(), faces)
    for one, two in zip(weights(scored[1]), weights(plain), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not (tmp_path / "plain/scores.csv").exists()


def test_the_rows_say_what_was_measured_and_the_last_one_is_what_the_model_then_scores(faces, scored):
    folder, model = scored
    rows = pandas.read_csv(folder / "scores.csv")
    assert rows["step"].tolist() == [3, 6, 9, 12] and rows["epoch"].tolist() == [1, 1, 2, 2]
    assert set(rows["n_fake"]) == {20} and set(rows["n_real"]) == {20} and set(rows["split"]) == {"training"}
    assert rows["features"].str.contains("PCA.*fitted on 20 images").all()
    chosen = faces.take(reference.some(48, 20, 5))
    again = reference.Reference(reference.Photographs(chosen, None, ""), "pixels", seed=5)
    for score in again.scores(model.sample(20, seed=5)):
        assert rows[score.name].iloc[-1] == pytest.approx(score.value, rel=1e-6), score.name
    with Image.open(folder / "scores.png") as picture:
        assert picture.format == "PNG"


class StopAt(keras.callbacks.Callback):
    def __init__(self, iterations):
        super().__init__()
        self.left = iterations

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("power cut")


def test_a_resumed_training_makes_the_rows_after_its_checkpoint_again(tmp_path, faces, scored):
    with pytest.raises(RuntimeError, match="power cut"):
        train_run(RunFolder(tmp_path), config(score_every=3), faces, callbacks=[StopAt(9)])
    assert pandas.read_csv(tmp_path / "scores.csv")["step"].tolist() == [3, 6, 9]  # the checkpoint is of 8
    train_run(RunFolder(tmp_path), config(score_every=3), faces, resume=True)
    whole, broken = (pandas.read_csv(folder / "scores.csv") for folder in (scored[0], tmp_path))
    pandas.testing.assert_frame_equal(whole, broken)


def test_a_table_that_excel_holds_stops_nothing(tmp_path, monkeypatch, capsys):
    from keras_faces.metrics import Score
    from keras_faces.runs import score_curve

    write, held = score_curve.atomic_write, [True, True, False]

    def atomic_write(path):
        if held.pop(0):
            raise PermissionError(13, "Permission denied", str(path))
        return write(path)

    monkeypatch.setattr(score_curve, "atomic_write", atomic_write)
    for name in ("save", "scores"):
        monkeypatch.setattr(score_curve.grids, name, lambda *which: None)
    progress = Progress(iterations=3, epoch=1)
    score = Score("fid", 1.0, features="pixels", n_real=20, n_fake=20, split="training")
    curve = ScoreCurve(tmp_path, progress, lambda faces: [score], every=1)
    curve.set_model(SimpleNamespace(sample=lambda count, seed: None))
    for progress.iteration in (1, 2, 3):
        curve.on_train_batch_end(0)
    assert capsys.readouterr().out.count("is held by another program") == 1
    assert pandas.read_csv(tmp_path / "scores.csv")["step"].tolist() == [1, 2, 3]


def test_the_options_reach_the_run_and_may_change_on_resume(tmp_path, photographs, capsys):
    (tmp_path / "faces").mkdir()
    for index, picture in enumerate(photographs[:24]):
        grids.save_picture(picture, tmp_path / f"faces/{index:02d}.png")
    given = ["--data", str(tmp_path / "faces"), "--batch-size", "8", "--image-size", "16", "--option", "width=8"]
    out = ["--out", str(tmp_path / "run")]
    assert cli.main(["train", "gan", *given, *out, "--epochs", "1", "--score-every", "2"]) == 0
    assert json.loads((tmp_path / "run/config.json").read_text())["score_every"] == 2
    assert cli.main(["train", "gan", "--resume", *out, "--epochs", "2", "--score-every", "3"]) == 0
    assert pandas.read_csv(tmp_path / "run/scores.csv")["step"].tolist() == [2, 6]
    wrong = ["--score-every", "2", "--score-features", "pixel"]
    assert cli.main(["train", "gan", *given, "--out", str(tmp_path / "new"), *wrong]) == 1
    assert "no features 'pixel'" in capsys.readouterr().err and not (tmp_path / "new").exists()
    with pytest.raises(SystemExit, match="2"):
        cli.main(["train", "gan", "--score-every", "0"])
