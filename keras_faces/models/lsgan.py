"""lsgan: DCGAN's networks, least squares instead of cross-entropy.

Source: the dissertation, eq. 2.10 and 2.11 (Mao et al. 2017). D is to answer 1 to photographs and −1 to fakes, and G
wants its fakes to get a 0, half way between; every miss is squared. A cross-entropy is content with any fake on the
right side of the border; a square pulls even those that lie far inside, so G's gradient does not vanish while D wins.

The networks are DCGAN's, as in the source, which changes the loss alone.

Read next: ``wgan.py``, whose loss is not even a classification.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models import check_image_size
from keras_faces.models.dcgan import discriminator, generator
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the source prints no layers


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    rate: float = 2e-4,
    separate_batches: bool = True,
    loss: str = "lsgan",
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """LSGAN, compiled. Parameters as of :func:`keras_faces.models.dcgan.build`, but for ``loss``."""
    check_image_size("lsgan", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        loss=loss,
        seed=seed,
        name="lsgan",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
