"""float16 without vanished gradients: the loss is multiplied before it is differentiated, the gradients divided after.

float16 knows no number between 0 and 6e-8, and most gradients of a GAN's first layers lie there. Multiplied by a large
scale they lie higher up. The scale finds itself: it is halved after a step whose gradients are not finite, and that
step is skipped; it is doubled after 2000 good ones (Micikevicius et al. 2018, section 3.2). bfloat16 has float32's
range and needs none of this.

Read next: ``gradients.py``, where the loss is multiplied; ``optimizers.py``, which wraps each network's optimizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class LossScale(keras.optimizers.LossScaleOptimizer):
    """Keras's ``LossScaleOptimizer`` for gradients that `value_and_grad` has divided already.

    So a step can measure and clip gradients as if there were no scale. It skips by choosing between old and new values,
    which both backends compile alike; Keras's own form branches, and JAX forbids a branch to assign variables.
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """One step of the inner optimizer, or none if a gradient is not finite. Step counts go on in both cases."""
        finite = self.check_finite(grads)
        weights = list(trainable_variables or self._trainable_variables)
        moments = [variable for variable in self.inner_optimizer.variables if "float" in variable.dtype]
        before = [ops.copy(variable.value) for variable in weights + moments]
        self.inner_optimizer.apply(grads, weights)
        for variable, value in zip(weights + moments, before, strict=True):
            variable.assign(ops.where(finite, variable.value, value))
        self._follow(finite)

    def _follow(self, finite: Any) -> None:
        """The scale after a step: halved, doubled, or as it is."""
        good = ops.where(finite, self.step_counter + 1, 0)
        grown = good >= self.dynamic_growth_steps
        factor = ops.where(finite, ops.where(grown, 2.0, 1.0), 0.5)
        self.dynamic_scale.assign(self.dynamic_scale * ops.cast(factor, self.dynamic_scale.dtype))
        self.step_counter.assign(ops.where(grown, 0, good))


def scaled(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer with a loss scale, if networks are being built in float16; else as it is."""
    wanted = keras.config.dtype_policy().compute_dtype == "float16"
    return LossScale(optimizer) if wanted and not isinstance(optimizer, LossScale) else optimizer


def inner(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer inside a loss scale, or the optimizer itself."""
    return optimizer.inner_optimizer if isinstance(optimizer, LossScale) else optimizer
