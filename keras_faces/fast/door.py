"""One door for speed: :func:`accelerate` makes a network in plain ``keras.layers`` fast, :func:`plain` undoes it.

A model file says *what* is computed. This package computes the same faster on the machine at hand: each Keras layer
that has a fast form here gets another ``call``. The layer stays the same object with the same class, weights, name and
configuration, so what is saved or exported opens in Keras without this package. (A network with layers of a paper,
``keras_faces.layers``, needs their classes: open it with ``kf.models.load``.)

    model = kf.models.build("slides-v1")                        # accelerated
    model = kf.models.build("slides-v1", fast_layers=False)     # as Keras computes it
    network = kf.fast.accelerate(my_own_keras_network)

The forms, one file each: ``convolution.py``, ``bias.py`` (dense layers), ``batch_norm.py``, ``upsample_conv.py``
(doubling, then convolution), ``pool_first.py`` (activation, then pooling), ``adam.py``.

See also: ``docs/speed.md``, what each form gains.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import keras

from keras_faces.fast import adam, batch_norm, bias, convolution, pool_first, upsample_conv

FORMS = {
    keras.layers.Conv2D: convolution.conv2d,
    keras.layers.Conv2DTranspose: convolution.conv2d_transpose,
    keras.layers.Dense: bias.dense,
    keras.layers.BatchNormalization: batch_norm.batch_normalization,
}


def accelerate(model: keras.Layer) -> keras.Layer:
    """Let a network, or a model of several networks and its optimizer, compute by the fast forms.

    Works in place. Outputs, gradients and updates are Keras's but for rounding. A layer of a subclass, and a pair of
    layers that does not stand in a ``keras.Sequential``, stays as it is. On PyTorch nothing changes.

    Parameters
    ----------
    model : keras.Layer
        Any Keras network or model. Layers that it gets later, and copies of it, are not covered: call this again.

    Returns
    -------
    keras.Layer
        The same object.
    """
    if keras.backend.backend() == "torch":
        return model
    for layer in _layers(model):
        if form := FORMS.get(type(layer)):
            layer.call = MethodType(form, layer)
        elif type(layer) is keras.Sequential and _order(layer.layers) != layer.layers:
            layer.call = MethodType(_sequential, layer)
    for optimizer in _optimizers(getattr(model, "optimizer", None)):
        adam.accelerate(optimizer)
    return _retraced(model)


def plain(model: keras.Layer) -> keras.Layer:
    """Undo :func:`accelerate`, in place: every layer and optimizer computes as Keras wrote it.

    Parameters
    ----------
    model : keras.Layer
        A network or model.

    Returns
    -------
    keras.Layer
        The same object.
    """
    for layer in _layers(model):
        vars(layer).pop("call", None)
    for optimizer in _optimizers(getattr(model, "optimizer", None)):
        adam.plain(optimizer)
    return _retraced(model)


def is_accelerated(model: keras.Layer) -> bool:
    """Return whether a layer of ``model`` has a fast form at present."""
    return any("call" in vars(layer) for layer in _layers(model))


def _layers(model: keras.Layer) -> list[keras.Layer]:
    return list(model._flatten_layers())


def _optimizers(optimizer: Any) -> list[Any]:
    """An optimizer and all that it holds: D's and G's, those of stages, the one behind a loss scale."""
    if optimizer is None:
        return []
    inside = [*getattr(optimizer, "parts", []), *getattr(optimizer, "optimizers", [])]
    inside.append(getattr(optimizer, "inner_optimizer", None))
    return [optimizer, *(each for part in inside for each in _optimizers(part))]


def _retraced(model: keras.Layer) -> keras.Layer:
    """The model without the steps that Keras has compiled already."""
    for name in ("train_function", "test_function", "predict_function"):
        if getattr(model, name, None) is not None:
            setattr(model, name, None)
    return model


def _order(listed: list[keras.Layer]) -> list[Any]:
    """The stages of a Sequential as they are computed: pooling before activation, a doubling with its convolution."""
    return upsample_conv.joined(pool_first.reordered(listed))


def _sequential(network: keras.Sequential, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    """The ``call`` of a Sequential in which pairs of layers are computed together."""
    maps = inputs
    for stage in _order(network.layers):
        maps = stage(maps)  # Keras hands `training` on to each layer
    return maps
