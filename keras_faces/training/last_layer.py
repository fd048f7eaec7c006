"""The end of a network: which activation its images or scores come from, and D without its sigmoid.

The losses read logits (``losses.py``), the slide deck's D ends in a sigmoid. A student may write that sigmoid as
``Activation("sigmoid")``, as ``Dense(1, activation="sigmoid")`` or as ``keras.ops.sigmoid``: each is found here, and
anything else that bounds a score is an error. A second sigmoid would stop D from learning.
"""

from __future__ import annotations

import re
from typing import Any

import keras
from keras import layers

RESHAPES = (layers.Flatten, layers.Reshape, layers.Identity, layers.Dropout)
ACTIVATIONS = {layers.ReLU: "relu", layers.LeakyReLU: "leaky_relu", layers.ELU: "elu", layers.PReLU: "prelu"}
ACTIVATIONS |= {layers.Softmax: "softmax", layers.Lambda: "a Lambda"}
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0)}
NOT_FOR_IMAGES = ("relu", "relu6", "leaky_relu", "elu", "selu", "softplus", "softmax")


@keras.saving.register_keras_serializable("keras_faces")
class WithoutActivation(layers.Layer):
    """A layer's output before its activation; the weights are shared with the layer.

    Parameters
    ----------
    layer : keras.layers.Layer
        One with an ``activation``, such as ``Dense(1, activation="sigmoid")``.
    """

    def __init__(self, layer: layers.Layer, **kwargs: Any) -> None:
        super().__init__(dtype=layer.dtype_policy, **kwargs)
        self.layer = layer
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Return the logits."""
        kept, self.layer.activation = self.layer.activation, keras.activations.linear
        try:
            return self.layer(inputs)
        finally:
            self.layer.activation = kept

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the layer's own shape."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the layer, serialised."""
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WithoutActivation:
        """Make it again from :meth:`get_config`."""
        layer = keras.saving.deserialize_keras_object(config.pop("layer"))
        return cls(layer, **config)


def last_activation(network: keras.Model) -> tuple[str, str]:
    """Return the activation that a network's output comes from, and the name of the layer that has it.

    Parameters
    ----------
    network : keras.Model
        A ``Sequential`` or a functional model.

    Returns
    -------
    tuple of str
        Such as ``("sigmoid", "dense_3")``; the activation is "linear" where there is none. Layers that only reshape
        are passed over.
    """
    operation, inputs = _last(network.outputs[0])
    while isinstance(operation, RESHAPES) or (
        isinstance(operation, layers.Activation) and _name(operation) == "linear"
    ):
        if len(inputs) != 1 or isinstance(_last(inputs[0])[0], layers.InputLayer):
            break
        operation, inputs = _last(inputs[0])
    if isinstance(operation, keras.Model):
        return last_activation(operation)
    return _name(operation), operation.name


def up_to_the_sigmoid(discriminator: keras.Model) -> keras.Model:
    """Return the same network, layers and weights shared, without a last sigmoid: images to logits.

    Parameters
    ----------
    discriminator : keras.Model
        A network that may end in a sigmoid, however it is written.

    Returns
    -------
    keras.Model
        From the same inputs to logits; the discriminator itself where no sigmoid ends it.

    Raises
    ------
    ValueError
        If D ends in another activation, or in a sigmoid that stands before a Flatten or Reshape.
    """
    activation, name = last_activation(discriminator)
    if activation == "linear":
        return discriminator
    if activation != "sigmoid":
        raise ValueError(
            f"the discriminator ends in {activation} (layer {name!r}), but the losses need a score without bounds: "
            'end it in Dense(1), or in Dense(1, activation="sigmoid") as the slides do.'
        )
    last, inputs = _last(discriminator.outputs[0])
    if isinstance(discriminator, keras.Sequential) and isinstance(last, layers.Activation):
        start = keras.Input(discriminator.input_shape[1:])
        return keras.Sequential([start, *discriminator.layers[:-1]], name="d_logits")
    if isinstance(last, keras.Model):
        logits = up_to_the_sigmoid(last)(inputs if len(inputs) > 1 else inputs[0])
    elif _name(last) != "sigmoid":
        raise ValueError(
            f"the discriminator's sigmoid (layer {name!r}) stands before {type(last).__name__}: end the network "
            'in Activation("sigmoid").'
        )
    elif isinstance(last, layers.Layer) and not isinstance(last, layers.Activation):
        logits = WithoutActivation(last, name="logits")(inputs[0])
    else:
        logits = inputs[0]
    return keras.Model(
        discriminator.inputs if len(discriminator.inputs) > 1 else discriminator.inputs[0], logits, name="d_logits"
    )


def check_generator(generator: keras.Model, value_range: tuple[float, float]) -> None:
    """Stop if a generator's last activation does not make images in ``value_range``.

    Raises
    ------
    ValueError
        For tanh with another range than (-1, 1), sigmoid with another than (0, 1), and for a ReLU or its kind.
    """
    activation, name = last_activation(generator)
    fits = RANGES.get(activation)
    if fits is not None and fits != tuple(value_range):
        raise ValueError(
            f"the generator ends in {activation} (layer {name!r}), so its images are in {fits}, and the photographs "
            f"are scaled to {tuple(value_range)}: pass value_range={fits}."
        )
    if activation in NOT_FOR_IMAGES:
        raise ValueError(
            f"the generator ends in {activation} (layer {name!r}), whose values do not fill {tuple(value_range)}: "
            "end it in tanh for (-1, 1) or in a sigmoid for (0, 1)."
        )


def _last(tensor: Any) -> tuple[Any, list[Any]]:
    """The operation that makes a symbolic tensor, and the tensors that it reads."""
    operation, node, _ = tensor._keras_history
    return operation, operation._inbound_nodes[node].input_tensors


def _name(operation: Any) -> str:
    """The activation of a layer, or of an operation such as ``keras.ops.sigmoid``, as Keras spells it."""
    if not isinstance(operation, layers.Layer):
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(operation).__name__).lower()
        return name if name in {*RANGES, *NOT_FOR_IMAGES} else "linear"
    if type(operation) in ACTIVATIONS:
        return ACTIVATIONS[type(operation)]
    activation = getattr(operation, "activation", None)
    return "linear" if activation is None else getattr(activation, "__name__", str(activation))
