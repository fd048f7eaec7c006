"""slides-v1: the slide deck's first GAN, tanh everywhere, 64×64.

Source: the course's slide deck, ``generator_model`` and ``discriminator_model``. Layers, shapes and parameter counts
are those that the slides print (``models/printed.py``): 34,031,363 in the generator, 25,901,953 in the discriminator,
most of them in three dense layers.

The deck does not give the optimizer (here Adam, learning rate 2e-4, beta_1 0.5), the noise (here standard normal) and
the batch size.

See also: ``training/gan.py``, the loop of the deck; ``slides_v2.py``, the improved pair.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.models import check_image_size
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 64


def generator_model(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    dense: int = 1024,
    filters: tuple[int, int] = (128, 64),
) -> keras.Sequential:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 64×64."""
    base, (wide, narrow) = image_size // 4, filters
    return keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(dense),
            layers.Activation("tanh"),  # 1024
            layers.Dense(wide * base * base),
            layers.BatchNormalization(),
            layers.Activation("tanh"),  # 32768
            layers.Reshape((base, base, wide)),  # 16, 16, 128
            layers.UpSampling2D(size=(2, 2)),  # 32, 32, 128
            layers.Conv2D(narrow, (5, 5), padding="same"),
            layers.Activation("tanh"),  # 32, 32, 64
            layers.UpSampling2D(size=(2, 2)),  # 64, 64, 64
            layers.Conv2D(3, (5, 5), padding="same"),
            layers.Activation("tanh", dtype="float32"),  # 64, 64, 3
        ],
        name="generator",
    )


def discriminator_model(
    image_size: int = IMAGE_SIZE,
    filters: tuple[int, int] = (64, 128),
    dense: int = 1024,
) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the probability (1,) that it is real."""
    narrow, wide = filters
    return keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.Conv2D(narrow, (5, 5), padding="same"),
            layers.Activation("tanh"),  # 64, 64, 64
            layers.MaxPooling2D(pool_size=(2, 2)),  # 32, 32, 64
            layers.Conv2D(wide, (5, 5)),  # no padding here
            layers.Activation("tanh"),  # 28, 28, 128
            layers.MaxPooling2D(pool_size=(2, 2)),  # 14, 14, 128
            layers.Flatten(),  # 25088
            layers.Dense(dense),
            layers.Activation("tanh"),  # 1024
            layers.Dense(1, dtype="float32"),
            layers.Activation("sigmoid", dtype="float32"),  # 1
        ],
        name="discriminator",
    )


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    dense: int = 1024,
    filters: tuple[int, int] = (128, 64),
    d_learning_rate: float = 2e-4,
    g_learning_rate: float = 2e-4,
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return the deck's first pair, compiled.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, a multiple of 4, at least 16.
    latent_dim : int
        Length of the noise vector z.
    dense : int
        Units of the first dense layer in both networks.
    filters : tuple of int
        Channels of G's first map and of its first convolution; D has them in reverse.
    d_learning_rate, g_learning_rate : float
        Adam's learning rates for D and for G.
    seed : int
        Seed of the training noise.
    options
        ``d_steps``, ``separate_batches``, ``label_smoothing``, ...: see :class:`RegularizedGAN`.

    Raises
    ------
    ValueError
        If the networks cannot make ``image_size``.
    """
    check_image_size("slides-v1", image_size, multiple=4, smallest=16)
    model = RegularizedGAN(
        generator_model(image_size, latent_dim, dense, filters),
        discriminator_model(image_size, filters[::-1], dense),
        seed=seed,
        name="slides_v1",
        **options,
    )
    model.compile(
        keras.optimizers.Adam(d_learning_rate, beta_1=0.5), keras.optimizers.Adam(g_learning_rate, beta_1=0.5)
    )
    return model
