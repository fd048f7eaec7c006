"""wgan: D becomes a critic, whose clipped weights let it measure a distance.

Source: the dissertation, eq. 2.8 and 2.9 (Arjovsky et al. 2017, algorithm 1). Where photographs and fakes do not
overlap, a classifier is perfect and its gradient nothing. The Wasserstein distance, how far one heap of earth must be
carried to become the other, tells even then which way to go. It is the greatest difference of means,
``mean D(x) - mean D(G(z))``, that a function of limited slope can reach: the critic. Its slope is limited by clipping
every weight to ±0.01 after each of its updates.

A critic must be good before G follows it: five of its steps for each of G (n_critic). Momentum makes it unstable, so
RMSprop takes Adam's place. The paper's rate is 5e-5; here it is larger, for a lesson's length. The networks
are DCGAN's, but for one number. Clipped weights, those of BatchNormalization too, make maps whose variance is far below
the 1e-3 that Keras adds to a variance before it divides: each layer would shrink what it should normalise, and at 64×64
hardly anything would reach the end. A clipped critic adds 1e-5, as the paper's own program did.

The logged ``d_loss`` is minus the distance: it rises towards 0 as the faces become better, which no other loss of the
course does.

Read next: ``wgan_gp.py``, which limits the slope itself.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_faces.models import check_image_size
from keras_faces.models.dcgan import discriminator, generator
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the source prints no layers


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    rate: float = 2e-4,
    d_steps: int = 5,
    separate_batches: bool = True,
    loss: str = "wgan",
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """WGAN, compiled. Each iteration takes ``d_steps`` batches of photographs.

    Parameters
    ----------
    image_size, latent_dim, width, separate_batches
        As of :func:`keras_faces.models.dcgan.build`.
    rate
        RMSprop's learning rate for the critic and for G; the paper has 5e-5.
    d_steps
        Steps of the critic for each of G; the paper has 5.
    loss
        "wgan" clips to ±0.01; another bound by the option ``clip``.
    rule
        ``clip``, ``average``, ...: see :class:`AdversarialModel`.
    """
    check_image_size("wgan", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        d_steps=d_steps,
        separate_batches=separate_batches,
        loss=loss,
        seed=seed,
        name="wgan",
        **rule,
    )
    model.compile(keras.optimizers.RMSprop(rate), keras.optimizers.RMSprop(rate))
    return model
