"""A classifier's run: the split, what the folder holds, its report against counts by hand, and what goes wrong."""

import json

import keras
import numpy as np
import pandas
import pytest

from keras_faces import data
from keras_faces.data.labels import Labels
from keras_faces.metrics import features
from keras_faces.models.networks import classifier
from keras_faces.runs import classifier as classifying
from keras_faces.runs import classifier_report
from keras_faces.runs.classifier import ClassifierConfig, ClassifierFolder, split, train_classifier
from keras_faces.runs.folder import RunError

SMALL = {"image_size": 16, "epochs": 2, "batch_size": 16, "width": 2, "held_out": 0.25}


def classes(numbers):
    return Labels("classes", tuple("abcdef"), np.eye(6, dtype="float32")[numbers])


@pytest.fixture
def faces():
    return data.load("drawn", 16, count=80).labelled("Male, Eyeglasses")


# ------------------------------------------------------------------------------------------------ the split


def test_the_split_takes_a_share_of_each_class_and_leaves_one_to_learn_from():
    labels = classes([0] * 40 + [1] * 20 + [2] * 2 + [3])
    learned, held_out = split(labels, 0.25, seed=1)
    assert np.bincount(labels.class_ids[held_out], minlength=6).tolist() == [10, 5, 0, 0, 0, 0]
    assert np.bincount(labels.class_ids[learned], minlength=6).tolist() == [30, 15, 2, 1, 0, 0]
    assert sorted([*learned, *held_out]) == list(range(63))
    for again, first in zip(split(labels, 0.25, seed=1), (learned, held_out), strict=True):
        np.testing.assert_array_equal(again, first)
    assert (split(labels, 0.25, seed=2)[1] != held_out).any()


def test_attributes_are_split_as_one_group_and_not_without_end(monkeypatch):
    labels = Labels("attributes", ("x",), np.ones((200, 1), "float32"))
    assert len(split(labels, 0.1, seed=0)[1]) == 20
    monkeypatch.setattr(classifying, "MOST_HELD_OUT", 8)
    assert len(split(labels, 0.1, seed=0)[1]) == 8


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_a_share_that_is_none(share):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        split(classes([0, 1] * 5), share, 0)


def test_too_few_faces_to_hold_one_out():
    with pytest.raises(ValueError, match="larger --held-out"):
        split(classes([0, 0, 1, 1]), 0.1, 0)


# ------------------------------------------------------------------------------------------------ the run


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
def test_a_run_can_be_read_and_its_report_is_what_its_features_say(tmp_path, faces, precision):
    folder = ClassifierFolder(tmp_path / "c")
    found = train_classifier(folder, ClassifierConfig(**SMALL, precision=precision, labels="Male, Eyeglasses"), faces)
    config = folder.read()
    assert config.precision == precision if precision != "auto" else config.precision in classifying.POLICIES
    assert (config.kind, config.names) == ("attributes", ["Male", "Eyeglasses"])
    assert config.fingerprint == faces.fingerprint() and keras.config.dtype_policy().name == "float32"
    log = pandas.read_csv(folder.log)
    assert len(log) == 2 and {"accuracy", "val_accuracy", "loss", "val_loss"} <= set(log)
    assert (tmp_path / "c/accuracy.png").exists()

    learned, held_out = split(faces.labels, 0.25, seed=0)
    assert (found["n_training"], found["n_held_out"]) == (len(learned), len(held_out)) == (60, 20)
    described = features.get(f"classifier:{tmp_path / 'c'}")
    answers = described.probabilities(faces.images[held_out]) > 0.5
    truth = faces.labels.vectors[held_out] > 0
    assert found["accuracy"] == pytest.approx((answers == truth).mean())
    assert found["labels"]["Male"]["accuracy"] == pytest.approx((answers == truth)[:, 0].mean())
    assert found["commonest"] == pytest.approx(np.maximum(truth.mean(0), 1 - truth.mean(0)).mean())
    assert json.loads(folder.report.read_text()) == found
    assert list(classifier_report.table(found, "attributes").index) == ["Male", "Eyeglasses"]

    assert described.class_names == ("Male", "Eyeglasses") and described.label_kind == "attributes"
    assert described.accuracy == found["accuracy"]
    assert described.name == f"classifier of Male, Eyeglasses (c, {found['accuracy']:.1%} right on held-out faces)"
    images = faces.images[:5]
    wanted = classifier.features(folder.load()).predict_on_batch(images.astype("float32") / 127.5 - 1)
    np.testing.assert_allclose(
        described(images, batch_size=2), wanted, atol=1e-5 if config.precision == "float32" else 1e-2
    )
    assert described.dimension == 32


