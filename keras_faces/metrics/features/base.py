"""`Features`: what every way to describe images has in common.

Read next: ``pixels.py``, the simplest of them; ``classifier.py``, which also knows classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_faces.metrics.features.resize import cropped, places, resize, resize_name

Box = tuple[float, float, float, float]

# Parts of an image that have a name: top, bottom, left, right as shares of its height and width.
BOXES: dict[str, Box] = {
    # Rows 37–96, columns 15–74 of CelebA's 89×109 frame, seen in its square from row 20: neither hair nor background.
    "celeba-face": (17 / 89, 77 / 89, 15 / 89, 75 / 89),
}


class Features(ABC):
    """Images uint8 (N, H, W, 3) of any size to numbers float32 (N, dimension).

    A kind of features says its `title` and `dimension`, and writes `describe`.

    Parameters
    ----------
    image_size
        Side of the images that `describe` reads, in pixels.
    box
        The part of each image that is looked at, see `check_box`.

    Attributes
    ----------
    class_names
        Names of what `probabilities` tells apart, or None.
    label_kind
        "classes" (probabilities sum to 1) or "attributes" (each between 0 and 1 by itself); "" without class names.
    """

    title: str = ""
    dimension: int = 0
    class_names: tuple[str, ...] | None = None
    label_kind: str = ""

    def __init__(self, image_size: int, box: str | Box | None = None) -> None:
        self.image_size = int(image_size)
        self.box = check_box(box)

    @property
    def name(self) -> str:
        """What every score says of them: "pixels (PCA, 64 components, fitted on 1,000 images)"."""
        if self.box is None:
            return self.title
        top, bottom, left, right = self.box
        return f"{self.title}, rows {top:.0%}–{bottom:.0%} and columns {left:.0%}–{right:.0%} of the image"

    @property
    def resize(self) -> str:
        """How images come to ``image_size``, in words."""
        return resize_name(self.image_size)

    def fit(self, real_images: np.ndarray) -> None:  # noqa: B027 (most have nothing to learn)
        """Learn from real images, uint8 (N, H, W, 3), before the first call."""

    def __call__(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Features of uint8 images (N, H, W, 3), float32 (N, dimension)."""
        return self._in_batches(self.describe, images, batch_size, self.dimension)

    @abstractmethod
    def describe(self, images: np.ndarray) -> np.ndarray:
        """Features of one batch that is cropped and resized: float32 (n, S, S, 3) in 0..255, not rounded."""

    def probabilities(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Probability of each class or attribute, float32 (N, C), in the order of `class_names`.

        Raises
        ------
        ValueError
            If these features know no classes.
        """
        raise ValueError(
            f"{self.name} knows no classes: take the features of a classifier, classifier:RUN "
            "(`keras-faces classify` trains one), or inception."
        )

    def _in_batches(
        self, function: Callable[[np.ndarray], np.ndarray], images: np.ndarray, batch_size: int, width: int
    ) -> np.ndarray:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
            raise ValueError(f"images must be uint8 (N, H, W, 3), not {images.dtype} {images.shape}.")
        found = np.empty((len(images), width), "float32")
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            found[start : start + batch_size] = function(resize(cropped(batch, self.box), self.image_size))
        return found


def check_box(box: str | Box | None) -> Box | None:
    """A box as four shares (top, bottom, left, right), or None for the whole image.

    Parameters
    ----------
    box
        None, a name of `BOXES`, four numbers, or their text: "0.19,0.87,0.17,0.84".

    Raises
    ------
    ValueError
        If it is none of these, or encloses nothing.
    """
    if box is None:
        return None
    if isinstance(box, str) and box in BOXES:
        return BOXES[box]
    wanted = f"shares TOP,BOTTOM,LEFT,RIGHT from 0 to 1 with TOP < BOTTOM and LEFT < RIGHT, or {' or '.join(BOXES)}"
    try:
        top, bottom, left, right = (float(part) for part in (box.split(",") if isinstance(box, str) else box))
    except (TypeError, ValueError):
        raise ValueError(f"box {box!r}: must be {wanted}.") from None
    if not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
        raise ValueError(f"box {box!r}: must be {wanted}.")
    return top, bottom, left, right


def in_front(network: Any, image_size: int, box: Box | None, scale: float, offset: Any) -> Any:
    """A network behind what it wants its faces to be: a Keras model of scaled images, that gradients can pass.

    Parameters
    ----------
    network
        Reads square images of one size.
    image_size
        Side of the images in [-1, 1] that the whole reads. They are cut to the ``box`` and brought to the network's
        side bilinearly: for pictures smaller than that side, nearly what ``resize.py`` does.
    scale, offset
        The network reads ``scale * image + offset``; an offset may have one number a colour.
    """
    import keras
    from keras import layers

    images = keras.Input((image_size, image_size, 3))
    rows, columns = places(box or (0, 1, 0, 1), image_size, image_size)
    borders = [(part.start, image_size - part.stop) for part in (rows, columns)]
    faces = layers.Cropping2D(borders)(images)
    faces = layers.Resizing(*network.input_shape[1:3], dtype="float32")(faces)
    return keras.Model(images, network(layers.Rescaling(scale, offset, dtype="float32")(faces)))
