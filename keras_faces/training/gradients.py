"""Gradients and frozen networks, written once for TensorFlow, JAX and PyTorch.

Keras 3 has one way to write a network and three ways to differentiate it. :func:`value_and_grad` differentiates a loss
by weights, :func:`value_and_input_grad` by images, and :func:`frozen` keeps a network as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_faces.fast.devices import replicas
from keras_faces.training.optimizers import LossScale


def value_and_grad(
    loss_fn: Callable[[], tuple[Any, Any]],
    variables: Sequence[keras.Variable],
    state: Sequence[keras.Variable],
    optimizer: keras.optimizers.Optimizer | None = None,
) -> tuple[tuple[Any, Any], list[Any]]:
    """Run ``loss_fn`` and differentiate its loss.

    Parameters
    ----------
    loss_fn : callable
        Without arguments; returns ``(loss, aux)``: the scalar to differentiate, and anything else that the caller wants
        (tensors, or a dict or tuple of tensors).
    variables : sequence of keras.Variable
        What to differentiate by. No other variable gets a gradient, whatever its ``trainable`` attribute says.
    state : sequence of keras.Variable
        Every variable that ``loss_fn`` may read or change (a model's ``variables``). Only JAX needs it: a function
        that it differentiates must get its state as an argument and return the changes.
    optimizer : keras.optimizers.Optimizer, optional
        The one that will apply the gradients. If it has a loss scale (float16), the loss is multiplied by it before it
        is differentiated, and the gradients are divided by it.

    Returns
    -------
    tuple
        ``((loss, aux), gradients)``, the gradients in the shapes and the order of ``variables``; nothing is scaled.
    """
    scale = optimizer.scale_loss(1.0) if isinstance(optimizer, LossScale) else None
    result, gradients = _BACKENDS[keras.backend.backend()](loss_fn, list(variables), list(state), scale)
    return result, _divided(gradients, scale)


def _divided(gradients: list[Any], scale: Any) -> list[Any]:
    """Divide gradients by the loss scale, and by the number of devices, whose gradients optimizers add up."""
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


def value_and_input_grad(loss_fn: Callable[[Any], Any], images: Any) -> tuple[Any, Any]:
    """Differentiate a loss by the images that it reads.

    Parameters
    ----------
    loss_fn : callable
        From images to a scalar.
    images : tensor, shape (batch, H, W, 3)
        Where to differentiate.

    Returns
    -------
    tuple
        ``(loss, gradient)``; the gradient has the shape of ``images`` and can be differentiated again.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            loss = loss_fn(images)
        return loss, tape.gradient(loss, images)
    if backend == "jax":
        import jax

        return jax.value_and_grad(loss_fn)(images)
    import torch

    images = images.detach().requires_grad_(True)
    loss = loss_fn(images)
    return loss, torch.autograd.grad(loss, images, create_graph=True)[0]


def input_gradients(network: keras.Layer, images: Any, *others: Any) -> Any:
    """Differentiate a network's summed output by its images, for penalties on D's gradient.

    The network runs in training mode and nothing of it changes (:func:`frozen`). An image's gradient is its own only
    if no layer mixes the images of a batch, so not with BatchNormalization.

    Parameters
    ----------
    network : keras.Layer
        From images, and ``others`` beside them, to scores (batch, 1).
    images : tensor, shape (batch, H, W, 3)
        Where to differentiate.
    others : tensor
        What the network reads beside the images, such as labels.

    Returns
    -------
    tensor, shape (batch, H, W, 3)
        Float32; it can be differentiated again by the network's weights inside :func:`value_and_grad`.
    """

    def score(pixels):
        with frozen(network):
            judged = network([pixels, *others] if others else pixels, training=True)
            return keras.ops.sum(keras.ops.cast(judged, "float32"))

    return value_and_input_grad(score, images)[1]


def global_norm(gradients: Sequence[Any]) -> Any:
    """Return the Euclidean norm of all gradients together, a float32 scalar; None (no gradient) counts as 0."""
    squares = [_squares(keras.ops.cast(part, "float32")) for part in gradients if part is not None]
    return keras.ops.sqrt(sum(squares)) * replicas()  # undo the division by the number of devices


def _squares(gradient: Any) -> Any:
    """The sum of the squares; on TensorFlow in one pass, without a tensor of squares as large as the gradient."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return 2 * tf.nn.l2_loss(gradient)
    return keras.ops.sum(gradient**2)


def frozen(network: keras.Layer) -> keras.StatelessScope:
    """Return a scope in which ``network`` computes as in training, and in which nothing of it changes.

    ``with frozen(discriminator): logits = discriminator(images, training=True)`` normalises with the batch's own
    statistics and drops units as in training, but its moving averages and its random state are what they were before,
    bit for bit. Gradients flow through it to ``images``. Call no other network inside: it would not change either.

    This is not ``trainable = False``, which Keras 3 reads once, when the training function is traced, and which turns
    BatchNormalization to its moving averages.
    """
    return keras.StatelessScope(state_mapping=[(variable, variable.value) for variable in network.variables])
