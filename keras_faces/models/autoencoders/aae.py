"""aae: a discriminator of codes pulls an autoencoder's codes to N(0, I).

Source: the dissertation, section 2.1.3 ("the adversarial loss in the latent space of the autoencoder"); Makhzani et al.
2016, "Adversarial autoencoders", section 2. A VAE's KL divergence acts on each photograph's code; here the distribution
of all codes together should be N(0, I), and a discriminator D of vectors measures whether it is. The paper's two
phases:

1. *reconstruction*: E and G minimise ‖G(E(x)) − x‖²;
2. *regularisation*: D learns to tell samples of N(0, I) from codes E(x); then E, whose codes are the fakes, learns to
   raise D's score.

E gives one vector and no variance, the deterministic one of the paper's three forms. The prior could be any
distribution that can be sampled. Faces are blurred as a VAE's, since the error is still measured pixel by pixel. D
needs many samples to judge a distribution of many dimensions, so the code is short.

See also: ``vae.py``, the two networks; ``vaegan.py``, where D judges faces.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.models import check_image_size
from keras_faces.models.autoencoders.vae import decoder
from keras_faces.models.autoencoders.vae import encoder as vae_encoder
from keras_faces.training import losses
from keras_faces.training.encoder import Autoencoder, squared_error
from keras_faces.training.gradients import frozen, value_and_grad

IMAGE_SIZE = 32


def encoder(image_size: int = IMAGE_SIZE, latent_dim: int = 16, width: int = 32) -> keras.Model:
    """Return E, from an image (image_size, image_size, 3) to its code (latent_dim,): ``vae.py``'s without log σ²."""
    network = vae_encoder(image_size, latent_dim, width)
    return keras.Model(network.inputs[0], network.outputs[0], name="encoder")


