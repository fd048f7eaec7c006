"""Adam in one pass over the weights.

Keras writes Adam's step (Kingma and Ba 2015, algorithm 1) as a dozen operations on whole tensors. On TensorFlow each
of them reads and writes memory of its own, and for the large dense and 5×5 layers of the course that costs more time
than many a convolution. TensorFlow has the whole step as one operation that goes through weights, gradients and both
moments once. The numbers are Keras's to float32 rounding. On JAX the compiler joins the operations by itself.

Read next: ``late_adam.py``, for weights that begin to learn late.
"""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("keras_faces")
class Adam(keras.optimizers.Adam):
    """Keras's Adam with Keras's parameters and variables; on TensorFlow the step is one operation."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a weight and its two moments."""
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        place, dtype = self._get_variable_index(variable), variable.dtype
        steps = tf.cast(self.iterations.value + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), steps),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), steps),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
        )
