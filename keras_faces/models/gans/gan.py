"""gan: the original GAN, two dense networks and algorithm 2.1.

Source: Goodfellow et al. 2014, algorithm 1; the dissertation's algorithm 2.1. Until G has converged:

    k times: sample m noise vectors z ~ N(0, I) and m photographs x; update D to raise log D(x) + log(1 − D(G(z)))
    once: sample m noise vectors; update G to lower log(1 − D(G(z)))

``d_steps`` is k. The printed loss of G has hardly any gradient where D is sure of a fake: it is ``loss="saturating"``.
The default here is to raise log D(G(z)) instead, as the same paper recommends (section 3). Compare the two:
``keras-faces compare gan gan:loss=saturating``. The papers leave the widths open.

Each pixel is a weighted sum of all hidden units, whatever its neighbours are: the faces are grainy.

See also: ``dcgan.py``, the same step with convolutions.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.models import check_image_size
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 256) -> keras.Sequential:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 32×32."""
    return keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(width),
            layers.LeakyReLU(negative_slope=0.2),  # 256
            layers.Dense(2 * width),
            layers.LeakyReLU(negative_slope=0.2),  # 512
            layers.Dense(4 * width),
            layers.LeakyReLU(negative_slope=0.2),  # 1024
            layers.Dense(image_size * image_size * 3, dtype="float32"),
            layers.Activation("tanh", dtype="float32"),  # 3072
            layers.Reshape((image_size, image_size, 3), dtype="float32"),  # 32, 32, 3
        ],
        name="generator",
    )


def discriminator(
    image_size: int = IMAGE_SIZE, width: int = 256, dropout: float = 0.3, seed: int = 0
) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of "real"; seed is Dropout's."""
    return keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.Flatten(),  # 3072
            layers.Dense(2 * width),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 1),  # 512
            layers.Dense(width),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 2),  # 256
            layers.Dense(1, dtype="float32"),  # 1
        ],
        name="discriminator",
    )


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 256,
    dropout: float = 0.3,
    learning_rate: float = 2e-4,
    d_steps: int = 1,
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return the original GAN, compiled.

    Parameters
    ----------
    image_size : int
        At least 8; the number of weights grows with its square.
    width : int
        Units of G's first hidden layer and of D's last; the others have twice and four times as many.
    dropout : float
        Share of D's activations that each Dropout sets to 0 (Goodfellow et al. use Dropout in D).
    d_steps : int
        The k of algorithm 2.1.
    latent_dim, learning_rate, seed, options
        As of :func:`dcgan.build`.
    """
    check_image_size("gan", image_size, multiple=1, smallest=8)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width, dropout, seed),
        d_steps=d_steps,
        seed=seed,
        name="gan",
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), keras.optimizers.Adam(learning_rate, beta_1=0.5))
    return model
