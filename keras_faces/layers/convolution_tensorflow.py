"""Convolutions on TensorFlow and a CPU, whose weights get their gradient from one product of matrices.

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

Read next: ``convolution_jax.py``, where other things are slow; ``upsample_conv.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_faces.layers.convolution import along

LARGEST_MAP = {"bfloat16": 12, "float32": 4}  # sides of the smaller map up to which the product wins, as measured
LARGE_KERNEL = 3_000_000  # weights from which on it wins for the outputs as well, in float32


def wins(dtype: str, sides: Any, size: Any, transposed: bool = False) -> bool:
    """The measured rule; ``sides`` are those of the smaller map, None where unknown, ``size`` those of the kernel."""
    known = None not in sides and max(sides) <= LARGEST_MAP.get(dtype, 0)
    return known and not tf.config.list_physical_devices("GPU")


def convolution(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """Maps (batch, H, W, channels) and a kernel (k, l, channels, filters) to (batch, H', W', filters)."""

    @tf.custom_gradient
    def forward(maps, kernel):
        def backward(slopes):
            by_maps = tf.nn.conv2d_transpose(slopes, kernel, tf.shape(maps), strides, padding.upper())
            return by_maps, kernel_gradient(maps, slopes, kernel.shape[:2], strides, padding)

        return _outputs(maps, kernel, strides, padding), backward

    return forward(tf.convert_to_tensor(maps), tf.convert_to_tensor(kernel))


def transposed_convolution(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """Maps (batch, H, W, channels) and a kernel (k, l, filters, channels) to (batch, *shape).

    Forward and backward change places with :func:`convolution`.
    """

    @tf.custom_gradient
    def forward(maps, kernel):
        def backward(slopes):
            by_maps = _outputs(slopes, kernel, strides, padding)
            return by_maps, kernel_gradient(slopes, maps, kernel.shape[:2], strides, padding)

        larger = tf.nn.conv2d_transpose(maps, kernel, [tf.shape(maps)[0], *shape], strides, padding.upper())
        return larger, backward

    return forward(tf.convert_to_tensor(maps), tf.convert_to_tensor(kernel))


def kernel_gradient(maps: Any, slopes: Any, size: tuple[int, int], strides: int, padding: str) -> Any:
    """The gradient of a convolution's kernel, as the product of patches and slopes.

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
    patches, filters = patches_of(maps, size, strides, padding), slopes.shape[-1]
    patches = tf.reshape(patches, [-1, patches.shape[-1]])
    product = tf.matmul(patches, tf.reshape(slopes, [-1, filters]), transpose_a=True)
    return tf.reshape(product, [*size, maps.shape[-1], filters])


def patches_of(maps: Any, size: tuple[int, int], strides: int, padding: str) -> Any:
    """The patch that each output of a convolution reads: (batch, H', W', k · l · channels)."""
    _, height, width, channels = maps.shape
    rows, above, below = along(height, size[0], strides, padding)
    columns, left, right = along(width, size[1], strides, padding)
    padded = tf.pad(maps, [[0, 0], [above, below], [left, right], [0, 0]])
    pixels = tf.reshape(padded, [-1, padded.shape[1] * padded.shape[2], channels])

    row = strides * np.arange(rows)[:, None] + np.arange(size[0])  # of each output, each place in its patch
    column = strides * np.arange(columns)[:, None] + np.arange(size[1])
    places = row[:, None, :, None] * padded.shape[2] + column[None, :, None, :]  # H', W', k, l
    patches = tf.gather(pixels, places.ravel().astype("int32"), axis=1)
    return tf.reshape(patches, [-1, rows, columns, size[0] * size[1] * channels])


def _outputs(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """The convolution itself; here the maps are small."""
    if maps.dtype == tf.bfloat16 or np.prod(kernel.shape) < LARGE_KERNEL:
        return tf.nn.conv2d(maps, kernel, strides, padding.upper())
    patches = patches_of(maps, kernel.shape[:2], strides, padding)
    return tf.tensordot(patches, tf.reshape(kernel, [-1, kernel.shape[-1]]), 1)
