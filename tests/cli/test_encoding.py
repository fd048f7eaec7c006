"""`keras-faces reconstruct`, `morph`, `latent-map` and `eigenfaces`: their pictures, and inputs that they refuse."""

import cv2
import keras
import numpy as np
import pandas
import pytest
from PIL import Image

from keras_faces.cli import main as cli
from keras_faces.data import load
from keras_faces.figures import encoding, grids
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs on drawn faces of 16×16: pca, a cvae that was hardly trained, and a dcgan without an encoder."""
    from keras_faces.training import checkpoint

    place = tmp_path_factory.mktemp("runs")
    common = {"image_size": 16, "count": 40, "batch_size": 20, "epochs": 1}
    config = RunConfig("pca", options={"latent_dim": 6}, **common)
    train_run(RunFolder(place / "pca"), config, config.faces())
    for name, options in (("cvae", {"width": 4, "latent_dim": 5}), ("dcgan", {"width": 4, "latent_dim": 5})):
        labels = "Smiling, Male" if name == "cvae" else None
        config = RunConfig(name, options=options, labels=labels, backend=keras.backend.backend(), **common)
        config.fingerprint = config.faces().fingerprint()
        RunFolder(place / name).write(config)
        checkpoint.save(place / name / "checkpoint.h5", config.build(), 1, 2)
    return place


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two faces as files: one in colours and twice as large, one grey."""
    place = tmp_path_factory.mktemp("pictures")
    faces = load("drawn", image_size=32, count=2, seed=9).images
    cv2.imwrite(str(place / "one.png"), faces[0][..., ::-1])
    cv2.imwrite(str(place / "grey.png"), cv2.cvtColor(faces[1], cv2.COLOR_RGB2GRAY))
    return place / "one.png", place / "grey.png"


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_photographs_stand_above_their_reconstructions(runs, capsys):
    assert run("reconstruct", runs / "pca", "--count", 6, "--columns", 4) == 0
    assert "6 photographs (held-out)" in (said := capsys.readouterr().out) and "PSNR" in said
    cells = grids.untile(grids.read_picture(runs / "pca/reconstructions.png"), 16).reshape(4, 4, 16, 16, 3)
    assert (cells[2:, 2:] == 255).all() and (cells[:2] != 255).any()  # white where there is no photograph
    above, below = cells[0].astype(int), cells[1].astype(int)
    own = np.abs(above - below).mean()
    assert own < 0.7 * np.abs(above - below[[1, 2, 3, 0]]).mean()  # each is its own photograph's


def test_a_morph_begins_and_ends_with_the_photographs(runs, pictures):
    assert run("morph", runs / "pca", *pictures, "--steps", 5) == 0
    cells = grids.untile(grids.read_picture(runs / "pca/morph.png"), 16)
    assert len(cells) == 7
    grey = cells[-1].astype(int)
    assert np.abs(grey[..., 0] - grey[..., 2]).max() == 0  # a grey picture is read as it is
    jumps = np.abs(np.diff(cells[1:-1].astype(int), axis=0)).mean(axis=(1, 2, 3))
    assert jumps.max() < 1.5 * jumps.min() and jumps.min() > 0  # pca is linear, so all steps are alike
    with Image.open(runs / "pca/morph.gif") as gif:
        assert gif.n_frames == 5 + 3  # there and back


def test_a_conditional_morph_is_told_its_labels(runs, pictures, capsys, tmp_path):
    out = tmp_path / "told.png"
    assert run("morph", runs / "cvae", *pictures, "--label", "Smiling", "--label", "!Male", "--out", out) == 0
    assert out.exists() and out.with_suffix(".gif").exists()
    for wrong, message in (([], "give one --label"), (["--label", "Smilng"], "Did you mean Smiling")):
        assert run("morph", runs / "cvae", *pictures, *wrong) == 1
        assert message in capsys.readouterr().err
    assert run("morph", runs / "pca", *pictures, "--label", "Smiling") == 1
    assert "pca reads no labels" in capsys.readouterr().err


def test_the_map_has_a_panel_an_attribute_and_faces_where_codes_are(runs, capsys):
    assert run("latent-map", runs / "cvae", "--count", 30) == 0
    assert "30 photographs (held-out)" in capsys.readouterr().out and (runs / "cvae/latent-map.png").exists()
    assert run("latent-map", runs / "cvae", "--labels", "man = Male & Smiling; woman = !Male") == 1
    assert "leaves out some" in capsys.readouterr().err


