"""Adam in one pass over the weights.

Keras writes Adam's step (Kingma and Ba 2015, algorithm 1) as a dozen operations on whole tensors. TensorFlow has the
whole step as one operation, which reads weights, gradients and both moments once. Results are Keras's to float32
rounding. On JAX the compiler joins the operations by itself.

See also: ``docs/speed.md``, "Adam in one operation".
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import keras


def accelerate(optimizer: keras.optimizers.Optimizer) -> None:
    """Let a Keras Adam on TensorFlow move each weight by one operation; other optimizers stay as they are.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Changed in place. A subclass of Adam is changed only if it calls Adam's own step as ``self.adam_step``.
    """
    if keras.backend.backend() != "tensorflow" or not isinstance(optimizer, keras.optimizers.Adam):
        return
    if not optimizer.amsgrad and (name := _method(optimizer)):
        setattr(optimizer, name, MethodType(update_step, optimizer))


def plain(optimizer: keras.optimizers.Optimizer) -> None:
    """Undo :func:`accelerate`."""
    for name in ("update_step", "adam_step"):
        vars(optimizer).pop(name, None)


def _method(optimizer: keras.optimizers.Adam) -> str | None:
    """The name of the method with Adam's arithmetic: Keras's, or that of a subclass which calls it ``adam_step``."""
    if type(optimizer) is keras.optimizers.Adam:
        return "update_step"
    return "adam_step" if hasattr(optimizer, "adam_step") else None


def update_step(optimizer: keras.optimizers.Adam, gradient: Any, variable: Any, learning_rate: Any) -> None:
    """Move a weight and its two moments, with the parameters of Keras's ``Adam.update_step``.

    Parameters
    ----------
    optimizer : keras.optimizers.Adam
        A built one.
    gradient : tensor or tf.IndexedSlices
        Of the loss by the weight.
    variable : keras.Variable
        The weight.
    learning_rate : float or scalar tensor
        Of this step.
    """
    import tensorflow as tf

    index, dtype = optimizer._get_variable_index(variable), variable.dtype
    steps = tf.cast(optimizer.iterations.value + 1, dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=tf.pow(tf.cast(optimizer.beta_1, dtype), steps),
        beta2_power=tf.pow(tf.cast(optimizer.beta_2, dtype), steps),
        lr=tf.cast(learning_rate, dtype),
        beta1=tf.cast(optimizer.beta_1, dtype),
        beta2=tf.cast(optimizer.beta_2, dtype),
        epsilon=tf.cast(optimizer.epsilon, dtype),
        grad=tf.cast(tf.convert_to_tensor(gradient), dtype),
    )
