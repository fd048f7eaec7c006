"""pca against NumPy's singular values; what is lost with fewer components; and that it is a model like the others."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.figures import eigenfaces
from keras_faces.models.autoencoders import pca


@pytest.fixture(scope="module")
def faces():
    random = np.random.default_rng(3)
    codes, faces = random.normal(size=(60, 6)), random.normal(size=(6, 16, 16, 3)) * 20
    images = 128 + np.tensordot(codes, faces, 1) + random.normal(size=(60, 16, 16, 3)) * 4
    return np.clip(images, 0, 255).astype("uint8")


@pytest.fixture(scope="module")
def fitted(faces):
    model = kf.models.build("pca", image_size=16, latent_dim=5)
    history = model.fit(faces, verbose=0)
    return model, history


def by_numpy(images, k):
    rows = images.reshape(len(images), -1) / 255.0
    mean = rows.mean(0)
    _, singular, axes = np.linalg.svd(rows - mean, full_matrices=False)
    return mean, axes[:k], singular[:k] / np.sqrt(len(rows) - 1), rows


def test_mean_eigenfaces_and_deviations_are_numpys(faces, fitted):
    mean, axes, deviations, rows = by_numpy(faces, 5)
    found = fitted[0].components()
    np.testing.assert_allclose(found[0].ravel(), mean, atol=1e-5)
    np.testing.assert_allclose(found[2], deviations, rtol=1e-4)
    alike = np.abs(np.sum(found[1].reshape(5, -1) * axes, axis=1))
    np.testing.assert_allclose(alike, 1.0, atol=1e-4)  # an axis has no sign


def test_codes_are_white_and_the_error_is_what_the_rest_of_the_variance_is(faces, fitted):
    model, history = fitted
    codes = model.encode(faces)
    np.testing.assert_allclose(codes.mean(0), 0.0, atol=1e-3)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(5), atol=1e-3)
    mean, axes, _, rows = by_numpy(faces, 5)
    rest = (rows - mean) - (rows - mean) @ axes.T @ axes
    lost = np.mean(np.sum(rest**2, axis=1))
    assert history.history["reconstruction_loss"] == [pytest.approx(lost, rel=1e-4)]
    whole = np.mean(np.sum((rows - mean) ** 2, axis=1))
    assert history.history["explained_variance"] == [pytest.approx(1 - lost / whole, rel=1e-4)]
    errors = model.errors(faces)
    assert len(errors) == 6 and (np.diff(errors) < 0).all()
    assert errors[0] == pytest.approx(whole, rel=1e-4) and errors[-1] == pytest.approx(lost, rel=1e-3)


def test_samples_are_draws_of_the_fitted_distribution(faces, fitted):
    drawn = fitted[0].sample(2000, seed=1).reshape(2000, -1) / 255.0
    mean, axes, deviations, _ = by_numpy(faces, 5)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.03)
    np.testing.assert_allclose(((drawn - mean) @ axes.T).std(0), deviations, rtol=0.06)


def test_many_photographs_come_in_parts(faces, monkeypatch):
    """In parts, the components are very nearly those of all at once; each part can hold them."""
    assert pca.parts(60, 5) == [slice(0, 60)]
    monkeypatch.setattr(pca, "AT_ONCE", 20)
    assert pca.parts(63, 5) == [slice(0, 20), slice(20, 40), slice(40, 63)]
    assert all(part.stop - part.start >= 15 for part in pca.parts(100, 15))
    model = kf.models.build("pca", image_size=16, latent_dim=5)
    model.fit(faces, verbose=0)
    _, axes, deviations, _ = by_numpy(faces, 5)
    _, found, sigmas = model.components()
    np.testing.assert_allclose(sigmas, deviations, rtol=0.01)
    np.testing.assert_allclose(np.linalg.norm(found.reshape(5, -1) @ axes.T, axis=1), 1.0, atol=0.01)


def test_faces_that_are_all_alike_leave_no_infinite_number():
    images = np.full((8, 16, 16, 3), 77, "uint8")
    images[0, 0, 0] = 80
    model = kf.models.build("pca", image_size=16, latent_dim=4)
    model.fit(images, verbose=0)
    assert np.isfinite(model.encode(images)).all()
    assert np.abs(model.reconstruct(images).astype(int) - images).max() <= 1


def test_what_pca_cannot_do():
    model = kf.models.build("pca", image_size=16, latent_dim=9)
    with pytest.raises(ValueError, match="8 faces span fewer than 9 components: .* latent_dim=4"):
        model.fit(np.zeros((8, 16, 16, 3), "uint8"), verbose=0)
    with pytest.raises(ValueError, match="latent_dim=769: from 1 to 768"):
        kf.models.build("pca", image_size=16, latent_dim=769)


def test_saved_and_loaded_it_is_the_same(fitted, faces, tmp_path):
    fitted[0].save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.reconstruct(faces[:4]), fitted[0].reconstruct(faces[:4]))


@pytest.mark.figures
def test_a_run_of_pca_is_a_run_like_others_and_resuming_it_changes_nothing(faces, tmp_path):
    from keras_faces.data import Faces
    from keras_faces.runs.folder import RunConfig, RunFolder
    from keras_faces.runs.train import train_run

    config = RunConfig("pca", image_size=16, epochs=3, batch_size=8, options={"latent_dim": 5})
    model = train_run(RunFolder(tmp_path / "x"), config, Faces(faces))
    names = {file.name for file in (tmp_path / "x").rglob("*") if file.is_file()}
    assert {"config.json", "checkpoint.h5", "model.keras", "log.csv", "epoch0001-000007.png", "evolution.png"} <= names
    again = train_run(RunFolder(tmp_path / "x"), config, Faces(faces), resume=True)
    np.testing.assert_array_equal(model.sample(3), again.sample(3))
    assert len(list((tmp_path / "x/samples").glob("*.png"))) == 1


def test_eigenfaces_are_drawn_around_grey(fitted, faces):
    model = fitted[0]
    mean, shown = eigenfaces.eigenface_pictures(model, 3)
    assert mean.shape == (16, 16, 3) and shown.shape == (3, 16, 16, 3)
    assert set(np.abs(shown.astype(int) - 127.5).max(axis=(1, 2, 3))) <= {127.5, 126.5}
    table = eigenfaces.curve(model, faces)
    assert list(table["components"]) == [0, 1, 2, 3, 4, 5] and table["share"][0] == 1.0
    assert table["share"].is_monotonic_decreasing
    ticks = eigenfaces.figure_of_errors(model, faces, table).axes[1].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["1", "2", "4", "5", "photograph"]
    with pytest.raises(ValueError, match="which has no eigenfaces"):
        eigenfaces.check_pca(kf.models.build("vae", image_size=16, width=4))
