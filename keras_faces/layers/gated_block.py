"""A block of the gated PixelCNN: a vertical and a horizontal stack, side by side.

Source: van den Oord et al. 2016b, "Conditional Image Generation with PixelCNN Decoders", section 2.1, 2.2 and figure 2,
the dissertation's [42]. Two things differ from the first PixelCNN:

- Two stacks read everything that comes before a pixel, without a blind spot. The *vertical* one at row i reads all rows
  above i, to both sides; the *horizontal* one reads the pixels to the left, and the vertical one at each place. The
  vertical stack never reads the horizontal one, or it would see what lies to the right.
- A gate (eq. 2) takes the place of the ReLU: ``y = tanh(W_f * x) ⊙ sigmoid(W_g * x)``.

See also: ``models/autoregressive/pixelcnn.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_faces.layers.masked_conv import MaskedConv2D


def gate(maps: Any) -> Any:
    """Return ``tanh(a) ⊙ sigmoid(b)``, a being the first half of the channels and b the other (eq. 2).

    Parameters
    ----------
    maps : tensor, shape (..., 2 * filters)

    Returns
    -------
    tensor, shape (..., filters)
    """
    half = maps.shape[-1] // 2
    return ops.tanh(maps[..., :half]) * ops.sigmoid(maps[..., half:])


@keras.saving.register_keras_serializable("keras_faces")
class GatedBlock(keras.layers.Layer):
    """``[vertical, horizontal]``, both (batch, H, W, filters), to the same (figure 2).

    Both stacks are residual. In the figure only the horizontal one is; but every gate halves what passes it, and in a
    small network trained for a short time little of the rows above would arrive.

    Parameters
    ----------
    filters : int
        Channels of both stacks, a multiple of 3.
    """

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.vertical = MaskedConv2D(2 * filters, 3, "rows", dtype=self.dtype_policy, name="vertical")
        self.horizontal = MaskedConv2D(2 * filters, (1, 3), "B", dtype=self.dtype_policy, name="horizontal")
        self.link = keras.layers.Dense(2 * filters, use_bias=False, dtype=self.dtype_policy, name="link")
        self.out = MaskedConv2D(filters, 1, "B", dtype=self.dtype_policy, name="out")

    def build(self, input_shape):
        shape = (None, None, None, self.filters)
        for layer in (self.vertical, self.horizontal, self.out):
            layer.build(shape)
        self.link.build((*shape[:-1], 2 * self.filters))

    def call(self, stacks):
        before, horizontal = stacks
        vertical = self.vertical(before)  # H, W, 2 · filters
        across = self.horizontal(horizontal) + self.link(vertical)  # H, W, 2 · filters
        return before + gate(vertical), horizontal + self.out(gate(across))  # both H, W, filters

    # --------------------------------------------------------------- the same in parts, for a picture under way

    def row(self, rows: Any) -> tuple[Any, Any]:
        """Compute one row of the vertical stack, and what the horizontal one takes from it; for sampling.

        Parameters
        ----------
        rows : tensor, shape (batch, 2, W, filters)
            The row above and the row itself, of the vertical stack below this block.

        Returns
        -------
        tuple of tensor
            The row, (batch, W, filters), and its link, (batch, W, 2 * filters).
        """
        vertical = self.vertical.plus_bias(self.vertical.row(rows))
        return rows[:, -1] + gate(vertical), self.link(vertical)

    def pixel(self, pixels: Any, linked: Any) -> Any:
        """Compute one pixel of the horizontal stack; for sampling.

        Parameters
        ----------
        pixels : tensor, shape (batch, 2, filters)
            The pixel to the left and the pixel itself, of the horizontal stack below this block.
        linked : tensor, shape (batch, 2 * filters)
            The link at this place, see :meth:`row`.

        Returns
        -------
        tensor, shape (batch, filters)
        """
        across = self.horizontal.pixel(pixels) + linked
        return pixels[:, -1] + self.out.pixel(gate(across)[:, None])

    def compute_output_shape(self, input_shape):
        return [tuple(shape) for shape in input_shape]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
