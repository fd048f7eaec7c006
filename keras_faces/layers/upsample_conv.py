"""A doubling and the convolution after it, computed on the small map: the same numbers for less work.

Source: our own algebra on the slide deck's pair ``UpSampling2D`` and ``Conv2D``; signal processing calls it the
polyphase form of a filter.

A nearest-neighbour doubling writes every pixel four times, and a 5×5 convolution then reads 25 pixels of which at most
nine differ. Equal pixels can be multiplied once, by the sum of their weights. In one dimension: the small map is
``a b c``, the doubled one ``a a b b c c``, the weights are ``k0 .. k4``, and the two outputs over ``b`` are::

    even:  k0·a + k1·a + k2·b + k3·b + k4·c  =  (k0 + k1)·a + (k2 + k3)·b +     k4   ·c
    odd:   k0·a + k1·b + k2·b + k3·c + k4·c  =     k0   ·a + (k1 + k2)·b + (k3 + k4)·c

Each of the two *phases* is a convolution of the small map with three weights. In two dimensions there are four phases
with 3×3 weights: 36 products where there were 100. All four are one convolution with four times as many channels,
which are then laid out as blocks of 2×2 pixels. Outside of both maps are zeros, so the borders agree as well.

Nothing changes for the optimizer: the weights are still the 25 of the slide, and the gradient runs through the sums.

Read next: ``models/slides_v1.py``, whose generator has two such pairs.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.bias import plus_bias
from keras_faces.layers.convolution import Conv2D, convolution

SMALLEST_KERNEL = 5  # 3×3 weights become nine sums a phase again: nothing is saved


@keras.saving.register_keras_serializable("keras_faces")
class PolyphaseSequential(keras.Sequential):
    """A ``keras.Sequential`` that computes each ``UpSampling2D`` with its ``Conv2D`` on the small map, where that wins.

    Layers, names, weights, their first values and the summary are those of ``keras.Sequential``; the images are equal
    but for rounding. The rule was measured (``benchmarks/phases.py``): kernels from 5×5 on. Other pairs run as they are
    listed: kernels with an even side, strides, dilation, another padding than "same", another factor than 2, another
    interpolation than "nearest".

    Parameters
    ----------
    stages
        The layers, as for ``keras.Sequential``.
    polyphase
        ``False``: all layers run as they are listed.
    """

    def __init__(self, stages: Any = None, polyphase: bool = True, **options: Any) -> None:
        super().__init__(stages, **options)
        self.polyphase = polyphase

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not self.polyphase:
            return super().call(inputs, training=training, mask=mask)
        maps, coming = inputs, list(self.layers)
        while coming:
            layer = coming.pop(0)
            if coming and _is_a_pair(layer, coming[0]):
                maps = _doubled_and_convolved(coming.pop(0), maps)
            else:
                maps = layer(maps)  # Keras hands `training` on
        return maps

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "polyphase": self.polyphase}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> PolyphaseSequential:
        model = super().from_config(config, custom_objects)
        model.polyphase = config["polyphase"]
        return model


def doubled_convolution(maps: Any, kernel: Any) -> Any:
    """A nearest-neighbour doubling and a convolution with "same" padding, as one convolution of the small map.

    Parameters
    ----------
    maps
        (batch, H, W, channels).
    kernel
        The weights for the doubled map, (k, k, channels, filters), k odd, in the dtype of ``maps``.

    Returns
    -------
    (batch, 2H, 2W, filters): ``ops.conv(doubled, kernel, padding="same")`` but for rounding.

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
    """The weights of the four phases, side by side: (k, k, channels, filters) to (t, t, channels, 4 · filters).

    t is 3 for a k of 3 and of 5, then 5 for 7 and 9. The last axis holds the phases even row and even column, even and
    odd, odd and even, odd and odd, each with all its filters.
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
    """Zeros and ones, (2 phases, taps, size): the weights that each tap of a phase is the sum of, in one dimension."""
    reach = size // 2  # of the kernel on the doubled map
    small = (reach + 1) // 2  # and on the small one
    which = np.zeros((2, 2 * small + 1, size), "float32")
    for phase in (0, 1):
        for weight in range(size):
            pixel = (phase + weight - reach) // 2  # seen from the pixel under the output
            which[phase, pixel + small, weight] = 1.0
    return which


def _is_a_pair(layer: keras.Layer, following: keras.Layer) -> bool:
    """Whether these two are a doubling by repetition and a plain convolution of the doubled map."""
    if type(layer) is not layers.UpSampling2D or type(following) not in (layers.Conv2D, Conv2D):
        return False
    doubling = layer.size == (2, 2) and layer.interpolation == "nearest"
    size, other = following.kernel_size
    plain = following.strides == following.dilation_rate == (1, 1) and following.groups == 1
    last = layer.data_format == following.data_format == "channels_last"
    wins = size == other and size % 2 == 1 and size >= SMALLEST_KERNEL
    return doubling and plain and last and following.padding == "same" and wins


def _doubled_and_convolved(convolution: layers.Conv2D, maps: Any) -> Any:
    """What ``convolution`` makes of the doubled ``maps``."""
    dtype = convolution.compute_dtype
    outputs = doubled_convolution(ops.cast(maps, dtype), ops.cast(convolution.kernel, dtype))
    if convolution.use_bias:
        outputs = plus_bias(outputs, ops.cast(convolution.bias, dtype))
    return convolution.activation(outputs)