def test_a_map_is_the_codes_plane_of_largest_variance():
    class Painter:
        """Codes are three numbers of a picture: its red, green and blue."""

        def encode(self, images, labels=None):
            return images[:, 0, 0].astype("float32")

        def decode(self, codes, labels=None):
            return np.clip(codes, 0, 255).astype("uint8")[:, None, None].repeat(4, 1).repeat(4, 2)

    random = np.random.default_rng(0)
    colours = np.stack([random.integers(0, 256, 300), random.integers(80, 120, 300), np.full(300, 7)], axis=1)
    images = colours.astype("uint8")[:, None, None].repeat(4, 1).repeat(4, 2)
    found = encoding.latent_map(Painter(), images, lattice=5)
    assert np.abs(np.corrcoef(found.points[:, 0], colours[:, 0])[0, 1]) > 0.99
    assert found.shares.sum() == pytest.approx(1.0, abs=1e-3) and found.shares[0] > 0.9
    there = found.lattice >= 0
    assert there.sum() > 15
    near = np.abs(found.faces[there][:, 0, 0].astype(int) - colours[found.lattice[there]])
    assert near.mean(axis=0)[0] < 35 and near[:, 2].max() <= 1  # what is decoded is like the photograph that lies there
    with pytest.raises(ValueError, match="2 photographs are no map"):
        encoding.latent_map(Painter(), images[:2])


def test_eigenfaces_and_the_curve_of_errors(runs, capsys):
    assert run("eigenfaces", runs / "pca", "--components", 4) == 0
    assert "4 of 6 eigenfaces" in capsys.readouterr().out
    lines = (runs / "pca/eigenfaces-errors.csv").read_text().splitlines()
    assert lines[0] == "components,error,share" and len(lines) == 8 and lines[1].endswith(",1")
    assert run("eigenfaces", runs / "cvae") == 1
    assert "which has no eigenfaces" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["reconstruct", "latent-map"])
def test_a_run_without_an_encoder(runs, capsys, command):
    assert run(command, runs / "dcgan") == 1
    assert "a run of dcgan, which has no encoder" in (said := capsys.readouterr().err) and "vaegan" in said


def test_pictures_that_are_none(runs, pictures, tmp_path, capsys):
    whole = pictures[0].read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("no picture")
    for name, message in (("half.png", "cut short"), ("text.png", "not a picture"), ("none.png", "cannot be opened")):
        assert run("morph", runs / "pca", pictures[0], tmp_path / name) == 1
        said = capsys.readouterr().err
        assert message in said and name in said and "Give a photograph" in said
    assert run("morph", runs / "pca", *pictures, "--out", tmp_path / "way.jpg") == 1
    assert "must be the name of a .png file" in capsys.readouterr().err
    assert run("reconstruct", tmp_path) == 1
    assert "no run folder" in capsys.readouterr().err


def test_photographs_with_other_labels_are_refused(runs, tmp_path, capsys):
    place = tmp_path / "folder"
    place.mkdir()
    for number, face in enumerate(load("drawn", image_size=16, count=3).images):
        cv2.imwrite(str(place / f"{number}.png"), face[..., ::-1])
    assert run("reconstruct", runs / "cvae", "--data", place) == 1
    assert "attributes" in capsys.readouterr().err
    assert run("reconstruct", runs / "pca", "--data", place, "--count", 3) == 0
    assert f"3 photographs ({place})" in capsys.readouterr().out


def test_systems_without_a_discriminator_are_compared(tmp_path):
    asked = ("--image-size", 16, "--count", 32, "--batch-size", 16, "--epochs", 1, "--out", tmp_path / "x")
    assert run("compare", "pca:latent_dim=6", "pca:latent_dim=3", *asked, "--backend", keras.backend.backend()) == 0
    assert (tmp_path / "x/comparison.png").exists() and (tmp_path / "x/curves.png").exists()
    table = pandas.read_csv(tmp_path / "x/comparison.csv")
    assert list(table["state"]) == ["finished"] * 2 and list(table["d_parameters"]) == [0, 0]
    assert table["d_loss"].isna().all() and table["reconstruction_loss"].is_monotonic_increasing


def test_curves_of_systems_with_and_without_a_discriminator():
    steps = {"step": [20, 40]}
    game = pandas.DataFrame(steps | {"d_loss": [0.6, 0.7], "g_loss": [1.0, 0.9], "d_real": 0.6, "d_fake": 0.4})
    vae = pandas.DataFrame(steps | {"loss": [90.0, 80.0], "reconstruction_loss": [80.0, 60.0], "kl_loss": [10.0, 20.0]})
    figure = grids.losses_of({"vae": vae, "dcgan": game})
    drawn = {axes.get_title(loc="left"): [line.get_label() for line in axes.lines] for axes in figure.axes}
    assert drawn["D's loss"] == drawn["G's loss"] == ["dcgan"]
    assert drawn["reconstruction loss"] == drawn["kl loss"] == ["vae"] and "spread of the fakes" not in drawn
    assert [text.get_text() for text in figure.legends[0].texts] == ["vae", "dcgan"]
    above = grids.losses(vae).axes[0]
    assert {line.get_label() for line in above.lines} == {"loss", "reconstruction loss", "kl loss"}
    assert above.get_yscale() == "symlog"
