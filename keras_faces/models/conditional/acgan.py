"""acgan: D does not read the label, it predicts it; G is trained for images of the right class.

Source: Odena, Olah and Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", eq. 2 and 3; the
course's textbook, chapter 5. D has two outputs: the source S, photograph or fake, and the class C:

    L_S = E log P(S = real | X_real) + E log P(S = fake | X_fake)
    L_C = E log P(C = c | X_real)    + E log P(C = c | X_fake)

D maximises L_S + L_C, G maximises L_C − L_S. C is a softmax over the classes, or a sigmoid for each attribute, with
log P(C = c | X) summed over the attributes.

Against ``cgan.py``: G is the same, D reads no label. With the paper's cross-entropy and 2e-4 for both, faces at 64×64
took far longer than with the hinge loss and the two learning rates.

L_C prefers images whose class is easy to recognise to images as varied as the photographs of that class, the more so
the larger ``class_weight`` is (Shu, Bui and Ermon 2017, "AC-GAN Learns a Biased Distribution").

See also: ``sgan.py``, whose D has "fake" as one of the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.conditional.cgan import generator
from keras_faces.training.conditional import ConditionalGAN
from keras_faces.training.gan import RegularizedGAN
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 32
LABELS = ("classes", "attributes")


def discriminator(n_labels: int, image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Model:
    """Return D, from an image (image_size, image_size, 3) to two outputs: the logits of S (1,) and of C (n_labels,)."""
    image = layers.Input((image_size, image_size, 3))
    maps = image
    for filters in feature_channels(image_size, width):
        maps = SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=dcgan_init())(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
    features = layers.Flatten()(maps)  # 4096
    source = SpectralDense(1, kernel_initializer=dcgan_init(), dtype="float32", name="source")(features)  # 1
    classes = layers.Dense(n_labels, kernel_initializer=dcgan_init(), dtype="float32", name="class")(features)  # n
    return keras.Model(image, [source, classes], name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class ACGAN(ConditionalGAN, RegularizedGAN):
    """The conditional step, with a D that has two outputs.

    Parameters
    ----------
    generator, discriminator : keras.Model
        From :func:`cgan.generator` and :func:`discriminator`.
    class_weight : float
        Weight of L_C beside L_S, for D and for G, 0 or more; 1 in the paper.
    options
        See :class:`ConditionalGAN` and :class:`RegularizedGAN`.

    Raises
    ------
    ValueError
        For a negative ``class_weight``.
    """

    CLASS_METRICS = ("d_class_loss", "g_class_loss", "real_class_accuracy", "fake_class_accuracy")
    METRICS = (*ConditionalGAN.METRICS, *CLASS_METRICS)

    def __init__(
        self, generator: keras.Model, discriminator: keras.Model, *, class_weight: float = 1.0, **options: Any
    ):
        super().__init__(generator, discriminator, **options)
        if class_weight < 0:
            raise ValueError(f"class_weight={class_weight}: must be 0 or more, 1 is the paper's.")
        self.class_weight = class_weight
        self.d_logits = keras.Model(discriminator.inputs, discriminator.outputs[0], name="source")  # for penalties

    def train_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """Update D once, by the source and the class of photographs and of fakes; see :class:`GAN`."""

        def d_loss():
            fake_source, fake_class = self.discriminator(fake, training=True)
            real_source, real_class = self.discriminator(real, training=True)
            source = self.discriminator_loss(real_source, fake_source) + self.penalty(real, fake)
            classes = 0.5 * (self.class_loss(labels, real_class) + self.class_loss(labels, fake_class))
            aux = (source, classes, real_source, fake_source, real_class, fake_class)
            return source + self.class_weight * classes, aux

        _, aux, gradient = self.update_discriminator(d_loss)
        source, classes, real_source, fake_source, real_class, fake_class = aux
        return {
            "d_loss": source,
            **self.scores(real_source, fake_source),
            "d_gradient": gradient,
            "d_class_loss": classes,
            "real_class_accuracy": self.class_accuracy(labels, real_class),
            "fake_class_accuracy": self.class_accuracy(labels, fake_class),
        }

    def train_generator(self, noise: Any, labels: Any) -> dict[str, Any]:
        """Update G once through the frozen D: its images are to score "real", and as the class of their labels."""

        def g_loss():
            fake = self.generator([noise, labels], training=True)
            with frozen(self.discriminator):
                fake_source, fake_class = self.discriminator(fake, training=True)
            source, classes = self.pair.generator(fake_source), self.class_loss(labels, fake_class)
            return source + self.class_weight * classes, (source, classes)

        _, (source, classes), gradient = self.update_generator(g_loss)
        return {"g_loss": source, "g_gradient": gradient, "g_class_loss": classes}

    def class_loss(self, labels: Any, logits: Any) -> Any:
        """Return ``−mean log P(C = c | X)``: the cross-entropy of a softmax, or the sum of those of the sigmoids."""
        if self.label_kind == "classes":
            return ops.mean(ops.categorical_crossentropy(labels, logits, from_logits=True))
        return ops.mean(ops.sum(ops.binary_crossentropy(labels, logits, from_logits=True), axis=1))

    def class_accuracy(self, labels: Any, logits: Any) -> Any:
        """Return the share of the images whose class D predicts rightly, or of all their attributes."""
        if self.label_kind == "classes":
            right = ops.argmax(labels, axis=1) == ops.argmax(logits, axis=1)
        else:
            right = (labels > 0.5) == (logits > 0.0)
        return ops.mean(ops.cast(right, "float32"))


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    latent_dim: int = 100,
    width: int = 64,
    d_learning_rate: float = 4e-4,
    g_learning_rate: float = 2e-4,
    loss: str = "hinge",
    seed: int = 0,
    **options: Any,
) -> ACGAN:
    """Return AC-GAN, compiled.

    Parameters
    ----------
    image_size, label_names, label_kind, latent_dim, width, d_learning_rate, g_learning_rate, seed
        As of :func:`cgan.build`.
    loss : str
        Of the source: a pair of ``losses.PAIRS``; "non-saturating" is the paper's.
    options
        ``class_weight``: see :class:`ACGAN`; ``d_steps``, ``r1``, ``average``, ...: see :class:`RegularizedGAN`.
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
        **options,
    )
    betas = {"beta_1": 0.0, "beta_2": 0.9}
    model.compile(keras.optimizers.Adam(d_learning_rate, **betas), keras.optimizers.Adam(g_learning_rate, **betas))
    return model
