"""Convolutions that are fast on a CPU, on TensorFlow and on JAX.

Outputs and gradients are Keras's but for rounding. Slow on TensorFlow are the gradients of kernels on small maps
(``convolution_tensorflow.py``), slow on JAX are maps smaller than the kernel (``convolution_jax.py``). On a GPU and on
PyTorch everything is Keras's own.

See also: ``upsample_conv.py``, which joins ``UpSampling2D`` and its convolution.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import keras
from keras import ops

from keras_faces.fast.bias import plus_bias


def conv2d(layer: keras.layers.Conv2D, inputs: Any) -> Any:
    """The ``call`` of ``keras.layers.Conv2D``.

    Parameters
    ----------
    layer : keras.layers.Conv2D
        A built one.
    inputs : tensor, shape (batch, H, W, channels)
        The maps.

    Returns
    -------
    tensor, shape (batch, H', W', filters)
        In the layer's compute dtype.
    """
    if layer.data_format != "channels_last":
        return type(layer).call(layer, inputs)
    if _is_plain(layer) and layer.groups == 1:
        maps = convolution(inputs, layer.kernel, layer.strides[0], layer.padding)
    else:
        maps = layer.convolution_op(inputs, layer.kernel)
    return _finish(layer, maps)


def conv2d_transpose(layer: keras.layers.Conv2DTranspose, inputs: Any) -> Any:
    """The ``call`` of ``keras.layers.Conv2DTranspose``; parameters and shapes as of :func:`conv2d`."""
    if layer.data_format != "channels_last":
        return type(layer).call(layer, inputs)
    faster = _faster_here(inputs.dtype, inputs.shape[1:3], layer.kernel_size, transposed=True)
    if faster and _is_plain(layer):
        _, *shape = layer.compute_output_shape(inputs.shape)
        kernel = ops.convert_to_tensor(layer.kernel)  # in the layer's dtype
        maps = faster.transposed_convolution(inputs, kernel, layer.strides[0], layer.padding, shape)
    else:
        maps = ops.conv_transpose(
            inputs,
            layer.kernel,
            strides=list(layer.strides),
            padding=layer.padding,
            output_padding=layer.output_padding,
            dilation_rate=layer.dilation_rate,
            data_format=layer.data_format,
        )
    return _finish(layer, maps)


def _finish(layer: keras.layers.Conv2D | keras.layers.Conv2DTranspose, maps: Any) -> Any:
    """Bias and activation."""
    if layer.use_bias:
        maps = plus_bias(maps, layer.bias)
    return maps if layer.activation is None else layer.activation(maps)


def convolution(maps: Any, kernel: Any, strides: int = 1, padding: str = "same") -> Any:
    """Compute ``ops.conv`` in the form that is fastest here.

    Parameters
    ----------
    maps : tensor, shape (batch, H, W, channels)
        The input.
    kernel : tensor, shape (k, l, channels, filters)
        In the dtype of ``maps``; or a layer's weight, while the layer is called.
    strides : int
        Pixels from patch to patch, in both directions.
    padding : {"same", "valid"}
        As of Keras.

    Returns
    -------
    tensor, shape (batch, H', W', filters)
        In the dtype of ``maps``.
    """
    kernel = ops.convert_to_tensor(kernel)  # of a layer's weight, in the layer's dtype
    if strides > 1 and tuple(kernel.shape[:2]) == (1, 1):
        # It reads these pixels alone. TensorFlow's oneDNN gives such a kernel wrong gradients at some sizes.
        maps, strides = maps[:, ::strides, ::strides], 1
    pairs = zip(maps.shape[1:3], kernel.shape[:2], strict=True)
    sides = [side and along(side, size, strides, padding)[0] for side, size in pairs]
    if faster := _faster_here(maps.dtype, sides, kernel.shape[:2]):
        return faster.convolution(maps, kernel, strides, padding)
    return ops.conv(maps, kernel, strides=strides, padding=padding, data_format="channels_last")


def _faster_here(dtype: Any, sides: Any, size: Any, transposed: bool = False) -> ModuleType | None:
    """The module with the backend's own forms, where they are faster; ``sides`` are those of the smaller map."""
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        return None
    forms = importlib.import_module(f"keras_faces.fast.convolution_{backend}")
    return forms if forms.wins(keras.backend.standardize_dtype(dtype), sides, size, transposed) else None


def along(side: int, size: int, strides: int, padding: str) -> tuple[int, int, int]:
    """Return the size of a convolution's output in one direction, and its padding.

    Parameters
    ----------
    side, size : int
        Of the map and of the kernel in this direction.
    strides : int
        Pixels from patch to patch.
    padding : {"same", "valid"}
        As of Keras.

    Returns
    -------
    tuple of int
        Outputs, zeros before the map, zeros behind it.
    """
    if padding == "valid":
        return (side - size) // strides + 1, 0, 0
    outputs = -(-side // strides)
    zeros = max((outputs - 1) * strides + size - side, 0)
    return outputs, zeros // 2, zeros - zeros // 2


def _is_plain(layer: keras.layers.Layer) -> bool:
    one_stride = layer.strides[0] == layer.strides[1] and layer.dilation_rate == (1, 1)
    return one_stride and layer.data_format == "channels_last"
