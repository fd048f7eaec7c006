"""aae: a discriminator that never sees a face: it judges the codes.

Source: the dissertation, section 2.1.5 ("the adversarial loss in the latent space of the autoencoder"); Makhzani et al.
2016, "Adversarial autoencoders", section 2. A VAE keeps its codes near N(0, I) by a KL divergence, one photograph at a
time. Here nothing is asked of a single code, only of all together: their *distribution* is to be N(0, I), and whether
it is, a discriminator of vectors says. Each iteration has the paper's two phases:

1. *reconstruction*: E and G minimise ‖G(E(x)) − x‖²;
2. *regularisation*: D learns to tell draws of N(0, I) from codes E(x); then E, whose codes are the fakes of this game,
   learns to pass.

E gives one vector, no variance: of the paper's three forms the deterministic one. The prior could be anything one can
draw from, since no formula for a divergence is needed. Where D is fooled, noise is a code, and ``sample`` makes faces
of it; they are blurred as a VAE's are, since likeness is still measured pixel by pixel.

D needs many draws to judge a distribution of many dimensions, so the code is short.

Read next: ``vae.py`` for the two networks; ``vaegan.py``, where D judges faces.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces import losses
from keras_faces.layers.bias import Dense
from keras_faces.models import check_image_size
from keras_faces.models.vae import decoder
from keras_faces.models.vae import encoder as two_headed
from keras_faces.training.adam import Adam
from keras_faces.training.encoding import Autoencoder, squared_error
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad
from keras_faces.training.optimizers import AdversarialOptimizer

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def encoder(image_size: int = IMAGE_SIZE, latent_dim: int = 16, width: int = 32) -> keras.Model:
    """Image (image_size, image_size, 3) to its code (latent_dim,): ``vae.py``'s, without the variances."""
    both = two_headed(image_size, latent_dim, width)
    return keras.Model(both.inputs[0], both.outputs[0], name="encoder")


