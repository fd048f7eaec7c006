"""wgan-gp: the critic's gradient is kept at length 1, instead of its weights in a box.

Source: the dissertation, eq. 2.12 (Gulrajani et al. 2017, algorithm 1). Clipped weights gather at ±0.01 and make a
poor, simple critic. A function of limited slope has gradients of length at most 1, and the best one has length 1 on the
lines between photographs and fakes; so ten times ``(‖∇D(x̂)‖ - 1)²`` at a random point of each such line is *added* to
the critic's loss (the source prints the negative of the whole: errata S2). The point's share is one uniform number an
image.

An image's gradient must not depend on the other images of its batch, so the critic has LayerNormalization in the place
of BatchNormalization (the paper's section 4). Adam works again: beta_1 0, beta_2 0.9.

Read next: ``sngan.py``, which limits the slope of every layer, without a second derivative.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.ladder import channels, down, normal
from keras_faces.models import check_image_size
from keras_faces.models.dcgan import generator
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the source prints no layers


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the critic's number (1,). Shapes in the comments: 32×32."""
    first, *others = channels(image_size, width)
    stages = [
        layers.Input((image_size, image_size, 3)),
        down(first),
        layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64
    ]
    for filters in others:
        stages += [
            down(filters),
            layers.LayerNormalization(axis=(1, 2, 3), dtype="float32"),
            layers.LeakyReLU(negative_slope=0.2),  # 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        layers.Dense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    rate: float = 2e-4,
    d_steps: int = 3,
    loss: str = "wgan-gp",
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """WGAN-GP, compiled. Each iteration takes ``d_steps`` batches of photographs.

    Parameters
    ----------
    image_size, latent_dim, width
        As of :func:`keras_faces.models.dcgan.build`.
    rate
        Adam's learning rate for the critic and for G; the paper has 1e-4.
    d_steps
        Steps of the critic for each of G; the paper has 5.
    loss
        "wgan-gp" has the penalty's weight 10; another by the option ``gradient_penalty``.
    rule
        ``gradient_penalty``, ``average``, ...: see :class:`AdversarialModel`.
    """
    check_image_size("wgan-gp", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        d_steps=d_steps,
        loss=loss,
        seed=seed,
        name="wgan_gp",
        **rule,
    )
    adam = {"learning_rate": rate, "beta_1": 0.0, "beta_2": 0.9}
    model.compile(Adam(**adam), Adam(**adam))
    return model
