"""conv: convolutions take the place of the dense layers, 125×125.

Source: the LFW paper, section 2.2.2, "convolutions introduced", with DCGAN as the base; the author left the section
empty, so the layers are ours. The ladder of sides is 125 → 63 → 32 → 16 → 8, one convolution with stride 2 a rung; G
climbs it backwards and makes 125×125 exactly. DCGAN's rules hold but for one: the ladder ends at 8×8, so that each net
keeps one dense layer of some size, as its dense forerunner. BatchNormalization stands in both, so D reads fakes and
photographs one after the other; without it in D, D won at once and G's squares never became faces.

Compared with ``linear-tanh`` at its default divisor: a sixteenth of the weights, and neighbouring pixels that know of
each other.

Read next: ``multistage.py``, the same pair with one optimizer after another.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.ladder import channels, down, normal, sides, up
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 125
PRINTED: dict = {}  # the paper's section is empty


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 32) -> keras.Sequential:
    """Noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes in the comments: 125×125."""
    *between, base = sides(image_size)[1:-1]  # 63, 32, 16; 8
    *narrower, widest = channels(image_size, width)[:-1]  # 32, 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(base * base * widest, use_bias=False, kernel_initializer=normal()),
        layers.Reshape((base, base, widest)),
        BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 8, 8, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            up(filters, side, use_bias=False),
            BatchNormalization(momentum=0.9),
            layers.ReLU(),  # 16, 16, 128 → 32, 32, 64 → 63, 63, 32
        ]
    stages += [
        up(3, image_size),
        layers.Activation("tanh", dtype="float32"),  # 125, 125, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 32) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the probability (1,) that it is real."""
    first, *others = channels(image_size, width)[:-1]
    stages = [
        layers.Input((image_size, image_size, 3)),
        down(first),
        layers.LeakyReLU(negative_slope=0.2),  # 63, 63, 32
    ]
    for filters in others:
        stages += [
            down(filters, use_bias=False),
            BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.2),  # 32, 32, 64 → 16, 16, 128 → 8, 8, 256
        ]
    stages += [
        layers.Flatten(),  # 16384
        layers.Dense(1, kernel_initializer=normal(), dtype="float32"),
        layers.Activation("sigmoid", dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 32,
    rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """The convolutional pair, compiled.

    Parameters
    ----------
    image_size
        125, or any other from 16 on.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map in both networks.
    rate
        Adam's learning rate for D and for G (beta_1 0.5).
    separate_batches
        Whether D reads fakes and photographs one after the other, as BatchNormalization in D wants it.
    rule
        ``loss``, ``d_steps``, ``label_smoothing``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``.
    """
    check_image_size("conv", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        seed=seed,
        name="conv",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
