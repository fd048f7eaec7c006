"""FID against closed forms, against another implementation, and along a ladder of worse images."""

import cv2
import numpy as np
import pytest
from scipy import linalg

from keras_faces.metrics import Moments, fid, fid_from_features, frechet_distance
from keras_faces.metrics.moments import GroupedMoments


class Projection:
    """16 fixed random projections of the pixels: a stand-in for a network's features."""

    name, resize, dimension = "16 random projections", "none", 16

    def __init__(self):
        self.fitted_on = None

    def fit(self, real_images):
        self.fitted_on = len(real_images)

    def __call__(self, images, batch_size=64):
        flat = images.reshape(len(images), -1) / 255.0
        directions = np.random.default_rng(1).normal(size=(flat.shape[1], self.dimension)) / np.sqrt(flat.shape[1])
        return (flat @ directions).astype("float32")


def with_moments(mean, covariance, count=50):
    """Rows whose sample mean and unbiased covariance are exactly these."""
    rows = np.random.default_rng(5).normal(size=(count, len(mean)))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return mean + rows @ np.linalg.cholesky(covariance).T


def other_formula(real, fake, eps=1e-6):
    """pytorch-fid's formula, as in clean-fid and torch-fidelity: SciPy's general root of the product of covariances."""
    mean1, mean2 = real.mean(axis=0), fake.mean(axis=0)
    sigma1, sigma2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = linalg.sqrtm(sigma1.dot(sigma2))
    if not np.isfinite(root).all():
        offset = np.eye(len(sigma1)) * eps
        root = linalg.sqrtm((sigma1 + offset).dot(sigma2 + offset))
    difference = mean1 - mean2
    return difference.dot(difference) + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(np.real(root))


def smooth_images(count, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), "uint8")
    return np.stack([cv2.resize(image, (24, 24), interpolation=cv2.INTER_LINEAR) for image in coarse])


def test_diagonal_gaussians_have_the_closed_form():
    # sum of (μr − μg)² + (σr − σg)², coordinate by coordinate: 1 + 4 + 9 + (1 − 2)² + (3 − 1)² + 0
    real = with_moments(np.array([0.0, 1.0, -1.0]), np.diag([1.0, 9.0, 4.0]))
    fake = with_moments(np.array([1.0, 3.0, 2.0]), np.diag([4.0, 1.0, 4.0]))
    assert frechet_distance(real, fake) == pytest.approx(19.0, rel=1e-9)


def test_turned_gaussians_have_the_closed_form():
    # In two dimensions tr (AB)^½ = √(tr AB + 2 √(det A det B)), by the eigenvalues' sum and product.
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[4.0, -1.5], [-1.5, 1.0]])
    overlap = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a) * np.linalg.det(b)))
    expected = 0.25 + np.trace(a) + np.trace(b) - 2 * overlap
    real, fake = with_moments(np.zeros(2), a), with_moments(np.array([0.5, 0.0]), b)
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(fake, real) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("count", [40, 500])  # fewer images than features, and more
def test_a_set_has_no_distance_from_itself(count):
    rows = np.random.default_rng(0).normal(size=(count, 64)) * np.logspace(0, -3, 64) + 10
    assert frechet_distance(rows, rows[::-1]) == pytest.approx(0, abs=1e-9)
    assert fid_from_features(rows, rows).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [400, 2000])
def test_it_agrees_with_an_independent_implementation(seed, count):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(48, 48)) * np.logspace(0, -2, 48)
    real = np.maximum(random.normal(size=(count, 48)) @ mixing, 0).astype("float32")  # like pooled ReLU features
    fake = np.maximum(random.normal(size=(count, 48)) * 1.1 @ mixing + 0.05, 0).astype("float32")
    expected = other_formula(real.astype("float64"), fake.astype("float64"))
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-5)
    assert fid_from_features(real, fake, repeats=0).value == pytest.approx(expected, rel=1e-5)


def test_it_is_no_less_true_with_fewer_images_than_features():
    # The covariances are singular; tr (Σr Σg)^½ is then the sum of the singular values of the centred product.
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(30, 100)), random.normal(size=(20, 100)) + 0.1
    a, b = (real - real.mean(0)) / np.sqrt(29), (fake - fake.mean(0)) / np.sqrt(19)
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    expected = np.sum((real.mean(0) - fake.mean(0)) ** 2) + np.sum(a**2) + np.sum(b**2) - 2 * overlap
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-8)


def test_worse_images_have_larger_distances():
    real, fake = smooth_images(300), smooth_images(300, seed=1).astype("float64")
    noise = np.random.default_rng(2).normal(size=fake.shape)
    ladders = {
        "blur": [np.stack([cv2.GaussianBlur(image, (0, 0), width) for image in fake]) for width in (1, 2, 4)],
        "noise": [fake + noise * strength for strength in (40, 80, 160)],
        "shift": [fake + amount for amount in (20, 40, 80)],
    }
    for name, steps in ladders.items():
        values = [
            fid(real, step.round().clip(0, 255).astype("uint8"), Projection(), repeats=0, progress=False).value
            for step in [fake, *steps]
        ]
        assert np.all(np.diff(values) > 0), (name, values)


