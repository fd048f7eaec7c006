"""linear-tanh: the fully connected pair with tanh as G's last activation.

Source: the LFW paper, section 2.2.1 and table 3: "the same network, the last activation tanh". The paper's reason: tanh
has thinner tails than a sigmoid. Its slope is smaller at the ends, so small gradients there keep less noise, and
colours do not gather at the extremes ("a normalisation with thin tails"). It finds clearer outlines and features. (The
paper calls the changed network the discriminator; its table shows G. See ``docs/errata.md``.)

Two more reasons: the slope of a sigmoid is at most ¼, that of tanh 1, so the same error gives G a gradient four times
as large. And photographs in [-1, 1] have a mean near 0, not near ½.

See also: ``conv.py``, with convolutions instead of the dense layers.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models.gans import linear
from keras_faces.models.gans.linear import DIVISOR, IMAGE_SIZE
from keras_faces.models.gans.linear import report as report
from keras_faces.training.gan import RegularizedGAN


def build(
    image_size: int = IMAGE_SIZE,
    divisor: int = DIVISOR,
    latent_dim: int | None = None,
    d_learning_rate: float = 1e-4,
    g_learning_rate: float = 2e-4,
    **options: Any,
) -> RegularizedGAN:
    """Return the pair with tanh at the end, compiled; parameters as of :func:`linear.build`."""
    rates = {"d_learning_rate": d_learning_rate, "g_learning_rate": g_learning_rate}
    return linear.build(image_size, divisor, latent_dim, **rates, activation="tanh", name="linear_tanh", **options)
