"""Several systems under the same data, seed and budget: what is trained, what is laid side by side, what is resumed."""

import json
import shutil

import numpy as np
import pandas
import pytest
from PIL import Image

from keras_faces.cli import main as cli
from keras_faces.figures import grids
from keras_faces.runs import compare

A, B, LOST = "dcgan:width=4,latent_dim=5", "dcgan:width=4,latent_dim=5,loss=hinge", "dcgan:width=4,stages=sgd:1e30"
NAMES = {
    A: "dcgan-width=4-latent_dim=5",
    B: "dcgan-width=4-latent_dim=5-loss=hinge",
    LOST: "dcgan-width=4-stages=sgd-1e30",
}


def test_run_folders_have_names_that_every_file_system_takes():
    assert compare.folder_name(B) == NAMES[B]
    assert compare.folder_name("slides-v2:filters=[16,8],stages=sgd:1e-2:5,adam:1") == (
        "slides-v2-filters=-16-8-stages=sgd-1e-2-5-adam-1"
    )


# ---------------------------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A comparison of three, stopped by Ctrl-C in the second and resumed; the third one's training is lost."""
    path = tmp_path_factory.mktemp("compare")
    random = np.random.default_rng(0)
    (path / "faces").mkdir()
    for index in range(24):
        picture = random.integers(0, 256, (4, 4, 3)).repeat(4, axis=0).repeat(4, axis=1).astype("uint8")
        grids.save_picture(picture, path / f"faces/{index:02d}.png")
    given = ["--data", str(path / "faces"), "--image-size", "16", "--batch-size", "8", "--epochs", "2"]
    given += ["--out", str(path / "out"), "--seed", "4", "--checkpoint-every", "2"]
    with pytest.MonkeyPatch.context() as patch:
        _interrupt_the_second(patch)
        interrupted = cli.main(["compare", A, B, LOST, *given])
    table = pandas.read_csv(path / "out/comparison.csv")
    first = (path / "out" / NAMES[A] / "checkpoint.h5").stat().st_mtime_ns
    resumed = cli.main(["compare", "--resume", "--out", str(path / "out")])
    assert (path / "out" / NAMES[A] / "checkpoint.h5").stat().st_mtime_ns == first  # skipped, not trained again
    return {"path": path, "codes": (interrupted, resumed), "interrupted": table}


def _interrupt_the_second(patch):
    from keras_faces.runs import callbacks

    check = callbacks.Watch.on_train_batch_end

    def interrupt(self, batch, logs=None):
        check(self, batch, logs)
        if self.model.loss_name == "hinge" and self.progress.step == 4:
            raise KeyboardInterrupt

    patch.setattr(callbacks.Watch, "on_train_batch_end", interrupt)


def test_ctrl_c_keeps_what_is_made_and_says_how_far_it_came(made):
    assert made["codes"][0] == 130
    assert list(made["interrupted"]["state"]) == ["finished", "broken off", "not begun"]


def test_one_that_is_lost_does_not_stop_the_others(made):
    table = pandas.read_csv(made["path"] / "out/comparison.csv")
    assert made["codes"][1] == 3
    assert list(table["system"]) == [A, B, LOST]
    assert list(table["state"][:2]) == ["finished"] * 2 and table["state"][2].startswith("stopped in epoch 1")


def test_the_table_says_what_the_logs_say(made):
    table = pandas.read_csv(made["path"] / "out/comparison.csv").iloc[1]
    log = pandas.read_csv(made["path"] / "out" / NAMES[B] / "log.csv")
    assert list(table.index) == compare.COLUMNS
    for name in compare.FINAL:
        assert table[name] == pytest.approx(log[name].mean(), abs=1e-5)  # 2 rows of 3 iterations, all of the last 20
    assert table["iterations"] == 6 and table["minutes"] == round(log["seconds"].iloc[-1] / 60, 1)
    pace = (log["seconds"].iloc[1] - log["seconds"].iloc[0]) / 3
    assert table["seconds_per_iteration"] == pytest.approx(pace, abs=1e-3)
    import keras_faces as kf

    model = kf.models.build("dcgan", 16, width=4, latent_dim=5)
    assert table["g_parameters"] == model.generator.count_params()
    assert table["d_parameters"] == model.discriminator.count_params()