def test_batches_give_what_the_array_gives_and_the_score_says_everything():
    real, fake = smooth_images(150), smooth_images(130, seed=1)
    features = Projection()
    whole = fid(real, fake, features, seed=4, split="held-out", progress=False)
    streamed = fid(
        (real[i : i + 40] for i in range(0, 150, 40)),
        [(fake[:100], None), (fake[100:], None)],
        Projection(),
        progress=False,
    )
    assert float(streamed) == pytest.approx(float(whole), rel=1e-9)
    assert features.fitted_on == 150
    assert (whole.n_real, whole.n_fake, whole.split, whole.seed) == (150, 130, "held-out", 4)
    assert whole.features == "16 random projections" and whole.title == "16 random projections FID"
    assert whole.low < whole.value < whole.high
    assert whole == fid(real, fake, Projection(), seed=4, split="held-out", progress=False)


def test_the_interval_holds_the_scores_of_other_draws_and_does_not_drift_upwards():
    random = np.random.default_rng(0)

    def draw():
        return random.normal(size=(300, 8)), random.normal(size=(300, 8)) * 1.2 + 0.3

    values = np.array([frechet_distance(*draw()) for _ in range(60)])
    scores = [fid_from_features(*draw(), seed=number, repeats=40) for number in range(8)]
    reach = np.mean([score.high - score.value for score in scores]) / 1.96
    assert 0.6 < reach / values.std() < 1.7
    for score in scores:  # the plain bootstrap's interval would begin above the value
        assert score.high - score.value == pytest.approx(score.value - score.low)


def test_too_few_images_are_a_warning_in_words():
    random = np.random.default_rng(0)
    few = fid_from_features(random.normal(size=(20, 32)), random.normal(size=(200, 32)))
    assert "20 real images cannot fill a covariance of 32 features" in few.warnings[0]
    assert "200 fake images are few for 32 features" in few.warnings[1]
    assert few.low is None and "no interval" in few.warnings[2]
    enough = fid_from_features(random.normal(size=(330, 32)), random.normal(size=(330, 32)), repeats=4)
    assert enough.warnings == () and enough.low is not None


def test_bad_features_and_images_are_told():
    rows = np.random.default_rng(0).normal(size=(40, 3))
    with pytest.raises(ValueError, match="3 features, the fake ones 2"):
        frechet_distance(rows, rows[:, :2])
    with pytest.raises(ValueError, match="use the same features"):
        fid_from_features(rows, rows[:, :2])
    with pytest.raises(ValueError, match="here is 1"):
        frechet_distance(rows, rows[:1])
    with pytest.raises(ValueError, match="image 7 are not finite"):
        frechet_distance(rows, np.where(np.arange(40)[:, None] == 7, np.nan, rows))
    with pytest.raises(ValueError, match="two fake images or more; here is 0"):
        frechet_distance(rows, Moments())
    with pytest.raises(ValueError, match="squares are not finite"), np.errstate(over="ignore", invalid="ignore"):
        frechet_distance(rows * 1e200, rows)
    with pytest.raises(ValueError, match="repeats=1"):
        fid_from_features(rows, rows, repeats=1)
    with pytest.raises(ValueError, match="must be real numbers"):
        frechet_distance(rows * 1j, rows)
    with pytest.raises(ValueError, match="must be uint8"):
        fid(np.zeros((40, 8, 8, 3), "float32"), np.zeros((40, 8, 8, 3), "uint8"), Projection())
    with pytest.raises(ValueError, match="no fake images"):
        fid(smooth_images(40), [], Projection(), progress=False)
    with pytest.raises(ValueError, match="image.None."):
        fid(smooth_images(1)[0], smooth_images(40), Projection())


def test_streamed_moments_equal_numpys_far_from_zero():
    rows = np.random.default_rng(0).normal(size=(501, 7)) + 1e6  # Σxx' − nμμ' would keep four digits here
    moments = Moments()
    for start in range(0, 501, 60):
        moments.add(rows[start : start + 60])
    halves = Moments.joined([Moments(rows[:200]), Moments(rows[200:]), Moments()])
    for found in (moments, halves, GroupedMoments(8).add_all(np.array_split(rows, 20)).merged()):
        assert found.n == 501 and found.dimension == 7
        np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-14)
        np.testing.assert_allclose(found.covariance, np.cov(rows, rowvar=False), rtol=0, atol=1e-9)
        np.testing.assert_array_equal(found.covariance, found.covariance.T)


def test_groups_are_even_and_hold_each_row_once(monkeypatch):
    monkeypatch.setattr("keras_faces.metrics.moments._ROWS_AT_ONCE", 50)
    rows = np.arange(203.0)[:, None]
    groups = GroupedMoments(4, seed=3).add_all(np.array_split(rows, 9))
    assert groups.merged().n == 203 and groups.merged().mean[0] == pytest.approx(101)
    assert sorted(part.n for part in groups.parts) == [50, 51, 51, 51]
    assert groups.merged([0, 2]).n == groups.parts[0].n + groups.parts[2].n


def test_moments_refuse_what_they_cannot_add():
    moments = Moments(np.ones((3, 2)))
    with pytest.raises(ValueError, match="3 features come after rows of 2"):
        moments.add(np.ones((3, 3)))
    with pytest.raises(ValueError, match="row 1 of them is not finite"):
        moments.add(np.array([[1.0, 2.0], [np.inf, 0.0]]))
    with pytest.raises(ValueError, match="needs 2 images; here is 1"):
        _ = Moments(np.ones((1, 2))).covariance
    assert moments.n == 3
