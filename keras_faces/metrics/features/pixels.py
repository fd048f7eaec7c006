"""``pixels``: the principal components of the images themselves. No network, no download, and all of it can be seen.

Images are brought to 32×32, and PCA of real ones (scikit-learn) keeps the directions in which they differ most: light,
background, turned heads, hair. Distances between these numbers are nearly distances between the small pictures, so they
see colours and blur, and know nothing of eyes or identities. Good for learning what a score does, and for a curve while
training; no number of it compares with a paper's.

Read next: ``inception.py`` for what papers use.
"""

from __future__ import annotations

import numpy as np

from keras_faces.metrics.features.base import Box, Features

_SMALL = 500  # images, or numbers an image, up to which the exact decomposition takes no longer than a second


class PixelFeatures(Features):
    """Coordinates of an image along the principal components of real images, in grey levels from 0 to 1.

    Parameters
    ----------
    components
        How many; fewer if the real images are fewer.
    image_size
        Side of the small pictures.
    """

    def __init__(self, components: int = 64, image_size: int = 32, box: str | Box | None = None) -> None:
        super().__init__(image_size, box)
        if components < 1 or image_size < 1:
            raise ValueError(f"components={components} and image_size={image_size} must be 1 or more.")
        self.dimension = min(components, 3 * image_size**2)
        self._wanted = self.dimension
        self._pca = None
        self._fitted_on = 0

    @property
    def title(self) -> str:
        fitted = f", fitted on {self._fitted_on:,} images" if self._pca is not None else ""
        return f"pixels (PCA, {self.dimension} components{fitted})"

    def fit(self, real_images: np.ndarray) -> None:
        """Find the components of real images, uint8 (N, H, W, 3).

        Raises
        ------
        ValueError
            For fewer than two images.
        """
        from sklearn.decomposition import PCA

        if len(real_images) < 2:
            raise ValueError(f"the components of {len(real_images)} image(s) cannot be found: give two or more.")
        size = 3 * self.image_size**2
        pixels = self._in_batches(_flat, real_images, 256, size)
        self.dimension = min(self._wanted, len(pixels), size)
        solver = "full" if min(pixels.shape) <= _SMALL else "randomized"
        self._pca = PCA(self.dimension, svd_solver=solver, random_state=0).fit(pixels)
        self._fitted_on = len(pixels)

    def describe(self, images: np.ndarray) -> np.ndarray:
        if self._pca is None:
            raise RuntimeError("the components of real images are not known yet: call fit(real_images) first.")
        return self._pca.transform(_flat(images))


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / np.float32(255)
