"""cvae-gan: an encoder in front of G, so that each generated face has a photograph that it should equal.

Source: the dissertation, chapter 4: section 4.2 and algorithm 4.1. A GAN may map all noise to a few faces (figure 4.1);
an encoder E maps every photograph to its own region in the space of z, and G has to map it back (figure 4.2). G, D and
C are those of ``fm-cgan``, and the features are matched pair by pair instead of by their centers:

    z = μ + r·exp(ε/2),   μ, ε = E(x, y),   ε = log σ²,   r ~ N(0, I),   x' = G(z, y)

    L_KL = ½ (μᵀμ + Σ(exp ε − ε − 1))                                                E           (eq. 4.1)
    L_G  = ½ (‖x − x'‖² + ξ₁ ‖f_D(x) − f_D(x')‖² + ξ₂ ‖f_C(x) − f_C(x')‖²)            E and G     (eq. 4.2)
    L_D  = −E log D(x) − E log(1 − D(x'))                                            D           (eq. 4.3)
    L_C  = −E log P(y|x)                                                             C           (eq. 4.4)
    L    = L_C + L_D + L_G + ξ₃ L_KL,   ξ₁ = ξ₂ = 1,   ξ₃ = 3                                    (eq. 4.5)

The text prints z = μ + r·exp(ε); with ε = log σ² it must be exp(ε/2). The squares are summed over all pixels and
features of an image, so smaller images want a smaller ξ₃: here 3 n / 128 at n×n. D's fakes are the reconstructions
(algorithm 4.1, line 7), though eq. 4.3 writes them with noise (errata S13). So neither G nor D ever reads noise, and
until the codes fill N(0, I) faces of noise are murky. With ``sample_weight`` faces of noise join D's fakes and are
matched by their centers, as in ``fm-cgan``. A weight of 0 leaves a term out: the ablation of section 4.3.2.

E is a GoogLeNet whose last average pooling is 4×4, with two outputs (section 4.3); the label joins its features in
front of these two, as in Bao et al. 2017, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training". z then
holds what the label leaves open: pose, expression, light.

See also: ``classifier_guidance.py``, C's part; ``applications/``: inpainting (eq. 4.6), retrieval, augmentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import dcgan_init
from keras_faces.layers.inception import googlenet
from keras_faces.models.dissertation.classifier_guidance import FIRST, ClassifierGuidedGAN, adam, starting_classifier
from keras_faces.models.dissertation.fm_cgan import CenterMixin, check_image_size, discriminator, generator
from keras_faces.training.conditional import BANK
from keras_faces.training.encoder import EncoderMixin, kl_divergence, reparameterize, squared_error
from keras_faces.training.sampling import batchnorm_statistics, generate, in_batches, latent_noise

IMAGE_SIZE = 128
LABELS = ("classes",)
WEIGHTS = ("pixel_weight", "d_weight", "c_weight", "kl_weight")  # in the order of eq. 4.2 and 4.5


def encoder(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Model:
    """Return E, from ``[image in [-1, 1], class (n_labels,)]`` to ``[μ, log σ²]``, each (latent_dim,)."""
    image, label = layers.Input((image_size, image_size, 3)), layers.Input((n_labels,))
    features = googlenet(image, width)  # 1024
    features = layers.Concatenate()([features, label])  # 1024 + n
    mean = layers.Dense(latent_dim, dtype="float32", name="mean")(features)  # Keras's weights: μ begins spread out
    log_variance = layers.Dense(latent_dim, kernel_initializer=dcgan_init(), dtype="float32", name="log_variance")(
        features
    )
    return keras.Model([image, label], [mean, log_variance], name="encoder")


@keras.saving.register_keras_serializable("keras_faces")
class CVAEGAN(EncoderMixin, CenterMixin, ClassifierGuidedGAN):
    """E, G, D and C; each loss reaches its own networks and no other.

    Parameters
    ----------
    generator, discriminator, classifier
        Those of ``fm_cgan.py``.
    encoder : keras.Model
        From :func:`encoder`.
    pixel_weight : float
        Weight of ½‖x − x'‖², 1 in eq. 4.2.
    d_weight, c_weight : float
        ξ₁ and ξ₂.
    kl_weight : float
        ξ₃.
    sample_weight : float
        Weight of faces of noise: above 0 they join D's fakes, and their centers of features are matched with the
        photographs', as in ``fm-cgan``. 0 is algorithm 4.1.
    options
        See :class:`ClassifierGuidedGAN`.
    """

    METRICS = (
        *ClassifierGuidedGAN.METRICS,
        *("e_gradient", "pixel_loss", "gd_loss", "gc_loss", "kl_loss", "sample_loss"),
    )

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        pixel_weight: float = 1.0,
        d_weight: float = 1.0,
        c_weight: float = 1.0,
        kl_weight: float = 3.0,
        sample_weight: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, classifier, **options)
        self.pixel_weight, self.d_weight, self.c_weight, self.kl_weight = pixel_weight, d_weight, c_weight, kl_weight
        self.sample_weight = sample_weight
        if sample_weight:
            self.make_centers(decay=0.9)
        for name in (*WEIGHTS, "sample_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)}: must be 0 (without this term) or more.")
        if not pixel_weight + d_weight + c_weight:
            raise ValueError("pixel_weight, d_weight and c_weight are all 0: nothing would tell G what to make.")
        shape = (BANK, self.latent_dim + len(self.label_names))
        self.code_bank = self.add_weight(shape, initializer="zeros", trainable=False, dtype="float32", name="codes")
        self.code_bank.assign(np.concatenate([latent_noise(BANK, self.latent_dim), self.patterns(BANK)], axis=1))

    def compile(
        self,
        d_optimizer: Any = None,
        g_optimizer: Any = None,
        c_optimizer: Any = None,
        e_optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """As :meth:`GAN.compile`, with optimizers for C and E; each by default Adam, 2e-4, beta_1 0.5 (4.2.3)."""
        parts = {
            "discriminator": (d_optimizer or adam(), self.discriminator),
            "generator": (g_optimizer or adam(), self.generator),
            "classifier": (c_optimizer or adam(), self.classifier),
            "encoder": (e_optimizer or adam(), self.encoder),
        }
        self.set_optimizers(parts, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        return {**super().get_compile_config(), **self.optimizer_configs(e_optimizer="encoder")}

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration of algorithm 4.1: C learns, then D, then E and G; in the first iterations C alone.

        As :meth:`ConditionalGAN.step`; the logs also have ``c_loss``, ``c_accuracy``, ``e_gradient``, the halves of
        eq. 4.2 and L_KL without their weights (0 for a weight of 0), and ``sample_loss``, the distance of the centers.
        """
        c_logs = self.classifier_step(images, labels)  # L_C, eq. 4.4
        if self.classifier_alone:
            return {**self.placeholder_logs(), **c_logs}
        batch = ops.shape(images)[0] // self.d_steps
        self.remember(labels)

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, wanted = self.preprocess(images[part]), ops.cast(labels[part], "float32")
            fake, codes, _, _ = self.reconstructed(real, wanted, self.noise(batch))
            fakes = fake = ops.stop_gradient(fake)
            if self.sample_weight:
                samples = self.generator([self.noise(batch), wanted], training=True)
                fakes = ops.concatenate([fake, ops.stop_gradient(samples)])
            d_logs = self.train_discriminator(real, fakes)  # L_D, eq. 4.3
            if self.sample_weight:
                self.update_real_centers(real, wanted)

        g_logs = self.train_generator(self.noise(batch), real, wanted)  # L_G + ξ₃ L_KL
        latest = ops.concatenate([ops.stop_gradient(codes), wanted], axis=1)
        self.code_bank.assign(ops.concatenate([latest, self.code_bank])[:BANK])

        return {**d_logs, **g_logs, "spread": self.spread(fake, real), **c_logs}

    def reconstructed(self, real: Any, labels: Any, r: Any) -> tuple[Any, Any, Any, Any]:
        """Return ``(x', z, μ, ε)`` of photographs in [-1, 1], their labels and noise r (batch, latent_dim)."""
        mean, log_variance = self.posterior(real, labels, training=True)
        codes = reparameterize(mean, log_variance, r)  # z = μ + r·exp(ε/2)
        return self.generator([codes, labels], training=True), codes, mean, log_variance

    def train_generator(self, r: Any, real: Any, labels: Any) -> dict[str, Any]:
        """Update E and G once: reconstructions become like their photographs in pixels, f_D and f_C.

        ``r`` is standard normal noise (batch, latent_dim), ``real`` photographs in [-1, 1], ``labels`` one-hot.
        """
        noise = self.noise(ops.shape(real)[0]) if self.sample_weight else None

        def g_loss():
            fake, _, mean, log_variance = self.reconstructed(real, labels, r)
            terms = {**self.reconstruction_terms(real, fake), "kl_loss": kl_divergence(mean, log_variance)}  # eq. 4.1
            weights = [getattr(self, name) for name in WEIGHTS]
            total = sum(weight * term for weight, term in zip(weights, terms.values(), strict=True))  # eq. 4.5
            sample_loss = ops.zeros(())
            if self.sample_weight:
                sample_loss = sum(self.center_losses(self.generator([noise, labels], training=True), labels))
            return total + self.sample_weight * sample_loss, {**terms, "sample_loss": sample_loss}

        weights = {"encoder": self.encoder.trainable_variables, "generator": self.generator.trainable_variables}
        loss, terms, e_gradient, g_gradient = self.update(g_loss, **weights)
        self.update_average()
        return {"g_loss": loss, "g_gradient": g_gradient, "e_gradient": e_gradient, **terms}

    def reconstruction_terms(self, real: Any, fake: Any) -> dict[str, Any]:
        """Return the three halves of eq. 4.2, means over the batch; a term whose weight is 0 is not computed."""
        pixel_loss = gd_loss = gc_loss = ops.zeros(())
        if self.pixel_weight:
            pixel_loss = 0.5 * squared_error(real, fake)  # ½ ‖x − x'‖²
        if self.d_weight:
            gd_loss = 0.5 * squared_error(self.d_features_of(real), self.d_features_of(fake))  # ½ ‖f_D(x) − f_D(x')‖²
        if self.c_weight:
            pairs = zip(self.c_features_of(real), self.c_features_of(fake), strict=True)
            gc_loss = 0.5 * sum(squared_error(*pair) for pair in pairs)  # ½ ‖f_C(x) − f_C(x')‖²
        return {"pixel_loss": pixel_loss, "gd_loss": gd_loss, "gc_loss": gc_loss}

    # ---------------------------------------------------------------------------------- codes; labels by C

    def encode(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Return codes of photographs, see :meth:`EncoderMixin.encode`; without labels C names each one's class."""
        return super().encode(images, self.named(images) if labels is None else labels)

    def reconstruct(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Encode and decode, see :meth:`EncoderMixin.reconstruct`; without labels C names each photograph's class."""
        return super().reconstruct(images, self.named(images) if labels is None else labels)

    def decode(self, latents: np.ndarray, labels: Any = None) -> np.ndarray:
        """Make faces of codes, see :meth:`EncoderMixin.decode`.

        The statistics of G's layers are measured with the latest codes of photographs. Those of :meth:`sample` are
        measured with noise, which is spread wider.
        """
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise ValueError(f"codes of shape {latents.shape}: {self.name} reads (n, {self.latent_dim}).")
        inputs = [latents, *self._label_inputs(labels, len(latents))]
        self.synchronise()
        bank = ops.convert_to_numpy(self.code_bank.value)
        codes = [bank[:, : self.latent_dim], bank[:, self.latent_dim :]]
        averages = self.average.pairs(self.generator) if self.average else []
        state = averages + batchnorm_statistics(self.generator, codes, averages)
        return generate(self.generator, inputs, state, self.value_range)

    def named(self, images: np.ndarray) -> np.ndarray:
        """Return C's classes of photographs uint8 (n, H, W, 3) as one-hot rows, float32 (n, K)."""
        self.synchronise()
        parts = in_batches(self._checked(images), 64)
        logits = [self.classifier(self.preprocess(part), training=False) for part in parts]
        class_ids = [int(row) for part in logits for row in ops.convert_to_numpy(ops.argmax(part, axis=-1))]
        return np.eye(len(self.label_names), dtype="float32")[class_ids]


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    latent_dim: int = 100,
    width: int = 64,
    encoder_width: int | None = None,
    classifier: str | None = None,
    classifier_width: int | None = None,
    classifier_layers: Sequence[str] | str = ("features",),
    classifier_first: int | None = None,
    pixel_weight: float = 1.0,
    d_weight: float = 1.0,
    c_weight: float = 1.0,
    kl_weight: float | None = None,
    sample_weight: float = 0.0,
    learning_rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **options: Any,
) -> CVAEGAN:
    """Return CVAE-GAN, compiled.

    Parameters
    ----------
    image_size, label_names, label_kind, latent_dim, width
        As of :func:`keras_faces.models.dissertation.fm_cgan.build`.
    encoder_width : int, optional
        Channels of E's first layer, 64 in the paper; ``None``: ``width``.
    classifier, classifier_width, classifier_layers, classifier_first, separate_batches
        As of :func:`keras_faces.models.dissertation.fm_cgan.build`.
    pixel_weight, d_weight, c_weight, kl_weight : float
        1, ξ₁, ξ₂ and ξ₃; 0 leaves a term out. ``kl_weight=None``: 3 at 128×128, else in proportion to the side.
    sample_weight : float
        See :class:`CVAEGAN`; with 1 faces of noise come much sooner.
    learning_rate : float
        Adam's, of all four networks (section 4.2.3).
    options
        ``classifier_learns``: see :class:`ClassifierGuidedGAN`; ``d_steps``, ``average``, ...: :class:`GAN`.

    Raises
    ------
    ValueError
        For another ``image_size``, a ``classifier`` that does not fit, a layer that C does not have, a negative weight.
    """
    check_image_size("cvae-gan", image_size)
    n_labels = len(label_names)
    model = CVAEGAN(
        generator(n_labels, image_size, latent_dim, width),
        discriminator(image_size, width),
        starting_classifier(image_size, label_names, classifier_width or width, classifier),
        encoder=encoder(n_labels, image_size, latent_dim, encoder_width or width),
        label_names=label_names,
        label_kind=label_kind,
        classifier_layers=[classifier_layers] if isinstance(classifier_layers, str) else classifier_layers,
        classifier_first=(0 if classifier else FIRST) if classifier_first is None else classifier_first,
        pixel_weight=pixel_weight,
        d_weight=d_weight,
        c_weight=c_weight,
        kl_weight=3.0 * image_size / IMAGE_SIZE if kl_weight is None else kl_weight,
        sample_weight=sample_weight,
        separate_batches=separate_batches,
        seed=seed,
        name="cvae_gan",
        **options,
    )
    model.compile(adam(learning_rate), adam(learning_rate), adam(learning_rate), adam(learning_rate))
    return model