def discriminator(latent_dim: int = 16, units: int = 256) -> keras.Sequential:
    """Return D, from a code (latent_dim,) to the logit (1,) of its being a sample of N(0, I)."""
    stages = [layers.Input((latent_dim,))]
    for _ in range(2):
        stages += [layers.Dense(units), layers.LeakyReLU(negative_slope=0.2)]  # 256 → 256
    stages += [layers.Dense(1, dtype="float32")]
    return keras.Sequential(stages, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class AAE(Autoencoder):
    """An encoder, a decoder, and a discriminator of codes.

    Parameters
    ----------
    generator, encoder, discriminator
        From ``vae.decoder``, :func:`encoder` and :func:`discriminator`.
    options
        ``average``, ``value_range``, ``seed``: see :class:`Autoencoder`.
    """

    METRICS = (
        *("reconstruction_loss", "d_loss", "e_loss", "d_real", "d_fake", "d_accuracy"),
        *("d_gradient", "e_gradient", "g_gradient"),
    )

    def __init__(
        self, generator: keras.Model, *, encoder: keras.Model, discriminator: keras.Model, **options: Any
    ) -> None:
        super().__init__(generator, encoder=encoder, **{"value_range": (0.0, 1.0), **options})
        self.discriminator = discriminator

    def compile(
        self,
        e_optimizer: Any = None,
        g_optimizer: Any = None,
        d_optimizer: Any = None,
        passing_optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """Give each network its optimizers; ``kwargs`` as of :meth:`FaceModel.compile`.

        E and G reconstruct with Adam, learning rate 1e-3; D and E play the game with Adam, 2e-4, beta_1 0.5.
        """
        parts = {
            "discriminator": (d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.discriminator),
            "generator": (g_optimizer or keras.optimizers.Adam(1e-3), self.generator),
            "encoder": (e_optimizer or keras.optimizers.Adam(1e-3), self.encoder),
            "passing": (passing_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.encoder),
        }
        self.set_optimizers(parts, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        return {
            **super().get_compile_config(),
            **self.optimizer_configs(d_optimizer="discriminator", passing_optimizer="passing"),
        }

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration on photographs, uint8 (batch, H, W, 3): E and G reconstruct, D learns, E learns from D.

        Returns
        -------
        dict of scalar tensors
            ``reconstruction_loss``, the squared error as in ``vae.py``; ``d_loss`` and ``e_loss``, the cross-entropies
            of D and of E; ``d_real`` and ``d_fake``, D's mean probability for noise and for codes; ``d_accuracy``; and
            the lengths of the gradients (E's of the reconstruction).
        """
        real = self.preprocess(images)
        return {**self.train_reconstruction(real), **self.train_discriminator(real), **self.train_codes(real)}

    def train_reconstruction(self, real: Any) -> dict[str, Any]:
        """Update E and G once by ‖G(E(x)) − x‖² on photographs (batch, H, W, 3) in ``value_range``."""

        def loss_fn():
            return squared_error(self.generator(self.encoder(real, training=True), training=True), real), None

        loss, _, logs = self.update_both(loss_fn)
        return {"reconstruction_loss": loss, **logs}

    def train_discriminator(self, real: Any) -> dict[str, Any]:
        """Update D once: samples of N(0, I) are to score 1, codes of photographs 0."""
        codes = ops.stop_gradient(self.encoder(real, training=True))
        noise = self.noise(ops.shape(real)[0])

        def d_loss():
            real_logits = self.discriminator(noise, training=True)
            fake_logits = self.discriminator(codes, training=True)
            return losses.discriminator_loss(real_logits, fake_logits), (real_logits, fake_logits)

        weights = self.discriminator.trainable_variables
        loss, (real_logits, fake_logits), gradient = self.update(d_loss, discriminator=weights)
        right = [ops.mean(ops.cast(good, "float32")) for good in (real_logits > 0.0, fake_logits < 0.0)]
        return {
            "d_loss": loss,
            "d_real": ops.mean(ops.sigmoid(real_logits)),
            "d_fake": ops.mean(ops.sigmoid(fake_logits)),
            "d_accuracy": 0.5 * (right[0] + right[1]),
            "d_gradient": gradient,
        }

    def train_codes(self, real: Any) -> dict[str, Any]:
        """Update E once, through the frozen D: its codes are to score 1."""

        def e_loss():
            codes = self.encoder(real, training=True)
            with frozen(self.discriminator):
                logits = self.discriminator(codes, training=True)
            return losses.generator_loss(logits), None

        weights = self.encoder.trainable_variables
        (loss, _), gradients = value_and_grad(e_loss, weights, self.variables, self.optimizer.passing)
        self.optimizer.passing.apply(gradients, weights)
        return {"e_loss": loss}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 16,
    width: int = 32,
    units: int = 256,
    learning_rate: float = 1e-3,
    d_learning_rate: float = 2e-4,
    seed: int = 0,
    **options: Any,
) -> AAE:
    """Return AAE, compiled.

    Parameters
    ----------
    image_size : int
        Any from 16 on.
    latent_dim : int
        Length of a code; the paper has 8 to 20 for digits, 15 for small faces.
    width : int
        Channels of the largest map in E and G.
    units : int
        Of D's two hidden layers; the paper has 1000.
    learning_rate, d_learning_rate : float
        Adam's, in the reconstruction, and in the regularisation for D and E.
    options
        ``average``: see :class:`Autoencoder`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``.
    """
    check_image_size("aae", image_size, multiple=1, smallest=16)
    model = AAE(
        decoder(image_size, latent_dim, width),
        encoder=encoder(image_size, latent_dim, width),
        discriminator=discriminator(latent_dim, units),
        seed=seed,
        name="aae",
        **options,
    )
    rates = [{"learning_rate": learning_rate}] * 2 + [{"learning_rate": d_learning_rate, "beta_1": 0.5}] * 2
    model.compile(*(keras.optimizers.Adam(**rate) for rate in rates))
    return model
