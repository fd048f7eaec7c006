"""Convolutions on JAX and a CPU, written so that XLA computes them fast.

XLA for a CPU has a fast convolution and a slow one: 300 and 5 GFLOP/s, on two cores. It takes the slow one where the
input is smaller than the kernel, as a GAN's 4×4 maps and their gradients are, and where input and kernel are both
dilated, as in JAX's derivative of a transposed convolution by its kernel. So here

- small maps are padded to the size of the kernel, and the outputs are cropped;
- a transposed convolution uses the products of the convolution that it is the transpose of: forward and backward
  change places, and the kernel's gradient is that convolution's own.

Results are JAX's but for rounding.

See also: ``convolution.py``, which calls this.
"""

from __future__ import annotations

from typing import Any

import jax
from jax import lax

from keras_faces.fast.convolution import along

LAYOUT = ("NHWC", "HWIO", "NHWC")
TRANSPOSED = ("NHWC", "HWOI", "NHWC")


def wins(dtype: str, sides: Any, size: Any, transposed: bool = False) -> bool:
    """Return whether XLA would take its slow convolution.

    Parameters
    ----------
    dtype : str
        Of the maps; decides nothing here.
    sides : sequence of int or None
        Height and width of the smaller map, ``None`` where unknown.
    size : sequence of int
        Height and width of the kernel.
    transposed : bool
        Whether the convolution is a transposed one.
    """
    if None in sides or jax.default_backend() != "cpu":
        return False
    return transposed or any(side < reach for side, reach in zip(sides, size, strict=True))


def convolution(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """Compute a convolution.

    Parameters
    ----------
    maps : jax.Array, shape (batch, H, W, channels)
        The input.
    kernel : jax.Array, shape (k, l, channels, filters)
        The weights.
    strides : int
        Pixels from patch to patch.
    padding : {"same", "valid"}
        As of Keras.

    Returns
    -------
    jax.Array, shape (batch, H', W', filters)
        The output.
    """
    shape = maps.shape[1:]

    @jax.custom_gradient
    def forward(maps, kernel):
        def backward(upstream_grad):
            by_maps = _larger(upstream_grad, kernel, strides, padding, shape)
            return by_maps, _kernel_gradient(maps, upstream_grad, kernel.shape, strides, padding)

        return _smaller(maps, kernel, strides, padding), backward

    return forward(maps, kernel)


def transposed_convolution(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """Compute a transposed convolution; ``maps``, ``strides`` and ``padding`` as of :func:`convolution`.

    Parameters
    ----------
    kernel : jax.Array, shape (k, l, filters, channels)
        The weights.
    shape : tuple of int
        Height, width and filters of the output.

    Returns
    -------
    jax.Array, shape (batch, *shape)
        The output.
    """

    @jax.custom_gradient
    def forward(maps, kernel):
        def backward(upstream_grad):
            by_maps = _smaller(upstream_grad, kernel, strides, padding)
            return by_maps, _kernel_gradient(upstream_grad, maps, kernel.shape, strides, padding)

        return _larger(maps, kernel, strides, padding, shape), backward

    return forward(maps, kernel)


def _smaller(maps: Any, kernel: Any, strides: int, padding: str) -> Any:
    """The convolution; the padding is added to the maps first, so that they are never smaller than the kernel."""
    pairs = zip(maps.shape[1:3], kernel.shape[:2], strict=True)
    border = [(*along(side, size, strides, padding)[1:], 0) for side, size in pairs]
    maps = lax.pad(maps, maps.dtype.type(0), [(0, 0, 0), *border, (0, 0, 0)])
    return lax.conv_general_dilated(maps, kernel, (strides, strides), "VALID", dimension_numbers=LAYOUT)


def _larger(maps: Any, kernel: Any, strides: int, padding: str, shape: tuple[int, int, int]) -> Any:
    """The transpose of :func:`_smaller`, to (batch, *shape); zeros behind the maps make them as large as the kernel."""
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


def _kernel_gradient(maps: Any, upstream_grad: Any, shape: tuple, strides: int, padding: str) -> Any:
    """The gradient of a kernel of this ``shape``, from the convolution's input and the gradient of its output."""

    def by_kernel(kernel):
        spread = (strides, strides)
        return lax.conv_general_dilated(maps, kernel, spread, padding.upper(), dimension_numbers=LAYOUT)

    return jax.linear_transpose(by_kernel, jax.ShapeDtypeStruct(shape, maps.dtype))(upstream_grad)[0]
