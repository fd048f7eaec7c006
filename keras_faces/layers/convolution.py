"""Convolutions whose weights get their gradient from one product of matrices, where that is faster.

Source: our own use of a convolution's textbook form, patches times weights (Chellapilla et al. 2006, section 2).

An output of a convolution is the sum over a patch of the maps times the kernel. So the kernel's gradient is the sum,
over all outputs of a batch, of the patch that the output read times the slope of the loss by that output. With patches
and slopes as the rows of two matrices::

    patches: outputs × (k · k · channels)        slopes: outputs × filters
    gradient of the kernel  =  patchesᵀ · slopes

TensorFlow's operation goes through the maps one by one instead. On a CPU that is slow where they are small: on the 4×4
and 8×8 maps in the middle of every GAN it multiplies bfloat16 at a quarter to a half of the processor's rate, the one
product at three quarters (``benchmarks/kernel_gradient.py``). On larger maps, in float32 from 5×5 on, the patches cost
more than they save. The outputs, too, are one product, patches times kernel, where that is faster: in float32 on 4×4
maps with the largest kernels.

Layers, names and weights are Keras's; outputs and gradients, too, but for rounding. On a GPU and on the other backends
everything is Keras's own.

Read next: ``upsample_conv.py``, where a doubling and its convolution become one; ``batch_norm.py``.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.layers.bias import plus_bias

LARGEST_MAP = {"bfloat16": 12, "float32": 4}  # sides of the smaller map up to which the product wins, as measured
LARGE_KERNEL = 3_000_000  # weights from which on it wins for the outputs as well, in float32


@keras.saving.register_keras_serializable("keras_faces")
class Conv2D(keras.layers.Conv2D):
    """Keras's layer with Keras's parameters and weights; (batch, H, W, channels) to (batch, H', W', filters)."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        if _is_plain(self) and self.groups == 1:
            return convolution(inputs, kernel, self.strides[0], self.padding)
        return super().convolution_op(inputs, kernel)

    def call(self, inputs: Any) -> Any:
        if self.data_format != "channels_last":
            return super().call(inputs)
        maps = self.convolution_op(inputs, self.kernel)
        return self.activation(plus_bias(maps, self.bias) if self.use_bias else maps)


@keras.saving.register_keras_serializable("keras_faces")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Keras's layer with Keras's parameters and weights; (batch, H, W, channels) to (batch, H', W', filters)."""

    def call(self, inputs: Any) -> Any:
        if self.data_format != "channels_last":
            return super().call(inputs)
        maps = self.convolution_op(inputs)
        return self.activation(plus_bias(maps, self.bias) if self.use_bias else maps)

    def convolution_op(self, inputs: Any) -> Any:
        """The transposed convolution, without bias and activation."""
        if _is_plain(self) and _wins(inputs.dtype, inputs.shape[1:3]):
            _, *shape = self.compute_output_shape(inputs.shape)
            return _transposed(inputs, ops.convert_to_tensor(self.kernel), self.strides[0], self.padding, shape)
        return ops.conv_transpose(
            inputs,
            self.kernel,
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )


def convolution(maps: Any, kernel: Any, strides: int = 1, padding: str = "same") -> Any:
    """``ops.conv``; its gradient by ``kernel`` is made of patches where that is faster.

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
    along = zip(maps.shape[1:3], kernel.shape[:2], strict=True)
    sides = [side and _along(side, size, strides, padding)[0] for side, size in along]
    if not _wins(maps.dtype, sides):
        return ops.conv(maps, kernel, strides=strides, padding=padding, data_format="channels_last")
    import tensorflow as tf

    @tf.custom_gradient
    def forward(maps, kernel):
        def backward(slopes):
            by_maps = tf.nn.conv2d_transpose(slopes, kernel, tf.shape(maps), strides, padding.upper())
            return by_maps, kernel_gradient(maps, slopes, kernel.shape[:2], strides, padding)

        return _outputs(maps, kernel, strides, padding), backward

    return forward(tf.convert_to_tensor(maps), tf.convert_to_tensor(kernel))


