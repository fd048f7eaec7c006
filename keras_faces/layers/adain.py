"""AdaIN, adaptive instance normalisation: a style sets the mean and the deviation of every channel of an image.

Source: the dissertation, eq. 2.14, after Karras et al. 2019, eq. 1: ``AdaIN(x_i, y) = y_s,i (x_i - μ(x_i)) / σ(x_i) +
y_b,i``. μ and σ are taken over the pixels of one channel of one image. (The dissertation calls σ(x_i) the variance; it
is the standard deviation.)

See also: ``models/gans/stylegan.py``, where the styles come from.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class AdaIN(keras.layers.Layer):
    """Normalise each channel of each image, then give it the style's deviation and mean. No weights.

    Called with ``maps`` (batch, H, W, channels), ``scale`` y_s and ``shift`` y_b, both (batch, channels). Channel i of
    the result has the mean ``shift[i]`` and the standard deviation ``|scale[i]|``.

    Parameters
    ----------
    epsilon : float
        Added to the variance under the root: a constant channel becomes ``shift``.

    Raises
    ------
    ValueError
        When built, if maps, scale and shift do not have the same number of channels.
    """

    def __init__(self, epsilon: float = 1e-8, **options: Any) -> None:
        super().__init__(**options)
        self.epsilon = epsilon

    def build(self, maps_shape, scale_shape, shift_shape):
        if not maps_shape[-1] == scale_shape[-1] == shift_shape[-1]:
            raise ValueError(
                f"AdaIN: maps of {maps_shape[-1]} channels need as many scales and shifts, not {scale_shape[-1]} "
                f"and {shift_shape[-1]}."
            )

    def call(self, maps, scale, shift):
        values = ops.cast(maps, "float32")  # statistics over many pixels need more digits than bfloat16 has
        mean = ops.mean(values, axis=(1, 2), keepdims=True)
        centred = values - mean
        variance = ops.mean(centred**2, axis=(1, 2), keepdims=True)
        scale, shift = (ops.cast(part, "float32")[:, None, None, :] for part in (scale, shift))
        styled = centred * (ops.rsqrt(variance + self.epsilon) * scale) + shift
        return ops.cast(styled, self.compute_dtype)

    def compute_output_shape(self, maps_shape, scale_shape, shift_shape):
        return maps_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}
