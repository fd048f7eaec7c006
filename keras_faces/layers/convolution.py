"""Convolutions that a CPU computes as fast as it can, on TensorFlow and on JAX.

Layers, names and weights are Keras's; outputs and gradients, too, but for rounding. What is slow on a CPU, and how the
same numbers come faster, each backend's file says: the gradients of kernels of small maps on TensorFlow
(``convolution_tensorflow.py``), maps smaller than the kernel on JAX (``convolution_jax.py``). On a GPU and on PyTorch
everything is Keras's own.

Read next: ``convolution_tensorflow.py``; ``upsample_conv.py``, where a doubling and its convolution become one.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import keras
from keras import ops

from keras_faces.layers.bias import plus_bias


class _WithBias:
    """What both layers share: the operation of their own, then the bias of ``bias.py``, then the activation."""

    def call(self, inputs: Any) -> Any:
        if self.data_format != "channels_last":
            return super().call(inputs)
        maps = self.convolution_op(inputs, self.kernel)
        return self.activation(plus_bias(maps, self.bias) if self.use_bias else maps)


@keras.saving.register_keras_serializable("keras_faces")
class Conv2D(_WithBias, keras.layers.Conv2D):
    """Keras's layer with Keras's parameters and weights; (batch, H, W, channels) to (batch, H', W', filters)."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        if _is_plain(self) and self.groups == 1:
            return convolution(inputs, kernel, self.strides[0], self.padding)
        return super().convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable("keras_faces")
class Conv2DTranspose(_WithBias, keras.layers.Conv2DTranspose):
    """Keras's layer with Keras's parameters and weights; (batch, H, W, channels) to (batch, H', W', filters)."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The transposed convolution, without bias and activation."""
        faster = _faster_here(inputs.dtype, inputs.shape[1:3], self.kernel_size, transposed=True)
        if faster and _is_plain(self):
            _, *shape = self.compute_output_shape(inputs.shape)
            kernel = ops.convert_to_tensor(kernel)  # of the layer's weight, in the layer's dtype
            return faster.transposed_convolution(inputs, kernel, self.strides[0], self.padding, shape)
        return ops.conv_transpose(
            inputs,
            kernel,
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


def convolution(maps: Any, kernel: Any, strides: int = 1, padding: str = "same") -> Any:
    """``ops.conv``, in the form that is fastest here.

    Parameters
    ----------
    maps
        (batch, H, W, channels).
    kernel
        (k, l, channels, filters), in the dtype of ``maps``.
    strides
        Pixels from patch to patch, along both sides.
    padding
        "same" or "valid".

    Returns
    -------
    (batch, H', W', filters).
    """
    kernel = ops.convert_to_tensor(kernel)  # of a layer's weight, in the layer's dtype
    pairs = zip(maps.shape[1:3], kernel.shape[:2], strict=True)
    sides = [side and along(side, size, strides, padding)[0] for side, size in pairs]
    if faster := _faster_here(maps.dtype, sides, kernel.shape[:2]):
        return faster.convolution(maps, kernel, strides, padding)
    return ops.conv(maps, kernel, strides=strides, padding=padding, data_format="channels_last")


def _faster_here(dtype: Any, sides: Any, size: Any, transposed: bool = False) -> ModuleType | None:
    """The file with the backend's own forms, where they win; ``sides`` are those of the smaller map."""
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        return None
    forms = importlib.import_module(f"keras_faces.layers.convolution_{backend}")
    return forms if forms.wins(keras.backend.standardize_dtype(dtype), sides, size, transposed) else None


def along(side: int, size: int, strides: int, padding: str) -> tuple[int, int, int]:
    """How many outputs there are along a side, and the zeros that "same" adds before and behind it."""
    if padding == "valid":
        return (side - size) // strides + 1, 0, 0
    outputs = -(-side // strides)
    zeros = max((outputs - 1) * strides + size - side, 0)
    return outputs, zeros // 2, zeros - zeros // 2


def _is_plain(layer: keras.layers.Layer) -> bool:
    one_stride = layer.strides[0] == layer.strides[1] and layer.dilation_rate == (1, 1)
    return one_stride and layer.data_format == "channels_last"
