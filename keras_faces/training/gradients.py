"""Gradients and frozen networks, written once for TensorFlow, JAX and PyTorch.

Keras 3 has one way to write a network and three ways to differentiate it. The functions of this file are all that a
training step needs of that: :func:`value_and_grad` differentiates a loss by weights, :func:`input_gradients` a score by
the images it judges, and :func:`frozen` holds a network still.

Read next: ``adversarial.py``, the step that uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_faces.training.devices import replicas
from keras_faces.training.loss_scale import LossScale


def value_and_grad(
    loss_fn: Callable[[], tuple[Any, Any]],
    variables: Sequence[keras.Variable],
    state: Sequence[keras.Variable],
    optimizer: keras.optimizers.Optimizer | None = None,
) -> tuple[tuple[Any, Any], list[Any]]:
    """Run ``loss_fn`` and differentiate the loss that it returns.

    Parameters
    ----------
    loss_fn
        A function without arguments that returns ``(loss, aux)``: the scalar to differentiate, and anything else that
        the caller wants to see (tensors, or a dict or tuple of tensors).
    variables
        The variables to differentiate by, in the order of the gradients. No other variable gets a gradient, whatever
        its ``trainable`` attribute says.
    state
        Every variable that ``loss_fn`` may read or change (a model's ``variables``). JAX alone needs it: a function
        that it differentiates must get its state as an argument and hand the changes back.
    optimizer
        The one that will apply the gradients. If it has a loss scale (float16, ``loss_scale.py``), the loss is
        multiplied by it on its way into the derivative, and the gradients divided by it.

    Returns
    -------
    ``((loss, aux), gradients)``, the gradients in the shapes of ``variables``, neither of them scaled.
    """
    scale = optimizer.scale_loss(1.0) if isinstance(optimizer, LossScale) else None
    result, gradients = _BACKENDS[keras.backend.backend()](loss_fn, list(variables), list(state), scale)
    return result, divided(gradients, scale)


def divided(gradients: list[Any], scale: Any) -> list[Any]:
    """Gradients without the loss scale, and those of one of several devices as its share: optimizers add them up."""
    copies = replicas()
    if scale is None and copies == 1:
        return gradients
    scale = copies if scale is None else scale * copies
    return [None if gradient is None else gradient / scale for gradient in gradients]


def _times(loss, scale):
    return loss if scale is None else loss * scale


def _tensorflow(loss_fn, variables, state, scale):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([variable.value for variable in variables])
        loss, aux = loss_fn()
        scaled = _times(loss, scale)
    return (loss, aux), tape.gradient(scaled, [variable.value for variable in variables])


def _torch(loss_fn, variables, state, scale):
    import torch

    loss, aux = loss_fn()
    gradients = torch.autograd.grad(_times(loss, scale), [variable.value for variable in variables], allow_unused=True)
    return (loss, aux), list(gradients)


def _jax(loss_fn, variables, state, scale):
    import jax

    # A nested scope sees nothing of the scope around it, so it is given the present value of everything.
    present = [(variable, variable.value) for variable in state]

    def pure(values):
        with keras.StatelessScope(state_mapping=present + list(zip(variables, values, strict=True))) as scope:
            loss, aux = loss_fn()
        return _times(loss, scale), (loss, aux, [scope.get_current_value(variable) for variable in state])

    values = [variable.value for variable in variables]
    (_, (loss, aux, updated)), gradients = jax.value_and_grad(pure, has_aux=True)(values)
    for variable, value in zip(state, updated, strict=True):  # moving averages and random states go on
        variable.assign(value)
    return (loss, aux), gradients


_BACKENDS = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}


def input_gradients(network: keras.Layer, images: Any, *others: Any) -> Any:
    """The gradient of ``network``'s output by each of ``images``, in their shape and float32.

    It can be differentiated again by the network's weights, inside the ``loss_fn`` of :func:`value_and_grad`: that is
    how a penalty on gradients teaches. The network runs in training mode and nothing of it changes (:func:`frozen`). An
    image's gradient is its own only if no layer mixes the images of a batch, so not with BatchNormalization. ``others``
    are what the network reads beside the images, such as labels.
    """

    def score(pixels):
        with frozen(network):
            judged = network([pixels, *others] if others else pixels, training=True)
            return keras.ops.sum(keras.ops.cast(judged, "float32"))

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            total = score(images)
        return tape.gradient(total, images)
    if backend == "jax":
        import jax

        return jax.grad(score)(images)
    import torch

    images = images.detach().requires_grad_(True)
    return torch.autograd.grad(score(images), images, create_graph=True)[0]


def global_norm(gradients: Sequence[Any]) -> Any:
    """The length of all gradients taken as one vector, float32; None (no gradient) counts as 0."""
    squares = [_squares(keras.ops.cast(part, "float32")) for part in gradients if part is not None]
    return keras.ops.sqrt(sum(squares)) * replicas()  # a device's share counts whole


def _squares(gradient: Any) -> Any:
    """The sum of the squares; on TensorFlow in one pass, without a tensor of squares as large as the gradient."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return 2 * tf.nn.l2_loss(gradient)
    return keras.ops.sum(gradient**2)


def frozen(network: keras.Layer) -> keras.StatelessScope:
    """A scope in which ``network`` works as ever, and in which nothing of it changes.

    ``with frozen(discriminator): logits = discriminator(images, training=True)`` normalises with the batch's own
    statistics and drops units as in training, but its moving averages and its random state are what they were before,
    bit for bit. Gradients flow through it to ``images``. Call nothing else inside: other networks would stand still
    as well.

    This is not ``trainable = False``, which Keras 3 reads once, when the training function is traced, and which turns
    BatchNormalization to its moving averages.
    """
    return keras.StatelessScope(state_mapping=[(variable, variable.value) for variable in network.variables])
