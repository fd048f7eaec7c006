"""The data set of drawn faces.

A picture is made of two independent random draws:

* the **identity** (skull, skin, eyes, nose, mouth, brows, ears, age, hair cut and colour) is a function of
  ``(seed, identity number)``;
* the **appearance** (pose, expression, light, background, clothes, glasses, hat, beard, make-up) is a function of
  ``(seed, image number)``. It looks at the identity only where the two must agree (a woman gets no beard).

So two pictures of one person share an :class:`Identity`, and the labels are exact: they are computed from the same
numbers as the picture. The attribute names and their −1/+1 coding are those of CelebA (Liu, Luo, Wang, Tang, "Deep
Learning Face Attributes in the Wild", ICCV 2015), as far as the drawing shows them. An attribute says what can be
**seen**: under a hat nobody is Bald or has Bangs, and behind dark glasses no eye is narrow.

See also ``factors.py`` (the two draws and the labels) and ``portrait.py``, which turns them into pixels.
"""

from __future__ import annotations

import operator

import numpy as np
import pandas as pd

from keras_faces.data.memory import LazyImages, as_indices

from .factors import ATTRIBUTES, Appearance, Identity, attributes, draw_appearance, draw_identity
from .portrait import LARGEST, SMALLEST, portrait


class DrawnFaces(LazyImages):
    """A data set of drawn faces: an array-like of uint8, shape (count, S, S, 3), drawn on demand.

    Parameters
    ----------
    count : int
        Number of images, 1 or more.
    image_size : int
        Side S of the images in pixels, 16 to 512.
    seed : int
        Seed of the whole set, 0 or more.
    identities : int, optional
        Number of different people; by default a tenth of `count`, at least 1. Image i shows person ``i % identities``.

    Raises
    ------
    ValueError
        An argument is outside its range.

    Examples
    --------
    >>> faces = DrawnFaces(100, image_size=32, seed=7)
    >>> faces[0].shape, faces[10:14].shape, faces.attribute_table().shape[0]
    ((32, 32, 3), (4, 32, 32, 3), 100)
    """

    def __init__(
        self, count: int = 10_000, image_size: int = 64, *, seed: int = 0, identities: int | None = None
    ) -> None:
        people = max(1, operator.index(count) // 10) if identities is None else operator.index(identities)
        for name, value, low in (("count", count, 1), ("seed", seed, 0), ("identities", people, 1)):
            if operator.index(value) < low:
                raise ValueError(f"{name} must be {low} or more, got {value}")
        if not SMALLEST <= operator.index(image_size) <= LARGEST:
            raise ValueError(f"image_size must lie between {SMALLEST} and {LARGEST}, got {image_size}")
        self.image_size = int(image_size)
        self.seed = int(seed)
        self.identities = people
        self.shape = (int(count), self.image_size, self.image_size, 3)

    def __repr__(self) -> str:
        return f"DrawnFaces({len(self)}, image_size={self.image_size}, seed={self.seed}, identities={self.identities})"

    def factors(self, index: int) -> tuple[Identity, Appearance]:
        """Return the two draws of image `index`: who is shown, and how."""
        number = int(as_indices([operator.index(index)], len(self))[0])
        identity = draw_identity(self.seed, number % self.identities)
        return identity, draw_appearance(self.seed, number, identity)

    def image(self, index: int) -> np.ndarray:
        """Return image `index`: uint8 RGB, shape (S, S, 3)."""
        return portrait(*self.factors(index), self.image_size)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the images of these indices: uint8, shape (n, S, S, 3)."""
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for row, index in enumerate(indices):
            images[row] = self.image(index)
        return images

    @property
    def identity_numbers(self) -> np.ndarray:
        """Which person each image shows: int64, shape (count,), from 0 to identities − 1."""
        return np.arange(len(self)) % self.identities

    @property
    def names(self) -> list[str]:
        """A name for each image, "drawn-000000", "drawn-000001", ..."""
        return [f"drawn-{index:06d}" for index in range(len(self))]

    def attribute_table(self) -> pd.DataFrame:
        """Return the labels of all images, without drawing: int8 of −1 and +1, (count, len(ATTRIBUTES)), by name."""
        rows = [list(attributes(*self.factors(index)).values()) for index in range(len(self))]
        return pd.DataFrame(np.array(rows, np.int8), index=self.names, columns=list(ATTRIBUTES))
