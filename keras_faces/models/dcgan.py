"""dcgan: convolutions all the way, at any size; the course's are 32, 64, 125 and 128.

Source: the course's first paper, "DCGAN on Chinese faces" (32×32), section 2.3, after Radford et al. 2016, whose rules
it follows: strides instead of pooling, transposed convolutions in G, BatchNormalization in both nets but for G's last
layer and D's first, no hidden dense layers, ReLU in G with tanh at the end, LeakyReLU in D, weights from N(0, 0.02),
Adam with rate 2e-4 and beta_1 0.5. Kernels are 5×5 as in Radford's figure 1. The paper gives no channels: here the
largest map has ``width``, each smaller one twice as many, up to eight times.

The sides are those of a ladder that halves and rounds up, 125 → 63 → 32 → 16 → 8 → 4, and G climbs the same ladder
backwards: every size is made exactly, nothing stretched, nothing cut off (``layers/ladder.py``).

Read next: ``gan.py`` for what came before it, ``lsgan.py`` for another loss on the same two networks.
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

IMAGE_SIZE = 32
PRINTED: dict = {}  # the paper prints no layers


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Sequential:
    """Noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes in the comments: 32×32."""
    *between, base = sides(image_size)[1:]  # 16, 8; 4
    *narrower, widest = channels(image_size, width)  # 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(base * base * widest, use_bias=False, kernel_initializer=normal()),
        layers.Reshape((base, base, widest)),
        BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 4, 4, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            up(filters, side, use_bias=False),
            BatchNormalization(momentum=0.9),
            layers.ReLU(),  # 8, 8, 128 → 16, 16, 64
        ]
    stages += [
        up(3, image_size, dtype="float32"),  # in bfloat16, too, pictures keep their digits
        layers.Activation("tanh", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of its being real."""
    first, *others = channels(image_size, width)
    stages = [
        layers.Input((image_size, image_size, 3)),
        down(first, dtype="float32"),  # here as well
        layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64
    ]
    for filters in others:
        stages += [
            down(filters, use_bias=False),
            BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.2),  # 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        layers.Dense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """DCGAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map in both networks. Radford et al. have 128 at 64×64.
    rate
        Adam's learning rate for D and for G.
    separate_batches
        Whether D reads fakes and photographs one after the other, as BatchNormalization in D wants it.
    rule
        ``loss``, ``d_steps``, ``label_smoothing``, ``r1``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``.
    """
    check_image_size("dcgan", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        seed=seed,
        name="dcgan",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
