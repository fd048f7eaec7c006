"""fm-gan: G matches the features that D computes for photographs, instead of D's score.

Source: the dissertation, section 3.2.2 and algorithm 3.1 without labels and classifier, as section 3.4.1 trains it on
the ring. A D that is sure of every fake gives the original G no gradient (figure 3.1). Here D keeps its cross-entropy,
and G minimises

    L_GD = ½ ‖E f_D(x) − E f_D(G(z))‖²                                                                    (eq. 3.10)

where f_D is the input of D's last layer (errata S4). Eq. 3.10 prints a minus in front, which would drive the centers
apart; line 9 of algorithm 3.1 has the plus (errata S1). Salimans et al. 2016 (section 3.1) match the means of a batch;
here both are moving averages (``training/feature_centers.py``).

The networks and Adam are DCGAN's (section 3.4.2). ``g_loss`` is a squared distance in D's features: it grows when D
finds new features, and falls when G follows.

See also: ``ring/model.py``, the same rule on points in the plane; ``fm_cgan.py``, the rule with classes.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_faces.models import check_image_size
from keras_faces.models.gans.dcgan import discriminator, generator
from keras_faces.training import losses
from keras_faces.training.feature_centers import FeatureCenters
from keras_faces.training.gan import GAN
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 32


@keras.saving.register_keras_serializable("keras_faces")
class FMGAN(GAN):
    """A GAN whose G matches the mean features of photographs in D.

    Parameters
    ----------
    generator : keras.Model
        See :class:`GAN`.
    discriminator : keras.Model
        From images to a logit; its last layer is dense, and reads f_D, (batch, n).
    centre_decay : float
        How much of a moving center stays at each iteration, in [0, 1); 0 for the centers of the batch.
    d_steps, separate_batches, label_smoothing, average, value_range, seed, name
        See :class:`GAN`; D keeps its cross-entropy.
    """

    learns_from_score = False  # but from D's features

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        centre_decay: float = 0.9,
        d_steps: int = 1,
        separate_batches: bool = False,
        label_smoothing: float = 0.0,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            d_steps=d_steps,
            separate_batches=separate_batches,
            label_smoothing=label_smoothing,
            average=average,
            value_range=value_range,
            seed=seed,
            name=name,
        )
        self.centre_decay = centre_decay
        self.d_features = keras.Model(discriminator.inputs[0], discriminator.layers[-1].input, name="d_features")
        (size,) = self.d_features.output_shape[1:]
        self.real_centre = FeatureCenters(size, decay=centre_decay, name="real_centre")
        self.fake_centre = FeatureCenters(size, decay=centre_decay, name="fake_centre")

    def train_discriminator(self, real: Any, fake: Any, *labels: Any) -> dict[str, Any]:
        """Update D, then move the center of the photographs to where this D maps them; see :class:`GAN`."""
        logs = super().train_discriminator(real, fake)
        with frozen(self.discriminator):
            features = self.d_features(real, training=True)
        self.real_centre.update(features)
        return logs

    def train_generator(self, noise: Any, *labels: Any) -> dict[str, Any]:
        """Update G once: the center of its images moves towards that of the photographs; see :class:`GAN`."""

        def g_loss():
            fake = self.generator(noise, training=True)
            with frozen(self.discriminator):
                features = self.d_features(fake, training=True)
            return losses.center_matching(self.real_centre.means, self.fake_centre.update(features)), None  # eq. 3.10

        loss, _, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 64,
    learning_rate: float = 2e-4,
    centre_decay: float = 0.9,
    separate_batches: bool = True,
    seed: int = 0,
    **options: Any,
) -> FMGAN:
    """Return FM-GAN, compiled.

    Parameters
    ----------
    image_size, latent_dim, width, learning_rate, separate_batches
        As of :func:`keras_faces.models.gans.dcgan.build`.
    centre_decay : float
        See :class:`FMGAN`. The source says that centers move, not how fast.
    options
        ``d_steps``, ``label_smoothing``, ``average``: see :class:`GAN`.

    Raises
    ------
    ValueError
        For an ``image_size`` below 16 and a ``centre_decay`` out of its range.
    """
    check_image_size("fm-gan", image_size, multiple=1, smallest=16)
    model = FMGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        centre_decay=centre_decay,
        separate_batches=separate_batches,
        seed=seed,
        name="fm_gan",
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), keras.optimizers.Adam(learning_rate, beta_1=0.5))
    return model
