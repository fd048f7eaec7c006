"""``file:net.keras``: any Keras model that reads images of one size.

What it gives may be a vector for each image or a map of them, which is averaged over the places. A model that begins
with a ``Rescaling`` or ``Normalization`` layer is given pixels in 0..255, any other in [-1, 1], as everywhere in this
package; ``value_range`` says otherwise.

Read next: ``recogniser.py``, for a trained network that does not come as a Keras file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keras_faces.metrics.features.base import Box, Features, in_front


class FileFeatures(Features):
    """The output of a Keras model, or of one of its layers, for each image.

    Parameters
    ----------
    path
        A .keras or .h5 file.
    layer
        The name of the layer whose output is taken; ``None`` for the model's own.
    value_range
        What black and white are for the model; ``None``: see the head of this file.

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
        self._network = keras.Model(network.inputs[0], outputs[0])
        self.dimension = int(outputs[0].shape[-1])
        self.value_range = tuple(value_range or ((0, 255) if _scales_by_itself(network) else (-1, 1)))
        part = f", layer {layer}" if layer else ""
        low, high = self.value_range
        self.title = f"{path.name}{part} (Keras model, {self.dimension} numbers, pixels from {low:g} to {high:g})"

    def describe(self, images: np.ndarray) -> np.ndarray:
        low, high = self.value_range
        found = self._network.predict_on_batch(images * np.float32((high - low) / 255) + np.float32(low))
        found = np.asarray(found, "float32")
        return found if found.ndim == 2 else found.mean(axis=(1, 2))

    def as_model(self, image_size: int):
        """The same as a Keras model of images in [-1, 1], see :func:`in_front`."""
        import keras

        low, high = self.value_range
        model = in_front(self._network, image_size, self.box, (high - low) / 2, (high + low) / 2)
        if len(model.output_shape) == 2:
            return model
        return keras.Model(model.inputs[0], keras.layers.GlobalAveragePooling2D()(model.outputs[0]))


def _side(network, path: Path) -> int:
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


def _scales_by_itself(network) -> bool:
    from keras import layers

    first = [layer for layer in network.layers if not isinstance(layer, layers.InputLayer)][:2]
    return any(isinstance(layer, (layers.Rescaling, layers.Normalization)) for layer in first)
