"""multistage: the convolutional pair, trained by one optimizer after another.

Source: the LFW paper, section 2.2.3, "the choice of multi-stage optimizers", announced in its abstract and left empty.
The stages are ours: RMSprop, which has no momentum to overshoot with, while everything changes at once; Adam for the
long way; Adam at a quarter of the rate, so that the faces settle. Each new optimizer's moments start at 0.

Any system can be trained so: ``stages`` is an option of all. See ``training/stages.py``.

Read next: ``wgan.py``, for a critic that wants RMSprop to the end.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models import check_image_size
from keras_faces.models.conv import IMAGE_SIZE, discriminator, generator
from keras_faces.models.conv import PRINTED as PRINTED
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.stages import StagedOptimizer, parse_stages

STAGES = "rmsprop:2e-4:200,adam:2e-4:600,adam:5e-5"


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 32,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """The convolutional pair with the optimizers of ``STAGES``, compiled. Parameters as of ``conv.build``."""
    check_image_size("multistage", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        separate_batches=separate_batches,
        seed=seed,
        name="multistage",
        **rule,
    )
    model.compile(StagedOptimizer(parse_stages(STAGES)), StagedOptimizer(parse_stages(STAGES)))
    return model
