"""sgan: D is a classifier with one class more, "fake", and learns from faces that nobody labelled.

Source: the course's textbook, section 5.3.1 with eq. 5-10 to 5-12, after Salimans et al. 2016, section 5. Labels are
dear and faces are cheap. D sorts faces into K classes and one more, K + 1, the fakes, and it reads three inputs:

- faces with a label: it has to find their class, given that they are real (eq. 5-11):
  L_sup = −E log p(y | x, y < K+1)
- faces without a label: whatever their class, they are not fake;
- G's fakes: they are (eq. 5-12): L_unsup = −{E log[1 − p(K+1|x)] + E_G log p(K+1|x)}

and minimises the sum (eq. 5-10). To know a real face from a fake, D must learn what eyes and hair look like, from all
faces; the few labels then only have to say what these things are called.

p(real) = 1 − p(K+1|x) is the sigmoid of one number, log Σ exp(l_1 .. l_K) − l_{K+1}, so L_unsup is twice the
cross-entropy that every D of the course minimises, and D's scores are drawn as ever (:func:`real_logit`). (The
textbook's text counts the fakes as class N of N, its equations as K + 1: errata.)

What G learns from is the option ``generator_learns``:

- "features", Salimans's *feature matching* (section 3.1): the mean of D's last hidden layer over fakes is to be the
  mean over photographs. G paints worse than by the other way, and D classifies better: fakes that are spread where
  faces are not dense tell D where the borders between the classes should run.
- "adversarial": G is to score as real, as in every GAN.

D has spectral normalisation and Dropout instead of BatchNormalization, so that what it says of a face does not depend
on which others, real, fake or labelled, are in the batch.

Read next: ``data/partly_labelled.py`` (how a few labels reach every batch), ``training/label_curve.py`` (what they are
worth).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.ladder import channels, normal
from keras_faces.layers.spectral import SpectralConv2D
from keras_faces.models import check_image_size
from keras_faces.models.dcgan import generator
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad

IMAGE_SIZE = 32
PRINTED: dict = {}  # the textbook prints no layers
LABELS = ("classes",)
PARTLY_LABELLED = True  # faces without a label are welcome
GENERATOR_LEARNS = ("features", "adversarial")


def discriminator(
    classes: int, image_size: int = IMAGE_SIZE, width: int = 64, dropout: float = 0.3, seed: int = 0
) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the logits (classes + 1,), the last one that of "fake"."""
    stages = [layers.Input((image_size, image_size, 3))]
    for rung, filters in enumerate(channels(image_size, width)):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal()),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + rung),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096, the features f(x)
        layers.Dense(classes + 1, kernel_initializer=normal(), dtype="float32"),  # K + 1
    ]
    return keras.Sequential(stages, name="discriminator")


# ---------------------------------------------------------------------------------------------- the losses


def real_logit(logits: Any) -> Any:
    """The logit of p(real) = 1 − p(K+1|x): ``log Σ exp(l_1 .. l_K) − l_{K+1}``.

    Parameters
    ----------
    logits
        (batch, K + 1), the last column that of "fake".

    Returns
    -------
    float32 (batch, 1).
    """
    logits = ops.cast(logits, "float32")
    return ops.logsumexp(logits[:, :-1], axis=-1, keepdims=True) - logits[:, -1:]


def supervised_loss(logits: Any, labels: Any) -> Any:
    """L_sup (eq. 5-11): the cross-entropy of the classes, "fake" left out, mean over the faces that have a label.

    Parameters
    ----------
    logits
        (batch, K + 1).
    labels
        One-hot rows (batch, K); rows of zeros have no label. Without any label the loss is 0.
    """
    log_probability = ops.log_softmax(ops.cast(logits, "float32")[:, :-1], axis=-1)
    return -mean_over(ops.sum(labels * log_probability, axis=-1, keepdims=True), has_label(labels))


def unsupervised_loss(real_logits: Any, fake_logits: Any, weights: Any) -> Any:
    """L_unsup (eq. 5-12): ``−{E log[1 − p(K+1|x)] + E_G log p(K+1|x)}``.

    Parameters
    ----------
    real_logits, fake_logits
        (batch, K + 1) of photographs and of fakes.
    weights
        (batch, 1), 1 for the photographs that count, 0 for the others.
    """
    real, fake = real_logit(real_logits), real_logit(fake_logits)
    return mean_over(ops.softplus(-real), weights) + ops.mean(ops.softplus(fake))


