"""wgan-gp: a critic with a gradient penalty instead of clipped weights.

Source: the dissertation, eq. 2.12 (Gulrajani et al. 2017, algorithm 1). Clipped weights gather at ±0.01 and make a
simple critic. The best critic has gradients of length 1 on the lines between photographs and fakes, so its loss is

    mean D(G(z)) − mean D(x) + 10 · mean (‖∇D(x̂)‖ − 1)²,    x̂ = α x + (1 − α) G(z),    α uniform in [0, 1]

with one α for each image. (The source prints the negative of the whole: errata S2.)

Against ``wgan.py``: LayerNormalization in the critic, so that an image's gradient depends on no other image (the
paper's section 4); Adam with beta_1 0, beta_2 0.9.

See also: ``sngan.py``, which limits the slope of every layer without a second derivative.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init, downconv, feature_channels
from keras_faces.models import check_image_size
from keras_faces.models.gans.dcgan import generator
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Return the critic, from an image (image_size, image_size, 3) in [-1, 1] to a score (1,). Shapes: 32×32."""
    first, *others = feature_channels(image_size, width)
    stages = [
        layers.Input((image_size, image_size, 3)),
        downconv(first),
        layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64
    ]
    for filters in others:
        stages += [
            downconv(filters),
            layers.LayerNormalization(axis=(1, 2, 3), dtype="float32"),
            layers.LeakyReLU(negative_slope=0.2),  # 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        layers.Dense(1, kernel_initializer=dcgan_init(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    learning_rate: float = 2e-4,
    d_steps: int = 3,
    loss: str = "wgan-gp",
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return WGAN-GP, compiled.

    Parameters
    ----------
    image_size, latent_dim, width, seed
        As of :func:`dcgan.build`.
    learning_rate : float
        Adam's, for the critic and for G; the paper has 1e-4.
    d_steps : int
        Steps of the critic for each of G, each on a batch of photographs of its own; the paper has 5.
    loss : str
        "wgan-gp" has a penalty of weight 10; the option ``gradient_penalty`` sets another weight.
    options
        ``gradient_penalty``, ``average``, ...: see :class:`RegularizedGAN`.
    """
    check_image_size("wgan-gp", image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        d_steps=d_steps,
        loss=loss,
        seed=seed,
        name="wgan_gp",
        **options,
    )
    adam = {"learning_rate": learning_rate, "beta_1": 0.0, "beta_2": 0.9}
    model.compile(keras.optimizers.Adam(**adam), keras.optimizers.Adam(**adam))
    return model
