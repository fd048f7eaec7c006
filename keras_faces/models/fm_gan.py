"""fm-gan: G no longer asks D for its score, but for what it sees.

Source: the dissertation, section 3.2.2 and algorithm 3.1 without the labels and without the classifier, as its section
3.4.1 trains it on the ring. D learns by cross-entropy; G brings the moving centre of its images' features in D to that
of the photographs', ½‖E f_D(x) − E f_D(G(z))‖² (eq. 3.10, printed with a minus: errata S1). f_D is the input of D's
last layer (S4). The rule is in ``training/matching.py``.

The networks are DCGAN's, at any of its sizes, and so is Adam: rate 2e-4, beta_1 0.5, beta_2 0.999 (section 3.4.2).

The logged ``g_loss`` is a squared distance in D's features: it grows when D learns to see more, and falls when G
follows; near 0 is no success by itself.

Read next: ``ring.py``, the same rule on points in the plane, where one sees what it does.
"""

from __future__ import annotations

from typing import Any

from keras_faces.models import check_image_size
from keras_faces.models.dcgan import discriminator, generator
from keras_faces.training.adam import Adam
from keras_faces.training.matching import FeatureMatchingModel

IMAGE_SIZE = 32
PRINTED: dict = {}  # the source prints layers for the conditional system only, tables 3.1 to 3.3


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    rate: float = 2e-4,
    centre_decay: float = 0.9,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> FeatureMatchingModel:
    """FM-GAN, compiled.

    Parameters
    ----------
    image_size, latent_dim, width, rate, separate_batches
        As of :func:`keras_faces.models.dcgan.build`.
    centre_decay
        How much of a moving centre stays at each iteration, in [0, 1); 0 for the centres of the batch. The source says
        that centres move, not how fast.
    rule
        ``d_steps``, ``label_smoothing``, ``r1``, ``average``, ...: see
        :class:`keras_faces.training.adversarial.AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and for a ``loss`` that is no cross-entropy.
    """
    check_image_size("fm-gan", image_size, multiple=1, smallest=16)
    model = FeatureMatchingModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        centre_decay=centre_decay,
        separate_batches=separate_batches,
        seed=seed,
        name="fm_gan",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
