"""sagan: self-attention in G and D.

Source: Zhang et al. 2019, "Self-Attention Generative Adversarial Networks"; the dissertation's section 2.2 and figure
2.7. Against ``sngan.py``:

- a self-attention layer in both networks (section 3), here at the 16×16 map;
- spectral normalisation in G too (section 4.1), beside its BatchNormalization;
- two learning rates, 4e-4 for D and 1e-4 for G (section 4.2), one step of D for each of G, Adam with beta_1 0 and
  beta_2 0.9, hinge loss (eq. 4), all as printed: 500 iterations make faces of 3,000 photographs at 32×32.

The paper's networks are ResNets. Here D is SNGAN's, and G doubles its map before a 3×3 convolution as the paper's
blocks do. Where the next side is odd, 63 of 125, the last row and column of the doubled map are cut off.

See also: ``layers/attention.py``; ``figures/sagan.py``, which draws what a place of a face attends to.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.attention import SelfAttention
from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels, feature_sizes
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32


def attention_side(image_size: int) -> int:
    """Return the side of the map with attention: the largest one of at most 16, smaller than the image."""
    return max(side for side in feature_sizes(image_size)[1:] if side <= 16)


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 128, width: int = 64) -> keras.Sequential:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 32×32."""
    *between, base = feature_sizes(image_size)[1:]  # 16, 8; 4
    *narrower, widest = feature_channels(image_size, width)  # 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        SpectralDense(base * base * widest, use_bias=False, kernel_initializer=dcgan_init()),
        layers.Reshape((base, base, widest)),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 4, 4, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            *doubled(side),
            SpectralConv2D(filters, kernel_size=3, use_bias=False, kernel_initializer=dcgan_init()),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),  # 8, 8, 128 → 16, 16, 64
        ]
        if side == attention_side(image_size):
            stages.append(SelfAttention(kernel_initializer=dcgan_init()))  # 16, 16, 64
    stages += [
        *doubled(image_size),
        SpectralConv2D(width // 2, kernel_size=3, use_bias=False, kernel_initializer=dcgan_init()),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 32, 32, 32
        SpectralConv2D(3, kernel_size=3, kernel_initializer=dcgan_init()),
        layers.Activation("tanh", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def doubled(side: int) -> list[layers.Layer]:
    """Return the layers that bring a map of side ⌈side / 2⌉ to ``side``."""
    twice = [layers.UpSampling2D(interpolation="nearest")]
    return twice + [layers.Cropping2D(((0, 1), (0, 1)))] if side % 2 else twice


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to a score (1,)."""
    stages = [layers.Input((image_size, image_size, 3))]
    for side, filters in zip(feature_sizes(image_size)[1:], feature_channels(image_size, width), strict=True):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=dcgan_init()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
        if side == attention_side(image_size):
            stages.append(SelfAttention(kernel_initializer=dcgan_init()))  # 16, 16, 64
    stages += [
        layers.Flatten(),  # 4096
        SpectralDense(1, kernel_initializer=dcgan_init(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 128,
    width: int = 64,
    d_learning_rate: float = 4e-4,
    g_learning_rate: float = 1e-4,
    loss: str = "hinge",
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return SAGAN, compiled.

    Parameters
    ----------
    image_size, latent_dim, d_learning_rate, g_learning_rate, loss, seed
        As of :func:`sngan.build`.
    width : int
        Channels of the largest map of D, and of the map before G's last doubling.
    options
        ``d_steps``, ``r1``, ``average``, ...: see :class:`RegularizedGAN`.
    """
    check_image_size("sagan", image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        loss=loss,
        seed=seed,
        name="sagan",
        **options,
    )
    betas = {"beta_1": 0.0, "beta_2": 0.9}
    model.compile(keras.optimizers.Adam(d_learning_rate, **betas), keras.optimizers.Adam(g_learning_rate, **betas))
    return model
