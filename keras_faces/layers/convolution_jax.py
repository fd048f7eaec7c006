"""Convolutions on JAX and a CPU, written so that XLA multiplies them fast.

XLA for a CPU has a fast convolution and a simple one: 300 GFLOP/s and 5, on two cores. It takes the simple one wherever
what is read is smaller than the kernel, which a GAN's 4×4 maps and their slopes are, and wherever the kernel itself is
spread out by zeros, as JAX writes the derivative of a transposed convolution by its kernel. So here

- zeros behind a small map make it as large as the kernel, and what they give is cut off again;
- a transposed convolution takes the three products of the convolution that it is the transpose of: what goes forward
  there goes backward here, and the kernel's gradient is that convolution's own.

The numbers are JAX's but for rounding.

Read next: ``convolution.py``, whose layers call this.
"""

from __future__ import annotations

from typing import Any

import jax
from jax import lax

from keras_faces.layers.convolution import along

LAYOUT = ("NHWC", "HWIO", "NHWC")
TRANSPOSED = ("NHWC", "HWOI", "NHWC")


def wins(dtype: str, sides: Any, size: Any, transposed: bool = False) -> bool:
    """Whether XLA would take its simple convolution; ``sides`` are those of the smaller map, None where unknown."""
    if None in sides or jax.default_backend() != "cpu":
        return False
    return transposed or any(side < reach for side, reach in zip(sides, size, strict=True))


def convolution(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """Maps (batch, H, W, channels) and a kernel (k, l, channels, filters) to (batch, H', W', filters)."""
    shape = maps.shape[1:]

    @jax.custom_gradient
    def forward(maps, kernel):
        def backward(slopes):
            by_maps = _larger(slopes, kernel, strides, padding, shape)
            return by_maps, _kernel_gradient(maps, slopes, kernel.shape, strides, padding)

        return _smaller(maps, kernel, strides, padding), backward

    return forward(maps, kernel)


def transposed_convolution(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """Maps (batch, H, W, channels) and a kernel (k, l, filters, channels) to (batch, *shape)."""

    @jax.custom_gradient
    def forward(maps, kernel):
        def backward(slopes):
            by_maps = _smaller(slopes, kernel, strides, padding)
            return by_maps, _kernel_gradient(slopes, maps, kernel.shape, strides, padding)

        return _larger(maps, kernel, strides, padding, shape), backward

    return forward(maps, kernel)


def _smaller(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """The convolution. Its border of zeros is part of the maps, which are never smaller than the kernel then."""
    pairs = zip(maps.shape[1:3], kernel.shape[:2], strict=True)
    border = [(*along(side, size, strides, padding)[1:], 0) for side, size in pairs]
    maps = lax.pad(maps, maps.dtype.type(0), [(0, 0, 0), *border, (0, 0, 0)])
    return lax.conv_general_dilated(maps, kernel, (strides, strides), "VALID", dimension_numbers=LAYOUT)


def _larger(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """The transpose of :func:`_smaller`, to (batch, *shape). Zeros behind the maps make them as large as the kernel."""
    room, border = [(0, 0, 0)], []
    for side, size, wanted in zip(maps.shape[1:3], kernel.shape[:2], shape[:2], strict=True):
        _, before, _ = along(wanted, size, strides, padding)
        zeros = max(size - side, 0)
        reached = (side + zeros - 1) * strides + size - before  # outputs that the maps and these zeros have a part in
        room.append((0, zeros, 0))
        border.append((size - 1 - before, size - 1 + max(wanted - reached, 0)))
    maps = lax.pad(maps, maps.dtype.type(0), [*room, (0, 0, 0)])
    turned, spread = kernel[::-1, ::-1], (strides, strides)
    outputs = lax.conv_general_dilated(maps, turned, (1, 1), border, lhs_dilation=spread, dimension_numbers=TRANSPOSED)
    return outputs[:, : shape[0], : shape[1]]


def _kernel_gradient(maps: Any, slopes: Any, shape: tuple, strides: int, padding: str) -> Any:
    """The gradient by a kernel of this ``shape`` of the convolution of ``maps`` whose outputs have these ``slopes``."""

    def by_kernel(kernel):
        spread = (strides, strides)
        return lax.conv_general_dilated(maps, kernel, spread, padding.upper(), dimension_numbers=LAYOUT)

    return jax.linear_transpose(by_kernel, jax.ShapeDtypeStruct(shape, maps.dtype))(slopes)[0]
