"""wgan: D becomes a critic with clipped weights, which estimates the Wasserstein distance.

Source: the dissertation, eq. 2.8 and 2.9 (Arjovsky et al. 2017, algorithm 1). Where photographs and fakes do not
overlap, a perfect classifier gives G no gradient. The Wasserstein distance does: it is the largest difference
``mean D(x) − mean D(G(z))`` that a function of limited slope can reach. The critic's slope is limited by clipping its
weights to ±0.01 after each of its updates.

Against ``dcgan.py``:

- five steps of the critic for each of G (the paper's n_critic);
- RMSprop, since momentum makes the critic unstable; the paper's learning rate is 5e-5, here 2e-4 for short trainings;
- D's BatchNormalization adds 1e-5 to the variance, as the authors' code does. With clipped weights the variance is far
  below the 1e-3 that Keras adds: at 64×64 hardly any signal would reach D's last layer.

The logged ``d_loss`` is minus the distance: it rises towards 0 while the faces become better.

See also: ``wgan_gp.py``, which limits the slope by a penalty.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_faces.models import check_image_size
from keras_faces.models.gans.dcgan import discriminator, generator
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    learning_rate: float = 2e-4,
    d_steps: int = 5,
    separate_batches: bool = True,
    loss: str = "wgan",
    seed: int = 0,
    **options: Any,
) -> RegularizedGAN:
    """Return WGAN, compiled.

    Parameters
    ----------
    image_size, latent_dim, width, separate_batches, seed
        As of :func:`dcgan.build`.
    learning_rate : float
        RMSprop's, for the critic and for G.
    d_steps : int
        Steps of the critic for each of G; each takes a batch of photographs of its own.
    loss : str
        "wgan" clips to ±0.01; the option ``clip`` sets another bound.
    options
        ``clip``, ``average``, ...: see :class:`RegularizedGAN`.
    """
    check_image_size("wgan", image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        d_steps=d_steps,
        separate_batches=separate_batches,
        loss=loss,
        seed=seed,
        name="wgan",
        **options,
    )
    model.compile(keras.optimizers.RMSprop(learning_rate), keras.optimizers.RMSprop(learning_rate))
    return model
