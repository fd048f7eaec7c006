"""A bias whose gradient is summed in float32, and the dense layer.

A bias is added at every pixel of a batch, so its gradient is a sum over all of them: 64 maps of 64×64 have 262,144
pixels. bfloat16 has eight binary digits: once a sum is 256 times as large as a summand, it does not grow any more.
TensorFlow's ``BiasAddGrad`` on a CPU and XLA's sums of bfloat16 lose most of the gradient so: of 262,144 equal summands
they find 0.2 % and 0.8 %. Matrix products accumulate in float32; so does a sum of values that were cast first.

Outputs are Keras's. In float32, and on TensorFlow's GPUs, whose operation adds in float32, so are the gradients.

See also: ``convolution.py``, which adds its bias with this; ``docs/speed.md``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def dense(layer: keras.layers.Dense, inputs: Any, training: bool | None = None) -> Any:
    """The ``call`` of ``keras.layers.Dense``.

    Parameters
    ----------
    layer : keras.layers.Dense
        A built one.
    inputs : tensor, shape (batch, ..., channels)
        The features.
    training
        Has no effect, as in Keras.

    Returns
    -------
    tensor, shape (batch, ..., units)
        In the layer's compute dtype.
    """
    outputs = ops.matmul(inputs, layer.kernel)
    if layer.use_bias:
        outputs = plus_bias(outputs, layer.bias)
    return outputs if layer.activation is None else layer.activation(outputs)


def plus_bias(maps: Any, bias: Any) -> Any:
    """Add a bias whose gradient is summed in float32.

    Parameters
    ----------
    maps : tensor, shape (..., channels)
        Maps or features.
    bias : tensor, shape (channels,)
        In the dtype of ``maps``; or a layer's weight, while the layer is called.

    Returns
    -------
    tensor, shape (..., channels)
        In the dtype of ``maps``.
    """
    if not _sums_are_short(maps.dtype):
        return ops.add(maps, bias)

    @ops.custom_gradient
    def forward(maps, bias):
        return ops.add(maps, bias), lambda upstream_grad: (upstream_grad, _sum(upstream_grad))

    return forward(maps, ops.cast(bias, maps.dtype))


def _sum(maps: Any) -> Any:
    """The sum over all but the channels, added in float32: (channels,)."""
    rows = ops.reshape(maps, (-1, maps.shape[-1]))
    if keras.backend.backend() == "jax":
        return ops.cast(ops.sum(ops.cast(rows, "float32"), axis=0), maps.dtype)
    return ops.matmul(ops.ones((1, ops.shape(rows)[0]), maps.dtype), rows)[0]  # no float32 copy of the maps


def _sums_are_short(dtype: Any) -> bool:
    """Whether the backend would add 16-bit numbers in 16 bits."""
    if keras.backend.standardize_dtype(dtype) not in ("bfloat16", "float16"):
        return False
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.config.list_physical_devices("GPU")
    return keras.backend.backend() == "jax"
