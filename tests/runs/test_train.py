"""The run folder, and the promise of --resume: the same weights, bit for bit, as a training never interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.files import lock
from keras_faces.runs.callbacks import TrainingStopped
from keras_faces.runs.folder import RunConfig, RunError, RunFolder
from keras_faces.runs.train import train_run
from keras_faces.training import checkpoint

OPTIONS = {
    "slides-v1": {"dense": 8, "filters": [8, 4]},
    "slides-v2": {"filters": [16, 8, 8, 4]},
    "multistage": {"width": 4, "stages": "rmsprop:1e-3:2,sgd:1e-2:3,adam:2e-4", "average": 0.9},
    "wgan-gp": {"width": 4, "d_steps": 2},
}


def config(system="slides-v2", **changes):
    asked = {"epochs": 2, "batch_size": 8, "sample_every": 4, "checkpoint_every": 2, "image_size": 16, "seed": 5}
    return RunConfig(system, options={"latent_dim": 5, **OPTIONS[system]}, **(asked | changes))


def run(path, faces, asked, resume=False, **more):
    return train_run(RunFolder(path), asked, faces, resume=resume, **more)


@pytest.fixture
def faces(photographs):
    return Faces(photographs)


def state(path):
    with h5py.File(Path(path) / "checkpoint.h5") as file:
        return {name: file[name][()] for group in file for name in (f"{group}/{key}" for key in file[group])}


def assert_same_state(first, second):
    first, second = state(first), state(second)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


class PowerCut(Exception):
    pass


class StopAt(keras.callbacks.Callback):
    """Breaks off in the middle of things, as a power cut does."""

    def __init__(self, iterations):
        super().__init__()
        self.left = iterations

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise PowerCut


@pytest.mark.figures
def test_a_run_folder_holds_everything_to_show_and_to_go_on(tmp_path, faces):
    model = run(tmp_path / "x", faces, config())
    found = {str(file.relative_to(tmp_path / "x")) for file in (tmp_path / "x").rglob("*") if file.is_file()}
    grids = {f"{epoch}-00000{iteration}.png" for epoch in (1, 2) for iteration in (4, 6)}
    grids = {f"samples/{kind}epoch000{grid}" for kind in ("", "fresh/") for grid in grids}
    pictures = {"evolution.png", "evolution.gif", "losses.png"}
    assert found == grids | pictures | {"config.json", "log.csv", "checkpoint.h5", "model.keras", ".lock"}
    assert list(pandas.read_csv(tmp_path / "x/log.csv")["step"]) == [6, 12]

    exported = keras.saving.load_model(tmp_path / "x/model.keras")
    np.testing.assert_array_equal(exported.sample(3), model.sample(3))


def test_the_exported_generator_alone_makes_the_same_faces(tmp_path, faces):
    model = run(tmp_path / "x", faces, config(epochs=1))
    from keras_faces.training.sampling import latent_noise

    generator = keras.saving.load_model(tmp_path / "x/model.keras").generator
    values = keras.ops.convert_to_numpy(generator(latent_noise(3, 5), training=False))
    assert np.abs((values + 1) * 127.5 - model.sample(3)).max() <= 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """``whole(system, photographs)``: the folder of an uninterrupted run, made once a system."""
    made = {}

    def folder(system, faces):
        if system not in made:
            made[system] = tmp_path_factory.mktemp("whole") / system
            run(made[system], faces, config(system))
        return made[system]

    return folder


@pytest.mark.parametrize(
    "system, stop_at",
    [("slides-v1", 3), ("slides-v2", 3), ("slides-v2", 6), ("slides-v2", 9), ("multistage", 5), ("wgan-gp", 2)],
)
def test_resumed_after_any_stop_the_weights_are_bit_for_bit_the_same(tmp_path, faces, whole, system, stop_at):
    with pytest.raises(PowerCut):
        run(tmp_path, faces, config(system), callbacks=[StopAt(stop_at)])
    run(tmp_path, faces, config(system), resume=True)
    uninterrupted = whole(system, faces)
    assert_same_state(uninterrupted, tmp_path)
    for grid in (uninterrupted / "samples").rglob("*.png"):
        assert grid.read_bytes() == (tmp_path / grid.relative_to(uninterrupted)).read_bytes()
    assert_same_log(uninterrupted, tmp_path)


@pytest.mark.parametrize("moment", ["on_train_batch_begin", "on_train_batch_end"])
def test_ctrl_c_keeps_the_iteration_that_it_interrupts(tmp_path, faces, whole, moment):
    """In the middle of an iteration it waits for its end; between two of them the state is whole already."""
    press = keras.callbacks.Callback()
    setattr(press, moment, lambda batch, logs=None: batch == 1 and signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match="checkpoint.h5 keeps epoch 1, iteration 2: --resume"):
        run(tmp_path, faces, config(checkpoint_every=100), callbacks=[press])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    run(tmp_path, faces, config(checkpoint_every=100), resume=True)
    assert_same_state(whole("slides-v2", faces), tmp_path)
    assert_same_log(whole("slides-v2", faces), tmp_path)


def test_ctrl_c_before_the_first_iteration_is_told_as_it_is(tmp_path, faces):
    press = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match="holds nothing to go on from yet"):
        run(tmp_path, faces, config(), callbacks=[press])


def assert_same_log(first, second):
    first, second = (pandas.read_csv(folder / "log.csv").drop(columns="seconds") for folder in (first, second))
    pandas.testing.assert_frame_equal(first, second, check_exact=True)


def test_stopped_before_the_first_checkpoint_it_begins_anew(tmp_path, faces, whole):
    with pytest.raises(PowerCut):
        run(tmp_path, faces, config(), callbacks=[StopAt(1)])
    assert not (tmp_path / "checkpoint.h5").exists()
    run(tmp_path, faces, config(), resume=True)
    assert_same_state(whole("slides-v2", faces), tmp_path)


def test_more_epochs_later_are_as_if_asked_for_at_once(tmp_path, faces, whole):
    run(tmp_path, faces, config(epochs=1))
    run(tmp_path, faces, config(epochs=2), resume=True)
    assert_same_state(whole("slides-v2", faces), tmp_path)


def test_after_kill_9_too(tmp_path, faces, photographs, whole):
    """A process of its own, killed between two checkpoints: after the first one it waits for that."""
    np.save(tmp_path / "photographs.npy", photographs)
    asked = config(checkpoint_every=1)
    script = (
        "import json, sys, time, keras, numpy as np; from keras_faces.data import Faces\n"
        "from keras_faces.runs.folder import RunConfig, RunFolder\nfrom keras_faces.runs.train import train_run\n"
        "folder, photographs, asked = sys.argv[1:]\n"
        "wait = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: batch and time.sleep(600))\n"
        "train_run(RunFolder(folder), RunConfig(**json.loads(asked)), Faces(np.load(photographs)), callbacks=[wait])"
    )
    from dataclasses import asdict

    arguments = [str(tmp_path / "killed"), str(tmp_path / "photographs.npy"), json.dumps(asdict(asked))]
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (tmp_path / "killed/checkpoint.h5").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed/model.keras").exists()  # it was really broken off

    (tmp_path / "killed/.checkpoint.1.part.h5").write_text("half")  # as if killed while writing
    run(tmp_path / "killed", faces, asked, resume=True)
    assert [file.name for file in (tmp_path / "killed").rglob(".*")] == [".lock"]
    assert_same_state(whole("slides-v2", faces), tmp_path / "killed")


def test_a_folder_that_holds_anything_is_never_overwritten(tmp_path, faces):
    (tmp_path / "notes.txt").write_text("mine")
    for taken in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(RunError, match="not overwritten"):
            run(taken, faces, config())
    RunFolder(tmp_path / "x").write(config())
    with pytest.raises(RunError, match="--resume"):
        run(tmp_path / "x", faces, config())
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "content, message", [(None, "no config.json"), ("{", "damaged"), ('{"colour": 3}', "'colour' is not known")]
)
def test_a_folder_without_a_usable_config(tmp_path, content, message):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=message):
        RunFolder(tmp_path).read()


def test_the_config_comes_back_as_written(tmp_path):
    folder = RunFolder(tmp_path / "x")
    folder.write(config())
    assert folder.read() == config()


@pytest.mark.figures
def test_a_lost_training_stops_and_keeps_what_was_made(tmp_path, faces):
    class Spoil(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 4:
                weights = self.model.discriminator.trainable_variables[0]
                self.model.synchronise()
                weights.assign(np.full(weights.shape, np.nan, "float32"))

    with pytest.raises(TrainingStopped, match="iteration 5: d_loss is nan"):
        run(tmp_path / "x", faces, config(), callbacks=[Spoil()])
    assert (tmp_path / "x/evolution.png").exists() and (tmp_path / "x/samples/epoch0001-000004.png").exists()
    model = train_less(tmp_path)
    assert checkpoint.load(tmp_path / "x/checkpoint.h5", model) == (1, 4)


def train_less(tmp_path):
    asked = RunFolder(tmp_path / "x").read()
    return kf.models.build(asked.system, asked.image_size, asked.seed, **asked.options)


def test_two_trainings_in_one_folder_are_not_possible(tmp_path, faces):
    run(tmp_path, faces, config(epochs=1))
    before = state(tmp_path)
    with open(tmp_path / ".lock", "ab") as held:
        lock(held, tmp_path)  # as another process would hold it
        with pytest.raises(ValueError, match="another run writes to the same target"):
            run(tmp_path, faces, config(epochs=2), resume=True)
    assert all((state(tmp_path)[name] == value).all() for name, value in before.items())
    run(tmp_path, faces, config(epochs=2), resume=True)  # and now it is free


# ------------------------------------------------------------------------------------------------ one call trains

SMALL = {"image_size": 16, "count": 24, "batch_size": 8, "epochs": 1, "width": 4, "latent_dim": 5, "verbose": 0}


def test_one_call_trains_as_the_command_does(tmp_path, capsys):
    from keras_faces.cli import main as cli

    asked = {"loss": "hinge", "average": 0.9, "d_steps": 2, "select": "!Bald", "sample_every": 2, "seed": 3}
    model = kf.train("dcgan", **{**SMALL, **asked, "count": 40}, out=tmp_path / "one")
    assert capsys.readouterr().out == ""
    given = "--image-size 16 --count 40 --batch-size 8 --epochs 1 --option width=4 --option latent_dim=5 --loss hinge"
    given += " --average 0.9 --d-steps 2 --select !Bald --sample-every 2 --seed 3"
    assert cli.main(["train", "dcgan", *given.split(), "--out", str(tmp_path / "two")]) == 0
    said = capsys.readouterr().out
    assert "Training dcgan at 16×16" in said and "On " in said and "evolution.png" in said
    assert_same_state(tmp_path / "one", tmp_path / "two")
    configs = [RunFolder(tmp_path / name).read() for name in ("one", "two")]
    assert configs[0] == configs[1] and configs[0].options["loss"] == "hinge"
    found = [{file.name for file in (tmp_path / name).rglob("*")} for name in ("one", "two")]
    assert found[0] == found[1] and model.loss_name == "hinge" and model.sample(2).shape == (2, 16, 16, 3)


def test_resume_begins_goes_on_and_returns_what_is_finished(tmp_path, capsys):
    asked = {**SMALL, "out": tmp_path / "x", "resume": True, "filters": (16, 8, 8, 4)}
    del asked["width"]
    first = kf.train("slides-v2", **asked)
    stamp = (tmp_path / "x/checkpoint.h5").stat().st_mtime_ns
    again = kf.train("slides-v2", **{**asked, "verbose": 1})  # the script runs a second time
    assert "is finished" in capsys.readouterr().out and (tmp_path / "x/checkpoint.h5").stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(first.sample(2), again.sample(2))
    kf.train("slides-v2", epochs=2, out=tmp_path / "x", resume=True, verbose=0)  # all else as it was
    assert RunFolder(tmp_path / "x").place() == (2, 3)
    kf.train("slides-v2", **{**asked, "epochs": 2, "resume": False, "out": tmp_path / "whole"})
    assert_same_state(tmp_path / "whole", tmp_path / "x")
    with pytest.raises(RunError, match="begun with seed 0, not 1"):
        kf.train("slides-v2", **{**asked, "seed": 1})
    with pytest.raises(RunError, match="not overwritten"):
        kf.train("slides-v2", **{**asked, "resume": False})


def test_faces_that_are_loaded_are_trained_on_with_their_labels(tmp_path):
    faces = kf.data.load("drawn", 16, count=40)
    asked = {"batch_size": 8, "epochs": 1, "width": 4, "latent_dim": 5, "verbose": 0}
    kf.train("cgan", faces.labelled("Male, Smiling"), **asked, out=tmp_path / "given")
    kf.train("cgan", **{**SMALL, "count": 40}, labels="Male, Smiling", out=tmp_path / "loaded")
    assert RunFolder(tmp_path / "given").read() == RunFolder(tmp_path / "loaded").read()
    assert_same_state(tmp_path / "given", tmp_path / "loaded")
    kf.train("dcgan", faces.labelled("Male"), **asked, out=tmp_path / "unlabelled")
    for wrong, message in (({"count": 3}, "count and crop"), ({"image_size": 32}, "these faces have 16")):
        with pytest.raises(ValueError, match=message):
            kf.train("dcgan", faces, **asked, **wrong, out=tmp_path / "no")


@pytest.mark.parametrize(
    "system, wrong, message",
    [
        ("dcgam", {}, "Did you mean dcgan"),
        ("dcgan", {"widht": 4}, "no such option: widht. Did you mean width"),
        ("lsgan", {"image_size": 7}, "image_size must lie between 16 and 512, got 7"),
        ("dcgan", {"batch_size": 25}, "do not fill one batch"),
        ("dcgan", {"labels": "Male"}, "learns from no labels"),
        ("cgan", {}, "learns from labels"),
        ("dcgan", {"stages": "adam"}, "OPTIMIZER:RATE"),
        ("dcgan", {"average": keras.optimizers.Adam}, "cannot be written to config.json"),
        ("dcgan", {"data": "nowhere"}, "nowhere does not exist"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path, system, wrong, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        kf.train(system, **{**SMALL, **wrong}, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_run_of_old_names_goes_on(tmp_path, capsys):
    kf.train("dcgan", **SMALL, learning_rate=1e-3, out=tmp_path / "x")
    file = tmp_path / "x/config.json"
    config = json.loads(file.read_text())
    config["options"]["rate"] = config["options"].pop("learning_rate")
    config["steps_per_call"] = config.pop("steps_per_execution")
    file.write_text(json.dumps(config))
    kf.train("dcgan", epochs=2, rate=1e-3, width=4, latent_dim=5, out=tmp_path / "x", resume=True, verbose=0)
    assert json.loads(file.read_text())["options"] == {"width": 4, "latent_dim": 5, "learning_rate": 1e-3}


@pytest.mark.figures
def test_no_training_stops_for_a_picture(tmp_path, capsys):
    from keras_faces.figures import grids
    from keras_faces.runs.train import draw_pictures

    folder = RunFolder(tmp_path)
    folder.samples.mkdir()
    for iteration in (1, 2, 3):
        grids.save_picture(
            grids.tile(np.zeros((4, 16, 16, 3), "uint8")), folder.samples / f"epoch0001-00000{iteration}.png"
        )
    cut = folder.samples / "epoch0001-000002.png"
    cut.write_bytes(cut.read_bytes()[:60])
    draw_pictures(folder, config())
    assert "epoch0001-000002.png cannot be read" in capsys.readouterr().out
    assert (tmp_path / "evolution.png").exists() and (tmp_path / "evolution.gif").exists()
    (tmp_path / "log.csv").write_text("")
    draw_pictures(folder, config())
    assert "could not be drawn" in capsys.readouterr().out
