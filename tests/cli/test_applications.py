"""A comparison of systems that are told classes, and the applications of one of them, as a user types it all."""

import cv2
import numpy as np
import pandas
import pytest
from PIL import Image

from keras_faces.cli import main as cli
from keras_faces.data import load
from keras_faces.runs import compare

CVAE_GAN, CGAN = "cvae-gan:width=2,latent_dim=5,classifier_first=0,d_weight=0", "cgan:width=2,latent_dim=5"
DATA = ["--data", "drawn", "--count", "24", "--image-size", "16"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two systems, two iterations each."""
    out = tmp_path_factory.mktemp("compared") / "out"
    given = [*DATA, "--epochs", "1", "--batch-size", "12", "--labels", "Smiling", "--out", str(out)]
    assert cli.main(["compare", CVAE_GAN, CGAN, *given]) == 0
    return out


@pytest.fixture
def run(made):
    return str(made / compare.folder_name(CVAE_GAN))


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def test_systems_that_are_told_labels_are_compared(made, capsys):
    table = pandas.read_csv(made / "comparison.csv")
    assert list(table["system"]) == [CVAE_GAN, CGAN] and list(table["state"]) == ["finished"] * 2
    assert size_of(made / "reconstructions.png")[0] > 500
    assert cli.main(["compare", "--resume", "--out", str(made)]) == 0  # the labels are remembered
    assert capsys.readouterr().out.count("finished already") == 2
    for systems, labels, message in (
        (["cvae-gan", "dcgan"], ["--labels", "Smiling"], "dcgan: dcgan learns from no labels"),
        (["cvae-gan", "cgan"], [], "cvae-gan: cvae-gan learns from labels"),
        (["cgan", "cvae-gan"], ["--labels", "Smiling, Eyeglasses"], "cvae-gan learns from classes"),
    ):
        assert cli.main(["compare", *systems, *DATA, *labels, "--out", str(made.parent / "no")]) == 1
        assert message in capsys.readouterr().err
        assert not (made.parent / "no").exists()


def test_inpaint(run, tmp_path, capsys):
    picture, mask = tmp_path / "face.png", tmp_path / "mask.png"
    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 256, (30, 20, 3)).astype("uint8"))
    cv2.imwrite(str(mask), np.pad(np.full((8, 8), 255, "uint8"), 12))
    out = tmp_path / "repaired.png"
    assert cli.main(["inpaint", run, "--count", "3", "--z-steps", "2", "--out", str(out)]) == 0
    assert "3 photographs" in (said := capsys.readouterr().out) and "14% of each" in said and "dB PSNR" in said
    assert size_of(out)[0] > 300
    out.unlink()
    assert cli.main(["inpaint", run, str(picture), "--mask", str(mask), "--rounds", "2", "--out", str(out)]) == 0
    assert "1 photographs (given), 6% of each" in capsys.readouterr().out and out.exists()
    for more, message in (
        ([str(tmp_path / "none.png")], "none.png: cannot be opened"),
        (["--mask", str(tmp_path / "none.png")], "--mask"),
        (["--hole", "0,0,16,17"], "does not lie in 16×16"),
        ([str(picture), "--label", "Simling"], "knows no label 'Simling'"),
        (["--out", "x.jpg"], "must be the name of a .png"),
    ):
        assert cli.main(["inpaint", run, *more]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["inpaint", run, "--hole", "1,2"])
    assert "must be TOP,LEFT,HEIGHT,WIDTH" in capsys.readouterr().err


def test_retrieve_and_relabel(run, tmp_path, capsys):
    faces = load("drawn", image_size=16, count=24)
    picture = tmp_path / "face.png"
    cv2.imwrite(str(picture), faces.images[5][..., ::-1])
    out = tmp_path / "found.png"
    assert cli.main(["retrieve", run, str(picture), "-k", "23", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert faces.names[5] not in said and all(name in said for place, name in enumerate(faces.names) if place != 5)
    assert cli.main(["retrieve", run, str(picture), "-k", "24", "--out", str(out)]) == 1
    assert "k=24: must be from 1 to 23" in capsys.readouterr().err
    assert cli.main(["relabel", run, "--count", "2", "--out", str(tmp_path / "as.png")]) == 0
    assert "2 photographs" in (said := capsys.readouterr().out) and "under 2 labels" in said
    assert size_of(tmp_path / "as.png")[1] > 250


def test_augment(run, tmp_path, capsys):
    out = tmp_path / "new.h5"
    assert (
        cli.main(["augment", run, "--per-label", "3", "--interpolated", "2", "--per-new", "1", "--out", str(out)]) == 0
    )
    assert "8 faces of 2 known and 2 new labels" in capsys.readouterr().out
    found = load(out, image_size=16).labelled("identity")
    assert found.labels.counts() == {"not Smiling": 3, "Smiling": 3, **dict.fromkeys(found.labels.names[2:], 1)}
    before = out.read_bytes()
    assert cli.main(["augment", run, "--per-label", "3", "--out", str(out)]) == 1
    assert "is there already, and would be lost" in capsys.readouterr().err and out.read_bytes() == before
    assert cli.main(["augment", run, "--per-label", "0", "--out", str(tmp_path / "none.h5")]) == 1
    assert "that is no face" in capsys.readouterr().err and not (tmp_path / "none.h5").exists()
