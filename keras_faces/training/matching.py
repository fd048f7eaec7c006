"""Feature-centre matching: D learns as ever, G learns to have the mean features of photographs.

Source: the dissertation, section 3.2.2 and algorithm 3.1. A D that is sure of every fake gives the original G no
gradient (figure 3.1). Here D keeps its cross-entropy, and G minimises

    L_GD = ½ ‖E f_D(x) − E f_D(G(z))‖²                                                                    (eq. 3.10)

where f_D is the input of D's last layer (errata S4). Eq. 3.10 prints a minus in front; minimised so, it would drive the
two centres apart, and line 9 of algorithm 3.1 has the plus (errata S1). However sure D is, its features of the two
still differ, and their difference tells the way.

Salimans et al. 2016 (section 3.1) match the means of a batch; here both are moving averages (``centres.py``).

Read next: ``models/fm_gan.py`` for faces, ``models/ring.py`` for points in the plane.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_faces import losses
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.centres import Centres
from keras_faces.training.gradients import frozen, value_and_grad


@keras.saving.register_keras_serializable("keras_faces")
class FeatureMatchingModel(AdversarialModel):
    """A GAN whose G matches feature centres in D instead of its score.

    Parameters
    ----------
    centre_decay
        How much of a moving centre stays at each update, in [0, 1); 0 for the centres of the batch.
    rule
        As of :class:`AdversarialModel`. Of the pair ``loss`` only D's side is used, so it must be a cross-entropy.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, *, centre_decay: float = 0.9, **rule: Any):
        super().__init__(generator, discriminator, **rule)
        if not self.pair.probability:
            raise ValueError(f"loss={self.loss_name!r}: with feature matching D keeps its cross-entropy; leave it out.")
        self.d_features = keras.Model(discriminator.inputs[0], discriminator.layers[-1].input, name="d_features")
        (size,) = self.d_features.output_shape[1:]
        self.real_centre = Centres(size, decay=centre_decay, name="real_centre")
        self.fake_centre = Centres(size, decay=centre_decay, name="fake_centre")

    def improve_discriminator(self, real: Any, fake: Any) -> dict[str, Any]:
        """One step of D; then the centre of the photographs moves to where this D sees them."""
        numbers = super().improve_discriminator(real, fake)
        with frozen(self.discriminator):
            features = self.d_features(real, training=True)
        self.real_centre.update(features)
        return numbers

    def improve_generator(self, batch: int) -> dict[str, Any]:
        """One step of G: its centre is to come nearer to that of the photographs (eq. 3.10, with the plus)."""
        noise = self.noise(batch)

        def g_loss():
            fake = self.generator(noise, training=True)
            with frozen(self.discriminator):
                features = self.d_features(fake, training=True)
            return losses.centre_matching(self.real_centre.means, self.fake_centre.update(features)), None

        weights = self.generator.trainable_variables
        (loss, _), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return self.move_generator(loss, gradients)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "centre_decay": self.real_centre.decay}