def feature_matching(real: Any, fake: Any, weights: Any) -> Any:
    """``‖E f(x) − E f(G(z))‖²``, the squared distance of two means (Salimans et al. 2016, section 3.1).

    Parameters
    ----------
    real, fake
        Features (batch, n) of photographs and of fakes.
    weights
        (batch, 1), as in :func:`unsupervised_loss`.
    """
    real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
    centre = ops.sum(real * weights, axis=0) / ops.maximum(ops.sum(weights), 1.0)
    return ops.sum((centre - ops.mean(fake, axis=0)) ** 2)


def has_label(labels: Any) -> Any:
    """1 for each row that has a label, 0 for rows of zeros: float32 (batch, 1)."""
    return ops.cast(ops.max(labels, axis=-1, keepdims=True) > 0, "float32")


def counts_as_unlabelled(labels: Any) -> Any:
    """1 for the photographs of L_unsup: those without a label, or all where each has one. float32 (batch, 1)."""
    hidden = 1.0 - has_label(labels)
    return ops.where(ops.sum(hidden) > 0, hidden, ops.ones_like(hidden))


def mean_over(values: Any, weights: Any) -> Any:
    """The mean of ``values`` (batch, 1) over the rows with weight 1; 0 if there is none."""
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)


# ------------------------------------------------------------------------------------------------- the model


