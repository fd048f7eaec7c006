"""acgan: D does not read the label, it has to name it; and G is rewarded when it can.

Source: Odena, Olah and Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", whose model the
course's textbook lists in chapter 5. D answers two questions about an image: is it a photograph (the source S), and of
which class C is it? Eq. 2 and 3:

    L_S = E log P(S = real | X_real) + E log P(S = fake | X_fake)
    L_C = E log P(C = c | X_real)    + E log P(C = c | X_fake)

D is trained for L_S + L_C, G for L_C − L_S: they quarrel about the source, and work together on the class.

One of the classes is true of a face, or several attributes are, each by itself. So D's second head is a softmax over
the classes, or a sigmoid for each attribute, and log P(C = c | X) is then the sum over the attributes.

The source is judged by the hinge loss, with a D of spectral normalisation and the two rates of ``cgan.py``; with the
paper's cross-entropy and 2e-4 for both, faces at 64×64 took far longer to come.

What to know about it: G is paid for faces whose class is easily told, not for faces as various as the photographs of
that class. It prefers the typical, and more so the larger ``class_weight`` is (Shu, Bui and Ermon 2017, "AC-GAN Learns
a Biased Distribution").

Read next: ``cgan.py``, whose D reads the label; ``sgan.py``, whose D has "fake" among the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.ladder import channels, normal
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.cgan import generator
from keras_faces.training.adam import Adam
from keras_faces.training.conditional import ConditionalModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad

IMAGE_SIZE = 32
PRINTED: dict = {}  # the textbook prints no layers
LABELS = ("classes", "attributes")


def discriminator(n_labels: int, image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Model:
    """Image (image_size, image_size, 3) to two heads: the source's logit (1,) and the classes' (n_labels,)."""
    image = layers.Input((image_size, image_size, 3))
    maps = image
    for filters in channels(image_size, width):
        maps = SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal())(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
    features = layers.Flatten()(maps)  # 4096
    source = SpectralDense(1, kernel_initializer=normal(), dtype="float32", name="source")(features)  # 1
    named = layers.Dense(n_labels, kernel_initializer=normal(), dtype="float32", name="class")(features)  # n
    return keras.Model(image, [source, named], name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class ACGAN(ConditionalModel):
    """The common step, with a D that answers two questions.

    Parameters
    ----------
    class_weight
        How much L_C counts beside L_S, for D and for G; 1 as in the paper.
    rule
        See :class:`ConditionalModel`.
    """

    CLASS_NUMBERS = ("d_class_loss", "g_class_loss", "real_class_accuracy", "fake_class_accuracy")
    NUMBERS = (*ConditionalModel.NUMBERS, *CLASS_NUMBERS)

    def __init__(self, generator: keras.Model, discriminator: keras.Model, *, class_weight: float = 1.0, **rule: Any):
        super().__init__(generator, discriminator, **rule)
        if class_weight < 0:
            raise ValueError(f"class_weight={class_weight}: must be 0 or more, 1 is the paper's.")
        self.class_weight = class_weight
        self.d_logits = keras.Model(discriminator.inputs, discriminator.outputs[0], name="source")  # what penalties see

    def improve_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """One step of D: tell photographs from fakes, and name the class of both."""
        share = self.share_of_photographs(ops.shape(real)[0])

        def d_loss():
            fake_source, fake_class = self.discriminator(fake, training=True)
            real_source, real_class = self.discriminator(real, training=True)
            source = self.discriminator_loss(real_source, fake_source) + self.penalties(real, fake, share)
            named = 0.5 * (self.class_loss(labels, real_class) + self.class_loss(labels, fake_class))
            answers = (source, named, real_source, fake_source, real_class, fake_class)
            return source + self.class_weight * named, answers

        weights = self.discriminator.trainable_variables
        (_, answers), gradients = value_and_grad(d_loss, weights, self.variables, self.optimizer.discriminator)
        self.optimizer.discriminator.apply(gradients, weights)
        self.clip_weights()
        source, named, real_source, fake_source, real_class, fake_class = answers
        return {
            "d_loss": source,
            **self.scores(real_source, fake_source),
            "d_gradient": global_norm(gradients),
            "d_class_loss": named,
            "real_class_accuracy": self.class_accuracy(labels, real_class),
            "fake_class_accuracy": self.class_accuracy(labels, fake_class),
        }

    def improve_generator(self, labels: Any) -> dict[str, Any]:
        """One step of G: the frozen D is to take its faces for photographs, and to name the class asked for."""
        noise = self.noise(ops.shape(labels)[0])

        def g_loss():
            fake = self.generator([noise, labels], training=True)
            with frozen(self.discriminator):
                fake_source, fake_class = self.discriminator(fake, training=True)
            source, named = self.pair.generator(fake_source), self.class_loss(labels, fake_class)
            return source + self.class_weight * named, (source, named)

        weights = self.generator.trainable_variables
        (_, (source, named)), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return {**self.move_generator(source, gradients), "g_class_loss": named}

    def class_loss(self, labels: Any, logits: Any) -> Any:
        """−mean log P(C = c | X): the cross-entropy of a softmax, or of a sigmoid each, added up."""
        if self.label_kind == "classes":
            return ops.mean(ops.categorical_crossentropy(labels, logits, from_logits=True))
        return ops.mean(ops.sum(ops.binary_crossentropy(labels, logits, from_logits=True), axis=1))

    def class_accuracy(self, labels: Any, logits: Any) -> Any:
        """Share of the images whose class D names rightly, or of all their attributes."""
        if self.label_kind == "classes":
            right = ops.argmax(labels, axis=1) == ops.argmax(logits, axis=1)
        else:
            right = (labels > 0.5) == (logits > 0.0)
        return ops.mean(ops.cast(right, "float32"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "class_weight": self.class_weight}


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    latent_dim: int = 100,
    width: int = 64,
    d_rate: float = 4e-4,
    g_rate: float = 2e-4,
    loss: str = "hinge",
    seed: int = 0,
    **rule: Any,
) -> ACGAN:
    """AC-GAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    label_names, label_kind
        See :class:`ConditionalModel`.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map in both networks.
    d_rate, g_rate
        Adam's learning rates; beta_1 0 and beta_2 0.9, as in ``cgan.py``.
    loss
        Of the source; any pair of ``losses.PAIRS``. "non-saturating" is the paper's.
    rule
        ``class_weight``, ``d_steps``, ``average``, ...: see :class:`ACGAN` and :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and a negative ``class_weight``.
    """
    check_image_size("acgan", image_size, multiple=1, smallest=16)
    n_labels = len(label_names)
    model = ACGAN(
        generator(n_labels, image_size, latent_dim, width),
        discriminator(n_labels, image_size, width),
        label_names=label_names,
        label_kind=label_kind,
        loss=loss,
        seed=seed,
        name="acgan",
        **rule,
    )
    model.compile(*(Adam(rate, beta_1=0.0, beta_2=0.9) for rate in (d_rate, g_rate)))
    return model
