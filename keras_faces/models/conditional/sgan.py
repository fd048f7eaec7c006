"""sgan: D is a classifier with one more class, "fake", and also learns from faces without a label.

Source: the course's textbook, section 5.3.1, eq. 5-10 to 5-12; Salimans et al. 2016, section 5. D sorts faces into K
classes and the class K + 1 of the fakes. It minimises L_sup + L_unsup (eq. 5-10), over three kinds of images:

    L_sup   = −E log p(y | x, y < K+1)                        faces with a label       (eq. 5-11)
    L_unsup = −{E log[1 − p(K+1|x)] + E_G log p(K+1|x)}       faces without, and fakes (eq. 5-12)

To tell faces from fakes, D learns features from all faces; a few labels are then enough for the classes.

p(real) = 1 − p(K+1|x) is the sigmoid of ``log Σ exp(l_1 .. l_K) − l_{K+1}`` (:func:`real_logit`), so L_unsup is twice
the cross-entropy of every other D of the course. (The textbook's text counts the fakes as class N of N, its equations
as K + 1: errata.)

G's loss is the option ``generator_learns``:

- "features", *feature matching* (Salimans et al., section 3.1): the mean of D's last hidden layer is to be the same
  over fakes as over photographs. G's images are worse, D's classes better.
- "adversarial": the fakes are to score "real", as in every GAN.

Against ``acgan.py``: "fake" is a class, labels may be missing, G reads no label. D has spectral normalisation and
Dropout instead of BatchNormalization, so that its output for a face does not depend on the rest of the batch.

See also: ``data/mixed_batches.py``, how labelled faces reach every batch; ``runs/label_curve.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels
from keras_faces.layers.spectral import SpectralConv2D
from keras_faces.models import check_image_size
from keras_faces.models.gans.dcgan import generator
from keras_faces.training.gan import GAN
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 32
LABELS = ("classes",)
PARTLY_LABELLED = True  # learns from faces without a label, too
GENERATOR_LEARNS = ("features", "adversarial")


def discriminator(
    classes: int, image_size: int = IMAGE_SIZE, width: int = 64, dropout: float = 0.3, seed: int = 0
) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the logits (classes + 1,), "fake" the last."""
    stages = [layers.Input((image_size, image_size, 3))]
    for index, filters in enumerate(feature_channels(image_size, width)):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=dcgan_init()),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(dropout, seed=seed + index),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096, the features f(x)
        layers.Dense(classes + 1, kernel_initializer=dcgan_init(), dtype="float32"),  # K + 1
    ]
    return keras.Sequential(stages, name="discriminator")


def real_logit(logits: Any) -> Any:
    """Return the logits of p(real) = 1 − p(K+1|x), float32 (batch, 1), for D's logits (batch, K + 1)."""
    logits = ops.cast(logits, "float32")
    return ops.logsumexp(logits[:, :-1], axis=-1, keepdims=True) - logits[:, -1:]


def supervised_loss(logits: Any, labels: Any) -> Any:
    """Return L_sup (eq. 5-11), the mean cross-entropy of the K classes over the faces that have a label.

    Parameters
    ----------
    logits : tensor, shape (batch, K + 1)
        D's output; the last column is "fake".
    labels : tensor, shape (batch, K)
        One-hot rows; a row of zeros has no label. Without any label the loss is 0.
    """
    log_probability = ops.log_softmax(ops.cast(logits, "float32")[:, :-1], axis=-1)
    return -mean_over(ops.sum(labels * log_probability, axis=-1, keepdims=True), has_label(labels))


def unsupervised_loss(real_logits: Any, fake_logits: Any, weights: Any) -> Any:
    """Return L_unsup (eq. 5-12).

    Parameters
    ----------
    real_logits, fake_logits : tensor, shape (batch, K + 1)
        Of photographs and of fakes.
    weights : tensor, shape (batch, 1)
        1 for the photographs that count, 0 for the others.
    """
    real, fake = real_logit(real_logits), real_logit(fake_logits)
    return mean_over(ops.softplus(-real), weights) + ops.mean(ops.softplus(fake))


def feature_matching(real: Any, fake: Any, weights: Any) -> Any:
    """Return ``‖E f(x) − E f(G(z))‖²`` (Salimans et al. 2016, section 3.1).

    Parameters
    ----------
    real, fake : tensor, shape (batch, n)
        Features of photographs and of fakes.
    weights : tensor, shape (batch, 1)
        As in :func:`unsupervised_loss`.
    """
    real, fake = ops.cast(real, "float32"), ops.cast(fake, "float32")
    centre = ops.sum(real * weights, axis=0) / ops.maximum(ops.sum(weights), 1.0)
    return ops.sum((centre - ops.mean(fake, axis=0)) ** 2)


def has_label(labels: Any) -> Any:
    """Return 1 for each row that has a label, 0 for rows of zeros: float32 (batch, 1)."""
    return ops.cast(ops.max(labels, axis=-1, keepdims=True) > 0, "float32")


def counts_as_unlabelled(labels: Any) -> Any:
    """Return 1 for the photographs of L_unsup, those without a label, or all if each has one: float32 (batch, 1)."""
    hidden = 1.0 - has_label(labels)
    return ops.where(ops.sum(hidden) > 0, hidden, ops.ones_like(hidden))


def mean_over(values: Any, weights: Any) -> Any:
    """Return the mean of ``values`` (batch, 1) over the rows with weight 1; 0 if there is none."""
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)


