"""linear-tanh: the fully connected pair again, with tanh at G's end.

Source: the LFW paper, table 3: "the same network, the last activation tanh", and its finding: the outlines are clearer
than with a sigmoid. (The paper calls the changed network the discriminator; the table shows G. See the errata.)

A sigmoid's slope is at most ¼, tanh's 1: the same error moves tanh's input four times as far. And photographs in
[-1, 1] have a mean near 0, which D's first layer likes better than one near ½.

Read next: ``conv.py``, which takes the dense layers out.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models.linear import DIVISOR, IMAGE_SIZE, check, discriminator, generator
from keras_faces.models.linear import PRINTED as PRINTED
from keras_faces.models.linear import report as report
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel


def build(
    image_size: int = IMAGE_SIZE,
    divisor: int = DIVISOR,
    latent_dim: int | None = None,
    d_rate: float = 1e-4,
    g_rate: float = 2e-4,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """The fully connected pair with a tanh at the end, compiled. Parameters as of ``linear.build``."""
    check("linear-tanh", image_size, divisor)
    model = AdversarialModel(
        generator(image_size, divisor, latent_dim, activation="tanh"),
        discriminator(image_size, divisor),
        seed=seed,
        name="linear_tanh",
        **rule,
    )
    model.compile(Adam(d_rate, beta_1=0.5), Adam(g_rate, beta_1=0.5))
    return model
