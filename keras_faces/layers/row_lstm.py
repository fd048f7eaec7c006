"""Row LSTM: a recurrent layer that goes down an image row by row, all places of a row at once.

Source: van den Oord et al. 2016, "Pixel Recurrent Neural Networks", section 3.1, eq. 3 and figure 4. A row's gates come
from two convolutions: the input-to-state one looks along the row (mask B, so to the left and at the pixel), the
state-to-state one at three places of the row above:

    [o, f, i, g] = σ(K_ss * h_{r−1} + K_is * x_r)        g with tanh
    c_r = f ⊙ c_{r−1} + i ⊙ g,    h_r = o ⊙ tanh(c_r)

Each row back the three places become one wider to both sides: what a place knows is a triangle above it, widening
upwards. It does not know all that comes before; the paper's diagonal BiLSTM does.

Read next: ``models/pixelrnn.py``.
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
    filters
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
        """``(h, c)`` of the gates (..., 4 * filters) before their nonlinearities and the c of the row above (eq. 3)."""
        out, forget, take, new = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(forget) * cell + ops.sigmoid(take) * ops.tanh(new)
        return ops.sigmoid(out) * ops.tanh(cell), cell

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
