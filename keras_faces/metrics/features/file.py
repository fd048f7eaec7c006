"""``file:net.keras``: features of any Keras model that reads images of one size. See also ``recogniser.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from keras_faces.metrics.features.base import Box, Features, in_front


class FileFeatures(Features):
    """The output of a Keras model, or of one of its layers: a vector, or a map that is averaged over its places.

    Parameters
    ----------
    path : str or Path
        A .keras or .h5 file.
    layer : str, optional
        The layer whose output is taken; by default the model's own output.
    value_range : (float, float), optional
        Black and white for the model; by default (0, 255) if it begins with a ``Rescaling`` or ``Normalization`` layer,
        else (-1, 1).
    box : str or (top, bottom, left, right), optional

    Raises
    ------
    ValueError
        If the file is no Keras model, or the model does not read square RGB images of one size.
    """

    def __init__(
        self,
        path: str | Path,
        layer: str | None = None,
        value_range: tuple[float, float] | None = None,
        box: str | Box | None = None,
    ) -> None:
        import keras

        from keras_faces import models

        path = Path(path)
        if path.exists() and not path.is_file():  # a pipe would wait for ever
            raise ValueError(f"features file:{path}: it is no plain file; give a .keras file.")
        try:
            network = models.load(path, compile=False)
        except Exception as error:  # Keras and the zip and HDF5 readers under it raise many kinds
            raise ValueError(f"features file:{path}: it cannot be read as a Keras model: {error}") from error
        super().__init__(_side(network, path), box)
        outputs = network.outputs if layer is None else [network.get_layer(layer).output]
        if len(outputs) != 1 or len(outputs[0].shape) not in (2, 4) or None in outputs[0].shape[1:]:
            raise ValueError(
                f"features file:{path}: the model gives {[output.shape for output in outputs]}; "
                "wanted is one vector (D,) or one map (H, W, D) for each image."
            )
        output = outputs[0]
        if len(output.shape) == 4:
            output = keras.layers.GlobalAveragePooling2D(dtype="float32")(output)
        self._network = keras.Model(network.inputs[0], output)
        self.dimension = int(output.shape[-1])
        if value_range is None:
            first = [one for one in network.layers if not isinstance(one, keras.layers.InputLayer)][:2]
            scales = any(isinstance(one, (keras.layers.Rescaling, keras.layers.Normalization)) for one in first)
            value_range = (0, 255) if scales else (-1, 1)
        self.value_range = low, high = tuple(value_range)
        part = f", layer {layer}" if layer else ""
        self.title = f"{path.name}{part} (Keras model, {self.dimension} numbers, pixels from {low:g} to {high:g})"

    def describe(self, images: np.ndarray) -> np.ndarray:
        low, high = self.value_range
        return self._network.predict_on_batch(images * np.float32((high - low) / 255) + np.float32(low))

    def as_model(self, image_size: int) -> Any:
        """The same as a Keras model of images in [-1, 1], see :func:`in_front`."""
        low, high = self.value_range
        return in_front(self._network, image_size, self.box, (high - low) / 2, (high + low) / 2)


def _side(network: Any, path: Path) -> int:
    """The side of the images that a model reads."""
    shapes = [tuple(tensor.shape) for tensor in getattr(network, "inputs", None) or []]
    if len(shapes) == 1 and len(shapes[0]) == 4:
        _, height, width, channels = shapes[0]
        if height is not None and height == width and channels == 3:
            return height
    raise ValueError(
        f"features file:{path}: the model reads {shapes or 'no images'}; wanted is one square RGB image (S, S, 3) of a "
        "fixed size. Of a GAN, its discriminator's part can be saved by itself."
    )