def test_classes_and_the_same_seed_gives_the_same_weights(tmp_path):
    faces = data.load("drawn", 16, count=60).labelled("man = Male; woman = !Male")
    weights = []
    for name in ("first", "second"):
        folder = ClassifierFolder(tmp_path / name)
        found = train_classifier(folder, ClassifierConfig(**SMALL, labels="man = Male; woman = !Male"), faces)
        weights.append(folder.load().get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)
    _, held_out = split(faces.labels, 0.25, seed=0)
    described = features.get(f"classifier:{tmp_path / 'first'}")
    shares = described.probabilities(faces.images[held_out])
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    assert found["accuracy"] == pytest.approx((shares.argmax(1) == faces.labels.class_ids[held_out]).mean())
    assert list(classifier_report.table(found, "classes").columns) == ["found"]


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_stopped_after_an_epoch_it_goes_on_bit_for_bit(tmp_path, faces, monkeypatch, precision):
    whole, folder = ClassifierFolder(tmp_path / "whole"), ClassifierFolder(tmp_path / "c")
    asked = {**SMALL, "epochs": 3, "precision": precision}
    wanted = train_classifier(whole, ClassifierConfig(**asked), faces)
    keep = classifying._keep

    def and_stop(folder, model, done):
        keep(folder, model, done)
        raise KeyboardInterrupt

    monkeypatch.setattr(classifying, "_keep", and_stop)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(folder, ClassifierConfig(**asked), faces)
    assert folder.report.exists() and features.get(f"classifier:{folder.path}").accuracy is not None
    assert not folder.finished()
    monkeypatch.setattr(classifying, "_keep", lambda *which: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):  # in the second epoch: in the log, not in the checkpoint
        train_classifier(folder, folder.read(), faces, resume=True)
    assert pandas.read_csv(folder.log)["epoch"].tolist() == [0, 1]
    monkeypatch.setattr(classifying, "_keep", keep)

    assert train_classifier(folder, folder.read(), faces, resume=True) == wanted and folder.finished()
    for first, second in zip(whole.load().get_weights(), folder.load().get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    pandas.testing.assert_frame_equal(pandas.read_csv(whole.log), pandas.read_csv(folder.log))
    assert train_classifier(folder, folder.read(), faces, resume=True) == wanted  # nothing is left to do


def test_going_on_with_other_faces_or_without_a_checkpoint(tmp_path, faces):
    folder = ClassifierFolder(tmp_path / "c")
    train_classifier(folder, ClassifierConfig(**SMALL), faces)
    with pytest.raises(RunError, match="no longer holds the images"):
        train_classifier(
            folder, folder.read(), data.load("drawn", 16, count=80, seed=1).labelled("Smiling"), resume=True
        )
    folder.checkpoint.unlink()
    before = folder.network.read_bytes()
    with pytest.raises(RunError, match=r"no checkpoint.h5 to go on from"):
        train_classifier(folder, folder.read(), faces, resume=True)
    assert folder.network.read_bytes() == before


def test_weights_that_are_no_numbers_are_not_kept(tmp_path, faces):
    folder = ClassifierFolder(tmp_path / "c")
    with pytest.raises(ValueError, match="smaller --learning-rate"):
        train_classifier(folder, ClassifierConfig(**{**SMALL, "learning_rate": 1e30}), faces)
    assert not folder.network.exists()
    with pytest.raises(ValueError, match="no epoch was finished"):
        features.get(f"classifier:{folder.path}")


def test_a_folder_in_use_and_folders_of_other_kinds(tmp_path, faces):
    folder = ClassifierFolder(tmp_path)
    (tmp_path / "config.json").write_text('{"system": "dcgan"}')
    with pytest.raises(ValueError, match="of no classifier"):
        folder.read()
    with pytest.raises(RunError, match="not overwritten. Go on with it by --resume"):
        train_classifier(folder, ClassifierConfig(**SMALL), faces)
    (tmp_path / "config.json").write_text('{"what": "classifier", "colour": 1}')
    with pytest.raises(ValueError, match="colour. is not known"):
        folder.read()
    (tmp_path / "config.json").write_text('{"what": "classifier", "names": ["a"], "kind": "attributes"}')
    (tmp_path / "classifier.keras").write_bytes(b"half")
    with pytest.raises(ValueError, match="classifier.keras cannot be read"):
        features.get(f"classifier:{tmp_path}")


def test_an_unknown_precision_is_told(tmp_path, faces):
    with pytest.raises(ValueError, match="auto, float32, bfloat16, float16"):
        train_classifier(ClassifierFolder(tmp_path / "c"), ClassifierConfig(**SMALL, precision="int8"), faces)


def test_mistakes_show_only_faces_that_were_wrong():
    images = np.arange(4, dtype="uint8")[:, None, None, None] * np.ones((1, 8, 8, 3), "uint8")
    truth = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], "float32")
    logits = np.array([[2.0, 0], [3, 0], [0, 1], [0, 9]], "float32")
    shown = classifier_report.mistakes(images, logits, truth, "classes", ["a", "b"], columns=2)
    assert [text.get_text() for text in shown.axes[0].get_yticklabels()] == ["taken for\na", "taken for\nb"]
    assert classifier_report.mistakes(images, 9 * truth, truth, "classes", ["a", "b"]) is None
