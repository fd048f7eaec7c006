"""What people hand to ``fit`` by mistake is told in a sentence; models and faces say what they are."""

import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data import Faces


@pytest.fixture
def model():
    return kf.models.build("dcgan", image_size=16, width=4, latent_dim=5)


def images(size=16, count=8):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), "uint8")


@pytest.mark.parametrize("scaled", [images() / 255.0, (images() / 255.0).astype("float32"), images().astype("int64")])
def test_images_that_are_scaled_already_are_refused(model, scaled):
    with pytest.raises(ValueError, match="must be uint8 from 0 to 255"):
        model.fit(scaled, batch_size=4, verbose=0)


@pytest.mark.parametrize("wrong", [images(24), images()[..., :1], images()[:, :8]])
def test_images_of_another_size_are_refused(model, wrong):
    with pytest.raises(ValueError, match=r"do not fit networks for \(16, 16, 3\).*image_size=16"):
        model.fit(wrong, batch_size=4, verbose=0)


def test_faces_can_be_indexed_and_shown():
    faces = Faces(images())
    np.testing.assert_array_equal(faces[2], images()[2])
    np.testing.assert_array_equal(faces[2:5], images()[2:5])
    kf.plots.grid(faces[:4])
    with pytest.raises(ValueError, match=r"these are 8 Faces: give some of their images, such as faces\[:64\]"):
        kf.plots.grid(faces)


def test_a_model_says_what_it_is(model):
    model.fit(images(), batch_size=4, epochs=1, verbose=0)
    weights = f"generator {model.generator.count_params():,}, discriminator {model.discriminator.count_params():,}"
    assert repr(model) == f"<dcgan: 16×16; weights: {weights}; 2 steps>"


def test_every_name_of_the_package_is_there():
    for name in dir(kf):
        getattr(kf, name)
    assert {"applications", "eigenfaces", "encoding", "models", "train"} <= set(dir(kf))
    with pytest.raises(AttributeError, match="there is eigenfaces"):
        kf.eigenface  # noqa: B018
