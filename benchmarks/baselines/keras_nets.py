"""The slide deck's two pairs and DCGAN in plain Keras: layers from the shelf, in the order of the source.

Scores are probabilities for the slides (their last layer is a sigmoid) and logits for DCGAN.

See also: ``keras_step.py`` and ``keras_toggle.py``, which train them.
"""

from __future__ import annotations

import math

import keras
from keras import layers

from benchmarks.baselines import LATENT_DIM


def networks(system: str, image_size: int, **options) -> tuple[keras.Model, keras.Model]:
    """Return generator and discriminator of "slides-v1", "slides-v2" or "dcgan"."""
    return {"slides-v1": slides_v1, "slides-v2": slides_v2, "dcgan": dcgan}[system](image_size, **options)


def slides_v1(image_size, latent_dim=LATENT_DIM, dense=1024, filters=(128, 64)):
    base, (wide, narrow) = image_size // 4, filters
    generator = keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(dense, activation="tanh"),
            layers.Dense(wide * base * base),
            layers.BatchNormalization(),
            layers.Activation("tanh"),
            layers.Reshape((base, base, wide)),
            layers.UpSampling2D(),
            layers.Conv2D(narrow, 5, padding="same", activation="tanh"),
            layers.UpSampling2D(),
            layers.Conv2D(3, 5, padding="same"),
            layers.Activation("tanh", dtype="float32"),
        ]
    )
    discriminator = keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.Conv2D(narrow, 5, padding="same", activation="tanh"),
            layers.MaxPooling2D(),
            layers.Conv2D(wide, 5, activation="tanh"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(dense, activation="tanh"),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )
    return generator, discriminator


def slides_v2(image_size, latent_dim=LATENT_DIM, filters=(512, 256, 128, 64)):
    first, *widths = filters
    base = image_size // 8
    stages = [layers.Input((latent_dim,)), layers.Dense(first * base * base, activation="relu")]
    stages += [layers.Reshape((base, base, first))]
    for width in widths:
        stages += [layers.UpSampling2D(), layers.Conv2D(width, 5, padding="same")]
        stages += [layers.BatchNormalization(momentum=0.8), layers.Activation("relu")]
    stages += [layers.Conv2D(3, 5, padding="same"), layers.Activation("tanh", dtype="float32")]

    narrow, *wider = filters[::-1]
    judges = [layers.Input((image_size, image_size, 3)), layers.Conv2D(narrow, 5, strides=2, padding="same")]
    judges += [layers.LeakyReLU(negative_slope=0.2), layers.Dropout(0.4)]
    for number, (width, strides) in enumerate(zip(wider, (2, 2, 1), strict=True)):
        judges += [layers.Conv2D(width, 5, strides=strides, padding="same")]
        if number == 0:
            judges += [layers.ZeroPadding2D(((0, 1), (0, 1)))]
        judges += [layers.BatchNormalization(momentum=0.8), layers.LeakyReLU(negative_slope=0.2), layers.Dropout(0.4)]
    judges += [layers.Flatten(), layers.Dense(1, activation="sigmoid", dtype="float32")]
    return keras.Sequential(stages), keras.Sequential(judges)


def dcgan(image_size, latent_dim=LATENT_DIM, width=64):
    doublings = int(math.log2(image_size)) - 2  # from 4×4; sizes that are powers of 2
    widths = [width * min(8, 2**rung) for rung in range(doublings)]  # of the maps below the image
    normal = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    stages = [layers.Input((latent_dim,)), layers.Dense(16 * widths[-1], use_bias=False, **normal)]
    stages += [layers.Reshape((4, 4, widths[-1])), layers.BatchNormalization(momentum=0.9), layers.ReLU()]
    for filters in widths[-2::-1]:
        stages += [layers.Conv2DTranspose(filters, 5, strides=2, padding="same", use_bias=False, **normal)]
        stages += [layers.BatchNormalization(momentum=0.9), layers.ReLU()]
    stages += [layers.Conv2DTranspose(3, 5, strides=2, padding="same", **normal)]
    stages += [layers.Activation("tanh", dtype="float32")]

    judges = [layers.Input((image_size, image_size, 3)), layers.Conv2D(width, 5, strides=2, padding="same", **normal)]
    judges += [layers.LeakyReLU(negative_slope=0.2)]
    for filters in widths[1:]:
        judges += [layers.Conv2D(filters, 5, strides=2, padding="same", use_bias=False, **normal)]
        judges += [layers.BatchNormalization(momentum=0.9), layers.LeakyReLU(negative_slope=0.2)]
    judges += [layers.Flatten(), layers.Dense(1, dtype="float32", **normal)]
    return keras.Sequential(stages), keras.Sequential(judges)


def parameters(*networks: keras.Model) -> tuple[int, ...]:
    """Return the number of weights of each network, moving averages included."""
    return tuple(sum(math.prod(weight.shape) for weight in network.weights) for network in networks)


def multiplications(network: keras.Model) -> int:
    """Return the multiplications of one image's forward pass, in dense and convolutional layers."""
    total = 0
    for layer in network._flatten_layers():
        shape = getattr(getattr(layer, "kernel", None), "shape", ())
        if not layer.weights or len(shape) not in (2, 4):
            continue  # a blur has a kernel, too, but nothing to learn
        places = 1 if len(shape) == 2 else math.prod(layer.output.shape[1:3])
        if isinstance(layer, layers.Conv2DTranspose):  # every pixel of its input meets the whole kernel
            places = math.prod(layer.input.shape[1:3])
        total += places * math.prod(shape)
    return total
