"""Row LSTM: a recurrent layer that goes down an image row by row, all places of a row at once.

Source: van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 3.1, eq. 3 and figure 4. A row's gates come
from two convolutions: the input-to-state one reads along the row (mask B: to the left, and the pixel), the
state-to-state one reads three places of the row above:

    [o, f, i, g] = σ(K_ss * h_{r−1} + K_is * x_r)        g with tanh
    c_r = f ⊙ c_{r−1} + i ⊙ g,    h_r = o ⊙ tanh(c_r)

So a place knows a triangle above it, wider by one to both sides with each row, and not all that comes before. The
paper's diagonal BiLSTM knows all.

See also: ``models/autoregressive/pixelrnn.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_faces.layers.masked_conv import MaskedConv2D


@keras.saving.register_keras_serializable("keras_faces")
class RowLSTM(keras.layers.Layer):
    """Maps (batch, H, W, channels) to the states h of all rows, (batch, H, W, filters).

    Parameters
    ----------
    filters : int
        Channels of h and c, a multiple of 3.
    """

    def __init__(self, filters: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters = filters
        self.input_to_state = MaskedConv2D(4 * filters, (1, 3), "B", dtype=self.dtype_policy, name="input_to_state")
        self.state_to_state = keras.layers.Conv1D(
            4 * filters, 3, padding="same", use_bias=False, dtype=self.dtype_policy, name="state_to_state"
        )

    def build(self, input_shape):
        self.input_to_state.build(input_shape)
        self.state_to_state.build((input_shape[0], input_shape[2], self.filters))

    def call(self, maps):
        gates = ops.moveaxis(self.input_to_state(maps), 1, 0)  # H, batch, W, 4 · filters: all rows at once

        def next_row(state, gates_of_row):
            state = self.next_state(gates_of_row + self.state_to_state(state[0]), state[1])
            return state, state

        start = ops.zeros_like(gates[0, :, :, : self.filters])
        _, (hidden, _) = ops.scan(next_row, (start, start), gates)
        return ops.moveaxis(hidden, 0, 1)  # H, W, filters

    def next_state(self, gates: Any, cell: Any) -> tuple[Any, Any]:
        """Compute the state of a row (eq. 3).

        Parameters
        ----------
        gates : tensor, shape (..., 4 * filters)
            ``K_ss * h + K_is * x``, before the nonlinearities.
        cell : tensor, shape (..., filters)
            c of the row above.

        Returns
        -------
        tuple of tensor
            ``(h, c)``, each (..., filters).
        """
        out, forget, take, new = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(forget) * cell + ops.sigmoid(take) * ops.tanh(new)
        return ops.sigmoid(out) * ops.tanh(cell), cell

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
