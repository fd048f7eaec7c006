"""dcgan: convolutional networks only, at any size; the course's sizes are 32, 64, 125 and 128.

Source: the course's first paper, "DCGAN on Chinese faces" (32×32), section 3, after Radford et al. 2016. Against
``gan.py``:

- strided convolutions in D, transposed convolutions in G, 5×5 as in Radford's figure 1; no hidden dense layers;
- BatchNormalization in both networks, except G's last and D's first layer;
- ReLU in G with tanh at the end, LeakyReLU in D;
- weights from N(0, 0.02²); Adam with learning rate 2e-4, beta_1 0.5.

The paper gives no channels: here the largest map has ``width``, each smaller one twice as many, up to eight times.

The side is halved and rounded up, 125 → 63 → 32 → 16 → 8 → 4, and G has the same sides in reverse, so each size is made
exactly.

See also: ``layers/dcgan_blocks.py``, the sizes and the convolutions.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init, downconv, feature_channels, feature_sizes, upconv
from keras_faces.models import check_image_size
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Sequential:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 32×32."""
    *between, base = feature_sizes(image_size)[1:]  # 16, 8; 4
    *narrower, widest = feature_channels(image_size, width)  # 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(base * base * widest, use_bias=False, kernel_initializer=dcgan_init()),
        layers.Reshape((base, base, widest)),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 4, 4, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            upconv(filters, side, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),  # 8, 8, 128 → 16, 16, 64
        ]
    stages += [
        upconv(3, image_size, dtype="float32"),  # images are float32, also where layers compute in bfloat16
        layers.Activation("tanh", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of "real"."""
    first, *others = feature_channels(image_size, width)
    stages = [
        layers.Input((image_size, image_size, 3)),
        downconv(first, dtype="float32"),
        layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64
    ]
    for filters in others:
        stages += [
            downconv(filters, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
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
    separate_batches: bool = True,
    loss: str = "non-saturating",
    seed: int = 0,
    name: str = "dcgan",
    **options: Any,
) -> RegularizedGAN:
    """Return DCGAN, compiled.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, at least 16.
    latent_dim : int
        Length of the noise vector z.
    width : int
        Channels of the largest map in both networks; Radford et al. have 128 at 64×64.
    learning_rate : float
        Adam's learning rate for D and for G.
    separate_batches : bool
        Whether D reads fakes and photographs as two batches, so that its BatchNormalization never mixes them.
    loss : str
        A pair of ``losses.PAIRS``.
    seed : int
        Seed of the training noise.
    name : str
        Of the model.
    options
        ``d_steps``, ``label_smoothing``, ``r1``, ``average``, ...: see :class:`RegularizedGAN`.

    Raises
    ------
    ValueError
        If ``image_size`` is below 16, and for an unknown ``loss``.
    """
    check_image_size(name, image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        loss=loss,
        seed=seed,
        name=name,
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), keras.optimizers.Adam(learning_rate, beta_1=0.5))
    return model
