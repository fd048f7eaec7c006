"""Conditioning augmentation: a normal distribution of conditions around each sentence.

Source: Zhang et al. 2017, section 3.2; the course's textbook, eq. 5-14 and 5-15:

    ĉ ~ N(μ(φ_t), Σ(φ_t)),    ĉ = μ(φ_t) + σ(φ_t)·ε,    ε ~ N(0, I)

A few thousand sentences are single points in a space of 1024 dimensions; the draws fill the space between them. G would
shrink σ to 0, so λ·KL(N(μ, Σ) ‖ N(0, I)) is added to its loss (eq. 5-17).

See also: ``models/conditional/stackgan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, ops


@keras.saving.register_keras_serializable("keras_faces")
class ConditioningAugmentation(keras.layers.Layer):
    """``[φ (batch, dim), ε (batch, components)]`` to ``[ĉ, μ, log σ]``, each (batch, components), float32.

    μ and log σ come from one dense layer with a leaky ReLU of slope 0.2, as in the authors' code.

    Parameters
    ----------
    components : int
        Length of ĉ.
    """

    def __init__(self, components: int, **options: Any) -> None:
        super().__init__(**{"dtype": "float32", **options})
        self.components = components

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[0][-1], 2 * self.components)
        self.kernel = self.add_weight(shape, initializer=initializers.RandomNormal(stddev=0.02), name="kernel")
        self.bias = self.add_weight(shape[1:], initializer="zeros", name="bias")

    def call(self, inputs: Any) -> list[Any]:
        text, chance = inputs
        both = ops.leaky_relu(ops.matmul(text, self.kernel) + self.bias, negative_slope=0.2)
        mean, log_sigma = both[:, : self.components], both[:, self.components :]
        return [mean + ops.exp(log_sigma) * chance, mean, log_sigma]

    def compute_output_shape(self, input_shape: Any) -> list[tuple]:
        return [(input_shape[0][0], self.components)] * 3

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}


def kl_divergence(mean: Any, log_sigma: Any) -> Any:
    """Return KL(N(μ, σ²) ‖ N(0, I)) in nats, the mean over a batch of ``Σ ½ (μ² + σ² − 1) − log σ``.

    Parameters
    ----------
    mean, log_sigma : tensor, shape (batch, components)
        μ and log σ.

    Returns
    -------
    scalar tensor of float32
    """
    mean, log_sigma = ops.cast(mean, "float32"), ops.cast(log_sigma, "float32")
    return ops.mean(ops.sum(0.5 * (mean**2 + ops.exp(2.0 * log_sigma) - 1.0) - log_sigma, axis=-1))
