"""A convolution that reads no pixel before its turn: masks A and B, with the colours in the order red, green, blue.

Source: van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 3.4 and figure 2; dissertation, section
2.1.4 and figure 2.4. Pixels are ordered row by row, from left to right, and the three values of a pixel red, green,
blue. The kernel is multiplied by a mask of ones and zeros, so that the output at a place depends only on what comes
before it:

- "A", for the first layer: rows above, pixels to the left, and of the pixel itself the colours before the output's own.
- "B", for all other layers: the own colour as well. What is called "own colour" there has not read that colour itself.
- "above": the rows above alone. "rows": these and the whole of the own row. Both are for ``gated_block.py``.

Channel n of every map belongs to red if n % 3 is 0, to green if it is 1, to blue if it is 2.

Masks of 3×3 on top of each other have a *blind spot*: a place above and far to the right, which comes before the pixel
and still never reaches it (van den Oord et al. 2016b, figure 1). The two stacks of ``gated_block.py`` have none.

See also: ``models/autoregressive/base.py``, which samples with ``row`` and ``pixel``.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.fast.bias import plus_bias

MASKS = ("A", "B", "above", "rows")
COLOURS = 3


@keras.saving.register_keras_serializable("keras_faces")
class MaskedConv2D(keras.layers.Layer):
    """A convolution with "same" padding and a masked kernel: maps (batch, H, W, channels) to (batch, H, W, filters).

    Weights: ``kernel`` (height, width, channels, filters), whose masked values are never used, and ``bias``.

    Parameters
    ----------
    filters : int
        Channels of the output, a multiple of 3.
    kernel_size : int or tuple of int
        Height and width, odd; one value for both.
    mask : str
        "A", "B", "above" or "rows".
    use_bias : bool
        Whether a bias is added.
    kernel_initializer : str or keras.initializers.Initializer
        Of the kernel.

    Raises
    ------
    ValueError
        For an unknown mask, an even kernel, and channels that are no multiple of 3.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        mask: str,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if mask not in MASKS:
            raise ValueError(f"mask={mask!r}: choose from {', '.join(MASKS)}.")
        if not all(side % 2 for side in size):
            raise ValueError(
                f"kernel_size={kernel_size}: both sides must be odd, so that there is a pixel in the middle."
            )
        if filters % COLOURS:
            raise ValueError(f"filters={filters}: must be a multiple of 3, as many for each colour.")
        self.filters, self.kernel_size, self.mask_name, self.use_bias = filters, size, mask, use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels % COLOURS:
            raise ValueError(f"maps of {channels} channels: must be a multiple of 3, as many for each colour.")
        shape = (*self.kernel_size, channels, self.filters)
        self.kernel = self.add_weight(shape=shape, initializer=self.kernel_initializer, name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias") if self.use_bias else None
        self.mask = self.mask_of(channels)

    def mask_of(self, channels: int) -> np.ndarray:
        """Return the mask.

        Parameters
        ----------
        channels : int
            Channels of the input.

        Returns
        -------
        ndarray of float32, shape (height, width, channels, filters)
            1 where the kernel may read, else 0.
        """
        height, width = self.kernel_size
        mask = np.ones((height, width, channels, self.filters), "float32")
        mask[height // 2 + 1 :] = 0
        if self.mask_name == "above":
            mask[height // 2] = 0
        if self.mask_name in ("A", "B"):
            mask[height // 2, width // 2 + 1 :] = 0
            seen, asking = np.arange(channels)[:, None] % COLOURS, np.arange(self.filters) % COLOURS
            mask[height // 2, width // 2] = seen < asking if self.mask_name == "A" else seen <= asking
        return mask

    def masked_kernel(self) -> Any:
        """Return the kernel times its mask, (height, width, channels, filters)."""
        return ops.cast(self.kernel * self.mask, self.compute_dtype)

    def call(self, maps):
        height, width = (side // 2 for side in self.kernel_size)
        right = 0 if height == 0 and self.mask_name in ("A", "B") else width  # nothing lies there for a single row
        kernel = self.masked_kernel()[: height + 1, : width + 1 + right]  # the rest is zeros
        maps = ops.pad(maps, [[0, 0], [height, 0], [width, right], [0, 0]])
        return self.plus_bias(ops.conv(maps, kernel, padding="valid"))

    def plus_bias(self, maps: Any) -> Any:
        """Add the bias to maps (..., filters), if the layer has one."""
        return maps if self.bias is None else plus_bias(maps, ops.cast(self.bias, self.compute_dtype))

    # --------------------------------------------------------------- the same in parts, for a picture under way

    def row(self, rows: Any) -> Any:
        """Compute what one row of the output takes from whole rows, without the bias; for sampling.

        Parameters
        ----------
        rows : tensor, shape (batch, rows, W, channels)
            The ``height // 2`` rows above; for the mask "rows" the own row behind them.

        Returns
        -------
        tensor, shape (batch, W, filters)
        """
        height, width = (side // 2 for side in self.kernel_size)
        kernel = self.masked_kernel()[: height + (self.mask_name == "rows")]
        rows = ops.pad(ops.cast(rows, self.compute_dtype), [[0, 0], [0, 0], [width, width], [0, 0]])
        return ops.conv(rows, kernel, padding="valid")[:, 0]

    def pixel(self, pixels: Any) -> Any:
        """Compute what one pixel of the output takes from its own row, with the bias; for sampling.

        Parameters
        ----------
        pixels : tensor, shape (batch, width // 2 + 1, channels)
            The ``width // 2`` pixels to the left and the pixel itself.

        Returns
        -------
        tensor, shape (batch, filters)
        """
        height, width = (side // 2 for side in self.kernel_size)
        kernel = self.masked_kernel()[height, : width + 1]
        pixels = ops.cast(pixels, self.compute_dtype)
        flat = ops.reshape(pixels, (-1, (width + 1) * pixels.shape[-1]))
        return self.plus_bias(ops.matmul(flat, ops.reshape(kernel, (-1, self.filters))))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "kernel_size": self.kernel_size, "mask": self.mask_name}
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), **own, "use_bias": self.use_bias, "kernel_initializer": initializer}
