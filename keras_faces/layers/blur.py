"""Blurring with the binomial filter 1 2 1, alone, with a doubling, or with a halving of the sides.

Source: Karras et al. 2019, section 2 (row B of table 1, "bilinear up/downsampling"), after Zhang 2019. Repeating every
pixel, then 1 2 1, gives 1 3 3 1: bilinear interpolation. 1 2 1, then the mean of every 2×2, gives 1 3 3 1 on the way
down, so that no pixel is skipped and fine stripes do not become broad ones.

At the borders the weights that would fall outside are left out, and the others scaled to the sum 1.

See also: ``models/gans/stylegan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

_ALONG = np.array([1, 2, 1]) / 4
_SCALES = {"same": 1, "up": 2, "down": 0.5}


@keras.saving.register_keras_serializable("keras_faces")
class Blur(keras.layers.Layer):
    """The binomial filter over maps (batch, H, W, channels), each channel alone. No weights.

    Parameters
    ----------
    sampling : str
        "same": 1 2 1 over 4 along each side, the size stays. "up": twice the sides, 1 3 3 1 over 4 (bilinear).
        "down": half the sides, which must be even, 1 3 3 1 over 8.

    Raises
    ------
    ValueError
        For another ``sampling``; when built for maps of unknown size, or of odd sides with "down".
    """

    def __init__(self, sampling: str = "same", **options: Any) -> None:
        super().__init__(**options)
        if sampling not in _SCALES:
            raise ValueError(f'sampling={sampling!r}: choose from "same", "up", "down".')
        self.sampling = sampling

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if height is None or width is None:
            raise ValueError("Blur needs maps of a known size: at the borders its weights are others.")
        if self.sampling == "down" and (height % 2 or width % 2):
            raise ValueError(f"maps of {height}×{width} cannot be halved: the sides must be even.")
        larger = 2 if self.sampling == "up" else 1
        inside = [np.convolve(np.ones(larger * side), _ALONG, "full")[1:-1] for side in (height, width)]
        self.border = (1.0 / np.outer(*inside))[None, :, :, None].astype("float32")
        kernel = np.outer(_ALONG, _ALONG)[:, :, None, None]
        self.kernel = np.tile(kernel, (1, 1, channels, 1)).astype("float32")  # each channel alone

    def call(self, maps):
        kernel, border = (ops.cast(part, self.compute_dtype) for part in (self.kernel, self.border))
        if self.sampling == "up":
            maps = ops.repeat(ops.repeat(maps, 2, axis=1), 2, axis=2)
        maps = ops.depthwise_conv(maps, kernel, padding="same", data_format="channels_last") * border
        if self.sampling == "down":
            maps = ops.average_pool(maps, 2, strides=2, data_format="channels_last")
        return maps

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = [side and int(side * _SCALES[self.sampling]) for side in (height, width)]
        return (batch, *sides, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sampling": self.sampling}
