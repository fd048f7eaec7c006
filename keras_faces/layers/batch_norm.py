"""BatchNormalization in one operation.

Keras writes the layer (Ioffe and Szegedy 2015, algorithm 1) as a dozen operations: both moments, a difference, a
product ..., each a pass over the maps, and under mixed precision in float32 between two casts. TensorFlow has the
normalisation of a batch as one operation, and its gradient as another; both keep the statistics in float32 whatever the
maps are. The numbers are Keras's to rounding. In inference, on dense layers and on JAX, whose compiler joins the
operations by itself, the layer is Keras's own.

Read next: ``upsample_conv.py``, where two layers become one.
"""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("keras_faces")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer with Keras's parameters and weights; on TensorFlow a batch of maps takes one operation.

    Maps are (batch, side, side, channels); ``epsilon`` is 1.001e-5 or more, as TensorFlow wants it.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Maps with mean ``beta`` and variance ``gamma``² in each channel; in training by the batch's own moments."""
        if not (training and self.trainable and mask is None and self._is_one_operation(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        maps, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            keras.ops.convert_to_tensor(self.gamma),
            keras.ops.convert_to_tensor(self.beta),
            epsilon=self.epsilon,
        )
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], "float32")
        variance *= (count - 1) / count  # TensorFlow divides by count - 1, Keras and the paper's algorithm 1 by count
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1 - self.momentum))
        return maps

    def _is_one_operation(self, inputs: Any) -> bool:
        maps_last = len(inputs.shape) == 4 and self.axis in (-1, 3) and self.scale and self.center
        whole = self.variable_dtype == "float32" and not self.synchronized and not getattr(self, "renorm", False)
        return keras.backend.backend() == "tensorflow" and maps_last and whole
