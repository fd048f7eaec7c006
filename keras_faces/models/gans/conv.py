"""conv: convolutions instead of the dense layers, 125×125.

Source: the LFW paper, section 2.2.2, "convolutions introduced", with DCGAN as the base. The author left the section
empty, so the layers are ours: those of ``dcgan.py``, but the maps end at 8×8, 125 → 63 → 32 → 16 → 8, so that each
network keeps one dense layer of some size. Without BatchNormalization in D, D won at once and G made no faces.

Against ``linear_tanh.py`` at its default divisor: a sixteenth of the weights, and kernels over neighbouring pixels.

See also: ``multistage.py``, the same pair with one optimizer after another.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init, downconv, feature_channels, feature_sizes, upconv
from keras_faces.models import check_image_size
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 125


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 32) -> keras.Sequential:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 125×125."""
    *between, base = feature_sizes(image_size)[1:-1]  # 63, 32, 16; 8
    *narrower, widest = feature_channels(image_size, width)[:-1]  # 32, 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(base * base * widest, use_bias=False, kernel_initializer=dcgan_init()),
        layers.Reshape((base, base, widest)),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 8, 8, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            upconv(filters, side, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),  # 16, 16, 128 → 32, 32, 64 → 63, 63, 32
        ]
    stages += [
        upconv(3, image_size),
        layers.Activation("tanh", dtype="float32"),  # 125, 125, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 32) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the probability (1,) that it is real."""
    first, *others = feature_channels(image_size, width)[:-1]
    stages = [
        layers.Input((image_size, image_size, 3)),
        downconv(first),
        layers.LeakyReLU(negative_slope=0.2),  # 63, 63, 32
    ]
    for filters in others:
        stages += [
            downconv(filters, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.2),  # 32, 32, 64 → 16, 16, 128 → 8, 8, 256
        ]
    stages += [
        layers.Flatten(),  # 16384
        layers.Dense(1, kernel_initializer=dcgan_init(), dtype="float32"),
        layers.Activation("sigmoid", dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 32,
    learning_rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return the convolutional pair, compiled; parameters as of :func:`dcgan.build`."""
    check_image_size("conv", image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        seed=seed,
        name="conv",
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), keras.optimizers.Adam(learning_rate, beta_1=0.5))
    return model
