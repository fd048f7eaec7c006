"""sngan: every layer of D divided by its largest singular value.

Source: Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", and the dissertation's
section 2.2 with eq. 2.13, whose rule is followed: take DCGAN and give D spectral normalisation, in every layer, instead
of BatchNormalization. G is DCGAN's own.

What it mends: a D without bounds can make its score as steep as it likes, and G gets either no gradient or a huge one.
WGAN-GP holds the gradient down by a penalty, which costs a second pass backwards and works only where it is measured.
Here every layer has σ = 1 (``layers/spectral.py``), so the slope of D's score is bounded everywhere, however its
weights grow, at hardly any cost. And since nothing in D mixes the images of a batch, fakes and photographs may be read
together.

The loss is the hinge (eq. 16 and 17). The paper's ResNets take Adam with beta_1 0, beta_2 0.9, one rate of 2e-4 and
five steps of D for each of G. Here D makes one step and has twice G's rate, 4e-4 and 2e-4 (the two time scales that
``sagan.py`` explains): the paper's own settings with one step (2e-4 for both, beta_1 0.5, beta_2 0.999) left D so slow
that after 550 iterations G had blurs to show. With batches of 32, 830 iterations make faces of 3,000 photographs at
32×32. The paper's form: ``d_steps=5, d_rate=2e-4``.

Read next: ``sagan.py``, which normalises G as well and lets distant places see each other.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.ladder import channels, normal
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.dcgan import generator
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the score (1,). Shapes in the comments: 32×32."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in channels(image_size, width):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        SpectralDense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    d_rate: float = 4e-4,
    g_rate: float = 2e-4,
    beta_1: float = 0.0,
    beta_2: float = 0.9,
    loss: str = "hinge",
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """SNGAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map in both networks.
    d_rate, g_rate
        Adam's learning rates.
    beta_1, beta_2
        Adam's, for both.
    loss
        Any pair of ``losses.PAIRS``.
    rule
        ``d_steps``, ``r1``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and for an unknown ``loss``.
    """
    check_image_size("sngan", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        loss=loss,
        seed=seed,
        name="sngan",
        **rule,
    )
    model.compile(*(Adam(rate, beta_1=beta_1, beta_2=beta_2) for rate in (d_rate, g_rate)))
    return model
