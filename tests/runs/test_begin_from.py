"""A new run with the weights of another one."""

import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.runs import begin_from
from keras_faces.runs.folder import RunConfig, RunError, RunFolder
from keras_faces.training import checkpoint

OPTIONS = {"width": 4, "latent_dim": 5}


@pytest.fixture(scope="module")
def base(tmp_path_factory, narrow):
    """A run of one iteration, at epoch 3."""
    folder = RunFolder(tmp_path_factory.mktemp("base") / "run")
    folder.write(RunConfig("dcgan", image_size=16, options=OPTIONS))
    model = folder.read().build()
    model.fit(np.zeros((8, 16, 16, 3), "uint8"), batch_size=8, verbose=0)
    checkpoint.save(folder.checkpoint, model, 3, 1)
    return folder, model


def test_weights_are_taken_and_optimizers_are_fresh(base, values):
    folder, trained = base
    config = RunConfig("dcgan", image_size=16, seed=8, options=OPTIONS, from_run=str(folder.path))
    model = config.build()
    before = values(model.optimizer.variables)
    seeds = [variable for variable in model.variables if "seed_generator" in variable.path]
    random = values(seeds)
    assert "epoch 3, iteration 1" in begin_from.put_weights(config, model)
    for old, new in zip(values(trained.weights), values(model.weights), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(before + random, values(model.optimizer.variables) + values(seeds), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_without_its_checkpoint_will_do(base, tmp_path, values):
    folder, trained = base
    alone = RunFolder(tmp_path / "alone")
    alone.write(folder.read())
    trained.save(alone.model)
    config = RunConfig("dcgan", image_size=16, seed=8, options=OPTIONS, from_run=str(alone.path))
    model = config.build()
    assert "model.keras" in begin_from.put_weights(config, model)
    for old, new in zip(values(trained.weights), values(model.weights), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "other, message",
    [
        ({"system": "lsgan"}, "begun with system 'dcgan', not 'lsgan'"),
        ({"image_size": 32}, "begun with image_size 16, not 32"),
        ({"options": {"width": 8}}, "begun with options"),
    ],
)
def test_system_size_and_options_must_agree(base, other, message):
    with pytest.raises(RunError, match=rf"{message}.*begin without --from"):
        begin_from.read_base(base[0].path, other)


def test_labels_must_agree(base):
    config = RunConfig("dcgan", image_size=16, options=OPTIONS, from_run=str(base[0].path), label_names=["Male"])
    with pytest.raises(RunError, match=r"learnt the labels \(none\), and these faces have Male"):
        begin_from.put_weights(config, None)


def test_a_run_without_weights(tmp_path):
    RunFolder(tmp_path).write(RunConfig("dcgan", image_size=16))
    with pytest.raises(RunError, match="has no weights to begin with"):
        begin_from.read_base(tmp_path, {})


def test_train_takes_size_and_options_of_the_run_and_notes_it(base, tmp_path, photographs):
    more = {"precision": "float32", "compiler": "graph", "batch_size": 8, "epochs": 1, "verbose": 0}
    kf.train("dcgan", Faces(photographs[:8]), from_run=base[0].path, out=tmp_path / "new", **more)
    config = RunFolder(tmp_path / "new").read()
    assert (config.from_run, config.image_size, config.options) == (str(base[0].path), 16, OPTIONS)
    with pytest.raises(RunError, match="begun with options"):
        kf.train("dcgan", Faces(photographs[:8]), from_run=base[0].path, out=tmp_path / "newer", width=8, **more)
    assert not (tmp_path / "newer").exists()
