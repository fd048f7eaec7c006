"""A run folder that is not as it was: what is said, and that nothing is changed."""

import json

import numpy as np
import pytest

from keras_faces.data import Faces
from keras_faces.runs.folder import RunConfig, RunError, RunFolder


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write(RunConfig("dcgan", image_size=16, options={"width": 4}))
    return folder


@pytest.mark.parametrize(
    "change, message",
    [
        ({"options": None}, "options is None"),
        ({"options": {"name": "x"}}, "options hold name, which is no option of a system"),
        ({"image_size": "16"}, "image_size is '16', and must be a whole number"),
        ({"image_size": -16}, "image_size is -16, and must be 1 or more"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"seed": None}, "seed is None"),
        ({"data": 5}, "data is 5, and must be text"),
        ({"system": ["dcgan"]}, "system is"),
        ({"system": "dcgam"}, "there is no system 'dcgam'. Did you mean"),
        ({"foo": 1}, "'foo' is not known"),
    ],
)
def test_a_configuration_is_checked_field_by_field(folder, change, message):
    found = json.loads(folder.config_file.read_text())
    folder.config_file.write_text(json.dumps(found | change))
    with pytest.raises(RunError, match=rf"config\.json: {message}"):
        folder.read()


def test_an_old_configuration_is_read(folder):
    folder.config_file.write_text('{"system": "dcgan", "steps_per_call": 3}')
    assert folder.read() == RunConfig("dcgan", steps_per_execution=3)


def grid(folder, epoch, iteration):
    folder.samples.mkdir(exist_ok=True)
    (folder.samples / f"epoch{epoch:04d}-{iteration:06d}.png").write_bytes(b"")


def test_a_run_without_its_checkpoint_is_not_begun_anew(folder):
    config = folder.read()
    grid(folder, 1, 200)
    folder.check_checkpoint(config)  # broken off before its first checkpoint
    grid(folder, 1, 400)
    with pytest.raises(
        RunError, match="no checkpoint.h5 to go on from.*epoch 1, iteration 400.*Put checkpoint.h5 back"
    ):
        folder.check_checkpoint(config)
    folder.model.write_bytes(b"")
    with pytest.raises(RunError, match=r"model.keras, the trained model.*--from .*run"):
        folder.check_checkpoint(config)
    folder.checkpoint.write_bytes(b"")
    folder.check_checkpoint(config)


def test_other_photographs_are_for_a_new_run(folder):
    config, faces = folder.read(), Faces(np.zeros((4, 8, 8, 3), "uint8"))
    folder.check_same(config, faces)
    config.fingerprint = "another"
    with pytest.raises(RunError, match=r"no longer holds the images .*begin a new run on others .*--from .*run"):
        folder.check_same(config, faces)