@keras.saving.register_keras_serializable("keras_faces")
class SGAN(AdversarialModel):
    """A GAN whose D names classes, learning from faces with and without labels.

    Parameters
    ----------
    generator
        Model from noise to images.
    discriminator
        Model from images to K + 1 logits, whose last layer reads a vector, the features.
    class_names
        Of the K classes.
    generator_learns
        "features" or "adversarial".
    rule
        ``d_steps``, ``average``, ``seed``, ...: see :class:`AdversarialModel`.
    """

    NUMBERS = (*AdversarialModel.NUMBERS, "supervised_loss", "label_accuracy")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        class_names: Sequence[str],
        generator_learns: str = "features",
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, **rule)
        if self.loss_name != "non-saturating" or self.label_smoothing or self.gradient_penalty or self.clip or self.r1:
            raise ValueError("sgan has a loss of its own: leave loss, label_smoothing, clip and penalties out.")
        if generator_learns not in GENERATOR_LEARNS:
            raise ValueError(f"generator_learns={generator_learns!r}: choose from {', '.join(GENERATOR_LEARNS)}.")
        self.class_names = tuple(class_names)
        self.generator_learns = generator_learns
        last = discriminator.layers[-1]
        self.d_eyes = keras.Model(discriminator.inputs[0], [last.output, last.input], name="d_eyes")

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """One iteration: D learns from its three inputs, then G.

        Parameters
        ----------
        images
            Photographs, uint8 (d_steps * batch, H, W, 3), with and without labels.
        labels
            (d_steps * batch, K): one-hot, or zeros for a face without a label.

        Returns
        -------
        The numbers of :meth:`AdversarialModel.step`; ``supervised_loss``, which is part of ``d_loss``; and
        ``label_accuracy``, how many of the labelled faces D puts into their class.
        """
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, known = self.scaled(images[part]), ops.cast(labels[part], "float32")
            fake = ops.stop_gradient(self.generator(self.noise(batch), training=True))
            d_numbers = self.improve_discriminator(real, fake, known)

        g_numbers = self.improve_generator(real, known)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def improve_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """One step of D on L_sup + L_unsup (eq. 5-10)."""
        unlabelled = counts_as_unlabelled(labels)

        def d_loss():
            logits = self.discriminator(ops.concatenate([fake, real]), training=True)
            batch = ops.shape(fake)[0]
            fake_logits, real_logits = logits[:batch], logits[batch:]
            supervised = supervised_loss(real_logits, labels)
            loss = supervised + unsupervised_loss(real_logits, fake_logits, unlabelled)
            return loss, (real_logits, fake_logits, supervised)

        weights = self.discriminator.trainable_variables
        (loss, (real_logits, fake_logits, supervised)), gradients = value_and_grad(
            d_loss, weights, self.variables, self.optimizer.discriminator
        )
        self.optimizer.discriminator.apply(gradients, weights)
        right = ops.argmax(real_logits[:, :-1], axis=-1) == ops.argmax(labels, axis=-1)
        return {
            "d_loss": loss,
            **self.scores(real_logit(real_logits), real_logit(fake_logits)),
            "d_gradient": global_norm(gradients),
            "supervised_loss": supervised,
            "label_accuracy": mean_over(ops.cast(right, "float32")[:, None], has_label(labels)),
        }

    def improve_generator(self, real: Any, labels: Any) -> dict[str, Any]:
        """One step of G through the frozen D: fakes with the mean features of photographs, or that score as real."""
        noise = self.noise(ops.shape(real)[0])
        unlabelled = counts_as_unlabelled(labels)

        def g_loss():
            fake = self.generator(noise, training=True)
            with frozen(self.d_eyes):
                logits, features = self.d_eyes(fake, training=True)
                if self.generator_learns == "features":
                    wanted = ops.stop_gradient(self.d_eyes(real, training=True)[1])
            if self.generator_learns == "features":
                return feature_matching(wanted, features, unlabelled), None
            return self.pair.generator(real_logit(logits)), None

        weights = self.generator.trainable_variables
        (loss, _), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return self.move_generator(loss, gradients)

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        if labels is None:
            raise ValueError("sgan learns from labels, of a few faces at least: train it on faces.labelled(...).")
        if labels.shape[-1] != len(self.class_names):
            raise ValueError(f"sgan has {len(self.class_names)} classes, the data have {labels.shape[-1]}.")
        return self.step(images, labels)

    # ------------------------------------------------------------------------------------------------- its use

    def classify(self, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """p(y | x, y < K+1), what D takes photographs for, given that they are real.

        Parameters
        ----------
        images
            uint8 (N, H, W, 3).

        Returns
        -------
        float32 (N, K); each row adds up to 1.
        """
        self.synchronise()
        return class_probabilities(self.discriminator, images, self.value_range, batch_size)

    def get_config(self) -> dict[str, Any]:
        own = {"class_names": self.class_names, "generator_learns": self.generator_learns}
        return {**super().get_config(), **own}


def class_probabilities(
    network: keras.Model, images: np.ndarray, value_range: tuple[float, float] = (-1.0, 1.0), batch_size: int = 256
) -> np.ndarray:
    """The softmax of all but the last logit of a network, float32 (N, K), for images uint8 (N, H, W, 3)."""
    low, high = value_range
    parts = []
    for start in range(0, len(images), batch_size):
        scaled = np.asarray(images[start : start + batch_size], "float32") * ((high - low) / 255.0) + low
        logits = ops.cast(network(scaled, training=False), "float32")
        parts.append(ops.convert_to_numpy(ops.softmax(logits[:, :-1], axis=-1)))
    return np.concatenate(parts)


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    generator_learns: str = "features",
    latent_dim: int = 100,
    width: int = 64,
    dropout: float = 0.3,
    d_rate: float = 2e-4,
    g_rate: float = 2e-4,
    seed: int = 0,
    **rule: Any,
) -> SGAN:
    """SGAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    label_names, label_kind
        Names of the K classes; D cannot sort faces by attributes, of which a face has several.
    generator_learns
        "features" or "adversarial": see the head of this file.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map in both networks.
    dropout
        Share of D's features that each step leaves out.
    d_rate, g_rate
        Adam's learning rates.
    rule
        ``d_steps``, ``average``: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, fewer than two classes, attributes, and another ``generator_learns``.
    """
    check_image_size("sgan", image_size, multiple=1, smallest=16)
    if label_kind not in LABELS or len(label_names) < 2:
        raise ValueError(
            f"sgan sorts faces into classes, not {len(label_names)} {label_kind}: name one attribute (with and "
            'without), several classes ("man = Male; woman = !Male"), or identity.'
        )
    model = SGAN(
        generator(image_size, latent_dim, width),
        discriminator(len(label_names), image_size, width, dropout, seed),
        class_names=label_names,
        generator_learns=generator_learns,
        seed=seed,
        name="sgan",
        **rule,
    )
    model.compile(Adam(d_rate, beta_1=0.5), Adam(g_rate, beta_1=0.5))
    return model
