"""What a network says about the next grey level, 0 to 255: a probability for each, in one of two ways.

Source: van den Oord et al. 2016, section 3.3 (a softmax over 256 levels), and Salimans et al. 2017, "PixelCNN++",
section 2.1, eq. 2 (a mixture of logistic distributions, cut into levels). The softmax knows nothing of order, that 127
lies beside 128, and has to learn it; the mixture has it built in and needs few numbers a pixel.

Both offer ``numbers``, how many the network must say of each colour of a pixel; ``log_probability``; and ``level``, the
level below which a given share of the probability lies: a uniform random share so becomes a level drawn from the
distribution, and the same share a similar level when the network changes a little; and ``first_guess``, what to say
before anything is learned.

Read next: ``autoregressive.py``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

LEVELS = 256


class Softmax:
    """256 logits for each colour of a pixel."""

    numbers = LEVELS

    def first_guess(self, size: int) -> np.ndarray:
        """The kernel (size, size, 3, numbers * 3) of a convolution that says nothing: a uniform model."""
        return np.zeros((size, size, 3, 3 * self.numbers), "float32")

    def log_probability(self, said: Any, levels: Any) -> Any:
        """``log P(level)`` in nats, float32 (..., 3).

        Parameters
        ----------
        said
            What the network says, (..., numbers, 3).
        levels
            Whole numbers 0..255, (..., 3).
        """
        logs = ops.log_softmax(ops.cast(said, "float32"), axis=-2)
        chosen = ops.expand_dims(ops.cast(levels, "int32"), -2)
        return ops.take_along_axis(logs, chosen, axis=-2)[..., 0, :]

    def level(self, said: Any, share: Any) -> Any:
        """The level at a share in (0, 1) of the probability: int32 (..., 3), ``said`` (..., numbers, 3), ``share``
        (..., 3)."""
        below = ops.cumsum(ops.softmax(ops.cast(said, "float32"), axis=-2), axis=-2)[..., :-1, :]
        return ops.sum(ops.cast(below < ops.expand_dims(ops.cast(share, "float32"), -2), "int32"), axis=-2)


class LogisticMixture:
    """A few logistic distributions for each colour of a pixel: the weight, the mean and the width of each.

    P(x) = Σ π [σ((x + ½ − μ) / s) − σ((x − ½ − μ) / s)], where 0 reaches down to −∞ and 255 up to ∞. A difference of
    two sigmoids that are both close to 0 or 1 would be 0, and its logarithm −∞. With a the upper argument and b the
    lower, it is ``σ(a) σ(−b) (1 − exp(b − a))``, whose logarithm can be had without a difference.

    Parameters
    ----------
    components
        How many; the paper has 10 (or 5).
    """

    STEP = 0.3  # Adam moves all weights at once, and a mean is wanted to within a few levels: it takes smaller steps

    def __init__(self, components: int = 5) -> None:
        if components < 1:
            raise ValueError(f"components={components}: a mixture has at least one.")
        self.components = components
        self.numbers = 3 * components

    def parts(self, said: Any) -> tuple[Any, Any, Any]:
        """Logarithms of the weights π, the means μ and the widths s in levels, each (..., components, 3).

        What is said of a mean counts as ``STEP`` times the units of the images, −1 to 1; the means begin spread a
        little about it, the widths at twelve levels. s stays above a seventh of a level, below which a level's
        probability is 1 anyway.
        """
        weight, mean, width = ops.split(ops.cast(said, "float32"), 3, axis=-2)
        places = (ops.arange(self.components, dtype="float32") + 0.5) / self.components
        mean = 127.5 * (1.0 + self.STEP * mean + 0.5 * (ops.expand_dims(places, -1) - 0.5))
        return ops.log_softmax(weight, axis=-2), mean, ops.exp(ops.clip(2.5 + width, -2.0, 7.0))

    def log_probability(self, said: Any, levels: Any) -> Any:
        """As :meth:`Softmax.log_probability`."""
        weight, mean, width = self.parts(said)
        levels = ops.expand_dims(ops.cast(levels, "float32"), -2)
        upper, lower = (levels + 0.5 - mean) / width, (levels - 0.5 - mean) / width
        below_top = ops.where(levels > LEVELS - 1.5, 0.0, -ops.softplus(-upper))  # log σ(a)
        above_bottom = ops.where(levels < 0.5, 0.0, -ops.softplus(lower))  # log σ(−b)
        at_an_end = ops.logical_or(levels < 0.5, levels > LEVELS - 1.5)
        between = ops.where(at_an_end, 0.0, ops.log(-ops.expm1(-1.0 / width)))
        return ops.logsumexp(weight + below_top + above_bottom + between, axis=-2)

    def level(self, said: Any, share: Any) -> Any:
        """As :meth:`Softmax.level`."""
        weight, mean, width = (ops.expand_dims(part, -3) for part in self.parts(said))
        edges = ops.reshape(ops.arange(LEVELS - 1, dtype="float32") + 0.5, (LEVELS - 1, 1, 1))
        below = ops.sum(ops.exp(weight) * ops.sigmoid((edges - mean) / width), axis=-2)  # ..., 255, 3
        return ops.sum(ops.cast(below < ops.expand_dims(ops.cast(share, "float32"), -2), "int32"), axis=-2)

    def first_guess(self, size: int) -> np.ndarray:
        """The kernel (size, size, 3, numbers * 3) of a convolution with mask A that says of the means: a pixel is as
        the one to the left, and green and blue have changed as much as the colour before them."""
        kernel = np.zeros((size, size, 3, self.numbers, 3), "float32")
        here, means = size // 2, slice(self.components, 2 * self.components)
        for colour in range(3):
            kernel[here, here - 1, colour, means, colour] = 1.0 / self.STEP
            if colour:
                kernel[here, here - 1, colour - 1, means, colour] = -1.0 / self.STEP
                kernel[here, here, colour - 1, means, colour] = 1.0 / self.STEP
        return kernel.reshape(size, size, 3, -1)


OUTPUTS = ("softmax", "mixture")


def output(name: str, components: int = 5) -> Softmax | LogisticMixture:
    """ "softmax" or "mixture"; any other name raises a ``ValueError``."""
    if name not in OUTPUTS:
        raise ValueError(f"output={name!r}: choose from {', '.join(OUTPUTS)}.")
    return Softmax() if name == "softmax" else LogisticMixture(components)


def bits(log_probability: Any) -> Any:
    """Bits per dimension: the mean of ``−log₂ P`` over colours, pixels and images. A uniform model has 8."""
    return -ops.mean(log_probability) / math.log(2.0)
