"""slides-v1: the slide deck's first GAN, tanh everywhere, 64×64.

Source: the course's slide deck, the tables and code of ``generator_model`` and ``discriminator_model``. Layers, shapes
and parameter counts are those that the slides print: 34,031,363 in the generator, 25,901,953 in the discriminator.
Most of them sit in three dense layers; that is what the improved pair will change.

The deck leaves open: the optimizer (here Adam, rate 2e-4, beta_1 0.5), the noise (here standard normal) and the batch.

Read next: ``training/adversarial.py`` for the step, then ``slides_v2.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.bias import Dense
from keras_faces.layers.convolution import Conv2D
from keras_faces.layers.pool_first import PoolFirstSequential
from keras_faces.layers.upsample_conv import PolyphaseSequential
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 64

# What the slides print at image size 64: layer, output shape, parameters.
PRINTED = {
    64: {
        "generator": [
            ("Dense", (1024,), 103_424),
            ("Activation", (1024,), 0),
            ("Dense", (32768,), 33_587_200),
            ("BatchNormalization", (32768,), 131_072),
            ("Activation", (32768,), 0),
            ("Reshape", (16, 16, 128), 0),
            ("UpSampling2D", (32, 32, 128), 0),
            ("Conv2D", (32, 32, 64), 204_864),
            ("Activation", (32, 32, 64), 0),
            ("UpSampling2D", (64, 64, 64), 0),
            ("Conv2D", (64, 64, 3), 4_803),
            ("Activation", (64, 64, 3), 0),
        ],
        "discriminator": [
            ("Conv2D", (64, 64, 64), 4_864),
            ("Activation", (64, 64, 64), 0),
            ("MaxPooling2D", (32, 32, 64), 0),
            ("Conv2D", (28, 28, 128), 204_928),
            ("Activation", (28, 28, 128), 0),
            ("MaxPooling2D", (14, 14, 128), 0),
            ("Flatten", (25088,), 0),
            ("Dense", (1024,), 25_691_136),
            ("Activation", (1024,), 0),
            ("Dense", (1,), 1_025),
            ("Activation", (1,), 0),
        ],
    }
}


def generator(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    dense: int = 1024,
    filters: tuple[int, int] = (128, 64),
    polyphase: bool = True,
) -> keras.Sequential:
    """Noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]."""
    base, (wide, narrow) = image_size // 4, filters
    return PolyphaseSequential(
        [
            layers.Input((latent_dim,)),
            Dense(dense),
            layers.Activation("tanh"),  # 1024
            Dense(wide * base * base),
            BatchNormalization(),
            layers.Activation("tanh"),  # 32768
            layers.Reshape((base, base, wide)),  # 16, 16, 128
            layers.UpSampling2D(size=(2, 2)),  # 32, 32, 128
            Conv2D(narrow, (5, 5), padding="same"),
            layers.Activation("tanh"),  # 32, 32, 64
            layers.UpSampling2D(size=(2, 2)),  # 64, 64, 64
            Conv2D(3, (5, 5), padding="same"),
            layers.Activation("tanh", dtype="float32"),  # 64, 64, 3
        ],
        polyphase=polyphase,
        name="generator",
    )


def discriminator(
    image_size: int = IMAGE_SIZE,
    filters: tuple[int, int] = (64, 128),
    dense: int = 1024,
    pool_first: bool = True,
) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the probability (1,) that it is real."""
    narrow, wide = filters
    sequential = PoolFirstSequential if pool_first else keras.Sequential
    return sequential(
        [
            layers.Input((image_size, image_size, 3)),
            Conv2D(narrow, (5, 5), padding="same"),
            layers.Activation("tanh"),  # 64, 64, 64
            layers.MaxPooling2D(pool_size=(2, 2)),  # 32, 32, 64
            Conv2D(wide, (5, 5)),  # no padding here
            layers.Activation("tanh"),  # 28, 28, 128
            layers.MaxPooling2D(pool_size=(2, 2)),  # 14, 14, 128
            layers.Flatten(),  # 25088
            Dense(dense),
            layers.Activation("tanh"),  # 1024
            Dense(1, dtype="float32"),
            layers.Activation("sigmoid", dtype="float32"),  # 1
        ],
        name="discriminator",
    )


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    dense: int = 1024,
    filters: tuple[int, int] = (128, 64),
    d_rate: float = 2e-4,
    g_rate: float = 2e-4,
    polyphase: bool = True,
    pool_first: bool = True,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """The pair under the deck's training rule, compiled.

    Parameters
    ----------
    image_size
        A multiple of 4 from 16 on; the deck has 64.
    latent_dim
        Length of the noise vector; the deck has 100.
    dense, filters
        Widths of the networks: of the dense layer next to the noise and of the one before the score, and of G's two
        convolutional stages (D has them in reverse). The defaults are the deck's.
    d_rate, g_rate
        Learning rates of Adam (beta_1 0.5) for D and for G; the deck gives none.
    polyphase
        Whether G's doublings are computed with their convolutions on the small maps: the same images but for rounding,
        in less time (``layers/upsample_conv.py``). ``False`` runs the layers as they are listed.
    pool_first
        Whether D pools before tanh instead of after it: the same scores but for rounding, in less time
        (``layers/pool_first.py``). ``False`` runs the layers as they are listed.
    rule
        ``d_steps``, ``separate_batches``, ``label_smoothing``: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        If the networks cannot make ``image_size``.
    """
    check_image_size("slides-v1", image_size, multiple=4, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, dense, filters, polyphase),
        discriminator(image_size, filters[::-1], dense, pool_first),
        seed=seed,
        name="slides_v1",
        **rule,
    )
    model.compile(Adam(d_rate, beta_1=0.5), Adam(g_rate, beta_1=0.5))
    return model
