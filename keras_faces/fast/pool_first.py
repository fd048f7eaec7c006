"""An activation and the max pooling after it, in reverse order: the same outputs with a quarter of the activations.

Source: our own algebra on ``Activation("tanh")`` and ``MaxPooling2D`` in the slide deck's first discriminator. tanh is
monotonic, so it commutes with the maximum::

    max(tanh a, tanh b, tanh c, tanh d)  =  tanh(max(a, b, c, d))

The gradient goes to the same pixel of a block. (Where rounding makes two of the tanh equal, the left side gives it to
the first of these, the right side to the greater argument.)

See also: ``upsample_conv.py``, the other pair of layers with a fast form.
"""

from __future__ import annotations

import keras
from keras import activations, layers

MONOTONIC = (activations.tanh, activations.relu, activations.sigmoid, activations.leaky_relu, activations.elu)


def reordered(listed: list[keras.Layer]) -> list[keras.Layer]:
    """Return the layers of a Sequential in the order in which they are computed.

    Only a monotonic ``Activation`` changes places with a ``MaxPooling2D`` right behind it.

    Parameters
    ----------
    listed : list of keras.Layer
        The layers as the model lists them.

    Returns
    -------
    list of keras.Layer
        The same layers.
    """
    order = list(listed)
    for place in range(len(order) - 1):
        activation, pooling = order[place : place + 2]
        monotonic = type(activation) is layers.Activation and activation.activation in MONOTONIC
        if monotonic and type(pooling) is layers.MaxPooling2D:
            order[place : place + 2] = pooling, activation
    return order
