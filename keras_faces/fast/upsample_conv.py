"""``UpSampling2D`` and the convolution after it as one convolution of the small map: the same outputs for less work.

Source: our own algebra on this pair in the slide deck; signal processing calls it the polyphase form of a filter.

Nearest-neighbour doubling writes every pixel four times, and a 5×5 convolution then reads 25 pixels of which at most
nine differ. Equal pixels can be multiplied once, by the sum of their weights. In one dimension: the small map is
``a b c``, the doubled one ``a a b b c c``, the weights are ``k0 .. k4``, and the two outputs over ``b`` are::

    even:  k0·a + k1·a + k2·b + k3·b + k4·c  =  (k0 + k1)·a + (k2 + k3)·b +     k4   ·c
    odd:   k0·a + k1·b + k2·b + k3·c + k4·c  =     k0   ·a + (k1 + k2)·b + (k3 + k4)·c

Each of the two *phases* is a convolution of the small map with three weights. In two dimensions there are four phases
with 3×3 weights: 36 products instead of 100. All four are one convolution with four times as many channels, which are
then arranged as blocks of 2×2 pixels. Both maps are padded with zeros, so the borders agree as well. The optimizer
still moves the 25 weights of the slide: the gradient goes through the sums.

See also: ``docs/speed.md``, "Doublings by phases"; ``models/gans/slides_v1.py``, whose generator has two such pairs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.fast.bias import plus_bias
from keras_faces.fast.convolution import convolution

SMALLEST_KERNEL = 5  # 3×3 weights become four phases of 2×2 sums in a 3×3 frame: nothing is saved


def joined(listed: list[keras.Layer]) -> list[Any]:
    """Join each doubling of a Sequential with its convolution, where that is faster (``benchmarks/phases.py``).

    That is a nearest-neighbour ``UpSampling2D`` by 2 before a ``Conv2D`` with an odd square kernel from 5×5 on, padding
    "same", no strides, dilation or groups.

    Parameters
    ----------
    listed : list of keras.Layer
        The layers in the order in which they are computed.

    Returns
    -------
    list of callable
        From maps to maps; the layers themselves where there is no such pair.
    """
    coming, stages = list(listed), []
    while coming:
        layer = coming.pop(0)
        if coming and _is_a_pair(layer, coming[0]):
            stages.append(partial(_doubled_and_convolved, coming.pop(0)))
        else:
            stages.append(layer)
    return stages


def doubled_convolution(maps: Any, kernel: Any) -> Any:
    """Compute nearest-neighbour doubling and a convolution with "same" padding on the small map.

    Parameters
    ----------
    maps : tensor, shape (batch, H, W, channels)
        The small maps.
    kernel : tensor, shape (k, k, channels, filters)
        The weights for the doubled map, k odd, in the dtype of ``maps``.

    Returns
    -------
    tensor, shape (batch, 2H, 2W, filters)
        ``ops.conv(doubled, kernel, padding="same")`` but for rounding.

    Raises
    ------
    ValueError
        For a kernel that is not square or has an even side.
    """
    height, width, filters = maps.shape[1], maps.shape[2], kernel.shape[-1]
    phases = convolution(maps, phase_kernels(kernel))  # H, W, 4 · filters
    rows = ops.reshape(phases, (-1, height, width, 2, 2 * filters))
    rows = ops.transpose(rows, (0, 1, 3, 2, 4))  # H, 2, W, 2 · filters
    return ops.reshape(rows, (-1, 2 * height, 2 * width, filters))


def phase_kernels(kernel: Any) -> Any:
    """Sum the weights of the four phases.

    Parameters
    ----------
    kernel : tensor, shape (k, k, channels, filters)
        k odd.

    Returns
    -------
    tensor, shape (t, t, channels, 4 * filters)
        t is 3 for a k of 3 and 5, then 5 for 7 and 9. The last axis holds all filters of even rows and columns, then
        of even rows and odd columns, odd and even, odd and odd.

    Raises
    ------
    ValueError
        For a kernel that is not square or has an even side.
    """
    size, _, channels, filters = kernel.shape
    if size % 2 == 0 or kernel.shape[1] != size:
        raise ValueError(f"a kernel of {size}×{kernel.shape[1]}: phases are made of square kernels with an odd side.")
    which = _which_weights(size)
    taps = which.shape[1]
    which = np.einsum("atk,bsl->tsabkl", which, which).reshape(4 * taps**2, size**2)  # rows and columns alike
    sums = ops.matmul(ops.convert_to_tensor(which, kernel.dtype), ops.reshape(kernel, (size**2, channels * filters)))
    sums = ops.transpose(ops.reshape(sums, (taps**2, 4, channels, filters)), (0, 2, 1, 3))
    return ops.reshape(sums, (taps, taps, channels, 4 * filters))


def _which_weights(size: int) -> np.ndarray:
    """Which weights each tap of a phase is the sum of, in one dimension: zeros and ones, (2 phases, taps, size)."""
    reach = size // 2  # of the kernel on the doubled map
    small = (reach + 1) // 2  # and on the small one
    which = np.zeros((2, 2 * small + 1, size), "float32")
    for phase in (0, 1):
        for weight in range(size):
            pixel = (phase + weight - reach) // 2  # seen from the pixel under the output
            which[phase, pixel + small, weight] = 1.0
    return which


def _is_a_pair(layer: keras.Layer, following: keras.Layer) -> bool:
    """Whether these two are nearest-neighbour doubling and a convolution that :func:`joined` takes."""
    if type(layer) is not layers.UpSampling2D or type(following) is not layers.Conv2D:
        return False
    doubling = layer.size == (2, 2) and layer.interpolation == "nearest"
    size, other = following.kernel_size
    plain = following.strides == following.dilation_rate == (1, 1) and following.groups == 1
    last = layer.data_format == following.data_format == "channels_last"
    wins = size == other and size % 2 == 1 and size >= SMALLEST_KERNEL
    return doubling and plain and last and following.padding == "same" and wins


def _doubled_and_convolved(convolution: layers.Conv2D, maps: Any) -> Any:
    """The outputs of ``convolution`` for the doubled ``maps``."""
    dtype = convolution.compute_dtype
    outputs = doubled_convolution(ops.cast(maps, dtype), ops.cast(convolution.kernel, dtype))
    if convolution.use_bias:
        outputs = plus_bias(outputs, ops.cast(convolution.bias, dtype))
    return convolution.activation(outputs)
