"""``file:FOLDER``: dlib's face recogniser, a ResNet whose 128 features are near each other for one person.

Davis King trained it on three million faces (dlib 19.3, 2017). face-api.js and its continuation by Vladimir Mandić hold
it as ``face_recognition_model-weights_manifest.json`` with files of weights, most of them uint8 with a scale and a
minimum. The user brings such a folder. The network follows the names in the manifest: "conv32_down" is one convolution,
every other group a residual block of two, and "down" halves the side. The scale and bias after each convolution are
folded into its weights. The face must fill the image: on CelebA, use the box "celeba-face".
"""

from __future__ import annotations

import json
from pathlib import Path, PurePath

import numpy as np

from keras_faces.files import read_file
from keras_faces.metrics.features.base import Box, Features, in_front

MEAN = (122.782, 117.001, 104.298)  # of R, G and B in the training faces, subtracted before the first layer
SIDE = 150
_MANIFEST = "*weights_manifest.json"


class RecogniserFeatures(Features):
    """dlib's descriptor of a face, float32 (N, 128).

    Parameters
    ----------
    folder : str or Path
        With the manifest and the files of weights that it names.
    box : str or (top, bottom, left, right), optional

    Raises
    ------
    ValueError
        If the folder holds no such network, or its files are damaged.
    """

    def __init__(self, folder: str | Path, box: str | Box | None = None) -> None:
        super().__init__(SIDE, box)
        folder = Path(folder)
        weights = read_weights(folder)
        try:
            self._network = network(weights)
        except KeyError as error:
            raise ValueError(f"{folder}: its manifest lacks {error}; this is not dlib's face recogniser.") from error
        self.dimension = self._network.output_shape[-1]
        self.title = f"dlib ResNet face recogniser ({folder.name}, {self.dimension} numbers)"

    def describe(self, images: np.ndarray) -> np.ndarray:
        return self._network.predict_on_batch((images - np.array(MEAN, "float32")) / np.float32(256))

    def as_model(self, image_size: int):
        """The same as a Keras model of images in [-1, 1], see :func:`in_front`."""
        offset = [(127.5 - mean) / 256 for mean in MEAN]
        return in_front(self._network, image_size, self.box, 127.5 / 256, offset)


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a folder in TensorFlow.js's format: float32, by name, in the order of the manifest.

    Raises
    ------
    ValueError
        If there is not exactly one manifest, or the files are shorter or longer than it says.
    """
    manifests = sorted(folder.glob(_MANIFEST))
    if len(manifests) != 1:
        found = ", ".join(sorted(file.name for file in folder.iterdir())[:10]) or "nothing"
        raise ValueError(f"{folder} must hold one {_MANIFEST}, and holds {found}.")
    weights = {}
    try:
        groups = json.loads(read_file(manifests[0]))
        for group in groups:
            if outside := [name for name in group["paths"] if PurePath(name).name != name]:
                raise ValueError(f"it names {outside[0]!r}, and may name files of its own folder alone")
            data = b"".join(read_file(folder / name) for name in group["paths"])
            at = 0
            for entry in group["weights"]:
                weights[entry["name"]], at = _array(entry, data, at)
            if at != len(data):
                raise ValueError(f"{', '.join(group['paths'])} hold {len(data):,} bytes, the manifest says {at:,}")
        if not weights:
            raise ValueError("it names no weights")
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ValueError(f"{manifests[0]} and its weights cannot be read: {error}. Fetch the folder anew.") from error
    return weights


def _array(entry: dict, data: bytes, at: int) -> tuple[np.ndarray, int]:
    """One array of the manifest, and the offset of the next; a quantised one is number * scale + min."""
    quantised = entry.get("quantization")
    dtype = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
    count = int(np.prod(entry["shape"]))
    values = np.frombuffer(data, dtype, count, at).astype("float32").reshape(entry["shape"])
    if quantised:
        values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
    return values, at + count * dtype.itemsize


# ------------------------------------------------------------------------------------------------ the network


def network(weights: dict[str, np.ndarray]):
    """The ResNet as a Keras model: from images (150, 150, 3), minus the mean and divided by 256, to (128,)."""
    import keras
    from keras import layers, ops

    inputs = keras.Input((SIDE, SIDE, 3))
    blocks = list(dict.fromkeys(name.split("/")[0] for name in weights if "/" in name))
    if not blocks:
        raise KeyError("conv32_down")
    x = _convolution(weights, blocks[0], inputs, strides=2)
    x = layers.MaxPooling2D(3, strides=2)(ops.relu(x))  # 72, 72, 32 → 35, 35, 32
    for block in blocks[1:]:  # 35, 35, 32 → 17, 17, 64 → 8, 8, 128 → 4, 4, 256 → 2, 2, 256
        x = _residual(weights, block, x)
    x = layers.GlobalAveragePooling2D()(x)  # 256
    outputs = layers.Dense(weights["fc"].shape[1], use_bias=False, name="descriptor")  # 128
    found = outputs(x)
    outputs.set_weights([weights["fc"]])
    return keras.Model(inputs, found, name="recogniser")


def _residual(weights: dict[str, np.ndarray], block: str, x):
    """relu(x + conv2(relu(conv1(x)))); a "down" block averages x over 2×2 and pads both with zeros."""
    from keras import layers, ops

    is_down = "down" in block
    y = ops.relu(_convolution(weights, f"{block}/conv1", x, strides=2 if is_down else 1))
    y = _convolution(weights, f"{block}/conv2", y)
    if is_down:
        x = layers.AveragePooling2D(2)(x)
        y = _filled(y, like=x, axes=(1, 2))
        x = _filled(x, like=y, axes=(3,))
    return ops.relu(x + y)


def _filled(x, like, axes: tuple[int, ...]):
    """``x`` padded with zeros at the end to the length of ``like`` along the axes."""
    from keras import ops

    missing = [like.shape[axis] - x.shape[axis] if axis in axes else 0 for axis in range(4)]
    return ops.pad(x, [(0, count) for count in missing]) if any(missing) else x


def _convolution(weights: dict[str, np.ndarray], name: str, x, strides: int = 1):
    """A convolution with scaled and shifted channels; with stride 2 it has no padding."""
    from keras import layers

    scale = weights[f"{name}/scale/weights"]
    kernel = weights[f"{name}/conv/filters"] * scale
    bias = weights[f"{name}/conv/bias"] * scale + weights[f"{name}/scale/biases"]
    layer = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], strides, padding="same" if strides == 1 else "valid")
    y = layer(x)
    layer.set_weights([kernel, bias])
    return y
