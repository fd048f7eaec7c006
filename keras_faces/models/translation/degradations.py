"""Builds (degraded, original) pairs from one image: the input of pix2pix is what a function here makes of a photograph.

    edges    its outlines, black on white         → the face
    grey     its brightness                       → the colours
    low      its averages over squares of 4×4     → the details
    hole     itself without the middle            → the middle

Nothing is random, so no pair has to be stored: the training step makes it, on its device. Images are tensors
(batch, H, W, 3) in [-1, 1], and so are all results.

See also: ``pix2pix.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

BRIGHTNESS = (0.299, 0.587, 0.114)  # of red, green and blue, ITU-R BT.601


def brightness(images: Any) -> Any:
    """Return the brightness of images, (batch, H, W, 1) in [-1, 1]."""
    return ops.sum(images * ops.reshape(ops.convert_to_tensor(BRIGHTNESS, "float32"), (1, 1, 1, 3)), -1, keepdims=True)


def grey(images: Any) -> Any:
    """Return the brightness in three equal channels."""
    return ops.repeat(brightness(images), 3, axis=-1)


def low(images: Any, factor: int = 4) -> Any:
    """Return averages over squares of ``factor`` pixels, at the same size."""
    missing = [[0, 0], *([0, -side % factor] for side in images.shape[1:3]), [0, 0]]
    small = ops.average_pool(ops.pad(images, missing, mode="symmetric"), factor, factor)
    large = ops.repeat(ops.repeat(small, factor, axis=1), factor, axis=2)
    return large[:, : images.shape[1], : images.shape[2]]


def hole(images: Any, share: float = 0.5) -> Any:
    """Return images with a grey square in the middle, ``share`` of the image wide and high."""
    rows, columns = ((np.arange(side) + 0.5) / side - 0.5 for side in images.shape[1:3])
    inside = (np.abs(rows)[:, None] < share / 2) & (np.abs(columns) < share / 2)
    return images * ops.convert_to_tensor(~inside[None, :, :, None], "float32")


def edges(images: Any, threshold: float = 0.08) -> Any:
    """Return outlines, black (−1) on white (1), three equal channels: the first three of Canny's four steps.

    The brightness is smoothed by a Gaussian filter with σ = 1; Sobel's filters give the gradient at each pixel; a pixel
    is on an edge if its gradient is above ``threshold`` (of the largest possible) and not smaller than those of its two
    neighbours across the edge. The fourth step, following faint edges from strong ones, is left out (Canny 1986).
    """
    smooth = _filtered(brightness(images), _gauss(1.0))
    kernel = np.outer([1, 2, 1], [-1, 0, 1]).astype("float32") / 8.0
    right, down = _filtered(smooth, kernel), _filtered(smooth, kernel.T)
    gradient = ops.sqrt(right**2 + down**2)
    steep = ops.abs(down) > math.tan(math.radians(67.5)) * ops.abs(right)
    flat = ops.abs(down) < math.tan(math.radians(22.5)) * ops.abs(right)
    falling = right * down > 0
    ahead, behind = (
        ops.where(
            steep,
            _shifted(gradient, sign, 0),
            ops.where(
                flat,
                _shifted(gradient, 0, sign),
                ops.where(falling, _shifted(gradient, sign, sign), _shifted(gradient, sign, -sign)),
            ),
        )
        for sign in (1, -1)
    )
    highest = ops.logical_and(gradient >= ahead, gradient > behind)
    on_edge = ops.logical_and(highest, gradient > threshold)
    return ops.repeat(1.0 - 2.0 * ops.cast(on_edge, "float32"), 3, axis=-1)


def _filtered(maps: Any, kernel: np.ndarray) -> Any:
    """Maps (batch, H, W, 1) convolved with the kernel, padded by reflection."""
    reach = kernel.shape[0] // 2
    maps = ops.pad(maps, [[0, 0], [reach, reach], [reach, reach], [0, 0]], mode="symmetric")
    return ops.conv(maps, ops.convert_to_tensor(kernel[:, :, None, None], "float32"), padding="valid")


def _gauss(sigma: float) -> np.ndarray:
    line = np.exp(-0.5 * (np.arange(-2, 3) / sigma) ** 2)
    return np.outer(line, line).astype("float32") / line.sum() ** 2


def _shifted(maps: Any, rows: int, columns: int) -> Any:
    """What lies so many rows below and columns to the right of each pixel; zeros beyond the margin."""
    height, width = maps.shape[1:3]
    maps = ops.pad(maps, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return maps[:, 1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]


TASKS: dict[str, Callable] = {"edges": edges, "grey": grey, "low": low, "hole": hole}


def task(name: str) -> Callable:
    """Return the function of this name; a ``ValueError`` names the right ones."""
    if name not in TASKS:
        raise ValueError(f"task={name!r}: choose from {', '.join(TASKS)}.")
    return TASKS[name]
