"""IP-GAN's tables: how people are parted, what a perfect and a deaf model would get, PIE's file, and one whole run."""

import numpy as np
import pandas
import pytest

import keras_faces as kf
from benchmarks import ip_gan
from keras_faces.data.drawn import DrawnFaces


def some_people(pictures=(12, 12, 12, 12, 12, 3), size=16):
    """Drawn people with so many pictures each."""
    images, people = [], []
    for person, count in enumerate(pictures):
        images.append(DrawnFaces(count, size, seed=person, identities=1)[:])
        people += [person] * count
    return kf.data.Faces(np.concatenate(images), identities=np.array(people), source="some people")


def test_people_are_parted_so_that_nobody_is_on_both_sides():
    faces = some_people()
    parts = ip_gan.parted(faces, least=10, unseen=0.4)
    known, strangers = set(parts.seen.identities), set(parts.unseen.identities)
    assert len(known) == 3 and len(strangers) == 2 and not known & strangers
    assert set(parts.training.identities) == known | {5}
    assert len(parts.seen) == 3 * ip_gan.PICTURES and len(parts.training) == 3 * 6 + 3 and len(parts.unseen) == 24
    assert parts.training.labels.partial and (parts.training.labels.class_ids >= 0).sum() == 18
    named = np.array(parts.training.labels.names)[parts.training.labels.class_ids]
    labelled = parts.training.labels.class_ids >= 0
    assert (named[labelled] == parts.training.identities[labelled].astype(str)).all()
    assert not {face.tobytes() for face in parts.training.images[:]} & {face.tobytes() for face in parts.seen.images[:]}
    with pytest.raises(ValueError, match="0 people have 13 pictures"):
        ip_gan.parted(faces, least=13, unseen=0.4)
    with pytest.raises(ValueError, match="--least 8"):
        ip_gan.parted(faces, least=8, unseen=0.4)


class Echo:
    """A model that gives the subject back, or the picture of the attributes."""

    def __init__(self, keeps):
        self.keeps = keeps

    def transfer(self, subjects, pictures):
        return subjects if self.keeps == "subject" else pictures


def test_who_keeps_the_subject_is_found_and_who_does_not_is_not(monkeypatch):
    from keras_faces.metrics import retrieval

    def first_pixels(*sets):
        return tuple(np.asarray(images[:])[:, 0, 0].astype("float64") for images in sets)

    monkeypatch.setattr(retrieval, "both_features", lambda gallery, probes, *_: first_pixels(gallery, probes))
    monkeypatch.setattr(retrieval, "as_features", lambda features: "first pixels")
    colours = np.random.default_rng(0).integers(1, 255, (5, 3))
    people = np.repeat(np.arange(5), 6)
    faces = kf.data.Faces(colours[people][:, None, None].repeat(4, 1).repeat(4, 2).astype("uint8"), identities=people)
    assert ip_gan.looked_up(None, faces, "judge", 0).value == 1
    assert ip_gan.looked_up(Echo("subject"), faces, "judge", 0).value == 1
    assert ip_gan.looked_up(Echo("attributes"), faces, "judge", 0).value < 0.5


def test_pies_file_is_read_column_by_column(tmp_path):
    from scipy.io import savemat

    picture = np.arange(1024).reshape(32, 32) % 251
    savemat(tmp_path / "pie.mat", {"fea": picture.T.reshape(1, -1).astype("uint8"), "gnd": np.array([[7]], "uint8")})
    faces = ip_gan.load(str(tmp_path / "pie.mat"), 32)
    np.testing.assert_array_equal(faces.images[0, :, :, 1], picture)
    assert list(faces.identities) == [7]
    savemat(tmp_path / "other.mat", {"x": 1})
    with pytest.raises(ValueError, match="other.mat.*fea"):
        ip_gan.load(str(tmp_path / "other.mat"), 32)


def a_recogniser(path):
    """An untrained classifier of two people, as a finished run of `classify`."""
    from keras_faces.models.networks.classifier import classifier
    from keras_faces.runs.classifier import ClassifierConfig, ClassifierFolder

    folder = ClassifierFolder(path)
    folder.path.mkdir(parents=True)
    asked = {"labels": "identity", "image_size": 16, "epochs": 1, "width": 4}
    folder.write(ClassifierConfig(**asked, kind="classes", names=["a", "b"]))
    folder.log.write_text("epoch,accuracy\n0,0.5\n")
    classifier(16, 2, 4).save(folder.network)
    folder.report.write_text("{}")


def test_each_setting_is_trained_once_with_its_options_and_all_tables_are_written(tmp_path, monkeypatch):
    from keras_faces.runs import classifier as classifying
    from keras_faces.runs import train as runs
    from keras_faces.training import checkpoint

    asked = []

    def untrained(folder, config, faces, resume):
        asked.append((config.options["different_weight"], config.options["latent_dim"], resume, len(faces)))
        folder.write(config)
        checkpoint.save(folder.checkpoint, config.build(), 1, 1)

    def never(*_):
        raise AssertionError("it is there already")

    monkeypatch.setattr(ip_gan, "drawn_people", lambda size: some_people(size=size))
    monkeypatch.setattr(ip_gan, "factor_table", lambda *_: pandas.DataFrame({"factor": ["smile"]}))
    monkeypatch.setattr(ip_gan, "leakage_table", lambda *_: pandas.DataFrame())
    monkeypatch.setattr(classifying, "train_classifier", never)
    monkeypatch.setattr(runs, "train_run", untrained)
    monkeypatch.setitem(ip_gan.SETTINGS, "ip-gan", ({"different_weight": 0.5}, *ip_gan.SETTINGS["ip-gan"][1:]))
    a_recogniser(tmp_path / "out/recogniser")
    given = ["--out", str(tmp_path / "out"), "--image-size", "16", "--width", "4", "--precision", "float32"]
    given += ["--recogniser-epochs", "1"]
    given += ["--least", "10", "--unseen", "0.4", "--epochs", "1", "--batch-size", "8"]
    given += ["--option", "latent_dim=5", "--option", "convolutions=1", "--judge", "pixels", "--settings", "ip-gan"]
    assert ip_gan.main(given) == 0 and asked == [(0.5, 5, False, 21)]
    written = (tmp_path / "out/results.md").read_text(encoding="utf-8")
    assert all(word in written for word in ("| IP-GAN |", "| photographs |", "81.11", "97.47", "| smile |"))
    assert (tmp_path / "out/settings.png").exists() and (tmp_path / "out/table-1.csv").exists()
    monkeypatch.setattr(ip_gan, "state_of", lambda folder: "finished")
    monkeypatch.setattr(ip_gan, "pictures", lambda *_: None)
    assert ip_gan.main(given) == 0 and len(asked) == 1
