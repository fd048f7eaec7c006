"""The fade from a smaller network's signal to that of a new block: ``(1 - α) · old + α · new``.

Source: Karras et al. 2018, "Progressive growing of GANs", section 2 and figure 2. With α = 0 the new block is not yet
there, with α = 1 the old way round it is gone, both exactly; between them it comes in smoothly, and what was learned so
far takes no shock. α is a weight that no gradient changes: the training step sets it, and it is saved like any other.

Read next: ``models/pggan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class Fade(keras.layers.Layer):
    """Two tensors ``[old, new]`` of one shape to one of that shape. ``alpha`` in [0, 1] starts at 0."""

    def build(self, input_shape):
        self.alpha = self.add_weight(
            shape=(), initializer="zeros", trainable=False, dtype="float32", autocast=False, name="alpha"
        )

    def call(self, inputs):
        old, new = (ops.cast(tensor, "float32") for tensor in inputs)
        return ops.cast((1.0 - self.alpha) * old + self.alpha * new, self.compute_dtype)

    def compute_output_shape(self, input_shape: Any):
        return input_shape[0]
