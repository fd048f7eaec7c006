"""``pixels``: principal components of the images themselves. No network, no download.

Images are resized to 32×32, and PCA of real ones keeps the directions of the largest variance. The features see colours
and blur, and no eyes or identities: good for learning what a score does, and for a curve during training.
"""

from __future__ import annotations

import numpy as np

from keras_faces.metrics.features.base import Box, Features

_SMALL = 500  # images, or numbers per image, up to which the exact decomposition takes no longer than a second


class PixelFeatures(Features):
    """Coordinates along the principal components of real images, pixels from 0 to 1.

    Parameters
    ----------
    components : int
        At most; fewer if there are fewer real images.
    image_size : int
        Side of the resized images.
    box : str or (top, bottom, left, right), optional
    """

    def __init__(self, components: int = 64, image_size: int = 32, box: str | Box | None = None) -> None:
        super().__init__(image_size, box)
        if components < 1 or image_size < 1:
            raise ValueError(f"components={components} and image_size={image_size} must be 1 or more.")
        self.dimension = self._components = min(components, 3 * image_size**2)
        self._pca = None
        self._fitted_on = 0

    @property
    def title(self) -> str:
        fitted = f", fitted on {self._fitted_on:,} images" if self._pca is not None else ""
        return f"pixels (PCA, {self.dimension} components{fitted})"

    def fit(self, real_images: np.ndarray) -> None:
        """Find the components of two or more real images, uint8 (N, H, W, 3)."""
        from sklearn.decomposition import PCA

        if len(real_images) < 2:
            raise ValueError(f"the components of {len(real_images)} image(s) cannot be found: give two or more.")
        size = 3 * self.image_size**2
        pixels = self._in_batches(_flat, real_images, 256, size)
        self.dimension = min(self._components, len(pixels), size)
        solver = "full" if min(pixels.shape) <= _SMALL else "randomized"
        self._pca = PCA(self.dimension, svd_solver=solver, random_state=0).fit(pixels)
        self._fitted_on = len(pixels)

    def describe(self, images: np.ndarray) -> np.ndarray:
        if self._pca is None:
            raise RuntimeError("the components of real images are not known yet: call fit(real_images) first.")
        return self._pca.transform(_flat(images))


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / np.float32(255)
