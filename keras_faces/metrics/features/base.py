"""`Features`: the base class of everything that describes images. See also ``pixels.py``, the simplest one."""

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
    """Map images uint8 (N, H, W, 3) of any size to numbers float32 (N, dimension).

    A subclass sets `title` and `dimension`, and writes `describe`.

    Parameters
    ----------
    image_size : int
        Side of the images that `describe` reads, in pixels.
    box : str or (top, bottom, left, right), optional
        The part of each image to look at, see `check_box`.

    Attributes
    ----------
    class_names : tuple of str or None
        The classes or attributes of `probabilities`.
    label_kind : str
        "classes" (probabilities sum to 1), "attributes" (each from 0 to 1), or "" without class names.
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
        """The name in every score: "pixels (PCA, 64 components, fitted on 1,000 images)"."""
        if self.box is None:
            return self.title
        top, bottom, left, right = self.box
        return f"{self.title}, rows {top:.0%}–{bottom:.0%} and columns {left:.0%}–{right:.0%} of the image"

    @property
    def resize(self) -> str:
        """How images are brought to ``image_size``, in words."""
        return resize_name(self.image_size)

    def fit(self, real_images: np.ndarray) -> None:  # noqa: B027 (most have nothing to learn)
        """Learn from real images, uint8 (N, H, W, 3), before the first call."""

    def __call__(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Features of images uint8 (N, H, W, 3): float32 (N, dimension)."""
        return self._in_batches(self.describe, images, batch_size, self.dimension)

    @abstractmethod
    def describe(self, images: np.ndarray) -> np.ndarray:
        """Features of one batch, cropped and resized: float32 (n, image_size, image_size, 3) in 0..255, not rounded."""

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


class NetworkFeatures(Features):
    """Features of a classifier: ``_network`` maps images in [-1, 1] to its features and its classes."""

    _network: Any

    def describe(self, images: np.ndarray) -> np.ndarray:
        return self._outputs(images)[0]

    def probabilities(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        return self._in_batches(lambda batch: self._outputs(batch)[1], images, batch_size, len(self.class_names))

    def _outputs(self, images: np.ndarray) -> list[np.ndarray]:
        return self._network.predict_on_batch(images / np.float32(127.5) - 1)


def check_box(box: str | Box | None) -> Box | None:
    """A box as four shares (top, bottom, left, right), or None for the whole image.

    Parameters
    ----------
    box : str or (float, float, float, float), optional
        A name of `BOXES`, four numbers, or their text: "0.19,0.87,0.17,0.84".

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
    """A Keras model of images (image_size, image_size, 3) in [-1, 1]: crop, resize, scale, then the ``network``.

    The network reads square images of one size as ``scale * image + offset``, a number or one per colour. The resize is
    bilinear: for images smaller than the network's side, nearly what ``resize.py`` does.
    """
    import keras
    from keras import layers

    images = keras.Input((image_size, image_size, 3))
    rows, columns = places(box or (0, 1, 0, 1), image_size, image_size)
    borders = [(part.start, image_size - part.stop) for part in (rows, columns)]
    faces = layers.Cropping2D(borders)(images)
    faces = layers.Resizing(*network.input_shape[1:3], dtype="float32")(faces)
    return keras.Model(images, network(layers.Rescaling(scale, offset, dtype="float32")(faces)))