def discriminator(latent_dim: int = 16, units: int = 256) -> keras.Sequential:
    """Code (latent_dim,) to the logit (1,) of its being a draw of N(0, I)."""
    stages = [layers.Input((latent_dim,))]
    for _ in range(2):
        stages += [Dense(units), layers.LeakyReLU(negative_slope=0.2)]  # 256 → 256
    stages += [Dense(1, dtype="float32")]
    return keras.Sequential(stages, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class AAE(Autoencoder):
    """An encoder, a decoder, and a discriminator of codes.

    Parameters
    ----------
    generator, encoder, discriminator
        From ``vae.decoder``, :func:`encoder` and :func:`discriminator`.
    rule
        ``average``, ``value_range``, ``seed``: see :class:`Autoencoder`.
    """

    NUMBERS = (
        *("reconstruction_loss", "d_loss", "e_loss", "d_real", "d_fake", "d_accuracy"),
        *("d_gradient", "e_gradient", "g_gradient"),
    )

    def __init__(
        self, generator: keras.Model, *, encoder: keras.Model, discriminator: keras.Model, **rule: Any
    ) -> None:
        super().__init__(generator, encoder=encoder, **{"value_range": (0.0, 1.0), **rule})
        self.discriminator = discriminator

    def compile(
        self,
        e_optimizer: Any = None,
        g_optimizer: Any = None,
        d_optimizer: Any = None,
        passing_optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """An optimizer for each network, and a second one for E, with which it learns to pass. By default Adam, with
        the rate 1e-3 for the reconstruction, 2e-4 for the game (beta_1 0.5)."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or Adam(2e-4, beta_1=0.5),
            generator=g_optimizer or Adam(1e-3),
            encoder=e_optimizer or Adam(1e-3),
            passing=passing_optimizer or Adam(2e-4, beta_1=0.5),
        )
        networks = (self.discriminator, self.generator, self.encoder, self.encoder)
        optimizer.build(*[network.trainable_variables for network in networks])
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: E and G reconstruct, D learns to tell codes from noise, E learns to pass.

        Returns
        -------
        ``reconstruction_loss``, the squared error as in ``vae.py``; ``d_loss`` and ``e_loss``, the cross-entropies of D
        and of E against it; ``d_real`` and ``d_fake``, D's mean probability for noise and for codes, and how often it
        is right; and the lengths of the gradients (E's in the reconstruction).
        """
        real = self.scaled(images)
        numbers = self.improve_reconstruction(real)
        numbers |= self.improve_discriminator(real)
        return {**numbers, **self.improve_codes(real)}

    def improve_reconstruction(self, real: Any) -> dict[str, Any]:
        """One step of E and G by ‖G(E(x)) − x‖²."""

        def lost():
            return squared_error(self.generator(self.encoder(real, training=True), training=True), real), None

        (loss, _), gradients = value_and_grad(lost, self.both(), self.variables, self.optimizer.generator)
        return {"reconstruction_loss": loss, **self.move_both(gradients)}

    def improve_discriminator(self, real: Any) -> dict[str, Any]:
        """One step of D: draws of N(0, I) are real, codes of photographs are not."""
        codes = ops.stop_gradient(self.encoder(real, training=True))
        noise = self.noise(ops.shape(real)[0])

        def d_loss():
            drawn, coded = self.discriminator(noise, training=True), self.discriminator(codes, training=True)
            return losses.discriminator_loss(drawn, coded), (drawn, coded)

        weights = self.discriminator.trainable_variables
        optimizer = self.optimizer.discriminator
        (loss, (drawn, coded)), gradients = value_and_grad(d_loss, weights, self.variables, optimizer)
        optimizer.apply(gradients, weights)
        right = [ops.mean(ops.cast(good, "float32")) for good in (drawn > 0.0, coded < 0.0)]
        return {
            "d_loss": loss,
            "d_real": ops.mean(ops.sigmoid(drawn)),
            "d_fake": ops.mean(ops.sigmoid(coded)),
            "d_accuracy": 0.5 * (right[0] + right[1]),
            "d_gradient": global_norm(gradients),
        }

    def improve_codes(self, real: Any) -> dict[str, Any]:
        """One step of E alone: codes that the frozen D takes for draws of N(0, I)."""

        def e_loss():
            codes = self.encoder(real, training=True)
            with frozen(self.discriminator):
                logits = self.discriminator(codes, training=True)
            return losses.generator_loss(logits), None

        weights = self.encoder.trainable_variables
        (loss, _), gradients = value_and_grad(e_loss, weights, self.variables, self.optimizer.passing)
        self.optimizer.passing.apply(gradients, weights)
        return {"e_loss": loss}

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "discriminator": keras.saving.serialize_keras_object(self.discriminator)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> AAE:
        judge = keras.saving.deserialize_keras_object(config["discriminator"], custom_objects)
        return super().from_config({**config, "discriminator": judge}, custom_objects)

    def get_compile_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_compile_config(),
            "d_optimizer": serialize(self.optimizer.discriminator),
            "passing_optimizer": serialize(self.optimizer.passing),
        }


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 16,
    width: int = 32,
    units: int = 256,
    rate: float = 1e-3,
    d_rate: float = 2e-4,
    seed: int = 0,
    **rule: Any,
) -> AAE:
    """AAE, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    latent_dim
        Length of a code; the paper has 8 to 20 for digits, 15 for small faces.
    width
        Channels of the largest map in E and G.
    units
        Of D's two hidden layers; the paper has 1000.
    rate
        Adam's learning rate in the reconstruction.
    d_rate
        Adam's learning rate in the game, for D and for E.
    rule
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
        **rule,
    )
    model.compile(Adam(rate), Adam(rate), Adam(d_rate, beta_1=0.5), Adam(d_rate, beta_1=0.5))
    return model
