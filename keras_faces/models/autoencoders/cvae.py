"""cvae: a VAE whose encoder and decoder both read the label, so that the code holds the rest.

Source: the dissertation, section 2.1.5 (Yan et al. 2016; Sohn et al. 2015): "the condition is an input of the encoder
and of the decoder". Eq. 2.1 with a label y:

    L = β KL(N(μ(X, y), σ²(X, y)) ‖ N(0, I)) + ‖f(z, y) − X‖²

A nat in the code costs β, the label costs nothing. So z keeps what the label leaves open: pose, light, hair. The same z
with another y is the same face with another label; the same y with another z is another face of that label.

y enters E as in ``cgan.py``, each number as one more channel of the image (many classes become eight numbers first),
and G beside the code.

See also: ``vae.py``, the same without labels, and the step; ``cvae_gan.py``, sharper faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.models import check_image_size
from keras_faces.models.autoencoders.vae import VAE, decoder_stages, posterior_stages
from keras_faces.training.conditional import LabelMixin

IMAGE_SIZE = 32
LABELS = ("classes", "attributes")


def encoder(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Model:
    """Return E, from ``[image, label]``, (image_size, image_size, 3) and (n_labels,), to ``[μ, log σ²]``."""
    image, label = layers.Input((image_size, image_size, 3)), layers.Input((n_labels,))
    planes = label if n_labels <= 8 else layers.Dense(8)(label)
    planes = layers.RepeatVector(image_size * image_size)(planes)
    planes = layers.Reshape((image_size, image_size, -1))(planes)  # 32, 32, n
    x = layers.Concatenate()([image, planes])  # 32, 32, 3 + n
    return keras.Model([image, label], posterior_stages(x, image_size, latent_dim, width), name="encoder")


def decoder(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Model:
    """Return G, from ``[code (latent_dim,), label (n_labels,)]`` to an image (image_size, image_size, 3) in [0, 1]."""
    code, label = layers.Input((latent_dim,)), layers.Input((n_labels,))
    x = layers.Concatenate()([code, label])  # 64 + n
    for layer in decoder_stages(image_size, width):
        x = layer(x)  # 4, 4, 128 → 8, 8, 64 → 16, 16, 32 → 32, 32, 32 → 32, 32, 3
    return keras.Model([code, label], x, name="generator")


@keras.saving.register_keras_serializable("keras_faces")
class CVAE(LabelMixin, VAE):
    """A :class:`VAE` whose encoder and decoder read a label each.

    Parameters
    ----------
    generator, encoder
        From :func:`decoder` and :func:`encoder`.
    label_names, label_kind
        See :class:`LabelMixin`.
    options
        ``beta``, ``average``, ``seed``: see :class:`VAE`.
    """

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration of :meth:`VAE.step` with the labels (batch, n) of the photographs."""
        labels = ops.cast(labels, "float32")
        self.remember(labels)
        return super().step(images, labels)


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    latent_dim: int = 64,
    width: int = 32,
    beta: float = 1.0,
    learning_rate: float = 1e-3,
    seed: int = 0,
    **options: Any,
) -> CVAE:
    """Return CVAE, compiled.

    Parameters
    ----------
    label_names, label_kind
        See :class:`LabelMixin`.
    image_size, latent_dim, width, beta, learning_rate, options
        As of :func:`keras_faces.models.autoencoders.vae.build`, and so are the errors.
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
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate), keras.optimizers.Adam(learning_rate))
    return model
