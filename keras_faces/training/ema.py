"""An exponential moving average of G's weights: a steadier generator to sample from.

Training never uses it. Karras et al. 2018 (section 4.1) sample from such an average with a decay of 0.999.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class WeightAverage(keras.layers.Layer):
    """An average of ``network``'s trainable weights; it is part of the model's state and checkpoints.

    Parameters
    ----------
    network : keras.Model
        The network to follow, built. No reference is kept, or Keras would save its weights twice: each call gets it.
    decay : float
        In (0, 1): how much of the average stays at each update. The first updates use less,
        ``min(decay, (1 + n) / (10 + n))`` after n of them, so that the initial weights are soon forgotten.

    Raises
    ------
    ValueError
        For a decay outside (0, 1).
    """

    def __init__(self, network: keras.Model, decay: float) -> None:
        super().__init__(name="average")
        if not 0.0 < decay < 1.0:
            raise ValueError(f"average={decay}: must be between 0 and 1, 0.999 is usual.")
        self.decay = decay
        self.updates = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="float32", name="updates")
        self.averages = [
            self.add_weight(shape=weight.shape, initializer="zeros", trainable=False, dtype="float32", name=weight.name)
            for weight in network.trainable_variables
        ]
        self.built = True
        for average, weight in zip(self.averages, network.trainable_variables, strict=True):
            average.assign(ops.convert_to_numpy(weight))  # a copy: JAX does not take one buffer twice

    def update(self, network: keras.Model) -> None:
        """Move the averages towards the network's weights as they are now."""
        decay = ops.minimum(self.decay, (1.0 + self.updates) / (10.0 + self.updates))
        for average, weight in zip(self.averages, network.trainable_variables, strict=True):
            average.assign(decay * average + (1.0 - decay) * weight)
        self.updates.assign(self.updates + 1.0)

    def pairs(self, network: keras.Model) -> list[tuple[keras.Variable, Any]]:
        """Return pairs ``(weight, its average)``, ready for ``keras.StatelessScope(state_mapping=...)``."""
        weights = network.trainable_variables
        return [(weight, average.value) for weight, average in zip(weights, self.averages, strict=True)]