@keras.saving.register_keras_serializable("keras_faces")
class SGAN(GAN):
    """A GAN whose D is a classifier, trained on faces with and without labels.

    Parameters
    ----------
    generator : keras.Model
        From noise to images.
    discriminator : keras.Model
        From images to K + 1 logits; its last layer is dense, and reads D's features f.
    class_names : sequence of str
        Of the K classes.
    generator_learns : str
        "features" or "adversarial".
    d_steps, average, value_range, seed, name
        See :class:`GAN`.

    Raises
    ------
    ValueError
        For another ``generator_learns``.
    """

    METRICS = (*GAN.METRICS, "supervised_loss", "label_accuracy")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        class_names: Sequence[str],
        generator_learns: str = "features",
        d_steps: int = 1,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            d_steps=d_steps,
            average=average,
            value_range=value_range,
            seed=seed,
            name=name,
        )
        if generator_learns not in GENERATOR_LEARNS:
            raise ValueError(f"generator_learns={generator_learns!r}: choose from {', '.join(GENERATOR_LEARNS)}.")
        self.class_names = tuple(class_names)
        self.generator_learns = generator_learns
        last = discriminator.layers[-1]
        self.d_with_features = keras.Model(discriminator.inputs[0], [last.output, last.input], name="d_with_features")

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration: D learns from its three kinds of images, then G.

        Parameters
        ----------
        images : tensor of uint8, shape (d_steps * batch, H, W, 3)
            Photographs.
        labels : tensor, shape (d_steps * batch, K)
            One-hot rows; zeros for a face without a label.

        Returns
        -------
        dict of scalar tensors
            The logs of :meth:`GAN.step`; ``supervised_loss``, a part of ``d_loss``; and ``label_accuracy``, the share
            of the labelled faces that D classifies rightly.
        """
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, known = self.preprocess(images[part]), ops.cast(labels[part], "float32")
            fake = ops.stop_gradient(self.generator(self.noise(batch), training=True))
            d_logs = self.train_discriminator(real, fake, known)

        g_logs = self.train_generator(self.noise(batch), real, known)

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}

    def train_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """Update D once by L_sup + L_unsup (eq. 5-10); images (batch, H, W, 3), labels (batch, K)."""
        unlabelled = counts_as_unlabelled(labels)

        def d_loss():
            logits = self.discriminator(ops.concatenate([fake, real]), training=True)
            batch = ops.shape(fake)[0]
            fake_logits, real_logits = logits[:batch], logits[batch:]
            supervised = supervised_loss(real_logits, labels)
            loss = supervised + unsupervised_loss(real_logits, fake_logits, unlabelled)
            return loss, (real_logits, fake_logits, supervised)

        loss, (real_logits, fake_logits, supervised), gradient = self.update_discriminator(d_loss)
        right = ops.argmax(real_logits[:, :-1], axis=-1) == ops.argmax(labels, axis=-1)
        return {
            "d_loss": loss,
            **self.scores(real_logit(real_logits), real_logit(fake_logits)),
            "d_gradient": gradient,
            "supervised_loss": supervised,
            "label_accuracy": mean_over(ops.cast(right, "float32")[:, None], has_label(labels)),
        }

    def train_generator(self, noise: Any, real: Any, labels: Any) -> dict[str, Any]:
        """Update G once through the frozen D, by feature matching or by its score."""
        unlabelled = counts_as_unlabelled(labels)

        def g_loss():
            fake = self.generator(noise, training=True)
            with frozen(self.d_with_features):
                logits, features = self.d_with_features(fake, training=True)
                if self.generator_learns == "features":
                    real_features = ops.stop_gradient(self.d_with_features(real, training=True)[1])
            if self.generator_learns == "features":
                return feature_matching(real_features, features, unlabelled), None
            return self.pair.generator(real_logit(logits)), None

        loss, _, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient}

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        if labels is None:
            raise ValueError("sgan learns from labels, of a few faces at least: train it on faces.labelled(...).")
        if labels.shape[-1] != len(self.class_names):
            raise ValueError(f"sgan has {len(self.class_names)} classes, the data have {labels.shape[-1]}.")
        return self.step(images, labels)

    def classify(self, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Return p(y | x, y < K+1) of images, uint8 (N, H, W, 3): float32 (N, K)."""
        self.synchronise()
        return class_probabilities(self.discriminator, images, self.value_range, batch_size)


def class_probabilities(
    network: keras.Model, images: np.ndarray, value_range: tuple[float, float] = (-1.0, 1.0), batch_size: int = 256
) -> np.ndarray:
    """Return the softmax of all but the last logit of a network, float32 (N, K), for images, uint8 (N, H, W, 3)."""
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
    d_learning_rate: float = 2e-4,
    g_learning_rate: float = 2e-4,
    seed: int = 0,
    **options: Any,
) -> SGAN:
    """Return SGAN, compiled.

    Parameters
    ----------
    image_size, latent_dim, width, d_learning_rate, g_learning_rate, seed
        As of :func:`cgan.build`, also the errors.
    label_names : sequence of str
        Names of the K classes, at least 2; ``label_kind`` is "classes", since a face has several attributes.
    generator_learns : str
        "features" or "adversarial": G's loss.
    dropout : float
        Share of D's activations that each Dropout sets to 0.
    options
        ``d_steps``, ``average``: see :class:`GAN`.
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
        **options,
    )
    model.compile(
        keras.optimizers.Adam(d_learning_rate, beta_1=0.5), keras.optimizers.Adam(g_learning_rate, beta_1=0.5)
    )
    return model