def test_both_pictures_are_there(made):
    for name in ("comparison.png", "curves.png"):
        with Image.open(made["path"] / "out" / name) as picture:
            assert picture.format == "PNG" and picture.width > 400
    assert json.loads((made["path"] / "out/comparison.json").read_text())["systems"] == [A, B, LOST]


def test_each_run_is_the_one_that_train_makes(made):
    """Interrupted, resumed, and among others: bit for bit the weights of the training alone."""
    import h5py

    alone = made["path"] / "alone"
    given = ["--data", str(made["path"] / "faces"), "--image-size", "16", "--batch-size", "8", "--epochs", "2"]
    rule = ["--loss", "hinge", "--option", "width=4", "--option", "latent_dim=5", "--seed", "4"]
    assert cli.main(["train", "dcgan", *given, *rule, "--out", str(alone)]) == 0
    with h5py.File(alone / "checkpoint.h5") as one, h5py.File(made["path"] / "out" / NAMES[B] / "checkpoint.h5") as two:
        for group in ("model", "optimizer"):
            assert one[group].keys() == two[group].keys()
            for name in one[group]:
                np.testing.assert_array_equal(one[group][name][()], two[group][name][()], err_msg=name)


def test_a_finished_comparison_is_not_trained_again_and_may_grow(made, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(made["path"] / "out", out)
    shutil.rmtree(out / NAMES[LOST])
    assert cli.main(["compare", A, B, "--resume", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("finished already") == 2 and A in said and "comparison.csv" in said
    assert len(pandas.read_csv(out / "comparison.csv")) == 2

    (out / NAMES[B] / "model.keras").unlink()  # broken off before the model was written
    assert cli.main(["compare", "--resume", "--out", str(out)]) == 0
    assert capsys.readouterr().out.count("finished already") == 1 and (out / NAMES[B] / "model.keras").exists()

    assert cli.main(["compare", "--resume", "--out", str(out), "--seed", "5"]) == 1
    assert "begun with seed 4, not 5" in capsys.readouterr().err
    assert cli.main(["compare", A, B, "--out", str(out)]) == 1
    assert "not overwritten" in capsys.readouterr().err


def test_features_add_scores_to_the_table(made, tmp_path, monkeypatch, capsys):
    from keras_faces.runs import evaluate

    out = tmp_path / "out"
    shutil.copytree(made["path"] / "out", out)
    shutil.rmtree(out / NAMES[LOST])
    given = ["compare", A, B, "--resume", "--features", "pixels", "--out", str(out)]
    assert cli.main(given) == 0
    said = capsys.readouterr().out
    assert "no photograph is held out" in said and "fid" in said
    table = pandas.read_csv(out / "comparison.csv")
    assert list(table)[: len(compare.COLUMNS)] == compare.COLUMNS
    assert list(table)[len(compare.COLUMNS) :] == ["fid", "kid", "precision", "recall", "density", "coverage"]
    for row, system in enumerate((A, B)):
        found = evaluate.Evaluation.read(out / NAMES[system] / "evaluation").scores["pixels"]
        assert table.loc[row, "fid"] == pytest.approx(found[0].value, rel=1e-3) and found[0].split == "training"

    def again(*_):
        raise AssertionError("what is measured is not measured again")

    monkeypatch.setattr(evaluate.Reference, "scores", again)
    assert cli.main(["compare", "--resume", "--out", str(out)]) == 0  # comparison.json remembers the features
    pandas.testing.assert_frame_equal(pandas.read_csv(out / "comparison.csv"), table)


@pytest.mark.parametrize(
    "systems, more, message",
    [
        (["dcgan", "gan"], ["--features", "pixel"], "no features 'pixel'"),
        (["dcgan"], [], "two systems or more"),
        (["dcgan", "dcgan"], [], "dcgan is named twice"),
        (["dcgan", "dcgann"], [], "no system 'dcgann'"),
        (["dcgan", "dcgan:colour=3"], [], "dcgan:colour=3: dcgan has no such option"),
        (["dcgan:width=4", "dcgan:width=4,seed=3"], [], "seed has an option of its own"),
        (["dcgan:width=4", "dcgan:width=5", "--image-size", "8"], [], "cannot make 8×8"),
        (["dcgan:width=4", "dcgan:width=4,d_steps=4"], ["--batch-size", "7"], "24 faces do not fill one batch of 28"),
        (["dcgan", "slides-v2"], ["--resume"], "holds no comparison"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(made, tmp_path, capsys, systems, more, message):
    given = ["--data", str(made["path"] / "faces"), "--image-size", "16", *more, "--out", str(tmp_path / "new")]
    assert cli.main(["compare", *given, *systems]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "new").exists()


def test_a_damaged_comparison(tmp_path):
    for content, message in (
        ("{", "is damaged"),
        ('{"colour": 3}', "'colour' is not known"),
        ('{"epochs": 0}', "1 or more"),
    ):
        (tmp_path / "comparison.json").write_text(content)
        with pytest.raises(ValueError, match=rf"comparison\.json.*{message}"):
            compare.read(tmp_path)


# ---------------------------------------------------------------------------------------------- the pictures


def log(*steps, **columns):
    table = {"step": steps, "d_loss": 0.7, "g_loss": 0.8, "d_real": 0.6, "d_fake": 0.4, "spread": 0.9} | columns
    return pandas.DataFrame(table)


def test_curves_have_a_colour_each_and_scores_without_bounds_their_own_axes():
    logs = {"one": log(20, 40, d_loss=[0.7, 0.5]), "critic": log(10, 20, d_real=[300.0, 310.0])}
    figure = grids.losses_of(logs, unbounded=["critic"])
    d_loss, _, probabilities, scores, spread = figure.axes
    assert [line.get_label() for line in d_loss.lines] == ["one", "critic"]
    np.testing.assert_array_equal(d_loss.lines[0].get_xydata(), [[20, 0.7], [40, 0.5]])
    assert d_loss.lines[0].get_color() == spread.lines[0].get_color() != d_loss.lines[1].get_color()
    assert {line.get_label() for line in probabilities.lines} == {"one"}
    assert {line.get_label() for line in scores.lines} == {"critic"} and scores.get_yscale() == "symlog"
    assert [line.get_linestyle() for line in probabilities.lines] == ["-", "--"] and d_loss.get_yscale() == "linear"
    assert len(grids.losses_of({"one": log(1)}).axes) == 4
    with pytest.raises(ValueError, match="at least one log"):
        grids.losses_of({})


def test_columns_have_the_same_count_of_faces():
    faces = [np.full((count, 4, 4, 3), count, "uint8") for count in (6, 4, 5, 4, 4, 4)]
    figure = grids.side_by_side([(str(index), images) for index, images in enumerate(faces)], across=2)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == [str(index) for index in range(6)]
    expected = grids.magnify(grids.tile(faces[0][:4], 2), 400)
    np.testing.assert_array_equal(shown[0].images[0].get_array(), expected)
    assert len({axes.images[0].get_array().shape for axes in shown}) == 1
    with pytest.raises(ValueError, match="at least one"):
        grids.side_by_side([])


def test_magnified_pixels_are_squares():
    picture = np.arange(12, dtype="uint8").reshape(2, 2, 3)
    large = grids.magnify(picture, 5)
    assert large.shape == (6, 6, 3)
    np.testing.assert_array_equal(large[::3, ::3], picture)
    np.testing.assert_array_equal(grids.magnify(picture, 1), picture)
