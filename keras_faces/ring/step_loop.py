"""Many training steps in one compiled call, for networks so small that Python takes longer than the step.

A step of the ring's networks is a tenth of a millisecond of arithmetic and several milliseconds of calls. Here the loop
is compiled too: on JAX by ``lax.scan``, on TensorFlow as a loop in an XLA program. The result does not depend on the
number of steps per call. (XLA draws other random numbers from the same seed than TensorFlow without it. Keras's
``steps_per_execution`` still starts each step by itself, which is enough for images.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def scan_steps(model: keras.Model, step: Callable[[], dict[str, Any]], steps: int) -> Callable[[], dict[str, float]]:
    """Make a function that runs ``steps`` steps and returns the means of their metrics.

    Parameters
    ----------
    model : keras.Model
        Compiled; all that ``step`` reads or changes must be among its variables and its optimizer's.
    step : callable
        Runs one step on data that it draws with a SeedGenerator of the model, such as
        ``lambda: model.step(points(64, model.noise_seed))``, and returns the model's ``METRICS``.
    steps : int
        At least 1.

    Raises
    ------
    ValueError
        For fewer than one step.
    """
    if steps < 1:
        raise ValueError(f"steps={steps}: a call makes one step at least.")
    call = _BACKENDS[keras.backend.backend()](model, step, steps)
    return lambda: {name: float(np.asarray(keras.ops.convert_to_numpy(mean))) for name, mean in call().items()}


def _tensorflow(model, step, steps):
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def call():
        totals = {name: tf.zeros(()) for name in model.METRICS}
        for _ in tf.range(steps):
            totals = {name: totals[name] + value for name, value in step().items()}
        return {name: total / steps for name, total in totals.items()}

    return call


def _jax(model, step, steps):
    import jax

    variables = [*model.variables, *model.optimizer.variables]

    def body(values, _):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            logs = step()
        return [scope.get_current_value(variable) for variable in variables], logs

    @jax.jit
    def scan(values):
        values, logs = jax.lax.scan(body, values, None, length=steps)
        return values, {name: series.mean() for name, series in logs.items()}

    def call():
        values, logs = scan([variable.value for variable in variables])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return logs

    return call


def _torch(model, step, steps):
    def call():
        logs = [step() for _ in range(steps)]
        return {name: sum(each[name].detach() for each in logs) / steps for name in logs[0]}

    return call


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
