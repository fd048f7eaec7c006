"""PSNR of a known noise, SSIM against scikit-image."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from keras_faces.metrics import psnr, ssim


def grey(count=6, side=16):
    return np.full((count, side, side, 3), 100, "uint8")


@pytest.mark.parametrize("step, expected", [(1, 48.1308), (5, 34.1514), (16, 24.0484)])
def test_psnr_of_a_known_noise(step, expected):
    signs = np.random.default_rng(0).choice([-1, 1], size=grey().shape)  # every pixel is off by step: MSE = step²
    noisy = (grey() + step * signs).astype("uint8")
    score = psnr(grey(), noisy, split="held-out")
    assert score.value == pytest.approx(20 * np.log10(255 / step)) == pytest.approx(expected, abs=1e-4)
    assert (score.n_real, score.n_fake, score.split) == (6, 6, "held-out")
    assert str(score).startswith("PSNR ")


def test_psnr_of_gaussian_noise_and_its_interval():
    random = np.random.default_rng(0)
    reference = np.full((40, 32, 32, 3), 128, "uint8")
    noisy = (reference + random.normal(0, 10, reference.shape)).round().clip(0, 255).astype("uint8")
    score = psnr(reference, noisy)
    assert score.value == pytest.approx(20 * np.log10(255 / np.sqrt(100 + 1 / 12)), abs=0.05)  # rounding adds 1/12
    assert score.low < score.value < score.high


def test_equal_images_are_infinitely_like_and_that_can_be_written():
    noisy = grey()
    noisy[1:] += 3
    score = psnr(grey(), noisy)
    assert score.value == np.inf and score.low is None and "1 of 6 images equal" in score.warnings[0]
    assert score.to_dict()["value"] == "inf"
    assert float(ssim(grey(), grey())) == pytest.approx(1)


def test_ssim_is_the_mean_of_scikit_images_over_the_colours():
    random = np.random.default_rng(0)
    reference = random.integers(0, 256, (3, 20, 24, 3), "uint8")
    noisy = (reference * 0.7 + random.integers(0, 60, reference.shape)).astype("uint8")
    expected = [
        structural_similarity(
            reference[index, ..., colour],
            noisy[index, ..., colour],
            win_size=11,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
        )
        for index in range(3)
        for colour in range(3)
    ]
    assert ssim(reference, noisy).value == pytest.approx(np.mean(expected), rel=1e-9)


def test_ssim_falls_with_growing_noise():
    random = np.random.default_rng(0)
    reference = random.integers(0, 256, (4, 4, 4, 3), "uint8").repeat(6, axis=1).repeat(6, axis=2)
    noise = random.normal(size=reference.shape)
    values = [
        ssim(reference, (reference + noise * level).round().clip(0, 255).astype("uint8")).value for level in (5, 20, 60)
    ]
    assert 1 > values[0] > values[1] > values[2] > 0


def test_what_is_no_pair_is_refused():
    with pytest.raises(ValueError, match="nothing is resized"):
        psnr(grey(), grey(side=32))
    with pytest.raises(ValueError, match="pairs"):
        psnr(grey(), grey(count=5))
    with pytest.raises(ValueError, match="images must be uint8"):
        ssim(grey(), grey() / 255)
    with pytest.raises(ValueError, match="N > 0"):
        psnr(grey()[:0], grey()[:0])
    with pytest.raises(ValueError, match="11×11"):
        ssim(grey(side=8), grey(side=8))
    one = psnr(grey(count=1), grey(count=1) + np.uint8(2))
    assert one.low is None and "no interval" in one.warnings[0]
