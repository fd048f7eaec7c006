"""Adam for weights that begin to learn late.

Adam's moments start at zero, so it divides them by ``1 - βᵗ``, where t counts the steps since training began (Kingma
and Ba 2015, algorithm 1). For a block that joins at step 500 this correction is long over, and with β2 0.99 its first
steps are 1 / √(1 - β2) = 10 times too long. The code of Karras et al. 2018 starts all moments anew whenever a block is
added, and forgets what it knew of the others. Here each weight counts its own steps.

Read next: ``models/pggan.py``, the network that grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_faces.training.adam import Adam


@keras.saving.register_keras_serializable("keras_faces")
class LateAdam(Adam):
    """Keras's Adam; for weights that all learn from the first step on, the same numbers."""

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the moments, and a count of steps for each weight."""
        super().build(variables)
        self.steps = [self.add_variable(shape=(), name=f"steps_{index}") for index in range(len(variables))]

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Adam's step with this weight's count in the place of the common one."""
        steps = self.steps[self._get_variable_index(variable)]
        steps.assign(steps + 1.0)
        common = ops.cast(self.iterations + 1, "float32")
        correction = self._correction(steps) / self._correction(common)
        super().update_step(gradient, variable, learning_rate * correction)

    def _correction(self, steps: Any) -> Any:
        return ops.sqrt(1.0 - ops.power(self.beta_2, steps)) / (1.0 - ops.power(self.beta_1, steps))
