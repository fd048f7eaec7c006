"""Model files from before speed had one door: made here by writing the old names into a new file."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.fast import is_accelerated
from keras_faces.models import legacy

TODAY = {path: name for name, path in legacy.CLASSES.items()}  # PoolFirstSequential for keras.Sequential


def old_names(value):
    """A configuration as an old file has it."""
    if isinstance(value, list):
        return [old_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: old_names(item) for key, item in value.items()}
    if name := TODAY.get(f"{value.get('module')}.{value.get('class_name')}"):
        value |= {"module": "keras_faces.old", "class_name": name, "registered_name": f"keras_faces>{name}"}
        if name == "PoolFirstSequential":
            value["config"]["polyphase"] = True
    return value


def write_as_old(model, path, moves=()):
    """Save with old names; ``moves`` are (group of the weights, where an old file has it)."""
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = old_names(json.loads(parts["config.json"]))
    config["config"]["shared_fakes"] = False  # an option of old systems
    parts["config.json"] = json.dumps(config)
    buffer = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        for group, before in moves:
            file.move(group, before)
    parts["model.weights.h5"] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return json.dumps(config)


SYSTEMS = [
    ("slides-v1", [], ["PoolFirstSequential", "Conv2D", "Dense", "BatchNormalization", "AdversarialModel"]),
    ("dcgan", [], ["Conv2DTranspose", "Adam"]),
    ("pggan", [], ["LateAdam"]),
    ("fm-gan", [("layers/feature_centers", "layers/centres")], ["FeatureMatchingModel"]),
    ("sgan", [("d_logits/layers/spectral_conv2d", "d_eyes/layers/spectral_conv2d")], []),
]


@pytest.mark.parametrize("name, moves, names", SYSTEMS)
def test_an_old_file_opens_and_samples_the_same(narrow, photographs, values, labels_of, tmp_path, name, moves, names):
    model = narrow(name)
    model.fit(photographs[:16], *labels_of(name, 16), batch_size=16, epochs=1, verbose=0)
    written = write_as_old(model, tmp_path / "model.keras", moves)
    assert all(f'"keras_faces>{old}"' in written for old in names)
    before = (tmp_path / "model.keras").read_bytes()
    again = kf.models.load(tmp_path)
    assert type(again) is type(model) and is_accelerated(again) == is_accelerated(model)
    np.testing.assert_array_equal(again.sample(2, seed=1), model.sample(2, seed=1))
    for one, other in zip(values(model.optimizer.variables), values(again.optimizer.variables), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (tmp_path / "model.keras").read_bytes() == before


def test_the_table_leads_to_classes_that_exist():
    import importlib

    for name in kf.models.available():
        kf.models.lesson(name)
    for path in legacy.CLASSES.values():
        module, _, name = path.rpartition(".")
        assert hasattr(getattr(importlib.import_module(module), name), "from_config")


def test_new_files_and_other_files_are_taken_as_they_are(narrow, tmp_path):
    model = narrow("gan")
    model.save(tmp_path / "model.keras")
    with legacy.modern(tmp_path / "model.keras") as file:
        assert file == tmp_path / "model.keras"
    (tmp_path / "model.keras").write_text("no archive")
    with legacy.modern(tmp_path / "model.keras") as file:
        assert file == tmp_path / "model.keras"
    with pytest.raises(ValueError, match="not"):
        kf.models.load(tmp_path)
