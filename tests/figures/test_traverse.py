"""Traversals: one code moves and nothing else does; effects find the factor that a code decides."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_faces as kf
from keras_faces.figures import traverse


@pytest.fixture(scope="module")
def model():
    options = {"latent_dim": 4, "width": 4, "categories": (3,), "numbers": 2}
    return kf.models.build("infogan", image_size=16, seed=3, **options)


@pytest.fixture
def painted(model, monkeypatch):
    """The same with a G whose red is the category, whose green is number 1, whose blue is number 2 and the noise."""

    def paint(vectors):
        channels = [
            vectors[:, 4:7] @ [0.0, 100.0, 200.0],
            128 + 50 * vectors[:, 7],
            128 + 20 * vectors[:, 8] + 20 * vectors[:, 0],
        ]
        flat = np.stack(channels, axis=1).clip(0, 255).astype("uint8")
        return flat[:, None, None, :].repeat(16, axis=1).repeat(16, axis=2)

    monkeypatch.setattr(model, "faces_of", paint)
    return model


def test_in_each_row_one_code_moves_and_the_noise_stays(painted):
    rows = traverse.traversals(painted, steps=5, seed=2)
    assert [label.split("\n")[0] for label, _ in rows] == ["category 1", "number 1", "number 2"]
    values = np.stack([images[:, 0, 0] for _, images in rows]).astype(int)  # rows, columns, channels
    assert values.shape == (3, 5, 3)
    assert values[0, :3, 0].tolist() == [0, 100, 200] and (values[0, 3:] == 255).all()  # white after the last value
    assert values[1, :, 1].tolist() == [28, 78, 128, 178, 228]
    assert (np.diff(values[2, :, 2]) > 0).all()
    for row, moving in enumerate((0, 1, 2)):
        shown = values[row, :3]
        for channel in {0, 1, 2} - {moving}:
            assert len(set(shown[:, channel])) == 1
    again = traverse.traversals(painted, steps=5, seed=2)
    np.testing.assert_array_equal(rows[1][1], again[1][1])


def test_more_faces_are_more_rows_a_code(painted):
    rows = traverse.traversals(painted, steps=3, faces=2, reach=1.0)
    assert len(rows) == 6 and rows[2][0] == rows[3][0] == "number 1\n−1 to 1"
    assert (rows[2][1] != rows[3][1]).any()


def test_effects_find_what_a_code_decides(painted):
    def measure(images):
        red, green, blue = images[:, 0, 0].astype(float).T
        return {"red": red, "green": green, "blue": blue, "nothing": 0 * red}

    table = traverse.effects(painted, measure, count=600)
    assert table.shape == (4, 3)
    assert table.loc["red", "category 1"] > 0.999 and table.loc["green", "number 1"] > 0.999
    assert 0.3 < table.loc["blue", "number 2"] < 0.7  # 20 · uniform beside 20 · normal: √(1/3 / (1/3 + 1)) = ½
    others = table.abs().copy()
    for row, column in (("red", "category 1"), ("green", "number 1"), ("blue", "number 2")):
        others.loc[row, column] = 0
    assert others.to_numpy().max() < 0.15 and (table.loc["nothing"] == 0).all()


def test_a_real_network_is_drawn(model, tmp_path):
    rows = traverse.traversals(model, steps=4)
    assert all(images.shape == (4, 16, 16, 3) and images.dtype == np.uint8 for _, images in rows)
    kf.plots.save(traverse.picture(rows), tmp_path / "rows.png")
    assert (tmp_path / "rows.png").stat().st_size > 1000
    vectors = ops.convert_to_numpy(model.noise(3))
    assert model.faces_of(vectors).shape == (3, 16, 16, 3)


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"reach": 0.0}, {"reach": float("nan")}, {"faces": 0}])
def test_what_cannot_be_drawn(model, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        traverse.traversals(model, **wrong)


def test_systems_without_codes_and_factors_without_numbers(model):
    plain = kf.models.build("dcgan", image_size=16, latent_dim=4, width=4)
    with pytest.raises(ValueError, match="dcgan has no codes"):
        traverse.traversals(plain)
    with pytest.raises(ValueError, match="'hair' has the shape"):
        traverse.effects(model, lambda images: {"hair": images.mean(axis=(1, 2))}, count=4)


def test_the_command(tmp_path, capsys):
    from keras_faces.cli.main import main
    from keras_faces.data import Faces
    from keras_faces.runs.folder import RunConfig, RunFolder
    from keras_faces.runs.train import train_run

    options = {"latent_dim": 4, "width": 4, "categories": [2], "numbers": 1}
    images = np.random.default_rng(0).integers(0, 255, (16, 16, 16, 3)).astype("uint8")
    asked = RunConfig("infogan", image_size=16, epochs=1, batch_size=8, options=options)
    train_run(RunFolder(tmp_path / "run"), asked, Faces(images))
    run = str(tmp_path / "run")
    backend = ["--steps", "3"]
    assert main(["traverse", run, *backend]) == 0
    assert (tmp_path / "run/traversals.png").exists() and "2 codes" in capsys.readouterr().out
    assert main(["traverse", run, "--out", str(tmp_path / "x.gif")]) == 1
    assert "name of a .png file" in capsys.readouterr().err
    assert main(["traverse", run, "--reach", "-1"]) == 1
    assert main(["traverse", str(tmp_path)]) == 1
    assert keras.backend.backend() == RunFolder(run).read().backend
