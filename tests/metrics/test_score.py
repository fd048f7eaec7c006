"""A score carries everything; sets, intervals and the package's names."""

import json
import subprocess
import sys

import numpy as np
import pytest

import keras_faces as kf
from keras_faces.metrics import Score, mean_interval
from keras_faces.metrics.intervals import half_interval, half_samples
from keras_faces.metrics.sets import FIT_ON, as_features, feature_batches, image_batches, names_of


class Mean:
    """The mean colour; remembers what it was fitted on."""

    name, resize, dimension = "mean colour", "none", 3

    def fit(self, real_images):
        self.fitted_on = real_images

    def __call__(self, images, batch_size=64):
        return images.mean(axis=(1, 2), dtype="float32")


def test_one_line_says_everything():
    score = Score(
        "fid",
        12.345678,
        11.0,
        13.5,
        2000,
        1500,
        "held-out",
        7,
        "Inception-Keras",
        "area, to 299",
        ("too few.",),
        "95 %",
    )
    assert str(score) == (
        "Inception-Keras FID 12.35 [11, 13.5] · 2,000 real, 1,500 fake · split: held-out · seed 7 · "
        "resize: area, to 299 · interval: 95 % · WARNING: too few."
    )
    assert float(score) == 12.345678 and f"{score.title}" == "Inception-Keras FID"
    assert Score("recall", 0.5).low is None and "[" not in str(Score("recall", 0.5))


def test_json_and_back():
    score = Score("kid", np.float64(0.01), np.float32(0.5), 1.0, np.int64(10), 20, warnings=["a"], spread=np.float32(2))
    text = json.dumps(score.to_dict())
    assert Score.from_dict(json.loads(text)) == score
    assert type(score.value) is float and type(score.n_real) is int
    infinite = Score("psnr", np.inf)
    assert Score.from_dict(json.loads(json.dumps(infinite.to_dict(), allow_nan=False))) == infinite


def test_mean_interval_is_the_bootstraps():
    random = np.random.default_rng(0)
    values = random.exponential(size=400)
    low, high = mean_interval(values, seed=1)
    resampled = np.array([random.choice(values, 400).mean() for _ in range(3000)])
    assert (low, high) == pytest.approx(tuple(np.quantile(resampled, (0.025, 0.975))), abs=0.02)
    assert mean_interval(values, seed=1) == (low, high) != mean_interval(values, seed=2)


def test_shares_at_the_end_are_not_certain():
    assert mean_interval(np.zeros(20), share=True) == (0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert mean_interval(np.ones(20, bool), share=True) == (pytest.approx(0.025 ** (1 / 20)), 1)
    low, high = mean_interval(np.arange(100) < 30, share=True)
    assert 0.2 < low < 0.3 < high < 0.4
    assert mean_interval(np.array([1.0])) == mean_interval(np.array([1.0, np.inf])) == (None, None)


def test_halves_hold_half_of_the_things_once():
    halves = half_samples(7, 200, seed=0)
    assert halves.shape == (200, 7) and halves.dtype == bool
    assert (halves.sum(axis=1) == 3).all()
    assert abs(halves.mean(axis=0) - 3 / 7).max() < 0.12
    assert half_interval(1.0, np.array([5.0, 7.0]), lowest=0) == (0, pytest.approx(1 + 1.959964 * np.sqrt(2)))


def test_halves_of_a_mean_spread_as_the_mean_does():
    values = np.random.default_rng(0).normal(size=500)
    halves = half_samples(500, 2000, seed=1)
    spread = (halves @ values / 250).std()
    assert spread == pytest.approx(values.std() / np.sqrt(500), rel=0.1)


def test_sets_are_arrays_faces_and_batches():
    faces = kf.data.load("drawn", image_size=16, count=10)
    found = [np.concatenate(list(image_batches(kind, 4))) for kind in (faces, faces.images, np.asarray(faces.images))]
    found.append(np.concatenate(list(image_batches([faces.images[:3], (faces.images[3:], "labels")]))))
    for images in found:
        np.testing.assert_array_equal(images, faces.images[:])
    with pytest.raises(ValueError, match="several sizes"):
        list(image_batches([np.zeros((2, 8, 8, 3), "uint8"), np.zeros((2, 9, 8, 3), "uint8")]))
    with pytest.raises(TypeError, match="kf.data.load..faces.h5"):
        list(image_batches("faces.h5"))
    with pytest.raises(TypeError, match="not NoneType"):
        list(image_batches(None))
    with pytest.raises(TypeError, match="_from_features"):
        as_features(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="batch_size=0"):
        list(image_batches(faces, 0))
    with pytest.raises(ValueError, match="there are no real images"):
        list(image_batches(np.zeros((0, 8, 8, 3), "uint8")))


@pytest.mark.parametrize("streamed", [False, True])
def test_features_are_fitted_on_some_real_images_and_none_is_lost(streamed):
    images = np.random.default_rng(0).integers(0, 256, (FIT_ON + 300, 2, 2, 3), "uint8")
    features = Mean()
    given = np.array_split(images, 9) if streamed else images
    found = np.concatenate(list(feature_batches(given, features, 100, seed=1, progress=False)))
    np.testing.assert_allclose(found, images.mean(axis=(1, 2)), rtol=1e-6)
    assert features.fitted_on.shape == (FIT_ON, 2, 2, 3)
    assert np.array_equal(features.fitted_on, images[:FIT_ON]) == streamed  # a stream cannot be drawn from

    features.fitted_on = None
    list(feature_batches(images[:50], features, side="fake", progress=False))
    assert features.fitted_on is None  # fakes are described as the real ones are


def test_features_without_a_finite_number_are_told():
    class Broken(Mean):
        def __call__(self, images, batch_size=64):
            return np.where(images[:, 0, 0, :1] == 9, np.nan, 1.0)

    images = np.zeros((20, 2, 2, 3), "uint8")
    images[13] = 9
    with pytest.raises(ValueError, match="mean colour gives no finite numbers for fake image 13"):
        list(feature_batches(images, Broken(), 5, "fake", progress=False))
    assert names_of(Mean()) == {"features": "mean colour", "resize": "none"}


def test_every_public_name_is_there():
    for name in kf.metrics.__all__:
        assert getattr(kf.metrics, name) is not None
    assert set(kf.metrics.__all__) <= set(dir(kf.metrics))
    with pytest.raises(AttributeError, match="no attribute 'fd'; it has Score"):
        _ = kf.metrics.fd


def test_importing_the_scores_loads_no_framework():
    code = (
        "import sys, keras_faces as kf; kf.metrics.fid, kf.metrics.kid, kf.metrics.Score; "
        "print([name for name in ('keras', 'tensorflow', 'jax', 'skimage', 'matplotlib') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
