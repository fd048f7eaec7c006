"""The commands as a user types them, on narrow networks."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_faces.cli import main as cli
from keras_faces.figures import grids
from keras_faces.runs.folder import RunFolder, trained_run

COMMANDS = ("list", "describe", "train", "demo", "sample", "interpolate", "figure", "compare", "classify", "evaluate")
COMMANDS += ("classes", "attributes", "traverse", "consistency", "ring", "inpaint", "retrieve", "relabel", "augment")
COMMANDS += ("reconstruct", "morph", "latent-map", "eigenfaces", "complete", "translate")
COMMANDS += ("transfer", "person", "attribute-morph", "frontal", "detect-adversarial")
NARROW = ["--image-size", "16", "--option", "filters=[16,8,8,4]", "--option", "latent_dim=5"]


@pytest.fixture
def folder(tmp_path, photographs):
    """24 photographs as files, and one that is none."""
    (tmp_path / "faces").mkdir()
    for index, picture in enumerate(photographs[:24]):
        grids.save_picture(picture, tmp_path / f"faces/{index:02d}.png")
    (tmp_path / "faces/notes.jpg").write_text("no picture")
    return tmp_path / "faces"


def train(tmp_path, folder, *more):
    given = ["--data", str(folder), "--batch-size", "8", "--epochs", "1", "--out", str(tmp_path / "run")]
    return cli.main(["train", "slides-v2", *NARROW, *given, *more])


def test_list(capsys):
    assert cli.main(["list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names[:2] == ["slides-v1", "slides-v2"]


def test_describe(capsys):
    assert cli.main(["describe", "slides-v2", *NARROW]) == 0
    assert "ZeroPadding2D" in capsys.readouterr().out


def test_train_then_sample(tmp_path, folder, capsys):
    assert train(tmp_path, folder) == 0
    said = capsys.readouterr().out
    assert "notes.jpg" in said and "1 file skipped" in said and "evolution.png" in said
    run = tmp_path / "run"
    assert cli.main(["sample", str(run), "--count", "5", "--seed", "3", "--truncation", "1.0"]) == 0
    assert grids.untile(grids.read_picture(run / "faces.png"), 16).shape[0] == 6
    assert cli.main(["sample", str(run), "--count", "3", "--seed", "3", "--out", str(tmp_path / "single")]) == 0
    assert len(list((tmp_path / "single").iterdir())) == 3
    singles = [grids.read_picture(file) for file in sorted((tmp_path / "single").iterdir())]
    assert cli.main(["sample", str(run), "--count", "3", "--seed", "3"]) == 0
    np.testing.assert_array_equal(grids.untile(grids.read_picture(run / "faces.png"), 16)[:3], singles)


def test_resume_trains_on_and_refuses_what_contradicts_the_run(tmp_path, folder, capsys):
    train(tmp_path, folder, "--seed", "4", "--d-steps", "2", "--label-smoothing", "0.1")
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["seed"] == 4 and config["options"]["d_steps"] == 2 and config["options"]["label_smoothing"] == 0.1

    resume = ["train", "slides-v2", "--resume", "--out", str(tmp_path / "run")]
    for wrong, name in (
        (["--seed", "5"], "seed"),
        (["--batch-size", "4"], "batch_size"),
        (["--d-steps", "1"], "options"),
    ):
        assert cli.main([*resume, *wrong]) == 1
        assert f"begun with {name}" in capsys.readouterr().err
    assert cli.main(["train", "slides-v1", "--resume", "--out", str(tmp_path / "run")]) == 1
    assert "begun with system 'slides-v2'" in capsys.readouterr().err

    assert cli.main([*resume, "--epochs", "2"]) == 0
    assert (tmp_path / "run/samples/epoch0002-000001.png").exists()

    (folder / "00.png").unlink()
    assert cli.main([*resume, "--epochs", "3"]) == 1
    assert "no longer holds the images" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong, message",
    [
        (["--data", "nowhere"], "nowhere"),
        (["--batch-size", "25"], "24 faces do not fill one batch of 25"),
        (["--strict"], "notes.jpg"),
        (["--option", "filters"], "KEY=VALUE"),
        (["--option", "colour=3"], "no such option"),
        (["--image-size", "20"], "Try 16 or 24"),
        (["--option", "seed=3"], "seed has an option of its own, --seed"),
        (["--loss", "hinge", "--option", "loss=wgan"], "say different things"),
        (["--loss", "hinge", "--label-smoothing", "0.1"], "has no labels"),
        (["--stages", "adam"], "must be OPTIMIZER:RATE"),
        (["--stages", "adam:2e-4:10"], "the last stage"),
        (["--average", "0.5", "--option", "average=0.9"], "say different things"),
    ],
)
def test_mistakes_are_told_in_a_line_and_leave_no_folder(tmp_path, folder, capsys, wrong, message):
    assert train(tmp_path, folder, *wrong) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (["--loss", "hing"], "hinge"),
        (["--average", "1"], "0.999 is usual"),
        (["--r1", "-1"], "a number from 0 on"),
        (["--r1", "nan"], "a number from 0 on"),
        (["--epochs", "many"], "a positive whole number"),
    ],
)
def test_wrong_usage_names_what_is_right(tmp_path, folder, capsys, wrong, message):
    with pytest.raises(SystemExit, match="2"):
        train(tmp_path, folder, *wrong)
    assert message in capsys.readouterr().err


def test_the_rule_reaches_the_model_and_the_config(tmp_path, folder):

    given = ["--data", str(folder), "--batch-size", "8", "--epochs", "1", "--image-size", "16", "--option", "width=4"]
    rule = ["--loss", "hinge", "--stages", "sgd:1e-2:2,adam:2e-4", "--average", "0.9", "--r1", "2"]
    assert cli.main(["train", "dcgan", *given, *rule, "--out", str(tmp_path / "run")]) == 0
    wanted = {"loss": "hinge", "stages": "sgd:1e-2:2,adam:2e-4", "average": 0.9, "r1": 2.0, "width": 4}
    assert RunFolder(tmp_path / "run").read().options == wanted

    _, _, model = trained_run(tmp_path / "run")
    assert (model.loss_name, model.r1, model.average.decay) == ("hinge", 2.0, 0.9)
    assert [stage.optimizer for stage in model.optimizer.generator.stages] == ["sgd", "adam"]
    assert cli.main(["train", "dcgan", "--resume", "--loss", "wgan", "--out", str(tmp_path / "run")]) == 1


def test_what_is_not_given_is_left_to_the_system():
    from keras_faces.cli import training

    assert training.rule(cli.parser().parse_args(["train", "dcgan"])) == {}
    assert training.rule(cli.parser().parse_args(["train", "dcgan", "--average", "0"])) == {"average": 0.0}


def test_the_losses_are_those_of_the_package():
    from keras_faces.cli.options import LOSSES
    from keras_faces.training import losses

    assert LOSSES == tuple(losses.PAIRS)


def test_a_system_too_large_to_build_is_counted(capsys):
    assert cli.main(["describe", "linear", "--option", "divisor=1"]) == 0
    assert "20,507,637,531 weights" in capsys.readouterr().out


def test_an_empty_folder(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert train(tmp_path, tmp_path / "empty") == 1
    assert "empty" in capsys.readouterr().err


def test_a_run_is_never_overwritten(tmp_path, folder, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/mine.txt").write_text("mine")
    assert train(tmp_path, folder) == 1
    assert "not overwritten" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["mine.txt"]


def test_ctrl_c_says_so_and_keeps_what_was_made(tmp_path, folder, capsys, monkeypatch):
    from keras_faces.runs import callbacks

    def interrupt(self, batch, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.Watch, "on_train_batch_end", interrupt)
    assert train(tmp_path, folder) == 130
    assert "Stopped by Ctrl-C. No iteration was over" in capsys.readouterr().err
    assert (tmp_path / "run/config.json").exists()


def test_an_unknown_system_names_the_nearest(tmp_path, capsys):
    assert cli.main(["train", "slides", "--out", str(tmp_path / "x")]) == 1
    assert "slides-v1" in capsys.readouterr().err


def test_old_spellings_go_on_working_with_a_note(tmp_path, folder, capsys):
    assert train(tmp_path, folder, "--steps-per-call", "2", "--option", "d_rate=1e-4") == 0
    said = capsys.readouterr()
    assert "--steps-per-call is now called --steps-per-execution" in said.err
    assert "d_rate is now called d_learning_rate" in said.out
    config = RunFolder(tmp_path / "run").read()
    assert config.steps_per_execution == 2 and config.options["d_learning_rate"] == 1e-4
    assert cli.main(["train", "slides-v2", "--resume", "--out", str(tmp_path / "none")]) == 1
    assert "no run folder" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_help_loads_no_framework_and_says_every_command():
    script = (
        "import sys\nfrom keras_faces.cli.main import parser\ntext = parser().format_help()\nprint(text)\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'pandas', 'cv2', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=path)
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in COMMANDS)


# ------------------------------------------------------------------------------------------- what every command does


def test_a_notebooks_display_is_not_a_commands(tmp_path):
    """A kernel exports MPLBACKEND for itself; the environment of a command need not have that module."""
    told = "import os, keras_faces, matplotlib; print(os.environ.get('MPLBACKEND'))"
    for asked, kept in (("module://matplotlib_inline.backend_inline", "None"), ("svg", "svg")):
        done = subprocess.run(
            [sys.executable, "-c", told], env={**os.environ, "MPLBACKEND": asked}, capture_output=True, text=True
        )
        assert done.stdout.strip() == kept


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "dcgan", "--data", ""],
        ["train", "dcgan", "--data="],
        ["train", "dcgan", "--out", ""],
        ["train", "dcgan", "--from", " "],
        ["sample", ""],
        ["translate", "run", ""],
        ["evaluate", "run", "--held-out", ""],
    ],
)
def test_an_empty_name_is_no_folder(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "it is empty; is a variable of the shell not set?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["sample", "{run}"],
        ["sample", "{run}", "--out", "{mine}"],
        ["morph", "{run}", "{mine}", "{mine}", "--out", "{mine}"],
        ["reconstruct", "{run}", "--out", "{mine}"],
        ["translate", "{run}", "{mine}", "--out", "{folder}"],
        ["transfer", "{run}", "--out", "{mine}"],
        ["figure", "s0-losses", "{run}", "--out", "{mine}"],
        ["figure", "s4-overlap", "--out", "{mine}"],
        ["augment", "{run}", "--out", "{mine}"],
        ["evaluate", "{run}", "--out", "{folder}"],
        ["sample", "{run}", "--out", "{folder}"],
        ["sample", "{run}", "--out", "{folder}/faces.jpg"],
    ],
)
def test_out_is_checked_before_anything_is_read(tmp_path, photographs, command, capsys):
    """The run folder is empty: whatever reads it first says that it is none."""
    mine, folder = tmp_path / "photographs/mine.png", tmp_path / "photographs"
    folder.mkdir()
    grids.save_picture(photographs[0], mine)
    before = mine.read_bytes()
    assert cli.main([part.format(run=tmp_path / "run", mine=mine, folder=folder) for part in command]) == 1
    error = capsys.readouterr().err
    assert ("--out" in error) == ("--out" in command) and "Traceback" not in error
    assert mine.read_bytes() == before and [file.name for file in folder.iterdir()] == ["mine.png"]


@pytest.mark.parametrize(
    "error, code, message",
    [
        (KeyboardInterrupt("c.h5 keeps epoch 2"), 130, "Stopped by Ctrl-C. c.h5 keeps epoch 2"),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C. Files that were finished are kept."),
        (
            MemoryError("Unable to allocate 3 GiB"),
            1,
            "Unable to allocate 3 GiB\nThe memory is not enough: take a smaller",
        ),
    ],
)
def test_how_a_command_ends(monkeypatch, capsys, error, code, message):
    from keras_faces.cli import systems

    def fail(options):
        raise error

    monkeypatch.setattr(systems, "list_systems", fail)
    assert cli.main(["list"]) == code
    assert message in capsys.readouterr().err
