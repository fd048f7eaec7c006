"""A bias whose gradient is summed in float32, and the dense layer that has one.

A bias is added at every pixel of every map of a batch, so its gradient is the sum of the loss's slopes over all of
them: 64 maps of 64×64 are 262,144 numbers. bfloat16 has eight binary digits. Once a sum in it is 256 times as large as
what is added, nothing more is added, and the rest of the batch goes unheard. TensorFlow's operation on a CPU
(``BiasAddGrad``) and XLA's sums of bfloat16 do just that: of 262,144 equal slopes they find 0.2 % and 0.8 %. Products
of matrices add in float32, whatever they multiply; so does a sum that is told to.

Outputs are Keras's. In float32, and on TensorFlow's GPU, whose operation adds in float32, so are the gradients.

Read next: ``convolution.py``, whose layers add their bias with this.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class Dense(keras.layers.Dense):
    """Keras's layer with Keras's parameters and weights; (batch, ..., channels) to (batch, ..., units)."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        outputs = ops.matmul(inputs, self.kernel)
        return self.activation(plus_bias(outputs, self.bias) if self.use_bias else outputs)


def plus_bias(maps: Any, bias: Any) -> Any:
    """``maps + bias``, the bias's gradient summed in float32.

    Parameters
    ----------
    maps
        (..., channels).
    bias
        (channels,), in the dtype of ``maps``; or a layer's weight, while the layer is called.

    Returns
    -------
    (..., channels), in the dtype of ``maps``.
    """
    if not _sums_are_short(maps.dtype):
        return ops.add(maps, bias)

    @ops.custom_gradient
    def forward(maps, bias):
        return ops.add(maps, bias), lambda slopes: (slopes, _sum(slopes))

    return forward(maps, ops.cast(bias, maps.dtype))


def _sum(slopes: Any) -> Any:
    """The sum over all but the channels, added in float32: (channels,)."""
    rows = ops.reshape(slopes, (-1, slopes.shape[-1]))
    if keras.backend.backend() == "jax":
        return ops.cast(ops.sum(ops.cast(rows, "float32"), axis=0), slopes.dtype)
    return ops.matmul(ops.ones((1, ops.shape(rows)[0]), slopes.dtype), rows)[0]  # no float32 copy of the slopes


def _sums_are_short(dtype: Any) -> bool:
    """Whether the backend would add 16-bit numbers in 16 bits."""
    if keras.backend.standardize_dtype(dtype) not in ("bfloat16", "float16"):
        return False
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.config.list_physical_devices("GPU")
    return keras.backend.backend() == "jax"
