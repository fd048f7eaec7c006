"""Resizing as two matrix products, on whatever device the deep-learning backend has.

Averaging areas is linear: a result's row d is the sum over the picture's rows s of ``weights[d, s] · row[s]``, where a
weight is the share of source pixel s in the stretch that d covers; the same for columns. So a batch of pictures (N, H,
W, 3) becomes ``rows @ pictures @ columnsᵀ``, which is what GPUs are built for. The bicubic curve, for pictures that
grow, is linear too. The weights are OpenCV's own: `computeResizeAreaTab` and `interpolateCubic` in its resize.cpp.

This is the only file of data_prep that imports a framework, and only when `Accelerator()` is made. The backend is
Keras's: KERAS_BACKEND, or ~/.keras/keras.json. What to read next: ``pipeline.py``.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np

from keras_faces.data.pictures import single_step, to_square

_BATCH_BYTES = 2**25  # of one product: pixels of pictures of one shape, four bytes each


class Accelerator:
    """`data_prep.devices.Device` on the deep-learning backend.

    Raises
    ------
    ImportError
        Keras's backend is not installed.
    """

    name, batch_bytes = "accelerator", _BATCH_BYTES // 4

    def __init__(self) -> None:
        import keras

        self._keras = keras
        self._lock = threading.Lock()  # one batch at a time is what fits a device
        place = keras.ops.convert_to_tensor(np.zeros(1, np.float32))
        where = str(getattr(place, "device", "")).rpartition("/")[2] or "default device"
        self.label = f"accelerator ({keras.backend.backend()}, {where})"

    def resize(self, images: list[np.ndarray], size: int) -> list[np.ndarray]:
        results = list(images)
        for numbers in _same_shapes(images):
            if single_step(images[numbers[0]], size) is None:
                batch = [to_square(images[number], size, "none") for number in numbers]
            else:
                with self._lock:
                    batch = self._resize(np.stack([images[number] for number in numbers]), size)
            for number, image in zip(numbers, batch, strict=True):
                results[number] = image
        return results

    def _resize(self, batch: np.ndarray, size: int) -> np.ndarray:
        """All sides shrink, or all grow; a side that has the size already keeps its pixels."""
        height, width = batch.shape[1:3]
        weights = area_weights if max(height, width) > size else cubic_weights
        pixels = self._product(batch, weights(height, size), weights(width, size))
        return np.asarray(self._keras.ops.convert_to_numpy(pixels)).astype(np.uint8)

    def _product(self, pixels, rows: np.ndarray, columns: np.ndarray):
        ops = self._keras.ops
        pixels = ops.cast(ops.convert_to_tensor(pixels), "float32")
        pixels = ops.einsum("ab,nbwc->nawc", ops.convert_to_tensor(rows), pixels)
        pixels = ops.einsum("ab,nhbc->nhac", ops.convert_to_tensor(columns), pixels)
        return ops.clip(ops.round(pixels), 0, 255)


def _same_shapes(images: list[np.ndarray]) -> list[list[int]]:
    """The numbers of the images, grouped by shape, no group larger than a batch may be."""
    groups: dict[tuple, list[list[int]]] = {}
    for number, image in enumerate(images):
        most = max(1, _BATCH_BYTES // (4 * image.size))
        of_shape = groups.setdefault(image.shape, [[]])
        if len(of_shape[-1]) >= most:
            of_shape.append([])
        of_shape[-1].append(number)
    return [group for of_shape in groups.values() for group in of_shape]


@lru_cache(maxsize=64)
def area_weights(length: int, result: int) -> np.ndarray:
    """Share of each of `length` pixels in each of `result` ≤ `length`: float32, (result, length), rows sum to 1."""
    scale = length / result
    start = np.arange(result)[:, None] * scale
    pixel = np.arange(length)[None, :]
    overlap = np.minimum(pixel + 1, start + scale) - np.maximum(pixel, start)
    return (np.clip(overlap, 0, 1) / scale).astype(np.float32)


@lru_cache(maxsize=64)
def cubic_weights(length: int, result: int) -> np.ndarray:
    """Weights of the bicubic curve with a = −0.75; the edge pixels go on beyond the edge. float32, (result, length)."""
    place = (np.arange(result) + 0.5) * (length / result) - 0.5
    left = np.floor(place).astype(int)
    weights = np.zeros((result, length))
    for offset in (-1, 0, 1, 2):
        pixel = np.clip(left + offset, 0, length - 1)
        np.add.at(weights, (np.arange(result), pixel), _cubic(place - left - offset))
    return weights.astype(np.float32)


def _cubic(distance: np.ndarray, a: float = -0.75) -> np.ndarray:
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))
