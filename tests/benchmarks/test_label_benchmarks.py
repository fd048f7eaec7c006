"""Tables 3.4 and 4.2: who is held out, what is joined, the source's numbers beside ours. Nothing is trained here."""

import argparse
import json
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks import augment, table_3_4
from keras_faces.data import Faces, load
from keras_faces.data.labels import Labels
from keras_faces.data.packed import write_packed
from keras_faces.metrics.features.base import Features
from keras_faces.runs.classifier import ClassifierConfig, split


class Colours(Features):
    """A judge that goes by the brightest colour."""

    title, dimension, class_names, label_kind = "colours", 3, ("red", "green", "blue"), "classes"

    def __init__(self):
        super().__init__(8)

    def describe(self, images):
        return images.mean(axis=(1, 2))

    def probabilities(self, images, batch_size=64):
        return np.eye(3)[np.asarray(images).mean(axis=(1, 2)).argmax(1)]


@pytest.fixture
def faces():
    """Twelve flat pictures of three people."""
    numbers = np.arange(12) % 3
    images = np.broadcast_to((255 * np.eye(3)[numbers])[:, None, None], (12, 8, 8, 3)).astype("uint8")
    return Faces(images, labels=Labels("classes", Colours.class_names, np.eye(3, dtype="float32")[numbers]))


def test_a_line_of_table_3_4(faces):
    asked = np.eye(3)[np.arange(12) % 3]
    asked[:3] = np.eye(3)[1]  # two of these three are something else
    line = table_3_4.row("fm-cgan", faces.images, asked, Colours())
    assert line["top_1"] == pytest.approx(100 * 10 / 12) and line["inception"] == pytest.approx(3.0)
    assert (line["source_top_1"], line["source_inception"]) == (79.76, 19.40)
    import pandas

    options = argparse.Namespace(labels="identity", image_size=8, epochs=2, batch_size=4)
    text = table_3_4.markdown(pandas.DataFrame([line]), Colours(), options)
    assert "| fm-cgan | 12 | 83.3 [" in text and "| 3.00 | 79.76 | 19.40 |" in text and "Chance is 33.3 %" in text


def test_the_judge_is_asked_of_what_it_has_not_learned(faces, tmp_path):
    known = ClassifierConfig(held_out=0.4, seed=1, fingerprint=faces.fingerprint())
    (tmp_path / "config.json").write_text(json.dumps(asdict(known)))
    images, labels = table_3_4.held_out(faces, tmp_path)
    learned, rest = split(faces.labels, 0.4, 1)
    assert 0 < len(images) < 12 and not set(learned) & set(rest)
    np.testing.assert_array_equal(images, faces.images[rest])
    np.testing.assert_array_equal(labels, faces.labels.vectors[rest])
    known.fingerprint = "of other files"
    (tmp_path / "config.json").write_text(json.dumps(asdict(known)))
    assert len(table_3_4.held_out(faces, tmp_path)[0]) == 12


def test_options_go_to_all_systems_or_to_one():
    options = table_3_4._parser().parse_args(
        ["--labels", "identity", "--option", "width=4", "--option", "cgan:width=8", "--count", "50"]
    )
    words = table_3_4.train_arguments("cgan", options)
    assert words[0] == "cgan" and words[-4:] == ["--option", "width=4", "--option", "width=8"]
    assert table_3_4.train_arguments("cvae", options)[-2:] == ["--option", "width=4"]
    assert words[words.index("--count") + 1] == "50"


def test_made_faces_join_the_people_that_they_show(faces, tmp_path):
    write_packed(
        tmp_path / "made.h5",
        faces.images[:4],
        list("abcd"),
        identities=np.array([1, 0, 1, 2]),
        identity_names=["blue", "half red + half green", "red"],
    )
    whole = augment.joined(faces, tmp_path / "made.h5")
    assert whole.labels.names == ("red", "green", "blue", "half red + half green")
    np.testing.assert_array_equal(whole.labels.class_ids[12:], [3, 2, 3, 0])
    np.testing.assert_array_equal(whole.labels.class_ids[:12], faces.labels.class_ids)
    np.testing.assert_array_equal(whole.images[12:], faces.images[:4])
    assert augment.joined(faces, None).labels.names == faces.labels.names


def test_strangers_are_nobody_of_the_training(faces, tmp_path):
    config = argparse.Namespace(data="people.h5", image_size=16, crop="auto", seed=0)
    options = argparse.Namespace(test=None, test_count=40)
    with pytest.raises(ValueError, match="--test: name a folder of people"):
        augment.strangers_of(config, faces, options)
    write_packed(
        tmp_path / "test.h5",
        faces.images[:4],
        list("abcd"),
        identities=np.arange(4),
        identity_names=list("wxy") + ["red"],
    )
    options.test = str(tmp_path / "test.h5")
    found, note = augment.strangers_of(config, faces, options)
    assert len(found) == 3 and "1 people of the training left out" in note
    config.data, options.test = "drawn", None
    found, _ = augment.strangers_of(config, faces, options)
    assert len(found) == 40 and not np.array_equal(found.images[0], load("drawn", image_size=16, count=1).images[0])
