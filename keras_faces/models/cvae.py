"""cvae: a VAE that is told the label, in both networks, so that the code need not say it.

Source: the dissertation, section 2.1.6 (Yan et al. 2016; Sohn et al. 2015): "the condition is an input of the encoder
and of the decoder". Eq. 2.1 with a label y:

    L = β KL(N(μ(X, y), σ²(X, y)) ‖ N(0, I)) + ‖f(z, y) − X‖²

A nat in the code costs β, the label is free. So what the label says is left out of z, and z keeps the rest: pose,
light, hair. Hence the two uses: the same z with another y is the same face with another label; the same y with another
z is another face of that label.

y enters E as the textbook's ``cgan`` has it, each of its numbers as one more channel of the image (many classes are
brought to eight numbers first), and G beside the code.

Read next: ``vae.py``, of which this is the told form; ``cvae_gan.py``, chapter 4's answer to the blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.bias import Dense
from keras_faces.layers.convolution import Conv2D
from keras_faces.layers.ladder import channels, sides
from keras_faces.models import check_image_size
from keras_faces.models.vae import VAE, larger
from keras_faces.training.adam import Adam
from keras_faces.training.encoding import kl_divergence, reparametrised, squared_error
from keras_faces.training.gradients import value_and_grad
from keras_faces.training.labelled import Labelled

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers
LABELS = ("classes", "attributes")


def encoder(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Model:
    """Image (image_size, image_size, 3) and label (n_labels,) to μ and log σ², each (latent_dim,). Shapes: 32×32."""
    image, label = layers.Input((image_size, image_size, 3)), layers.Input((n_labels,))
    planes = label if n_labels <= 8 else Dense(8)(label)
    planes = layers.RepeatVector(image_size * image_size)(planes)
    planes = layers.Reshape((image_size, image_size, -1))(planes)  # 32, 32, n
    maps = layers.Concatenate()([image, planes])  # 32, 32, 3 + n
    for filters in channels(image_size, width):
        maps = Conv2D(filters, 5, strides=2, padding="same", kernel_initializer="he_normal")(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 16, 16, 32 → 8, 8, 64 → 4, 4, 128
    seen = layers.Flatten()(maps)  # 2048
    mean = Dense(latent_dim, dtype="float32", name="mean")(seen)
    log_variance = Dense(latent_dim, dtype="float32", name="log_variance")(seen)
    return keras.Model([image, label], [mean, log_variance], name="encoder")


def decoder(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Model:
    """Code (latent_dim,) and label (n_labels,) to an image (image_size, image_size, 3) in [0, 1]."""
    *between, base = sides(image_size)[1:]  # 16, 8; 4
    *narrower, widest = channels(image_size, width)  # 32, 64; 128
    code, label = layers.Input((latent_dim,)), layers.Input((n_labels,))
    maps = layers.Concatenate()([code, label])  # 64 + n
    maps = Dense(base * base * widest, kernel_initializer="he_normal")(maps)
    maps = layers.Reshape((base, base, widest))(maps)
    maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 4, 4, 128
    for side, filters in zip([*reversed(between), image_size], [*reversed(narrower), width], strict=True):
        maps = larger(filters, side)(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 8, 8, 64 → 16, 16, 32 → 32, 32, 32
    maps = Conv2D(3, 3, padding="same")(maps)
    image = layers.Activation("sigmoid", dtype="float32")(maps)  # 32, 32, 3
    return keras.Model([code, label], image, name="generator")


@keras.saving.register_keras_serializable("keras_faces")
class CVAE(Labelled, VAE):
    """A :class:`VAE` whose encoder and decoder read a label each.

    Parameters
    ----------
    generator, encoder
        From :func:`decoder` and :func:`encoder`.
    label_names, label_kind
        See :class:`Labelled`.
    rule
        ``beta``, ``average``, ``seed``: see :class:`VAE`.
    """

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """One iteration, as of :class:`VAE`, and its numbers; E and G read the labels (batch, n) of the photographs."""
        real, labels = self.scaled(images), ops.cast(labels, "float32")
        self.remember(labels)
        chance = self.noise(ops.shape(images)[0])

        def lost():
            mean, log_variance = self.posterior(real, labels, training=True)
            code = reparametrised(mean, log_variance, chance)
            reconstruction = squared_error(self.generator([code, labels], training=True), real)
            kl = kl_divergence(mean, log_variance)
            return reconstruction + self.beta * kl, (reconstruction, kl)

        (loss, terms), gradients = value_and_grad(lost, self.both(), self.variables, self.optimizer.generator)
        return {"loss": loss, "reconstruction_loss": terms[0], "kl_loss": terms[1], **self.move_both(gradients)}


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    latent_dim: int = 64,
    width: int = 32,
    beta: float = 1.0,
    rate: float = 1e-3,
    seed: int = 0,
    **rule: Any,
) -> CVAE:
    """CVAE, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    label_names, label_kind
        See :class:`Labelled`.
    latent_dim, width, beta, rate
        As of ``vae.build``.
    rule
        ``average``: see :class:`Autoencoder`.

    Raises
    ------
    ValueError
        For a smaller ``image_size`` and a negative ``beta``.
    """
    check_image_size("cvae", image_size, multiple=1, smallest=16)
    count = len(label_names)
    model = CVAE(
        decoder(count, image_size, latent_dim, width),
        encoder=encoder(count, image_size, latent_dim, width),
        label_names=label_names,
        label_kind=label_kind,
        beta=beta,
        seed=seed,
        name="cvae",
        **rule,
    )
    model.compile(Adam(rate), Adam(rate))
    return model
