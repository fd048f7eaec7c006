"""An activation and the pooling after it, computed the other way round: the same numbers for a quarter of the work.

Source: our own algebra on the slide deck's ``Activation("tanh")`` and ``MaxPooling2D`` in its first discriminator.

tanh never falls, so the greatest of four tanh is the tanh of the greatest::

    max(tanh a, tanh b, tanh c, tanh d)  =  tanh(max(a, b, c, d))

On the right there is one tanh where there were four, and one number a block to keep for the way back. The slope goes to
the same pixel of the block. (Where rounding makes two of the tanh equal, the left side sends it to the first of these,
the right side still to the greater.)

Read next: ``upsample_conv.py``, the other pair of the slide deck that is computed in another form.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import activations, layers

NEVER_FALLING = (activations.tanh, activations.relu, activations.sigmoid, activations.leaky_relu, activations.elu)


@keras.saving.register_keras_serializable("keras_faces")
class PoolFirstSequential(keras.Sequential):
    """A ``keras.Sequential`` that pools before it activates where the layers say: activate, then pool.

    Layers, names, weights and the summary are those of ``keras.Sequential``; so are the outputs and gradients, but for
    rounding. Only an ``Activation`` that never falls changes places with a ``MaxPooling2D`` right behind it.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        maps = inputs
        for layer in pools_first(self.layers):
            maps = layer(maps)  # Keras hands `training` on
        return maps

    def without_last(self, name: str) -> PoolFirstSequential:
        """A network of all layers but the last, which it shares with this one, and their weights."""
        return PoolFirstSequential([keras.Input(self.input_shape[1:]), *self.layers[:-1]], name=name)


def pools_first(listed: list[keras.Layer]) -> list[keras.Layer]:
    """The layers in the order in which they are computed."""
    order = list(listed)
    for place in range(len(order) - 1):
        activation, pooling = order[place : place + 2]
        never_falls = type(activation) is layers.Activation and activation.activation in NEVER_FALLING
        if never_falls and type(pooling) is layers.MaxPooling2D:
            order[place : place + 2] = pooling, activation
    return order
