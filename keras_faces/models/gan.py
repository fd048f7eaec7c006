"""gan: the original, two dense networks and algorithm 2.1.

Source: Goodfellow et al. 2014; the textbook's section on the original GAN, and the dissertation's algorithm 2.1, which
reads: until G has converged, k times draw m noise vectors and m photographs and improve D on
``log D(x) + log(1 - D(G(z)))``; then draw m noise vectors and improve G on ``log(1 - D(G(z)))``. The noise is N(0, I).

``d_steps`` is k. The algorithm's loss for G is flat where D is sure of a fake, so it is ``loss="saturating"``; the
same paper recommends to maximise ``log D(G(z))`` instead (section 3), which is the default here. Compare the two:
``keras-faces compare gan gan:loss=saturating``.

Neither network knows that a face has an above and a below: every pixel is a weighted sum of all hidden units. That is
why its faces are grainy, and what convolutions change. The papers leave the widths open.

Read next: ``dcgan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from keras_faces.layers.bias import Dense
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the sources print no layers


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 256) -> keras.Sequential:
    """Noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]."""
    return keras.Sequential(
        [
            layers.Input((latent_dim,)),
            Dense(width),
            layers.LeakyReLU(negative_slope=0.2),  # 256
            Dense(2 * width),
            layers.LeakyReLU(negative_slope=0.2),  # 512
            Dense(4 * width),
            layers.LeakyReLU(negative_slope=0.2),  # 1024
            Dense(image_size * image_size * 3, dtype="float32"),
            layers.Activation("tanh", dtype="float32"),  # 3072
            layers.Reshape((image_size, image_size, 3), dtype="float32"),  # 32, 32, 3
        ],
        name="generator",
    )


def discriminator(
    image_size: int = IMAGE_SIZE, width: int = 256, dropout: float = 0.3, seed: int = 0
) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of its being real; seed is Dropout's."""
    return keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.Flatten(),  # 3072
            Dense(2 * width),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 1),  # 512
            Dense(width),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + 2),  # 256
            Dense(1, dtype="float32"),  # 1
        ],
        name="discriminator",
    )


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 256,
    dropout: float = 0.3,
    rate: float = 2e-4,
    d_steps: int = 1,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """The original GAN, compiled.

    Parameters
    ----------
    image_size
        Any from 8 on; the number of weights grows with its square.
    latent_dim
        Length of the noise vector.
    width
        Units of G's first hidden layer and of D's last; the others have twice and four times as many.
    dropout
        Share of D's activations that each Dropout silences (Goodfellow et al. use Dropout in D).
    rate
        Adam's learning rate for D and for G (beta_1 0.5).
    d_steps
        The k of algorithm 2.1.
    rule
        ``loss``, ``label_smoothing``, ``r1``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``.
    """
    check_image_size("gan", image_size, multiple=1, smallest=8)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width, dropout, seed),
        d_steps=d_steps,
        seed=seed,
        name="gan",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
