"""slides-v2: the slide deck's improved GAN.

Source: the course's slide deck, the second ``generator_model`` and ``discriminator_model``. The big dense layers are
gone, BatchNormalization keeps every stage in range, ReLU and LeakyReLU let the gradients through where tanh saturated,
strides replace pooling, and Dropout keeps D from learning the photographs by heart. A fifth of the weights of
slides-v1, and better faces.

The deck contradicts itself here. Its generator starts from a 6×6 base, its discriminator reads 64×64, and no number of
doublings makes 64 of 6. Read with three doublings, it makes 48×48: that is ``image_size=48``, the base and all counts
as printed. The working form for 64 has an 8×8 base. The code on the slide has a fourth ``UpSampling2D`` before the last
convolution and makes 96×96: ``build(image_size=96, upsamplings=4)``. See ``docs/errata.md``, D1.

It also contradicts the deck's own training rule. A D with BatchNormalization that reads fakes and photographs as one
batch learns to compare the two halves, and when G's lesson shows it fakes alone, it finds nothing wrong with them. So
the default here is ``separate_batches=True``; ``False`` is the rule as printed. See ``docs/errata.md``, D6.

Read next: ``training/adversarial.py``, the step that trains both pairs.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.bias import Dense
from keras_faces.layers.convolution import Conv2D
from keras_faces.layers.upsample_conv import PolyphaseSequential
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 64

_D_LAYERS_64 = [
    ("Conv2D", (32, 32, 64), 4_864),
    ("LeakyReLU", (32, 32, 64), 0),
    ("Dropout", (32, 32, 64), 0),
    ("Conv2D", (16, 16, 128), 204_928),
    ("ZeroPadding2D", (17, 17, 128), 0),
    ("BatchNormalization", (17, 17, 128), 512),
    ("LeakyReLU", (17, 17, 128), 0),
    ("Dropout", (17, 17, 128), 0),
    ("Conv2D", (9, 9, 256), 819_456),
    ("BatchNormalization", (9, 9, 256), 1_024),
    ("LeakyReLU", (9, 9, 256), 0),
    ("Dropout", (9, 9, 256), 0),
    ("Conv2D", (9, 9, 512), 3_277_312),
    ("BatchNormalization", (9, 9, 512), 2_048),
    ("LeakyReLU", (9, 9, 512), 0),
    ("Dropout", (9, 9, 512), 0),
    ("Flatten", (41472,), 0),
    ("Dense", (1,), 41_473),
    ("Activation", (1,), 0),
]

# What the deck's code gives, layer by layer, at the size that each network is written for.
PRINTED = {
    48: {
        "generator": [
            ("Dense", (18432,), 1_861_632),
            ("Activation", (18432,), 0),
            ("Reshape", (6, 6, 512), 0),
            ("UpSampling2D", (12, 12, 512), 0),
            ("Conv2D", (12, 12, 256), 3_277_056),
            ("BatchNormalization", (12, 12, 256), 1_024),
            ("Activation", (12, 12, 256), 0),
            ("UpSampling2D", (24, 24, 256), 0),
            ("Conv2D", (24, 24, 128), 819_328),
            ("BatchNormalization", (24, 24, 128), 512),
            ("Activation", (24, 24, 128), 0),
            ("UpSampling2D", (48, 48, 128), 0),
            ("Conv2D", (48, 48, 64), 204_864),
            ("BatchNormalization", (48, 48, 64), 256),
            ("Activation", (48, 48, 64), 0),
            ("Conv2D", (48, 48, 3), 4_803),
            ("Activation", (48, 48, 3), 0),
        ],
    },
    64: {"discriminator": _D_LAYERS_64},
}


def generator(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    filters: tuple[int, ...] = (512, 256, 128, 64),
    upsamplings: int = 3,
    polyphase: bool = True,
) -> keras.Sequential:
    """Noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes in the comments: base 6."""
    base = image_size // 2**upsamplings
    first, *widths = filters
    stages = [
        layers.Input((latent_dim,)),
        Dense(first * base * base),
        layers.Activation("relu"),  # 18432
        layers.Reshape((base, base, first)),  # 6, 6, 512
    ]
    for width in widths:
        stages += [
            layers.UpSampling2D(),
            Conv2D(width, kernel_size=5, padding="same"),
            BatchNormalization(momentum=0.8),
            layers.Activation("relu"),  # 12, 12, 256 → 24, 24, 128 → 48, 48, 64
        ]
    if upsamplings == 4:
        stages += [layers.UpSampling2D()]  # 96, 96, 64
    stages += [
        Conv2D(3, kernel_size=5, padding="same"),
        layers.Activation("tanh", dtype="float32"),  # 48, 48, 3
    ]
    return PolyphaseSequential(stages, polyphase=polyphase, name="generator")


def discriminator(
    image_size: int = IMAGE_SIZE,
    filters: tuple[int, ...] = (64, 128, 256, 512),
    dropout: float = 0.4,
    seed: int = 0,
) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the probability (1,) that it is real; seed is Dropout's."""
    first, second, third, fourth = filters
    return keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            Conv2D(first, kernel_size=5, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 1),  # 32, 32, 64
            Conv2D(second, kernel_size=5, strides=2, padding="same"),
            layers.ZeroPadding2D(padding=((0, 1), (0, 1))),
            BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 2),  # 17, 17, 128
            Conv2D(third, kernel_size=5, strides=2, padding="same"),
            BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 3),  # 9, 9, 256
            Conv2D(fourth, kernel_size=5, strides=1, padding="same"),
            BatchNormalization(momentum=0.8),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 4),  # 9, 9, 512
            layers.Flatten(),  # 41472
            Dense(1, dtype="float32"),
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
    d_rate: float = 1e-4,
    g_rate: float = 5e-5,
    separate_batches: bool = True,
    polyphase: bool = True,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """The improved pair under the deck's training rule in its working form, compiled.

    Parameters
    ----------
    image_size
        A multiple of 8 from 16 on (of 16 from 32 on with four upsamplings): 48 is the literal form, 64 the working one.
    latent_dim
        Length of the noise vector; the deck has 100.
    upsamplings
        3, or 4 for the code as the slide prints it, which doubles once more before the last convolution.
    filters
        Channels of G's base and of its three stages; D has them in reverse. The defaults are the deck's.
    dropout
        Share of D's activations that each Dropout silences; the deck has 0.4.
    d_rate, g_rate
        Learning rates of Adam (beta_1 0.5) for D and for G; the deck gives none. Each 5×5 convolution sums up to
        12,800 inputs, so these are smaller than usual, and G's is the smaller one: at equal rates its faces all come
        out alike.
    separate_batches
        Whether D reads fakes and photographs one after the other; ``False`` is the deck's one concatenated batch.
    polyphase
        Whether G's doublings are computed with their convolutions on the small maps: the same images but for rounding,
        in less time (``layers/upsample_conv.py``). ``False`` runs the layers as they are listed.
    rule
        ``d_steps``, ``label_smoothing``: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        If the networks cannot make ``image_size``, or for another number of upsamplings.
    """
    if upsamplings not in (3, 4):
        raise ValueError(f"upsamplings={upsamplings}: slides-v2 has 3, or 4 as its code is printed.")
    check_image_size("slides-v2", image_size, multiple=2**upsamplings, smallest=2 ** (upsamplings + 1))
    model = AdversarialModel(
        generator(image_size, latent_dim, filters, upsamplings, polyphase),
        discriminator(image_size, filters[::-1], dropout, seed),
        separate_batches=separate_batches,
        seed=seed,
        name="slides_v2",
        **rule,
    )
    model.compile(Adam(d_rate, beta_1=0.5), Adam(g_rate, beta_1=0.5))
    return model
