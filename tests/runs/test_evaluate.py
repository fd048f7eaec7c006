"""Scores of a run: which photographs are on the other side, what is written, what is kept, what is refused."""

import json
import shutil

import numpy as np
import pandas
import pytest
from PIL import Image

from keras_faces.cli import main as cli
from keras_faces.data import Faces
from keras_faces.data.labels import Labels
from keras_faces.figures import grids
from keras_faces.metrics import Score
from keras_faces.metrics.features.base import Features
from keras_faces.runs import evaluate, reference
from keras_faces.runs.folder import RunConfig, RunError, RunFolder

NAMES = ["fid", "kid", "precision", "recall", "density", "coverage", "memorisation", "spread"]


def faces_of(seed, count=12):
    """Smooth pictures that nobody confuses: each has colours of its own."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 4, 4, 3)).repeat(4, axis=1).repeat(4, axis=2).astype("uint8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on the first 16 of 28 photographs."""
    path = tmp_path_factory.mktemp("evaluate")
    (path / "faces").mkdir()
    for index, picture in enumerate(faces_of(0, 28)):
        grids.save_picture(picture, path / f"faces/{index:02d}.png")
    given = ["--data", str(path / "faces"), "--count", "16", "--image-size", "16", "--batch-size", "8"]
    narrow = ["--epochs", "2", "--option", "width=4", "--option", "latent_dim=5"]
    assert cli.main(["train", "dcgan", *given, *narrow, "--out", str(path / "run")]) == 0
    return path


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run, to write into."""
    shutil.copytree(made / "run", tmp_path / "run")
    return tmp_path / "run"


# -------------------------------------------------------------------------------------------- the photographs


def test_what_lies_behind_the_count_is_held_out(made):
    found = reference.photographs(RunFolder(made / "run").read(), count=100)
    assert found.training.names == [f"{index:02d}.png" for index in range(16)]
    assert found.held_out.names == [f"{index:02d}.png" for index in range(16, 28)]
    assert "17 to 28" in found.note and found.split(None)[0] == "held-out" and found.split("training")[0] == "training"
    few = reference.photographs(RunFolder(made / "run").read(), count=3)
    assert few.held_out.names == ["16.png", "17.png", "18.png"]


def test_a_run_on_all_photographs_has_none_held_out(made):
    found = reference.photographs(RunConfig("dcgan", str(made / "faces"), 16))
    assert found.held_out is None and "all of" in found.note and found.split(None)[0] == "training"
    with pytest.raises(RunError, match="--held-out FOLDER, or score --against training"):
        found.split("held-out")
    other = reference.photographs(RunConfig("dcgan", str(made / "faces"), 16), held_out="drawn", count=7)
    assert len(other.held_out) == 7 and other.held_out.image_size == 16 and len(other.training) == 28


def test_drawn_faces_have_other_people_held_out():
    found = reference.photographs(RunConfig("dcgan", "drawn", 16, count=9, seed=4), count=5)
    assert (len(found.training), len(found.held_out)) == (9, 5) and "seed 5" in found.note
    assert not (found.training.images[:5] == found.held_out.images[:]).all(axis=(1, 2, 3)).any()


def test_photographs_that_moved_and_photographs_that_are_others(made, tmp_path):
    config = RunFolder(made / "run").read()
    shutil.copytree(made / "faces", tmp_path / "moved")
    assert reference.photographs(config, str(tmp_path / "moved")).held_out.names[0] == "16.png"
    (tmp_path / "moved/03.png").unlink()
    with pytest.raises(RunError, match="does not hold the images.*--data.*--held-out"):
        reference.photographs(config, str(tmp_path / "moved"))


# ------------------------------------------------------------------------------------------------- the scores


def a_reference(against=None, **more):
    photographs = reference.Photographs(Faces(faces_of(1, 20)), Faces(faces_of(2)), "a note")
    return reference.Reference(photographs, "pixels", against=against, **more)


def test_every_score_says_what_it_was_measured_on():
    scores = a_reference(seed=3).scores(faces_of(5, 9))
    assert [score.name for score in scores] == NAMES
    for score in scores[:6]:
        assert (score.n_real, score.n_fake, score.split, score.seed) == (12, 9, "held-out", 3)
        assert "PCA" in score.features and "fitted on 20 images" in score.features and "32" in score.resize
    alone = reference.Reference(reference.Photographs(Faces(faces_of(1)), None, "none"), "pixels").scores(faces_of(5))
    assert [score.name for score in alone] == [name for name in NAMES if name != "memorisation"]
    assert {score.split for score in alone} == {"training"}


class Brightest(Features):
    """Says of an image which of its channels is the brightest."""

    title, dimension, class_names, label_kind = "brightest", 3, ("red", "green", "blue"), "classes"

    def describe(self, images):
        return images.mean(axis=(1, 2)) / 255

    def probabilities(self, images, batch_size=64):
        return np.eye(3)[self.describe(images).argmax(axis=1)]


def test_features_that_know_classes_add_the_inception_score_and_the_labels():
    photographs = reference.Photographs(Faces(faces_of(1, 20)), Faces(faces_of(2)), "a note")
    found, fakes = reference.Reference(photographs, Brightest(16)), faces_of(5, 24)
    of_pixels = fakes.mean(axis=(1, 2)).argmax(axis=1)
    asked = Labels("classes", ("red", "green", "blue"), np.eye(3, dtype="float32")[of_pixels])
    scores = {score.name: score.value for score in found.scores(fakes, asked)}
    assert scores["label_consistency"] == 1 and 1 < scores["inception_score"] <= 3
    others = Labels("attributes", ("Smiling",), np.ones((24, 1), "float32"))
    assert "label_consistency" not in [score.name for score in found.scores(fakes, others)]


def test_the_real_side_itself_is_at_distance_0_and_copies_are_memorised():
    def values(images, **how):
        return {score.name: score.value for score in a_reference(**how).scores(images)}

    same = values(faces_of(2))
    assert same["fid"] == pytest.approx(0, abs=1e-20) and same["spread"] == pytest.approx(1, abs=1e-6)
    copies = values(faces_of(1, 20))
    assert copies["memorisation"] == 1 and copies["fid"] > 0
    assert values(faces_of(1, 20), against="training")["fid"] == pytest.approx(0, abs=1e-20)
    assert values(faces_of(7))["memorisation"] < 0.5


def test_more_photographs_than_count_are_drawn_by_the_seed_and_training_ones_all_stay():
    few = a_reference(count=8, seed=1)
    assert few.real_features.shape[0] == len(few.real) == 8 and len(few.train_features) == 20
    assert (reference.some(12, 8, 1) == reference.some(12, 8, 1)).all()
    assert (reference.some(12, 8, 1) != reference.some(12, 8, 2)).any()
    assert len(set(reference.some(500, 100, 3))) == 100 and (np.diff(reference.some(500, 100, 3)) > 0).all()
    training = a_reference(against="training", count=8, seed=1)
    np.testing.assert_array_equal(training.real_features, training.train_features[reference.some(20, 8, 1)])


def test_chosen_faces_are_described_and_not_all_that_they_were_chosen_from():
    everything, numbers = Faces(faces_of(1, 40)), np.arange(3, 40, 2)
    chosen = reference.Photographs(everything.take(numbers), Faces(faces_of(2)), "")
    copied = reference.Photographs(Faces(faces_of(1, 40)[numbers]), Faces(faces_of(2)), "")
    one, two = (reference.Reference(photographs, "pixels") for photographs in (chosen, copied))
    np.testing.assert_array_equal(one.train_features, two.train_features)
    assert len(one.train_features) == len(numbers)


def test_spread_is_the_ratio_of_mean_deviations():
    real, fake = faces_of(0, 600), faces_of(1, 30) // 2
    expected = fake.astype(float).std(axis=0).mean() / real.astype(float).std(axis=0).mean()
    score = reference.spread(real, fake, "held-out")
    assert score.value == pytest.approx(expected, rel=1e-6) and (score.n_real, score.n_fake) == (600, 30)
    assert reference.spread(real, fake[:1].repeat(5, axis=0)).value == 0


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_writes_json_table_and_picture(run, capsys):
    assert cli.main(["evaluate", str(run), "--count", "10", "--seed", "2"]) == 0
    said = capsys.readouterr().out
    assert "photographs 17 to 26" in said and "held-out" in said and "10 fake" in said
    assert all(name in said for name in ("FID", "KID", *NAMES[2:])) and "warning: " in said
    found = json.loads((run / "evaluation/scores.json").read_text())
    assert (found["system"], found["epoch"], found["iteration"], found["count"]) == ("dcgan", 2, 2, 10)
    scores = [Score.from_dict(one) for one in found["scores"]["pixels"]]
    table = pandas.read_csv(run / "evaluation/scores.csv")
    assert list(table["name"]) == [score.name for score in scores] == NAMES
    assert table["value"].tolist() == pytest.approx([score.value for score in scores])
    assert {"n_real", "n_fake", "split", "seed", "features", "resize", "low", "high", "warnings"} <= set(table)
    with Image.open(run / "evaluation/evaluation.png") as picture:
        assert picture.format == "PNG" and picture.width > 800


def test_the_same_command_gives_the_same_scores_and_other_features_stay(run, tmp_path):
    def scores():
        return json.loads((run / "evaluation/scores.json").read_text())["scores"]

    (tmp_path / "net").mkdir()
    spec = f"file:{small_network(tmp_path / 'net/small.keras')}"
    assert cli.main(["evaluate", str(run), "--count", "10"]) == 0
    first = scores()
    assert cli.main(["evaluate", str(run), "--count", "10", "--features", spec]) == 0
    assert list(scores()) == ["pixels", spec] and scores()["pixels"] == first["pixels"]
    assert "small" in scores()[spec][0]["features"]
    assert cli.main(["evaluate", str(run), "--count", "10"]) == 0
    assert scores()["pixels"] == first["pixels"] and spec in scores()
    assert cli.main(["evaluate", str(run), "--count", "11"]) == 0
    assert list(scores()) == ["pixels"]  # another number of faces: the old ones would mislead
    assert cli.main(["evaluate", str(run), "--count", "11", "--against", "training", "--out", str(tmp_path / "x")]) == 0
    assert json.loads((tmp_path / "x/scores.json").read_text())["scores"]["pixels"][0]["split"] == "training"
    assert scores()["pixels"][0]["split"] == "held-out"


def small_network(path):
    import keras

    layers = [keras.Input((16, 16, 3)), keras.layers.Rescaling(1 / 255), keras.layers.AveragePooling2D(8)]
    keras.Sequential([*layers, keras.layers.Flatten()], name="small").save(path)
    return path


def test_scores_of_other_weights_do_not_stay(run):
    found = reference.photographs(RunFolder(run).read())
    evaluation = evaluate.begin(RunFolder(run), found, count=10)
    evaluation.scores["pixels"] = [Score("fid", 1.5)]
    evaluation.write(run / "evaluation")
    assert evaluate.begin(RunFolder(run), found, count=10).scores["pixels"] == [Score("fid", 1.5)]
    assert evaluate.begin(RunFolder(run), found, count=10, seed=1).scores == {}
    assert cli.main(["train", "dcgan", "--resume", "--epochs", "3", "--out", str(run)]) == 0
    assert evaluate.begin(RunFolder(run), found, count=10).scores == {}


@pytest.mark.parametrize(
    "wrong, message",
    [
        (["--features", "pixel"], "no features 'pixel'"),
        (["--features", "file:nowhere"], "no such file"),
        (["--data", "nowhere"], "nowhere does not exist"),
        (["--data", "drawn"], "does not hold the images"),
        (["--held-out", "nowhere"], "nowhere does not exist"),
    ],
)
def test_mistakes_are_told_in_a_line(run, capsys, wrong, message):
    assert cli.main(["evaluate", str(run), "--count", "8", *wrong]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (run / "evaluation").exists()


def test_folders_that_are_no_runs_or_not_trained(run, tmp_path, capsys):
    assert cli.main(["evaluate", str(tmp_path)]) == 1
    assert "no run folder" in capsys.readouterr().err
    (run / "checkpoint.h5").unlink()
    assert cli.main(["evaluate", str(run)]) == 1
    assert "there is no checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", '{"colour": 3}', '{"scores": 3}'])
def test_damaged_scores_are_named(tmp_path, content):
    (tmp_path / "scores.json").write_text(content)
    with pytest.raises(RunError, match="scores.json cannot be used .*evaluate again"):
        evaluate.Evaluation.read(tmp_path)


# ------------------------------------------------------------------------------------------------ the picture


def test_the_picture_lays_each_face_beside_its_nearest_photographs():
    found = a_reference()
    figure = evaluate.picture(faces_of(1, 20)[[4, 9]], found, "a title")
    left, right = figure.axes
    shown = np.asarray(right.images[0].get_array())
    cell = shown.shape[0] // (2 * 18 + 2)  # magnified pixels of two rows, with their gaps
    rows = grids.untile(shown[::cell, ::cell], 16).reshape(2, 6, 16, 16, 3)
    np.testing.assert_array_equal(rows[:, 0], faces_of(1, 20)[[4, 9]])
    np.testing.assert_array_equal(rows[:, 1], faces_of(1, 20)[[4, 9]])  # of a copy, the original is the nearest
    assert left.get_title() == "generated faces" and "pixels" in right.get_title()


def test_the_picture_has_curves_if_the_run_has_scored_itself():
    row = (
        {name: 0.5 for name in NAMES} | {f"{name}_low": 0.4 for name in NAMES} | {f"{name}_high": 0.6 for name in NAMES}
    )
    history = pandas.DataFrame([row | {"step": step} for step in (100, 200)])
    figure = evaluate.picture(faces_of(1), a_reference(), history=history)
    assert len(figure.axes) == 6 and [line.get_label() for line in figure.axes[4].lines] == ["precision", "density"]
    np.testing.assert_array_equal(figure.axes[2].lines[0].get_xydata(), [[100, 0.5], [200, 0.5]])
