"""Output distributions over 256 intensities: softmax, and discretised logistic mixture.

Source: van den Oord et al. 2016, section 3.3 (softmax), and Salimans et al. 2017, "PixelCNN++", section 2.1, eq. 2
(mixture). The softmax has to learn that intensity 127 lies beside 128; the mixture has that order built in and needs
few parameters.

Both have ``params_per_channel``, the number of parameters for each colour of a pixel; ``log_probability``; ``level``,
the quantile function, with which a uniform random number becomes a sample; and ``initial_kernel``.

See also: ``models/autoregressive/base.py``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

LEVELS = 256


class Softmax:
    """256 logits for each colour of a pixel."""

    params_per_channel = LEVELS

    def log_probability(self, params: Any, levels: Any) -> Any:
        """Return ``log P(level)`` in nats.

        Parameters
        ----------
        params : tensor, shape (..., params_per_channel, 3)
            The network's output.
        levels : tensor of integers 0..255, shape (..., 3)
            Intensities.

        Returns
        -------
        tensor of float32, shape (..., 3)
            Log probabilities.
        """
        logs = ops.log_softmax(ops.cast(params, "float32"), axis=-2)
        chosen = ops.expand_dims(ops.cast(levels, "int32"), -2)
        return ops.take_along_axis(logs, chosen, axis=-2)[..., 0, :]

    def level(self, params: Any, quantile: Any) -> Any:
        """Return the intensity at a ``quantile`` in (0, 1), (..., 3), of the distributions: int32 (..., 3)."""
        cumulative = ops.cumsum(ops.softmax(ops.cast(params, "float32"), axis=-2), axis=-2)[..., :-1, :]
        return _count_below(cumulative, quantile)

    def initial_kernel(self, size: int) -> np.ndarray:
        """Return the kernel (size, size, 3, params_per_channel * 3) of a convolution for a uniform model: zeros."""
        return np.zeros((size, size, 3, 3 * self.params_per_channel), "float32")


class LogisticMixture:
    """A few logistic distributions for each colour of a pixel, each with a weight π, a mean μ and a scale s.

    P(x) = Σ π [σ((x + ½ − μ) / s) − σ((x − ½ − μ) / s)], where 0 reaches down to −∞ and 255 up to ∞. A difference of
    two sigmoids near 0 or 1 would be 0, and its logarithm −∞. With a the upper argument and b the lower, it is
    ``σ(a) σ(−b) (1 − exp(b − a))``, whose logarithm needs no difference.

    Parameters
    ----------
    components : int
        Number of distributions; the paper has 10 (or 5).

    Raises
    ------
    ValueError
        For less than one.
    """

    STEP = 0.3  # scale of the means: Adam moves all weights by like amounts, and means want smaller steps

    def __init__(self, components: int = 5) -> None:
        if components < 1:
            raise ValueError(f"components={components}: a mixture has at least one.")
        self.components = components
        self.params_per_channel = 3 * components

    def parts(self, params: Any) -> tuple[Any, Any, Any]:
        """Return log π, and μ and s in levels, each (..., components, 3).

        A mean's parameter counts as ``STEP`` times the units of the images, −1 to 1. At first the means are spread a
        little and s is twelve levels; s stays above a seventh of a level, below which one level has probability 1.
        """
        weight, mean, scale = ops.split(ops.cast(params, "float32"), 3, axis=-2)
        places = (ops.arange(self.components, dtype="float32") + 0.5) / self.components
        mean = 127.5 * (1.0 + self.STEP * mean + 0.5 * (ops.expand_dims(places, -1) - 0.5))
        return ops.log_softmax(weight, axis=-2), mean, ops.exp(ops.clip(2.5 + scale, -2.0, 7.0))

    def log_probability(self, params: Any, levels: Any) -> Any:
        """As :meth:`Softmax.log_probability`."""
        weight, mean, scale = self.parts(params)
        levels = ops.expand_dims(ops.cast(levels, "float32"), -2)
        upper, lower = (levels + 0.5 - mean) / scale, (levels - 0.5 - mean) / scale  # a and b
        below_top = ops.where(levels > LEVELS - 1.5, 0.0, -ops.softplus(-upper))  # log σ(a)
        above_bottom = ops.where(levels < 0.5, 0.0, -ops.softplus(lower))  # log σ(−b)
        at_an_end = ops.logical_or(levels < 0.5, levels > LEVELS - 1.5)
        between = ops.where(at_an_end, 0.0, ops.log(-ops.expm1(-1.0 / scale)))  # log(1 − exp(b − a))
        return ops.logsumexp(weight + below_top + above_bottom + between, axis=-2)

    def level(self, params: Any, quantile: Any) -> Any:
        """As :meth:`Softmax.level`."""
        weight, mean, scale = (ops.expand_dims(part, -3) for part in self.parts(params))
        edges = ops.reshape(ops.arange(LEVELS - 1, dtype="float32") + 0.5, (LEVELS - 1, 1, 1))
        cumulative = ops.sum(ops.exp(weight) * ops.sigmoid((edges - mean) / scale), axis=-2)  # ..., 255, 3
        return _count_below(cumulative, quantile)

    def initial_kernel(self, size: int) -> np.ndarray:
        """Return the kernel (size, size, 3, params_per_channel * 3) of a convolution with mask A for the means.

        It predicts the pixel to the left, and that green and blue change as much as the colour before them.
        """
        kernel = np.zeros((size, size, 3, self.params_per_channel, 3), "float32")
        here, means = size // 2, slice(self.components, 2 * self.components)
        for colour in range(3):
            kernel[here, here - 1, colour, means, colour] = 1.0 / self.STEP
            if colour:
                kernel[here, here - 1, colour - 1, means, colour] = -1.0 / self.STEP
                kernel[here, here, colour - 1, means, colour] = 1.0 / self.STEP
        return kernel.reshape(size, size, 3, -1)


def _count_below(cumulative: Any, quantile: Any) -> Any:
    """How many of the cumulative probabilities (..., 255, 3) are below the quantile (..., 3)."""
    return ops.sum(ops.cast(cumulative < ops.expand_dims(ops.cast(quantile, "float32"), -2), "int32"), axis=-2)


OUTPUTS = ("softmax", "mixture")


def output(name: str, components: int = 5) -> Softmax | LogisticMixture:
    """Make the "softmax", or the "mixture" of so many components; raise a ``ValueError`` for any other name."""
    if name not in OUTPUTS:
        raise ValueError(f"output={name!r}: choose from {', '.join(OUTPUTS)}.")
    return Softmax() if name == "softmax" else LogisticMixture(components)


def bits(log_probability: Any) -> Any:
    """Return bits per dimension, the mean of ``−log₂ P`` over colours, pixels and images; a uniform model has 8."""
    return -ops.mean(log_probability) / math.log(2.0)
