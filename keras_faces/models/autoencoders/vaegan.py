"""vaegan: a VAE whose reconstruction error is measured in a discriminator's features.

Source: the dissertation, section 2.1.3 ("the decoder of the VAE and the generator of the GAN become one network") and
figure 4.3; Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric", algorithm 1.

A squared error over pixels (``vae.py``) prefers a blur in the right place to an edge one pixel beside it. D's features
prefer the edge. With D_l, the output of D's l-th layer,

    L_prior = KL(N(μ(x), σ²(x)) ‖ N(0, I))
    L_llike = ½ ‖D_l(x) − D_l(G(z))‖²,           z sampled from N(μ(x), σ²(x))
    L_GAN   = log D(x) + log(1 − D(G(z))) + log(1 − D(G(z_p))),   z_p ~ N(0, I)

and each network has its own part:

    E minimises  L_prior + L_llike     and nothing of L_GAN, or its codes would serve D instead of the photograph
    G minimises  γ L_llike − L_GAN     here with −log D of both kinds of fakes
    D maximises  L_GAN                 and nothing of L_llike, or its features would vanish

The paper has BatchNormalization throughout. Normalised by their own batch, reconstructions that are all too dark have
the features of photographs, and became so here (13.7 dB). So D has spectral normalisation (``sngan.py``), G normalises
each image by itself, and E is that of ``vae.py``. The layer l is the last but one, 8×8 in D for images of 32 and 64.

See also: ``aae.py``, a discriminator of codes; ``cvae_gan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels, feature_sizes, upconv
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.autoencoders.vae import encoder
from keras_faces.training.encoder import EncoderMixin, kl_divergence, reparameterize, squared_error
from keras_faces.training.gan import GAN
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 32


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 64, width: int = 64) -> keras.Sequential:
    """Return G, from a code (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes: 32×32."""
    *between, base = feature_sizes(image_size)[1:]  # 16, 8; 4
    *narrower, widest = feature_channels(image_size, width)  # 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        layers.Dense(base * base * widest, use_bias=False, kernel_initializer=dcgan_init()),
        layers.Reshape((base, base, widest)),
        layers.GroupNormalization(groups=1),
        layers.ReLU(),  # 4, 4, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            upconv(filters, side, use_bias=False),
            layers.GroupNormalization(groups=1),
            layers.ReLU(),  # 8, 8, 128 → 16, 16, 64
        ]
    stages += [
        upconv(3, image_size),
        layers.Activation("tanh", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of "real"."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in feature_channels(image_size, width):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=dcgan_init()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096
        SpectralDense(1, kernel_initializer=dcgan_init(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class VAEGAN(EncoderMixin, GAN):
    """An encoder, a decoder that is a generator, and a discriminator whose features measure the error.

    Parameters
    ----------
    generator, discriminator, encoder
        From :func:`generator`, :func:`discriminator` and ``vae.encoder``.
    gamma : float
        γ, the weight of L_llike in G's loss; 0 or more.
    beta : float
        Weight of L_prior in E's loss; 0 or more. The paper's is 1, for features that BatchNormalization makes larger.
    options
        See :class:`GAN`.
    """

    METRICS = (*GAN.METRICS, "reconstruction_loss", "kl_loss", "e_gradient")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        encoder: keras.Model,
        gamma: float = 0.05,
        beta: float = 0.2,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, encoder=encoder, **options)
        if gamma < 0 or beta < 0:
            raise ValueError(f"gamma={gamma}, beta={beta}: weights of losses are 0 or more.")
        self.gamma, self.beta = gamma, beta
        activations = [layer for layer in self.d_logits.layers if isinstance(layer, keras.layers.LeakyReLU)]
        self.d_with_features = keras.Model(
            self.d_logits.inputs[0], [self.d_logits.outputs[0], activations[-2].output], name="d_with_features"
        )  # the same layers, weights shared: logits and D_l

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, e_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`GAN.compile`, with a third optimizer for E, by default Adam, learning rate 1e-3."""
        parts = {
            "discriminator": (d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.discriminator),
            "generator": (g_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.generator),
            "encoder": (e_optimizer or keras.optimizers.Adam(1e-3), self.encoder),
        }
        self.set_optimizers(parts, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        return {**super().get_compile_config(), **self.optimizer_configs(e_optimizer="encoder")}

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration: D learns on photographs, reconstructions and samples, then E, then G.

        As :meth:`GAN.step`; ``d_fake`` and ``spread`` are of both kinds of fakes. The logs also have
        ``reconstruction_loss`` = L_llike, ``kl_loss`` = L_prior, and ``e_gradient``, the length of E's gradient.
        """
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.preprocess(images[k * batch : (k + 1) * batch])
            code = reparameterize(*self.posterior(real, training=True), self.noise(batch))
            fakes = [self.generator(z, training=True) for z in (code, self.noise(batch))]
            fake = ops.stop_gradient(ops.concatenate(fakes))
            d_logs = self.train_discriminator(real, fake)

        with frozen(self.d_with_features):
            features = ops.stop_gradient(self.d_with_features(real, training=True)[1])  # D_l(x)
        e_logs, code = self.train_encoder(real, features)
        g_logs = self.train_generator(self.noise(batch), code, features)

        return {**d_logs, **e_logs, **g_logs, "spread": self.spread(fake, real)}

    def train_encoder(self, real: Any, features: Any) -> tuple[dict[str, Any], Any]:
        """Update E once, through the frozen G and D, on photographs (batch, H, W, 3) and their features D_l.

        Returns E's part of the logs, and the codes z (batch, latent_dim).
        """
        epsilon = self.noise(ops.shape(real)[0])

        def e_loss():
            mean, log_variance = self.posterior(real, training=True)
            code = reparameterize(mean, log_variance, epsilon)
            with frozen(self.generator):
                image = self.generator(code, training=True)
            with frozen(self.d_with_features):
                of_image = self.d_with_features(image, training=True)[1]
            likeness, kl = 0.5 * squared_error(of_image, features), kl_divergence(mean, log_variance)
            return likeness + self.beta * kl, (likeness, kl, code)

        _, (likeness, kl, code), gradient = self.update(e_loss, encoder=self.encoder.trainable_variables)
        return {"reconstruction_loss": likeness, "kl_loss": kl, "e_gradient": gradient}, ops.stop_gradient(code)

    def train_generator(self, noise: Any, code: Any, features: Any) -> dict[str, Any]:
        """Update G once, through the frozen D: faces of codes are to be like their photographs, all faces to score 1.

        ``noise`` is z_p and ``code`` z, both (batch, latent_dim); ``features`` is D_l of the photographs.
        """

        def g_loss():
            image, sample = self.generator(code, training=True), self.generator(noise, training=True)
            with frozen(self.d_with_features):
                image_logits, of_image = self.d_with_features(image, training=True)
                sample_logits, _ = self.d_with_features(sample, training=True)
            adversarial = 0.5 * (self.pair.generator(image_logits) + self.pair.generator(sample_logits))
            return adversarial + self.gamma * 0.5 * squared_error(of_image, features), None

        loss, _, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 64,
    width: int = 64,
    gamma: float = 0.05,
    beta: float = 0.2,
    learning_rate: float = 2e-4,
    e_learning_rate: float = 1e-3,
    seed: int = 0,
    **options: Any,
) -> VAEGAN:
    """Return VAE/GAN, compiled.

    Parameters
    ----------
    image_size : int
        Any from 16 on.
    latent_dim : int
        Length of a code; the paper has 128.
    width : int
        Channels of the largest map in G and D; E has half as many.
    gamma : float
        γ: more of it for reconstructions like their photographs, less for faces that D takes for real.
    beta : float
        Weight of the KL divergence in E's loss. With 1 the codes hold little more than the brightness.
    learning_rate, e_learning_rate : float
        Adam's, for D and G (beta_1 0.5), and for E.
    options
        ``loss``, ``d_steps``, ``label_smoothing``, ``average``, ...: see :class:`GAN`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, a negative ``gamma`` or ``beta``.
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
        **options,
    )
    adam = keras.optimizers.Adam
    model.compile(adam(learning_rate, beta_1=0.5), adam(learning_rate, beta_1=0.5), adam(e_learning_rate))
    return model
