"""Many steps in one compiled call, for networks so small that Python takes longer than the step.

A step of the ring's networks is a tenth of a millisecond of arithmetic under several milliseconds of calls. Here the
loop itself is compiled: on JAX by ``lax.scan``, on TensorFlow as a loop in a graph that XLA turns into one program. The
step is the same, and so is the training however many steps a call makes. (XLA draws other random numbers from the same
seed than TensorFlow without it. Keras's ``steps_per_execution`` still starts each step by itself, which is enough for
images.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def repeated(model: keras.Model, step: Callable[[], dict[str, Any]], steps: int) -> Callable[[], dict[str, float]]:
    """A function that makes ``steps`` steps and returns the means of their numbers.

    Parameters
    ----------
    model
        Compiled; whatever ``step`` reads or changes must be among its variables and its optimizer's.
    step
        Makes one step, without arguments: it draws its own data by a SeedGenerator of the model, as in
        ``lambda: model.step(points(64, model.noise_seed))``. It returns the model's ``NUMBERS``.
    steps
        From 1 on.
    """
    if steps < 1:
        raise ValueError(f"steps={steps}: a call makes one step at least.")
    call = _BACKENDS[keras.backend.backend()](model, step, steps)
    return lambda: {name: float(np.asarray(keras.ops.convert_to_numpy(mean))) for name, mean in call().items()}


def _tensorflow(model, step, steps):
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def call():
        totals = {name: tf.zeros(()) for name in model.NUMBERS}
        for _ in tf.range(steps):
            totals = {name: totals[name] + number for name, number in step().items()}
        return {name: total / steps for name, total in totals.items()}

    return call


def _jax(model, step, steps):
    import jax

    variables = [*model.variables, *model.optimizer.variables]

    def one(values, _):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            numbers = step()
        return [scope.get_current_value(variable) for variable in variables], numbers

    @jax.jit
    def many(values):
        values, numbers = jax.lax.scan(one, values, None, length=steps)
        return values, {name: series.mean() for name, series in numbers.items()}

    def call():
        values, numbers = many([variable.value for variable in variables])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return numbers

    return call


def _torch(model, step, steps):
    def call():
        numbers = [step() for _ in range(steps)]
        return {name: sum(each[name].detach() for each in numbers) / steps for name in numbers[0]}

    return call


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
