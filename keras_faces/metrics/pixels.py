"""PSNR and SSIM of pairs of images, such as photographs and their reconstructions. Higher is better.

    PSNR = 20 log10(255 / √MSE) in dB         the dissertation's section 2.3.4; ∞ for equal images
    SSIM                                      Wang et al. 2004, eq. 13: brightness, contrast and structure in a Gaussian
                                              window of 11×11 pixels with σ = 1.5; 1 for equal images

Both come from scikit-image, and both prefer blur to sharp details in wrong places.
"""

from __future__ import annotations

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from keras_faces.metrics.intervals import BOOTSTRAP, mean_interval
from keras_faces.metrics.score import Score

WINDOW = 11  # pixels: the side of SSIM's window


def psnr(reference: np.ndarray, images: np.ndarray, *, seed: int = 0, split: str = "not stated") -> Score:
    """Mean peak signal-to-noise ratio of pairs of images, in dB.

    Parameters
    ----------
    reference, images : ndarray of uint8, shape (N, H, W, 3)
        The images in the same order; nothing is resized.
    seed : int
        Of the interval.
    split : str
        Which real images these are, such as "held-out"; for the result only.

    Returns
    -------
    Score
        Infinite, without an interval, if one image equals its reference.

    Raises
    ------
    ValueError
        If a side is not uint8 (N, H, W, 3), or the shapes differ.
    """
    reference, images = _pairs(reference, images)
    pairs = zip(reference, images, strict=True)
    with np.errstate(divide="ignore"):  # equal images have no noise
        ratios = np.array([peak_signal_noise_ratio(*pair, data_range=255) for pair in pairs])
    equal = int(np.isinf(ratios).sum())
    warnings = [f"{equal:,} of {len(ratios):,} images equal their reference: the mean is infinite."] if equal else []
    return _scored("psnr", ratios, seed, split, warnings)


def ssim(reference: np.ndarray, images: np.ndarray, *, seed: int = 0, split: str = "not stated") -> Score:
    """Mean structural similarity of pairs of images of 11×11 pixels or more, at most 1, over the three colours.

    Wang's own settings: Gaussian window, σ = 1.5, covariances divided by N. Parameters and errors as in `psnr`.
    """
    reference, images = _pairs(reference, images)
    if min(images.shape[1:3]) < WINDOW:
        raise ValueError(f"SSIM's window is {WINDOW}×{WINDOW} pixels, larger than images of {images.shape[1:3]}.")
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    pairs = zip(reference, images, strict=True)
    values = np.array([structural_similarity(*pair, channel_axis=-1, **wang) for pair in pairs])
    return _scored("ssim", values, seed, split, [])


def _pairs(reference: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sides = [np.asarray(getattr(side, "images", side)) for side in (reference, images)]
    for name, side in zip(("reference", "images"), sides, strict=True):
        if side.ndim != 4 or side.shape[-1] != 3 or side.dtype != np.uint8 or not len(side):
            raise ValueError(
                f"{name} must be uint8 (N, H, W, 3) with N > 0, not {side.dtype} {side.shape}; one image is "
                "image[None]."
            )
    if sides[0].shape != sides[1].shape:
        raise ValueError(
            f"images are compared in pairs of one size, not {sides[0].shape} with {sides[1].shape}: nothing is resized."
        )
    return sides[0], sides[1]


def _scored(name: str, values: np.ndarray, seed: int, split: str, warnings: list[str]) -> Score:
    low, high = mean_interval(values, seed)
    if len(values) < 2:
        warnings = [*warnings, "one pair of images: no interval."]
    return Score(
        name,
        values.mean(),
        low,
        high,
        n_real=len(values),
        n_fake=len(values),
        split=split,
        seed=seed,
        resize="none, pairs of one size",
        warnings=tuple(warnings),
        interval="" if low is None else f"{BOOTSTRAP} over images",
    )
