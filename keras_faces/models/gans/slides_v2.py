"""slides-v2: the slide deck's improved GAN.

Source: the course's slide deck, the second ``generator_model`` and ``discriminator_model``. Against ``slides_v1.py``:

- no large dense layers: a fifth of the weights;
- BatchNormalization in both networks;
- ReLU and LeakyReLU instead of tanh, which saturates and then passes hardly any gradient;
- strides instead of pooling in D;
- Dropout in D against overfitting.

Two points in which the deck contradicts itself (``docs/errata.md``, D1 and D6):

- G on the slide starts from a 6×6 map and has four ``UpSampling2D``: it makes 96×96
  (``build(image_size=96, upsamplings=4)``), and D reads 64×64. Two readings fit together: three doublings from an 8×8
  map make 64×64, the default; three from the 6×6 map make 48×48.
- The deck's step gives D fakes and photographs as one batch. A D with BatchNormalization then learns to compare the two
  halves of the batch, and has nothing to compare when G is trained on fakes alone. So the default here is
  ``separate_batches=True``; ``False`` is the rule as printed.

See also: ``training/gan.py``, the step that trains both pairs.
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
    filters: tuple[int, ...] = (512, 256, 128, 64),
    upsamplings: int = 3,
) -> keras.Sequential:
    """Return G, from noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 48×48."""
    base = image_size // 2**upsamplings
    first, *widths = filters
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(first * base * base),
        layers.Activation("relu"),  # 18432
        layers.Reshape((base, base, first)),  # 6, 6, 512
    ]
    for width in widths:
        stages += [
            layers.UpSampling2D(),
            layers.Conv2D(width, kernel_size=5, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.Activation("relu"),  # 12, 12, 256 → 24, 24, 128 → 48, 48, 64
        ]
    if upsamplings == 4:
        stages += [layers.UpSampling2D()]  # 96, 96, 64
    stages += [
        layers.Conv2D(3, kernel_size=5, padding="same"),
        layers.Activation("tanh", dtype="float32"),  # 48, 48, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator_model(
    image_size: int = IMAGE_SIZE,
    filters: tuple[int, ...] = (64, 128, 256, 512),
    dropout: float = 0.4,
    seed: int = 0,
) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the probability (1,) that it is real.

    Shapes in the comments: 64×64. ``seed`` is Dropout's.
    """
    first, second, third, fourth = filters
    return keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.Conv2D(first, kernel_size=5, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 1),  # 32, 32, 64
            layers.Conv2D(second, kernel_size=5, strides=2, padding="same"),
            layers.ZeroPadding2D(padding=((0, 1), (0, 1))),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 2),  # 17, 17, 128
            layers.Conv2D(third, kernel_size=5, strides=2, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 3),  # 9, 9, 256
            layers.Conv2D(fourth, kernel_size=5, strides=1, padding="same"),
            layers.BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 4),  # 9, 9, 512
            layers.Flatten(),  # 41472
            layers.Dense(1, dtype="float32"),
            layers.Activation("sigmoid", dtype="float32"),  # 1
        ],
        name="discriminator",
    )


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    upsamplings: int = 3,
    filters: tuple[int, int, int, int] = (512, 256, 128, 64),
    dropout: float = 0.4,
    d_learning_rate: float = 1e-4,
    g_learning_rate: float = 5e-5,
    separate_batches: bool = True,
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return the deck's improved pair, compiled.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels: a multiple of 8, at least 16; with four upsamplings of 16, at least 32.
    upsamplings : int
        3, or 4 for the code as the slide prints it.
    filters : tuple of int
        Channels of G's first map and of its three stages; D has them in reverse.
    dropout : float
        Share of D's activations that each Dropout sets to 0; the deck has 0.4.
    d_learning_rate, g_learning_rate : float
        Adam's learning rates for D and for G; the deck gives none. They are small, since a 5×5 convolution here sums
        up to 12,800 inputs. At equal rates all of G's faces came out alike.
    separate_batches : bool
        Whether D reads fakes and photographs as two batches; ``False`` is the deck's one concatenated batch.
    latent_dim, seed, options
        As of :func:`slides_v1.build`.

    Raises
    ------
    ValueError
        If the networks cannot make ``image_size``, or for another number of upsamplings.
    """
    if upsamplings not in (3, 4):
        raise ValueError(f"upsamplings={upsamplings}: slides-v2 has 3, or 4 as its code is printed.")
    check_image_size("slides-v2", image_size, multiple=2**upsamplings, smallest=2 ** (upsamplings + 1))
    model = RegularizedGAN(
        generator_model(image_size, latent_dim, filters, upsamplings),
        discriminator_model(image_size, filters[::-1], dropout, seed),
        separate_batches=separate_batches,
        seed=seed,
        name="slides_v2",
        **options,
    )
    model.compile(
        keras.optimizers.Adam(d_learning_rate, beta_1=0.5), keras.optimizers.Adam(g_learning_rate, beta_1=0.5)
    )
    return model
