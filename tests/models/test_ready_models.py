"""The models that come with the package make faces at once; and one is written and read."""

import numpy as np
import pytest

import keras_faces as kf
from keras_faces.models import ready_models


@pytest.mark.parametrize("name", ready_models.names())
def test_a_ready_model_is_small_and_makes_faces_that_differ(name):
    assert (ready_models.FOLDER / f"{name}.npz").stat().st_size < 4_000_000
    faces = kf.models.pretrained(name).sample(16, seed=1)
    size = int(name.rpartition("-")[2])
    assert faces.shape == (16, size, size, 3) and faces.dtype == np.uint8
    drawn = kf.data.load("drawn", size, count=64, progress=False).images[:64].astype("float32")
    spread = faces.astype("float32").std(axis=0).mean() / drawn.std(axis=0).mean()
    assert 0.6 < spread < 1.5
    away = np.abs(faces.astype("float32").mean(axis=0) - drawn.mean(axis=0)).mean()
    assert away < 30  # grey levels, between the mean of sixteen faces and of drawn ones


def test_written_and_read(tmp_path, monkeypatch):
    model = kf.models.build("dcgan", image_size=16, width=4, latent_dim=5, average=0.9, seed=3)
    model.fit(np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8"), batch_size=8, verbose=0)
    faces = model.sample(4, seed=2)
    ready_models.save(model, "dcgan", {"width": 4, "latent_dim": 5}, tmp_path / "tiny-16.npz")
    monkeypatch.setattr(ready_models, "FOLDER", tmp_path)
    assert kf.models.pretrained() == ["tiny-16"]
    again = kf.models.pretrained("tiny-16").sample(4, seed=2)
    assert np.abs(again.astype(int) - faces.astype(int)).max() <= 3  # float16
    with pytest.raises(ValueError, match="There are: tiny-16"):
        kf.models.pretrained("tiny-32")
