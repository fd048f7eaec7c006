"""sngan: each layer of D is divided by its largest singular value.

Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", hinge loss of eq. 16 and 17;
the dissertation's section 2.2 with eq. 2.13. Against ``dcgan.py``: D has spectral normalisation in every layer instead
of BatchNormalization; G is DCGAN's.

Every layer has σ = 1, so the slope of D's score is bounded for all images and all weights. WGAN-GP's penalty bounds it
only at the points where it is computed, and needs a second pass backwards. Nothing in D mixes the images of a batch, so
D may read fakes and photographs as one batch.

The paper's ResNets have Adam with beta_1 0, beta_2 0.9, learning rate 2e-4 and five steps of D for each of G
(``d_steps=5, d_learning_rate=2e-4``). Here D makes one step at twice G's learning rate: with batches of 32, 830
iterations make faces of 3,000 photographs at 32×32. With one step, 2e-4 for both, beta_1 0.5 and beta_2 0.999, D was
too slow: blurs after 550 iterations.

See also: ``layers/spectral.py``, the normalisation.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.gans.dcgan import generator
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to a score (1,). Shapes: 32×32."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in feature_channels(image_size, width):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=dcgan_init()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        SpectralDense(1, kernel_initializer=dcgan_init(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    d_learning_rate: float = 4e-4,
    g_learning_rate: float = 2e-4,
    beta_1: float = 0.0,
    beta_2: float = 0.9,
    loss: str = "hinge",
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return SNGAN, compiled.

    Parameters
    ----------
    image_size, latent_dim, width, loss, seed
        As of :func:`dcgan.build`, also the errors.
    d_learning_rate, g_learning_rate, beta_1, beta_2 : float
        Adam's, for D and for G.
    options
        ``d_steps``, ``r1``, ``average``, ...: see :class:`RegularizedGAN`.
    """
    check_image_size("sngan", image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        loss=loss,
        seed=seed,
        name="sngan",
        **options,
    )
    betas = {"beta_1": beta_1, "beta_2": beta_2}
    model.compile(keras.optimizers.Adam(d_learning_rate, **betas), keras.optimizers.Adam(g_learning_rate, **betas))
    return model
