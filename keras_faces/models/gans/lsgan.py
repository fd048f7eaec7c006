"""lsgan: DCGAN with least squares instead of cross-entropy.

Source: the dissertation, eq. 2.10 and 2.11 (Mao et al. 2017): ``training/losses.py``. D's target is 1 for photographs
and −1 for fakes, G's target for D(G(z)) is 0. The cross-entropy has hardly any gradient for a fake that is far on the
"real" side; the squared error also moves such a fake towards the photographs. The networks are DCGAN's.

See also: ``wgan.py``, whose loss is no classification.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models.gans import dcgan
from keras_faces.models.gans.dcgan import IMAGE_SIZE
from keras_faces.training.gan import RegularizedGAN


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    learning_rate: float = 2e-4,
    loss: str = "lsgan",
    **options: Any,
) -> RegularizedGAN:
    """Return LSGAN, compiled; parameters as of :func:`dcgan.build`."""
    return dcgan.build(image_size, latent_dim, width, learning_rate, loss=loss, name="lsgan", **options)
