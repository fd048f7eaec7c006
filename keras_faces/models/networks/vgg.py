"""VGG-16 for faces, and VGG-16 in reverse: the networks of IP-GAN.

Source: the dissertation, section 5.3.1. I, A and C are VGG-16 (Simonyan and Zisserman 2015, configuration D): stages of
two or three 3×3 convolutions, each ended by max pooling. At 128×128 five stages end at 4×4, and the one dense layer
reads 512×4×4 = 8,192 numbers. G is "an inverted VGG-16": one dense layer, then the stages in reverse order, with a
doubling of the side in the place of each pooling. All layers have BatchNormalization and ReLU, but for the last one of
each network (errata S10). Not printed there: how G doubles the side. Here each pixel becomes four equal ones.

Smaller images have fewer stages (64×64 four, 32×32 three); ``width`` and ``convolutions`` make smaller networks.

See also: ``models/dissertation/ip_gan.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

CHANNELS = (1, 2, 4, 8, 8)  # of the stages, in widths: 64, 128, 256, 512, 512
CONVOLUTIONS = (2, 2, 3, 3, 3)  # of the stages: with the dense layers, 16 layers in the original
BASE = 4  # side of the smallest map
POOLING = ("flatten", "average")


def stages(image_size: int, width: int = 64, convolutions: int | Sequence[int] | None = None) -> list[tuple[int, int]]:
    """Return channels and convolutions of each stage, the largest map first: ``[(64, 2), (128, 2), (256, 3), ...]``.

    Parameters
    ----------
    image_size : int
        16, 32, 64 or 128, with two, three, four or five stages.
    width : int
        Channels of the first stage; 64 in the source.
    convolutions : int or sequence of int, optional
        Of every stage, or one number for each; ``None``: VGG-16's.

    Raises
    ------
    ValueError
        For another size, a ``width`` below 1, too few numbers, and a stage without a convolution.
    """
    sides = {BASE * 2**count: count for count in range(2, len(CHANNELS) + 1)}
    if image_size not in sides:
        near = min(sides, key=lambda side: abs(side - image_size))
        raise ValueError(f"VGG-16 halves a side to 4: {image_size}×{image_size} is none it can. Try {near}×{near}.")
    if width < 1:
        raise ValueError(f"width={width}: the first stage needs one channel or more.")
    count = sides[image_size]
    if isinstance(convolutions, int):
        convolutions = [convolutions] * count
    convolutions = list(CONVOLUTIONS if convolutions is None else convolutions)[:count]
    if len(convolutions) < count or min(convolutions) < 1:
        raise ValueError(f"convolutions={convolutions}: {image_size}×{image_size} has {count} stages, with 1 or more.")
    return [(width * factor, number) for factor, number in zip(CHANNELS, convolutions, strict=False)]


def conv_bn_relu(filters: int, kernel_size: int = 3) -> list[layers.Layer]:
    """Return a convolution with stride 1, BatchNormalization and ReLU."""
    return [
        layers.Conv2D(filters, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal"),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def vgg(
    image_size: int = 128,
    outputs: int = 1000,
    width: int = 64,
    convolutions: int | Sequence[int] | None = None,
    pooling: str = "flatten",
    name: str = "vgg",
) -> keras.Sequential:
    """Return VGG-16, from images (image_size, image_size, 3) in [-1, 1] to float32 (outputs,). Shapes: 128×128.

    The input of the last layer is both "the last pooled features" (f_I) and "the input of the last dense layer" (f_C).

    Parameters
    ----------
    image_size, width, convolutions
        See :func:`stages`.
    outputs : int
        Of the last layer.
    pooling : str
        What the last layer reads: "flatten", the last map, 8,192 numbers, as in the source; or "average", the mean of
        each channel, 512 numbers without positions.
    name : str
        Of the network.

    Raises
    ------
    ValueError
        As :func:`stages`, and for another ``pooling``.
    """
    if pooling not in POOLING:
        raise ValueError(f"pooling={pooling!r}: choose from {', '.join(POOLING)}.")
    body = [layers.Input((image_size, image_size, 3))]
    for filters, count in stages(image_size, width, convolutions):
        for _ in range(count):
            body += conv_bn_relu(filters)  # 128, 128, 64
        body.append(layers.MaxPooling2D(2))  # 64, 64, 64 → 32, 32, 128 → 16, 16, 256 → 8, 8, 512 → 4, 4, 512
    body += [
        layers.Flatten() if pooling == "flatten" else layers.GlobalAveragePooling2D(),  # 8192; 512
        layers.Dense(outputs, dtype="float32"),
    ]
    return keras.Sequential(body, name=name)


def inverted_vgg(
    image_size: int = 128,
    latent_dim: int = 256,
    identity_dim: int = 8192,
    width: int = 64,
    convolutions: int | Sequence[int] | None = None,
) -> keras.Model:
    """Return G, from ``[attributes (latent_dim,), identity (identity_dim,)]`` to an image in [-1, 1].

    Inside they are concatenated as [f_I(x^s), f_A(x^a)]. Parameters and errors: see :func:`stages`.
    """
    reverse = stages(image_size, width, convolutions)[::-1]
    widest = reverse[0][0]
    attributes = layers.Input((latent_dim,), name="attributes")
    identity = layers.Input((identity_dim,), name="identity")
    x = layers.Concatenate()([identity, attributes])  # 8192 + 256
    x = layers.Dense(BASE * BASE * widest, use_bias=False)(x)
    x = layers.Reshape((BASE, BASE, widest))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))  # 4, 4, 512
    for filters, count in reverse:
        x = layers.UpSampling2D(2)(x)  # 8, 8, 512
        for _ in range(count):
            for layer in conv_bn_relu(filters):
                x = layer(x)  # 8, 8, 512 → 16, 16, 512 → 32, 32, 256 → 64, 64, 128 → 128, 128, 64
    x = layers.Conv2D(3, 3, padding="same")(x)
    image = layers.Activation("tanh", dtype="float32")(x)  # 128, 128, 3
    return keras.Model([attributes, identity], image, name="generator")
