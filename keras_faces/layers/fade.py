"""The fade from the output of a smaller network to that of a new block: ``(1 - α) · old + α · new``.

Source: Karras et al. 2018, "Progressive growing of GANs", section 2 and figure 2.

See also: ``models/gans/pggan.py``, which sets α.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class Fade(keras.layers.Layer):
    """``[old, new]``, two tensors of one shape, to one of that shape.

    Weight: ``alpha`` in [0, 1], 0 at first; the training step sets it, no gradient does. At 0 and at 1 the result is
    exactly ``old`` and ``new``.
    """

    def build(self, input_shape):
        self.alpha = self.add_weight(
            shape=(), initializer="zeros", trainable=False, dtype="float32", autocast=False, name="alpha"
        )

    def call(self, inputs):
        old, new = (ops.cast(tensor, "float32") for tensor in inputs)
        return ops.cast((1.0 - self.alpha) * old + self.alpha * new, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any):
        return input_shape[0]
