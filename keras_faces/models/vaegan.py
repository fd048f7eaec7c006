"""vaegan: a discriminator measures how far a reconstruction is from its photograph.

Source: the dissertation, section 2.1.5 ("the decoder of the VAE and the generator of the GAN become one network") and
figure 4.3; Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric", algorithm 1.

A squared error over pixels (``vae.py``) prefers a blur in the right place to an edge one pixel beside it. D, which
learns to tell photographs from fakes, has features that see it the other way round. So the error is measured there:
with D_l, what D's l-th layer says,

    L_prior = KL(N(μ(x), σ²(x)) ‖ N(0, I))
    L_llike = ½ ‖D_l(x) − D_l(G(z))‖²,           z drawn from N(μ(x), σ²(x))
    L_GAN   = log D(x) + log(1 − D(G(z))) + log(1 − D(G(z_p))),   z_p ~ N(0, I)

and each network gets its own part of it:

    E minimises  L_prior + L_llike
    G minimises  γ L_llike − L_GAN     (here with −log D of both kinds of fakes, as everywhere)
    D maximises  L_GAN                 and is not asked to make reconstructions look alike: it would, by seeing nothing

E learns nothing from L_GAN, or its codes would serve D instead of the photograph. γ weighs likeness against realism.

The paper's networks have BatchNormalization throughout. It does not go with an error measured in D: normalised by the
statistics of their own batch, reconstructions that are all too dark or too garish have the very features of
photographs, and so they become. And G, used to batches of codes, shows batches of noise in other colours. Here nothing
mixes the images of a batch: D has spectral normalisation (``sngan.py``), G normalises each image by itself, E is
``vae.py``'s. The layer l is the last but one, of sides 8×8 in D for images of 32 and of 64.

Read next: ``aae.py``, where a discriminator judges the codes; ``cvae_gan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.ladder import channels, normal, sides, up
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.vae import encoder
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.encoding import EncodingModel, kl_divergence, reparametrised, squared_error
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad
from keras_faces.training.optimizers import AdversarialOptimizer

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 64) -> keras.Sequential:
    """Code (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes in the comments: 32×32."""
    *between, base = sides(image_size)[1:]  # 16, 8; 4
    *narrower, widest = channels(image_size, width)  # 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(base * base * widest, use_bias=False, kernel_initializer=normal()),
        layers.Reshape((base, base, widest)),
        layers.GroupNormalization(groups=1),
        layers.ReLU(),  # 4, 4, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            up(filters, side, use_bias=False),
            layers.GroupNormalization(groups=1),
            layers.ReLU(),  # 8, 8, 128 → 16, 16, 64
        ]
    stages += [
        up(3, image_size),
        layers.Activation("tanh", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of its being real."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in channels(image_size, width):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        SpectralDense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class VAEGAN(EncodingModel, AdversarialModel):
    """An encoder, a decoder that is a generator, and a discriminator whose features measure the error.

    Parameters
    ----------
    generator, discriminator
        From :func:`generator` and :func:`discriminator`.
    encoder
        From ``vae.py``.
    gamma
        γ: how much a reconstruction's likeness counts for G beside D's opinion.
    beta
        Weight of L_prior in E's loss. The paper's is 1, for features that BatchNormalization makes larger.
    rule
        See :class:`AdversarialModel`; no penalties on D.
    """

    NUMBERS = (*AdversarialModel.NUMBERS, "reconstruction_loss", "kl_loss", "e_gradient")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        encoder: keras.Model,
        gamma: float = 0.05,
        beta: float = 0.2,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, encoder=encoder, **rule)
        if self.gradient_penalty or self.clip or self.r1:
            raise ValueError("vaegan knows no gradient_penalty, clip or r1: spectral normalisation holds D already.")
        if gamma < 0 or beta < 0:
            raise ValueError(f"gamma={gamma}, beta={beta}: weights of losses are 0 or more.")
        self.gamma, self.beta = gamma, beta
        rungs = [layer for layer in self.d_logits.layers if isinstance(layer, keras.layers.LeakyReLU)]
        self.d_eyes = keras.Model(
            self.d_logits.inputs[0], [self.d_logits.outputs[0], rungs[-2].output], name="d_eyes"
        )  # the same layers, weights shared: logits and D_l

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, e_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`AdversarialModel.compile`, and an optimizer for E, by default Adam with the rate 1e-3."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or Adam(2e-4, beta_1=0.5),
            generator=g_optimizer or Adam(2e-4, beta_1=0.5),
            encoder=e_optimizer or Adam(1e-3),
        )
        networks = (self.discriminator, self.generator, self.encoder)
        optimizer.build(*[network.trainable_variables for network in networks])
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: D on photographs against reconstructions and samples, then E, then G.

        Beside the numbers of :meth:`AdversarialModel.step` it returns ``reconstruction_loss`` = L_llike and ``kl_loss``
        = L_prior, means over the photographs, and ``e_gradient``; ``d_fake`` and ``spread`` are of both kinds of fakes.
        """
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.scaled(images[k * batch : (k + 1) * batch])
            code = reparametrised(*self.posterior(real, training=True), self.noise(batch))
            fakes = [self.generator(latent, training=True) for latent in (code, self.noise(batch))]
            fake = ops.stop_gradient(ops.concatenate(fakes))
            d_numbers = self.improve_discriminator(real, fake)

        with frozen(self.d_eyes):
            features = ops.stop_gradient(self.d_eyes(real, training=True)[1])
        e_numbers, code = self.improve_encoder(real, features)
        g_numbers = self.improve_generator(code, features)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **e_numbers, **g_numbers, "spread": spread}

    def improve_encoder(self, real: Any, features: Any) -> tuple[dict[str, Any], Any]:
        """One step of E through the frozen G and D; returns its numbers and the codes that it drew."""
        chance = self.noise(ops.shape(real)[0])

        def e_loss():
            mean, log_variance = self.posterior(real, training=True)
            code = reparametrised(mean, log_variance, chance)
            with frozen(self.generator):
                image = self.generator(code, training=True)
            with frozen(self.d_eyes):
                seen = self.d_eyes(image, training=True)[1]
            likeness, kl = 0.5 * squared_error(seen, features), kl_divergence(mean, log_variance)
            return likeness + self.beta * kl, (likeness, kl, code)

        weights = self.encoder.trainable_variables
        (_, (likeness, kl, code)), gradients = value_and_grad(e_loss, weights, self.variables, self.optimizer.encoder)
        self.optimizer.encoder.apply(gradients, weights)
        numbers = {"reconstruction_loss": likeness, "kl_loss": kl, "e_gradient": global_norm(gradients)}
        return numbers, ops.stop_gradient(code)

    def improve_generator(self, code: Any, features: Any) -> dict[str, Any]:
        """One step of G: the codes' faces like their photographs in D_l, and all faces real to the frozen D."""
        noise = self.noise(ops.shape(code)[0])

        def g_loss():
            image, sample = self.generator(code, training=True), self.generator(noise, training=True)
            with frozen(self.d_eyes):
                logits, seen = self.d_eyes(image, training=True)
                others, _ = self.d_eyes(sample, training=True)
            fooled = 0.5 * (self.pair.generator(logits) + self.pair.generator(others))
            return fooled + self.gamma * 0.5 * squared_error(seen, features), None

        weights = self.generator.trainable_variables
        (loss, _), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return self.move_generator(loss, gradients)

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gamma": self.gamma, "beta": self.beta}

    def get_compile_config(self) -> dict[str, Any]:
        encoder = keras.saving.serialize_keras_object(self.optimizer.encoder)
        return {**super().get_compile_config(), "e_optimizer": encoder}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 64,
    width: int = 64,
    gamma: float = 0.05,
    beta: float = 0.2,
    rate: float = 2e-4,
    e_rate: float = 1e-3,
    seed: int = 0,
    **rule: Any,
) -> VAEGAN:
    """VAE/GAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    latent_dim
        Length of a code; the paper has 128.
    width
        Channels of the largest map in G and D; E has half as many.
    gamma
        γ: more of it for reconstructions that are like their photographs, less for faces that D takes for real.
    beta
        Weight of the KL divergence in E's loss. With 1, E tells G little more than how light the face is.
    rate, e_rate
        Adam's learning rate for D and G (beta_1 0.5), and for E.
    rule
        ``loss``, ``d_steps``, ``label_smoothing``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, a negative ``gamma`` or ``beta``, and penalties on D.
    """
    check_image_size("vaegan", image_size, multiple=1, smallest=16)
    model = VAEGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        encoder=encoder(image_size, latent_dim, max(1, width // 2)),
        gamma=gamma,
        beta=beta,
        seed=seed,
        name="vaegan",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5), Adam(e_rate))
    return model
