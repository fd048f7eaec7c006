"""GANs that are told which face to make: what all of them share.

:class:`ConditionalModel` brings the labels to ``step``. What a label is, and how pictures of wanted ones are made, is
in ``labelled.py``. How D learns whether face and label belong together is what the systems differ in:
``models/cgan.py`` reads both, ``models/acgan.py`` names the class.

Read next: ``models/cgan.py``.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.labelled import Labelled


class ConditionalModel(Labelled, AdversarialModel):
    """A GAN whose G reads ``[noise (batch, latent_dim), label (batch, n)]``.

    A system has ``improve_discriminator(real, fake, labels)`` and ``improve_generator(labels)``, which return numbers
    as those of :class:`AdversarialModel` do.

    Parameters
    ----------
    generator
        Model from ``[noise, label]`` to images (batch, H, W, 3) in ``value_range``.
    discriminator
        As the system wants it; the first that it reads are images.
    label_names, label_kind
        See :class:`Labelled`.
    rule
        See :class:`AdversarialModel`.
    """

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """One iteration: D learns on photographs and on fakes of the same labels, then G.

        Parameters
        ----------
        images
            Photographs, uint8 (d_steps * batch, H, W, 3).
        labels
            Their vectors, (d_steps * batch, n).
        """
        batch = ops.shape(images)[0] // self.d_steps
        self.remember(labels)

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, wanted = self.scaled(images[part]), ops.cast(labels[part], "float32")
            fake = ops.stop_gradient(self.generator([self.noise(batch), wanted], training=True))
            d_numbers = self.improve_discriminator(real, fake, wanted)

        g_numbers = self.improve_generator(wanted)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}