def _transposed(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """The transposed convolution to maps of this shape: forward and backward change places with :func:`convolution`."""
    import tensorflow as tf

    @tf.custom_gradient
    def forward(maps, kernel):
        def backward(slopes):
            by_maps = _outputs(slopes, kernel, strides, padding)
            return by_maps, kernel_gradient(slopes, maps, kernel.shape[:2], strides, padding)

        larger = tf.nn.conv2d_transpose(maps, kernel, [tf.shape(maps)[0], *shape], strides, padding.upper())
        return larger, backward

    return forward(tf.convert_to_tensor(maps), tf.convert_to_tensor(kernel))


def kernel_gradient(maps: Any, slopes: Any, size: tuple[int, int], strides: int, padding: str) -> Any:
    """The gradient of a convolution's kernel, as the product of patches and slopes. TensorFlow alone.

    Parameters
    ----------
    maps
        What the convolution read, (batch, H, W, channels).
    slopes
        The loss's derivatives by the outputs, (batch, H', W', filters).
    size
        Sides of the kernel, (k, l).
    strides, padding
        As in :func:`convolution`.

    Returns
    -------
    (k, l, channels, filters), in the dtype of ``slopes``.
    """
    import tensorflow as tf

    patches, filters = patches_of(maps, size, strides, padding), slopes.shape[-1]
    patches = tf.reshape(patches, [-1, patches.shape[-1]])
    product = tf.matmul(patches, tf.reshape(slopes, [-1, filters]), transpose_a=True)
    return tf.reshape(product, [*size, maps.shape[-1], filters])


def patches_of(maps: Any, size: tuple[int, int], strides: int, padding: str) -> Any:
    """The patch that each output of a convolution reads: (batch, H', W', k · l · channels)."""
    import tensorflow as tf

    _, height, width, channels = maps.shape
    rows, above, below = _along(height, size[0], strides, padding)
    columns, left, right = _along(width, size[1], strides, padding)
    padded = tf.pad(maps, [[0, 0], [above, below], [left, right], [0, 0]])
    pixels = tf.reshape(padded, [-1, padded.shape[1] * padded.shape[2], channels])

    row = strides * np.arange(rows)[:, None] + np.arange(size[0])  # of each output, each place in its patch
    column = strides * np.arange(columns)[:, None] + np.arange(size[1])
    places = row[:, None, :, None] * padded.shape[2] + column[None, :, None, :]  # H', W', k, l
    patches = tf.gather(pixels, places.ravel().astype("int32"), axis=1)
    return tf.reshape(patches, [-1, rows, columns, size[0] * size[1] * channels])


def _outputs(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """The convolution itself; here the maps are small."""
    import tensorflow as tf

    if maps.dtype == tf.bfloat16 or np.prod(kernel.shape) < LARGE_KERNEL:
        return tf.nn.conv2d(maps, kernel, strides, padding.upper())
    patches = patches_of(maps, kernel.shape[:2], strides, padding)
    return tf.tensordot(patches, tf.reshape(kernel, [-1, kernel.shape[-1]]), 1)


def _along(side: int, size: int, strides: int, padding: str) -> tuple[int, int, int]:
    """How many outputs there are along a side, and the zeros that "same" adds before and behind it."""
    if padding == "valid":
        return (side - size) // strides + 1, 0, 0
    outputs = -(-side // strides)
    zeros = max((outputs - 1) * strides + size - side, 0)
    return outputs, zeros // 2, zeros - zeros // 2


def _is_plain(layer: keras.layers.Layer) -> bool:
    one_stride = layer.strides[0] == layer.strides[1] and layer.dilation_rate == (1, 1)
    return one_stride and layer.data_format == "channels_last"


def _wins(dtype: Any, sides: Any) -> bool:
    """The measured rule; ``sides`` are those of the smaller map, None where unknown."""
    largest = LARGEST_MAP.get(keras.backend.standardize_dtype(dtype), 0)
    if keras.backend.backend() != "tensorflow" or None in sides or max(sides) > largest:
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU")
