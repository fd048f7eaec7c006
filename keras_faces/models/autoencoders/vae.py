"""vae: an encoder maps a face to a normal distribution of codes, a decoder maps codes to faces.

Source: the dissertation, section 2.1.2 with eq. 2.1 (Kingma and Welling 2014). The encoder E gives the mean and the
variance of a photograph's code; a code z sampled from there goes through the decoder f, here G, and should give X
again:

    L = β KL(N(μ(X), σ²(X)) ‖ N(0, I)) + ‖f(z) − X‖²                                    (eq. 2.1, with β = 1)

The second term alone is an autoencoder, whose codes lie anywhere. The first pulls all codes to N(0, I), so that noise
is a code like any other and ``sample`` makes faces of it. G has to guess what the code does not hold, and the best
guess under a squared error is the mean of all faces that fit: a VAE's faces are blurred.

With a larger β (Higgins et al. 2017) the code holds less, G blurs more, and samples are better; with a smaller one
reconstructions are sharp and samples are not faces. Eq. 2.1 leaves open how pixels are counted: here from 0 to 1, as
Kingma and Welling do. The sum over pixels grows with the image: at 64×64 the same balance wants β = 4.

No layer normalises over the batch: a photograph's code must not depend on the photographs beside it.

See also: ``training/encoder.py``; ``cvae.py``, the same with labels; ``vaegan.py``, the error in a discriminator.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import feature_channels, feature_sizes
from keras_faces.models import check_image_size
from keras_faces.training.encoder import Autoencoder, kl_divergence, reparameterize, squared_error

IMAGE_SIZE = 32


def encoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Model:
    """Return E, from an image (image_size, image_size, 3) to ``[μ, log σ²]``, each (latent_dim,). Shapes: 32×32."""
    image = layers.Input((image_size, image_size, 3))
    return keras.Model(image, posterior_stages(image, image_size, latent_dim, width), name="encoder")


def posterior_stages(x: Any, image_size: int, latent_dim: int, width: int) -> list[Any]:
    """Apply the encoder's layers to images, or images with more channels; return ``[μ, log σ²]``."""
    for filters in feature_channels(image_size, width):
        x = layers.Conv2D(filters, 5, strides=2, padding="same", kernel_initializer="he_normal")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)  # 16, 16, 32 → 8, 8, 64 → 4, 4, 128
    x = layers.Flatten()(x)  # 2048
    return [layers.Dense(latent_dim, dtype="float32", name=name)(x) for name in ("mean", "log_variance")]  # 64 each


def decoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Sequential:
    """Return G, from a code (latent_dim,) to an image (image_size, image_size, 3) in [0, 1]."""
    return keras.Sequential([layers.Input((latent_dim,)), *decoder_stages(image_size, width)], name="generator")


def decoder_stages(image_size: int, width: int) -> list[keras.Layer]:
    """Return the decoder's layers, the encoder's sizes in reverse."""
    *between, base = feature_sizes(image_size)[1:]  # 16, 8; 4
    *narrower, widest = feature_channels(image_size, width)  # 32, 64; 128
    stages = [
        layers.Dense(base * base * widest, kernel_initializer="he_normal"),
        layers.Reshape((base, base, widest)),
        layers.LeakyReLU(negative_slope=0.2),  # 4, 4, 128
    ]
    for side, filters in zip([*reversed(between), image_size], [*reversed(narrower), width], strict=True):
        odd = {"output_padding": 1 - side % 2}  # to 125 from 63, not to 126
        stages += [
            layers.Conv2DTranspose(filters, 5, strides=2, padding="same", kernel_initializer="he_normal", **odd),
            layers.LeakyReLU(negative_slope=0.2),  # 8, 8, 64 → 16, 16, 32 → 32, 32, 32
        ]
    return [
        *stages,
        layers.Conv2D(3, 3, padding="same"),
        layers.Activation("sigmoid", dtype="float32"),  # 32, 32, 3
    ]


@keras.saving.register_keras_serializable("keras_faces")
class VAE(Autoencoder):
    """An encoder and a decoder under eq. 2.1.

    Parameters
    ----------
    generator, encoder
        From :func:`decoder` and :func:`encoder`.
    beta : float
        β, the weight of the KL divergence; 0 or more.
    options
        ``average``, ``value_range``, ``seed``: see :class:`Autoencoder`.
    """

    METRICS = ("loss", "reconstruction_loss", "kl_loss", "e_gradient", "g_gradient")

    def __init__(self, generator: keras.Model, *, encoder: keras.Model, beta: float = 1.0, **options: Any) -> None:
        super().__init__(generator, encoder=encoder, **{"value_range": (0.0, 1.0), **options})
        if beta < 0:
            raise ValueError(f"beta={beta}: the weight of the KL divergence is 0 (an autoencoder) or more.")
        self.beta = beta

    def step(self, images: Any, *labels: Any) -> dict[str, Any]:
        """Make one iteration: photographs to codes, codes to faces, and an update of E and G.

        Parameters
        ----------
        images : tensor of uint8, shape (batch, H, W, 3)
            Photographs.
        labels : tensor, shape (batch, n)
            What E and G read beside them, if anything.

        Returns
        -------
        dict of scalar tensors
            ``loss`` = ``reconstruction_loss`` + β ``kl_loss``, the terms of eq. 2.1: squares summed over all pixels in
            [0, 1], and nats, means over the photographs; ``e_gradient``, ``g_gradient``, the lengths of the gradients.
        """
        real = self.preprocess(images)
        epsilon = self.noise(ops.shape(images)[0])

        def loss_fn():
            mean, log_variance = self.posterior(real, *labels, training=True)
            code = reparameterize(mean, log_variance, epsilon)
            fake = self.generator([code, *labels] if labels else code, training=True)
            reconstruction = squared_error(fake, real)
            kl = kl_divergence(mean, log_variance)
            return reconstruction + self.beta * kl, (reconstruction, kl)  # eq. 2.1

        loss, (reconstruction, kl), logs = self.update_both(loss_fn)
        return {"loss": loss, "reconstruction_loss": reconstruction, "kl_loss": kl, **logs}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 64,
    width: int = 32,
    beta: float = 1.0,
    learning_rate: float = 1e-3,
    seed: int = 0,
    **options: Any,
) -> VAE:
    """Return VAE, compiled.

    Parameters
    ----------
    image_size : int
        Any from 16 on.
    latent_dim : int
        Length of a code. What E does not need is pulled to N(0, 1), so more does no harm.
    width : int
        Channels of the largest map in both networks.
    beta : float
        β of eq. 2.1; the dissertation's is 1.
    learning_rate : float
        Adam's, for E and for G.
    options
        ``average``: see :class:`Autoencoder`.

    Raises
    ------
    ValueError
        For a smaller ``image_size`` and a negative ``beta``.
    """
    check_image_size("vae", image_size, multiple=1, smallest=16)
    model = VAE(
        decoder(image_size, latent_dim, width),
        encoder=encoder(image_size, latent_dim, width),
        beta=beta,
        seed=seed,
        name="vae",
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate), keras.optimizers.Adam(learning_rate))
    return model
