"""cgan: a conditional GAN; the label is an input of G and of D.

Source: the course's textbook, chapter 5 (Mirza and Osindero 2014), eq. 5-13:

    min_G max_D  E log D(x|y) + E log(1 − D(G(z|y)|y))

G reads the label y beside the noise, D beside the image. D rejects a face with a wrong label, so G has to make the
right one. How D reads y is the option ``discriminator_reads``:

- "concatenate", the textbook's: each component of y is one more channel of the image, constant over the image (more
  than eight labels are mapped to eight channels first);
- "project", Miyato and Koyama 2018, eq. 3: the score is ψ(φ(x)) + y·V φ(x). It learns labels faster.

The networks are DCGAN's, with spectral normalisation in D instead of BatchNormalization, as Miyato and Koyama have it:
an image's score depends on no other image's label. The hinge loss and the two learning rates are those of
``gans/sngan.py``.

See also: ``acgan.py``, whose D predicts the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels, feature_sizes, upconv
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.training.conditional import ConditionalGAN
from keras_faces.training.gan import RegularizedGAN

IMAGE_SIZE = 32
LABELS = ("classes", "attributes")
DISCRIMINATORS = ("concatenate", "project")


def generator(
    n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64, name: str = "generator"
) -> keras.Model:
    """Return G, from [noise (latent_dim,), label (n_labels,)] to an image (image_size, image_size, 3): 32×32."""
    *between, base = feature_sizes(image_size)[1:]  # 16, 8; 4
    *narrower, widest = feature_channels(image_size, width)  # 64, 128; 256
    noise, label = layers.Input((latent_dim,)), layers.Input((n_labels,))
    maps = layers.Concatenate()([noise, label])  # 100 + n
    maps = layers.Dense(base * base * widest, use_bias=False, kernel_initializer=dcgan_init())(maps)
    maps = layers.Reshape((base, base, widest))(maps)
    maps = layers.BatchNormalization(momentum=0.9)(maps)
    maps = layers.ReLU()(maps)  # 4, 4, 256
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        maps = upconv(filters, side, use_bias=False)(maps)
        maps = layers.BatchNormalization(momentum=0.9)(maps)
        maps = layers.ReLU()(maps)  # 8, 8, 128 → 16, 16, 64
    maps = upconv(3, image_size)(maps)
    image = layers.Activation("tanh", dtype="float32")(maps)  # 32, 32, 3
    return keras.Model([noise, label], image, name=name)


def discriminator(
    n_labels: int, image_size: int = IMAGE_SIZE, width: int = 64, reads: str = "concatenate"
) -> keras.Model:
    """Return D, from [image (image_size, image_size, 3), label (n_labels,)] to the logit (1,) of "real"."""
    image, label = layers.Input((image_size, image_size, 3)), layers.Input((n_labels,))
    maps = image
    if reads == "concatenate":
        channels = label if n_labels <= 8 else layers.Dense(8)(label)
        channels = layers.RepeatVector(image_size * image_size)(channels)
        channels = layers.Reshape((image_size, image_size, -1))(channels)  # 32, 32, n
        maps = layers.Concatenate()([image, channels])  # 32, 32, 3 + n
    for filters in feature_channels(image_size, width):
        maps = SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=dcgan_init())(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
    features = layers.Flatten()(maps)  # 4096
    score = SpectralDense(1, kernel_initializer=dcgan_init(), dtype="float32")(features)  # 1
    if reads == "project":
        embedding = SpectralDense(features.shape[-1], use_bias=False, kernel_initializer=dcgan_init())(label)  # 4096
        score = layers.Add(dtype="float32")([score, layers.Dot(axes=1, dtype="float32")([features, embedding])])
    return keras.Model([image, label], score, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class CGAN(ConditionalGAN, RegularizedGAN):
    """The conditional step, with a D that reads each image together with its label.

    Parameters
    ----------
    generator, discriminator : keras.Model
        From :func:`generator` and :func:`discriminator`.
    options
        See :class:`ConditionalGAN` and :class:`RegularizedGAN`.
    """


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    discriminator_reads: str = "concatenate",
    latent_dim: int = 100,
    width: int = 64,
    d_learning_rate: float = 4e-4,
    g_learning_rate: float = 2e-4,
    loss: str = "hinge",
    seed: int = 0,
    **options: Any,
) -> CGAN:
    """Return CGAN, compiled.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels, at least 16.
    label_names : sequence of str
        Names of the n classes or attributes.
    label_kind : str
        "classes" (a face has one) or "attributes" (each is there or not).
    discriminator_reads : str
        "concatenate" or "project": how D reads the label.
    latent_dim : int
        Length of the noise vector z.
    width : int
        Channels of the largest map in both networks.
    d_learning_rate, g_learning_rate : float
        Adam's learning rates for D and for G; beta_1 is 0, beta_2 0.9.
    loss : str
        A pair of ``losses.PAIRS``; "saturating" is eq. 5-13 as printed.
    seed : int
        Seed of the training noise.
    options
        ``d_steps``, ``r1``, ``average``, ...: see :class:`RegularizedGAN`.

    Raises
    ------
    ValueError
        If ``image_size`` is below 16, and for another ``discriminator_reads``.
    """
    check_image_size("cgan", image_size, multiple=1, smallest=16)
    if discriminator_reads not in DISCRIMINATORS:
        raise ValueError(f"discriminator_reads={discriminator_reads!r}: choose from {', '.join(DISCRIMINATORS)}.")
    n_labels = len(label_names)
    model = CGAN(
        generator(n_labels, image_size, latent_dim, width),
        discriminator(n_labels, image_size, width, discriminator_reads),
        label_names=label_names,
        label_kind=label_kind,
        loss=loss,
        seed=seed,
        name="cgan",
        **options,
    )
    betas = {"beta_1": 0.0, "beta_2": 0.9}
    model.compile(keras.optimizers.Adam(d_learning_rate, **betas), keras.optimizers.Adam(g_learning_rate, **betas))
    return model
