"""Pixel norm: at every place of a map, the vector of its channels is brought to the same length.

Source: Karras et al. 2018, "Progressive growing of GANs", section 4.2: ``b = a / √(mean_j a_j² + ε)`` with ε = 1e-8.
G has it after every convolution, so that its signals cannot grow without limit. StyleGAN uses it on the noise alone.

See also: ``models/gans/pggan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class PixelNorm(keras.layers.Layer):
    """Divide by the root mean square of the last axis: (..., channels) to the same shape, of mean square 1. No weights.

    Parameters
    ----------
    epsilon : float
        Added under the root: a vector of zeros stays zeros.
    """

    def __init__(self, epsilon: float = 1e-8, **options: Any) -> None:
        super().__init__(**options)
        self.epsilon = epsilon

    def call(self, inputs):
        values = ops.cast(inputs, "float32")  # squares in bfloat16 would lose half of their digits
        mean_square = ops.mean(values**2, axis=-1, keepdims=True)
        return ops.cast(values * ops.rsqrt(mean_square + self.epsilon), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}
