"""Drawn faces: endlessly many small portraits with exact labels, made from a seed, so nothing has to be downloaded.

A picture is made of two independent draws:

* the **identity** (skull, skin, eyes, nose, mouth, brows, ears, age, hair cut and hair colour) is a pure function of
  ``(seed, identity number)``;
* the **appearance** (pose, expression, light, background, clothes, glasses, hat, beard, make-up) is a pure function of
  ``(seed, image number)``. It only looks at the identity where the two must agree (a woman gets no beard).

So two pictures of one person share an :class:`Identity`, and the labels are not guessed by anybody: they are read off
the same numbers that the picture is drawn from. The attribute names and their -1/+1 coding are those of CelebA
(Liu, Luo, Wang, Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015), as far as the drawing shows them.

An attribute says what can be **seen**, as CelebA's annotators saw it: under a hat nobody is Bald or has Bangs or a
Receding_Hairline, a hat over a bald head shows no hair colour, and behind dark glasses no eye is narrow.

Read next: ``drawn_factors.py`` (the two draws and the labels), then ``portrait.py``, which turns them into pixels.
"""

from __future__ import annotations

import operator

import numpy as np
import pandas as pd

from keras_faces.data.drawn_factors import (
    ATTRIBUTES,
    Appearance,
    Identity,
    attributes,
    draw_appearance,
    draw_identity,
)
from keras_faces.data.portrait import LARGEST, SMALLEST, portrait

__all__ = [
    "ATTRIBUTES",
    "Appearance",
    "DrawnFaces",
    "Identity",
    "attributes",
    "draw_appearance",
    "draw_identity",
    "portrait",
]


class DrawnFaces:
    """A data set of drawn faces: behaves like an array ``(count, S, S, 3)``, but each image is drawn when asked for.

    Parameters
    ----------
    count : int
        Number of images, 1 or more.
    image_size : int
        Side S of the square images in pixels, 16 to 512.
    seed : int
        Seed of the whole set, 0 or more.
    identities : int, optional
        Number of different people; by default a tenth of `count`, at least 1. Image i shows person ``i % identities``.

    Raises
    ------
    ValueError
        If a number lies outside its range.

    Examples
    --------
    >>> faces = DrawnFaces(100, image_size=32, seed=7)
    >>> faces[0].shape, faces[10:14].shape, faces.attribute_table().shape[0]
    ((32, 32, 3), (4, 32, 32, 3), 100)
    """

    dtype = np.dtype(np.uint8)

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

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"DrawnFaces({len(self)}, image_size={self.image_size}, seed={self.seed}, identities={self.identities})"

    def factors(self, index: int) -> tuple[Identity, Appearance]:
        """The two draws of image `index`: who is shown, and how."""
        number = self._number(index)
        identity = draw_identity(self.seed, number % self.identities)
        return identity, draw_appearance(self.seed, number, identity)

    def image(self, index: int) -> np.ndarray:
        """Image `index` as uint8 RGB of shape (S, S, 3)."""
        return portrait(*self.factors(index), self.image_size)

    def __getitem__(self, index: int | slice | list[int] | np.ndarray) -> np.ndarray:
        """One image for an integer; images (n, S, S, 3) for a slice, or for a list or array of integers or booleans."""
        if isinstance(index, slice):
            numbers = np.arange(len(self))[index]
        elif np.ndim(index) == 0:
            return self.image(index)
        else:
            numbers = np.asarray(index)
            if numbers.dtype == bool or numbers.size == 0:
                numbers = np.arange(len(self))[numbers.astype(bool if numbers.size else int)]
        images = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, number in enumerate(numbers):
            images[row] = self.image(number)
        return images

    def _number(self, index: int) -> int:
        number = operator.index(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"image {number} was asked for, but there are only {len(self)}")
        return number % len(self)

    @property
    def identity_numbers(self) -> np.ndarray:
        """Which person each image shows: integers (count,), from 0 to identities - 1."""
        return np.arange(len(self)) % self.identities

    @property
    def names(self) -> list[str]:
        """A name for each image, "drawn-000000", "drawn-000001", ..."""
        return [f"drawn-{number:06d}" for number in range(len(self))]

    def attribute_table(self) -> pd.DataFrame:
        """Labels of all images without drawing any: int8 (count, len(ATTRIBUTES)) of -1 and +1, indexed by name."""
        people = [draw_identity(self.seed, number) for number in range(min(self.identities, len(self)))]
        table = np.empty((len(self), len(ATTRIBUTES)), np.int8)
        for number in range(len(self)):
            identity = people[number % self.identities]
            seen = attributes(identity, draw_appearance(self.seed, number, identity))
            table[number] = list(seen.values())
        return pd.DataFrame(table, index=self.names, columns=list(ATTRIBUTES))
