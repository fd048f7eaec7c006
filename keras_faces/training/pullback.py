"""A derivative in two parts: G's images now, G's gradients later.

The chain rule lets a derivative stop half way. G makes images; what a loss then says about each pixel, its *slope*, is
all that G's weights must know of the loss. So :func:`with_pullback` runs G and keeps the way back, D may learn on the
images meanwhile, :func:`value_and_slope` asks D for the slope, and the way back turns it into gradients. That is how
``AdversarialModel(shared_fakes=True)`` makes its fakes once for both networks.

TensorFlow has it as a tape with ``output_gradients``, JAX as ``jax.vjp``, PyTorch as ``autograd.grad`` with
``grad_outputs``.

Read next: ``gradients.py``, the same in one part; ``adversarial.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_faces.training.gradients import divided
from keras_faces.training.loss_scale import LossScale

Pullback = Callable[[Any], list[Any]]


def with_pullback(
    forward: Callable[[], Any],
    variables: Sequence[keras.Variable],
    state: Sequence[keras.Variable],
    optimizer: keras.optimizers.Optimizer | None = None,
) -> tuple[Any, Pullback]:
    """Run ``forward`` and keep the way back to ``variables``.

    Parameters
    ----------
    forward
        A function without arguments that returns one tensor.
    variables, state, optimizer
        As in :func:`gradients.value_and_grad`.

    Returns
    -------
    ``(outputs, pullback)``. ``pullback(slope)``, with the slope of a loss in the shape of ``outputs``, gives the
    gradients of that loss by ``variables``, as those were when ``forward`` ran. It can be called once.
    """
    outputs, back = _WITH_PULLBACK[keras.backend.backend()](forward, list(variables), list(state))

    def pullback(slope):
        scale = _scale(optimizer)
        return divided(back(slope if scale is None else slope * scale), scale)

    return outputs, pullback


def value_and_slope(
    loss_fn: Callable[[Any], Any], images: Any, optimizer: keras.optimizers.Optimizer | None = None
) -> tuple[Any, Any]:
    """``loss_fn(images)``, and its derivative by every number of ``images``, in their shape; neither is scaled."""
    scale = _scale(optimizer)

    def scaled(images):
        loss = loss_fn(images)
        return (loss if scale is None else loss * scale), loss

    loss, slope = _VALUE_AND_SLOPE[keras.backend.backend()](scaled, images)
    return loss, slope if scale is None else slope / scale


def _scale(optimizer):
    return optimizer.scale_loss(1.0) if isinstance(optimizer, LossScale) else None


# ------------------------------------------------------------------------------------------------- TensorFlow


def _tensorflow_pullback(forward, variables, state):
    import tensorflow as tf

    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        outputs = forward()
    return outputs, lambda slope: tape.gradient(outputs, values, output_gradients=slope)


def _tensorflow_slope(loss_fn, images):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        scaled, loss = loss_fn(images)
    return loss, tape.gradient(scaled, images)


# -------------------------------------------------------------------------------------------------------- JAX


def _jax_pullback(forward, variables, state):
    import jax

    # A nested scope sees nothing of the scope around it, so it is given the present value of everything.
    present = [(variable, variable.value) for variable in state]

    def pure(values):
        with keras.StatelessScope(state_mapping=present + list(zip(variables, values, strict=True))) as scope:
            outputs = forward()
        return outputs, [scope.get_current_value(variable) for variable in state]

    outputs, back, updated = jax.vjp(pure, [variable.value for variable in variables], has_aux=True)
    for variable, value in zip(state, updated, strict=True):  # moving averages and random states go on
        variable.assign(value)
    return outputs, lambda slope: back(slope)[0]


def _jax_slope(loss_fn, images):
    import jax

    (_, loss), slope = jax.value_and_grad(loss_fn, has_aux=True)(images)
    return loss, slope


# ---------------------------------------------------------------------------------------------------- PyTorch


def _torch_pullback(forward, variables, state):
    import torch

    outputs = forward()
    values = [variable.value for variable in variables]
    return outputs, lambda slope: list(torch.autograd.grad(outputs, values, slope, allow_unused=True))


def _torch_slope(loss_fn, images):
    import torch

    images = images.detach().requires_grad_(True)
    scaled, loss = loss_fn(images)
    return loss, torch.autograd.grad(scaled, images)[0]


_WITH_PULLBACK = {"tensorflow": _tensorflow_pullback, "jax": _jax_pullback, "torch": _torch_pullback}
_VALUE_AND_SLOPE = {"tensorflow": _tensorflow_slope, "jax": _jax_slope, "torch": _torch_slope}
