"""Convolutions on TensorFlow and a CPU, with the gradient of the kernel as one matrix product.

Source: a convolution as patches times weights (Chellapilla et al. 2006, section 2).

An output of a convolution is the sum over a patch of the maps times the kernel. So the kernel's gradient is the sum,
over all outputs of a batch, of the patch times the gradient of that output. With both as the rows of matrices::

    patches: outputs × (k · k · channels)        upstream gradient: outputs × filters
    gradient of the kernel  =  patchesᵀ · upstream gradient

TensorFlow's operation works map by map. On a CPU that is slow for small maps: on the 4×4 and 8×8 maps in the middle of
every GAN it multiplies bfloat16 at a quarter to a half of the processor's rate, the one product at three quarters
(``benchmarks/kernel_gradient.py``). On larger maps the patches cost more than they save. The outputs, too, are one
product, patches times kernel, where that is faster: in float32 on 4×4 maps with the largest kernels.

See also: ``convolution.py``, which calls this; ``docs/speed.md``, "A kernel's gradient as one product".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_faces.fast.convolution import along

LARGEST_MAP = {"bfloat16": 12, "float32": 4}  # sides of the smaller map up to which the product wins, as measured
LARGE_KERNEL = 3_000_000  # weights from which on it wins for the outputs as well, in float32


def wins(dtype: str, sides: Any, size: Any, transposed: bool = False) -> bool:
    """Return whether the product is faster, by a measured rule.

    Parameters
    ----------
    dtype : str
        Of the maps.
    sides : sequence of int or None
        Height and width of the smaller map, ``None`` where unknown.
    size, transposed
        Of the kernel, and whether the convolution is a transposed one; they decide nothing here.
    """
    known = None not in sides and max(sides) <= LARGEST_MAP.get(dtype, 0)
    return known and not tf.config.list_physical_devices("GPU")


def convolution(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """Compute a convolution.

    Parameters
    ----------
    maps : tf.Tensor, shape (batch, H, W, channels)
        The input.
    kernel : tf.Tensor, shape (k, l, channels, filters)
        The weights.
    strides : int
        Pixels from patch to patch.
    padding : {"same", "valid"}
        As of Keras.

    Returns
    -------
    tf.Tensor, shape (batch, H', W', filters)
        The output.
    """

    @tf.custom_gradient
    def forward(maps, kernel):
        def backward(upstream_grad):
            by_maps = tf.nn.conv2d_transpose(upstream_grad, kernel, tf.shape(maps), strides, padding.upper())
            return by_maps, kernel_gradient(maps, upstream_grad, kernel.shape[:2], strides, padding)

        return _outputs(maps, kernel, strides, padding), backward

    return forward(tf.convert_to_tensor(maps), tf.convert_to_tensor(kernel))


def transposed_convolution(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """Compute a transposed convolution; ``maps``, ``strides`` and ``padding`` as of :func:`convolution`.

    Parameters
    ----------
    kernel : tf.Tensor, shape (k, l, filters, channels)
        The weights.
    shape : tuple of int
        Height, width and filters of the output.

    Returns
    -------
    tf.Tensor, shape (batch, *shape)
        The output.
    """

    @tf.custom_gradient
    def forward(maps, kernel):
        def backward(upstream_grad):
            by_maps = _outputs(upstream_grad, kernel, strides, padding)
            return by_maps, kernel_gradient(upstream_grad, maps, kernel.shape[:2], strides, padding)

        larger = tf.nn.conv2d_transpose(maps, kernel, [tf.shape(maps)[0], *shape], strides, padding.upper())
        return larger, backward

    return forward(tf.convert_to_tensor(maps), tf.convert_to_tensor(kernel))


def kernel_gradient(maps: Any, upstream_grad: Any, size: tuple[int, int], strides: int, padding: str) -> Any:
    """Return the gradient of a convolution's kernel, as one matrix product.

    Parameters
    ----------
    maps : tf.Tensor, shape (batch, H, W, channels)
        The input of the convolution.
    upstream_grad : tf.Tensor, shape (batch, H', W', filters)
        The gradient of its output.
    size : tuple of int
        Height and width of the kernel, (k, l).
    strides, padding
        As of :func:`convolution`.

    Returns
    -------
    tf.Tensor, shape (k, l, channels, filters)
        In the dtype of ``upstream_grad``.
    """
    patches, filters = patches_of(maps, size, strides, padding), upstream_grad.shape[-1]
    patches = tf.reshape(patches, [-1, patches.shape[-1]])
    product = tf.matmul(patches, tf.reshape(upstream_grad, [-1, filters]), transpose_a=True)
    return tf.reshape(product, [*size, maps.shape[-1], filters])


def patches_of(maps: Any, size: tuple[int, int], strides: int, padding: str) -> Any:
    """Return the patch that each output of a convolution reads.

    Parameters
    ----------
    maps, size, strides, padding
        As of :func:`kernel_gradient`; H and W must be known.

    Returns
    -------
    tf.Tensor, shape (batch, H', W', k * l * channels)
        In the dtype of ``maps``.
    """
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
