"""multistage: the convolutional pair, trained by one optimizer after another.

Source: the LFW paper, section 2.2.3, "the choice of multi-stage optimizers", announced in its abstract and left empty.
The stages are ours: first RMSprop, which has no momentum; then Adam; then Adam at a quarter of the learning rate. The
moments of each new optimizer start at 0. Every system can be trained like this by the option ``stages`` of
:func:`keras_faces.models.build`.

See also: ``training/optimizers.py``, the stages.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models import check_image_size
from keras_faces.models.gans.conv import IMAGE_SIZE, discriminator, generator
from keras_faces.training.gan import RegularizedGAN
from keras_faces.training.optimizers import StagedOptimizer, parse_stages

STAGES = "rmsprop:2e-4:200,adam:2e-4:600,adam:5e-5"


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 32,
    separate_batches: bool = True,
    **options: Any,
) -> RegularizedGAN:
    """Return the convolutional pair with the optimizers of ``STAGES``; parameters as of :func:`dcgan.build`."""
    check_image_size("multistage", image_size, multiple=1, smallest=16)
    model = RegularizedGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        name="multistage",
        **options,
    )
    model.compile(StagedOptimizer(parse_stages(STAGES)), StagedOptimizer(parse_stages(STAGES)))
    return model
