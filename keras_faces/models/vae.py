"""vae: a face is a point in a small space, and what lies between two faces is a face too.

Source: the dissertation, section 2.1.2 with eq. 2.1 (Kingma and Welling 2014). An encoder E says of a photograph X
where its code lies, N(μ(X), σ²(X)); a code z drawn from there goes through the decoder f, here G, and is to be X again:

    L = β KL(N(μ(X), σ²(X)) ‖ N(0, I)) + ‖f(z) − X‖²                                    (2.1, with β = 1)

The second term alone is an autoencoder: its codes lie anywhere, and nobody could draw a new one. The first pulls all of
them to N(0, I), so that noise from there is a code like any other and ``sample`` makes faces of it. What the code does
not say, G has to guess, and the best guess under a squared error is the *mean* of all faces that fit. That is why a
VAE's faces are blurred, and why none of them is missing: nothing that occurs in the data may be left out.

β (Higgins et al. 2017) says what a nat of information must be worth. With more, E keeps fewer numbers and G blurs more,
but noise falls better into what E uses; with less, reconstructions are sharp and samples are not faces. Eq. 2.1 leaves
open how pixels are counted: here from 0 to 1, as Kingma and Welling do, and G ends in a sigmoid. (From −1 to 1, the
error would be four times as much.) The sum over all pixels is also four times as much at twice the side, so that at
64×64 the same balance wants β = 4.

No layer normalises over the batch: a photograph's code must not depend on the photographs beside it.

Read next: ``cvae.py``, which is told a label; ``vaegan.py``, for which a discriminator measures the error.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.bias import Dense
from keras_faces.layers.convolution import Conv2D, Conv2DTranspose
from keras_faces.layers.ladder import channels, sides
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.encoding import Autoencoder, kl_divergence, reparametrised, squared_error
from keras_faces.training.gradients import value_and_grad

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def encoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Model:
    """Image (image_size, image_size, 3) to μ and log σ², each (latent_dim,). Shapes: 32×32."""
    image = layers.Input((image_size, image_size, 3))
    maps = image
    for filters in channels(image_size, width):
        maps = Conv2D(filters, 5, strides=2, padding="same", kernel_initializer="he_normal")(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 16, 16, 32 → 8, 8, 64 → 4, 4, 128
    seen = layers.Flatten()(maps)  # 2048
    mean = Dense(latent_dim, dtype="float32", name="mean")(seen)
    log_variance = Dense(latent_dim, dtype="float32", name="log_variance")(seen)
    return keras.Model(image, [mean, log_variance], name="encoder")


def decoder(image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 32) -> keras.Sequential:
    """Code (latent_dim,) to an image (image_size, image_size, 3) in [0, 1]: the encoder's ladder, climbed back."""
    *between, base = sides(image_size)[1:]  # 16, 8; 4
    *narrower, widest = channels(image_size, width)  # 32, 64; 128
    stages = [
        layers.Input((latent_dim,)),
        Dense(base * base * widest, kernel_initializer="he_normal"),
        layers.Reshape((base, base, widest)),
        layers.LeakyReLU(negative_slope=0.2),  # 4, 4, 128
    ]
    for side, filters in zip([*reversed(between), image_size], [*reversed(narrower), width], strict=True):
        stages += [
            larger(filters, side),
            layers.LeakyReLU(negative_slope=0.2),  # 8, 8, 64 → 16, 16, 32 → 32, 32, 32
        ]
    stages += [
        Conv2D(3, 3, padding="same"),
        layers.Activation("sigmoid", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def larger(filters: int, side: int) -> Conv2DTranspose:
    """A transposed 5×5 convolution with stride 2 to a map of this ``side``, from one of ⌈side / 2⌉."""
    return Conv2DTranspose(
        filters, 5, strides=2, padding="same", output_padding=1 - side % 2, kernel_initializer="he_normal"
    )


@keras.saving.register_keras_serializable("keras_faces")
class VAE(Autoencoder):
    """An encoder and a decoder under eq. 2.1.

    Parameters
    ----------
    generator, encoder
        From :func:`decoder` and :func:`encoder`.
    beta
        β, the weight of the KL divergence.
    rule
        ``average``, ``value_range``, ``seed``: see :class:`Autoencoder`.
    """

    NUMBERS = ("loss", "reconstruction_loss", "kl_loss", "e_gradient", "g_gradient")

    def __init__(self, generator: keras.Model, *, encoder: keras.Model, beta: float = 1.0, **rule: Any) -> None:
        super().__init__(generator, encoder=encoder, **{"value_range": (0.0, 1.0), **rule})
        if beta < 0:
            raise ValueError(f"beta={beta}: the weight of the KL divergence is 0 (an autoencoder) or more.")
        self.beta = beta

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: a code for each photograph, a face for each code, and both networks by what was lost.

        Parameters
        ----------
        images
            Photographs, uint8 (batch, H, W, 3).

        Returns
        -------
        ``loss`` = ``reconstruction_loss`` + β ``kl_loss``: the two terms of eq. 2.1, means over the photographs; the
        squares are summed over all pixels in [0, 1], the divergence is in nats. And the lengths of both gradients.
        """
        real = self.scaled(images)
        chance = self.noise(ops.shape(images)[0])

        def lost():
            mean, log_variance = self.posterior(real, training=True)
            code = reparametrised(mean, log_variance, chance)
            reconstruction = squared_error(self.generator(code, training=True), real)
            kl = kl_divergence(mean, log_variance)
            return reconstruction + self.beta * kl, (reconstruction, kl)

        (loss, terms), gradients = value_and_grad(lost, self.both(), self.variables, self.optimizer.generator)
        return {"loss": loss, "reconstruction_loss": terms[0], "kl_loss": terms[1], **self.move_both(gradients)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 64,
    width: int = 32,
    beta: float = 1.0,
    rate: float = 1e-3,
    seed: int = 0,
    **rule: Any,
) -> VAE:
    """VAE, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    latent_dim
        Length of a code. What E does not need is pulled to N(0, 1) altogether, so more does no harm.
    width
        Channels of the largest map in both networks.
    beta
        β of eq. 2.1; the dissertation's is 1.
    rate
        Adam's learning rate for E and for G.
    rule
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
        **rule,
    )
    model.compile(Adam(rate), Adam(rate))
    return model
