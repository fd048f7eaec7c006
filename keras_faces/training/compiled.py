"""A function of the networks compiled once, for the thousands of small calls that make a picture pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras


def compiled(function: Callable, variables: Sequence[keras.Variable]) -> Callable:
    """``function`` as a graph (TensorFlow) or compiled (JAX); on PyTorch as it is.

    Parameters
    ----------
    function
        Reads nothing that changes but its arguments, nested tensors, and ``variables``; changes nothing.
    variables
        What it reads of a model.

    Returns
    -------
    A function ``(values, *arguments)``: the values of the variables to work with, such as averages, come first.
    """

    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(pure, autograph=False, reduce_retracing=True)
    if backend == "jax":
        import jax

        return jax.jit(pure)
    return pure
