"""cvae-gan: an encoder in front of G, so that each face that G makes has a photograph to be like.

Source: the dissertation, chapter 4: section 4.2 and algorithm 4.1. A GAN may answer all noise with a few faces (figure
4.1); an encoder E sends every photograph to a place of its own in the space of z, and G has to bring it back from there
(figure 4.2). G, D and C are those of ``fm-cgan``, and with pairs the centres of features become features pair by pair:

    z = μ + r·exp(ε/2),   μ, ε = E(x, y),   ε = log σ²,   r ~ N(0, I),   x' = G(z, y)

    L_KL = ½ (μᵀμ + Σ(exp ε − ε − 1))                                                E           (eq. 4.1)
    L_G  = ½ (‖x − x'‖² + ξ₁ ‖f_D(x) − f_D(x')‖² + ξ₂ ‖f_C(x) − f_C(x')‖²)            E and G     (eq. 4.2)
    L_D  = −E log D(x) − E log(1 − D(x'))                                            D           (eq. 4.3)
    L_C  = −E log P(y|x)                                                             C           (eq. 4.4)
    L    = L_C + L_D + L_G + ξ₃ L_KL,   ξ₁ = ξ₂ = 1,   ξ₃ = 3                                    (eq. 4.5)

The text prints z = μ + r·exp(ε); with ε = log σ² it must be exp(ε/2). The squares are summed over all pixels and
features of an image, as printed: at 32×32 there are a sixteenth of the pixels and half of D's features, and ξ₃ = 3
would squeeze all photographs into one z. So ξ₃ goes with the side, 3 n / 128 at n×n. D's fakes are the reconstructions
(algorithm 4.1, line 7), though eq. 4.3 writes them with noise (errata S13). So neither G nor D ever meets noise, and
until the codes fill N(0, I) faces of noise are murky: ``sample_weight`` lets them join, and be matched by their centres
as in ``fm-cgan``, which the paper that this chapter became does too. With a weight of 0 a term is left out: the
ablation of section 4.3.2.

C is trained first and goes on learning (line 10), see ``training/guided.py``. E is a GoogLeNet whose last average
pooling is 4×4, with two outputs instead of one (section 4.3); the label joins its features in front of these two, as in
the paper that this chapter became (Bao et al. 2017, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric
Training"; the chapter does not say). In the space of z lies what the label leaves open: pose, expression, light.

Read next: ``applications/``: inpainting, retrieval, augmentation; ``ip_gan.py``, faces of people never trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.inception import googlenet
from keras_faces.layers.ladder import normal
from keras_faces.models.fm_cgan import check_image_size, discriminator, generator
from keras_faces.training.encoding import EncodingModel, kl_divergence, reparametrised, squared_error
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import global_norm, value_and_grad
from keras_faces.training.guided import FIRST, GuidedModel, adam, starting_classifier
from keras_faces.training.labelled import BANK
from keras_faces.training.optimizers import AdversarialOptimizer
from keras_faces.training.sampling import batchnorm_statistics, generate, latent_noise

IMAGE_SIZE = 128
PRINTED: dict = {}  # section 4.3 names the nets: those of tables 3.1 to 3.3, and a GoogLeNet
LABELS = ("classes",)
WEIGHTS = ("pixel_weight", "d_weight", "c_weight", "kl_weight")


def encoder(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Model:
    """Image (image_size, image_size, 3) in [-1, 1] and class (n_labels,) to ``[μ, log σ²]``, each (latent_dim,)."""
    image, label = layers.Input((image_size, image_size, 3)), layers.Input((n_labels,))
    features = googlenet(image, width)  # 1024
    features = layers.Concatenate()([features, label])  # 1024 + n
    mean = layers.Dense(latent_dim, dtype="float32", name="mean")(features)  # Keras's weights: μ begins spread out
    log_variance = layers.Dense(latent_dim, kernel_initializer=normal(), dtype="float32", name="log_variance")(features)
    return keras.Model([image, label], [mean, log_variance], name="encoder")


@keras.saving.register_keras_serializable("keras_faces")
class CVAEGAN(EncodingModel, GuidedModel):
    """E, G, D and C, and a loss for each that reaches no other.

    Parameters
    ----------
    pixel_weight
        How much ½‖x − x'‖² counts, 1 in eq. 4.2.
    d_weight, c_weight
        ξ₁ and ξ₂.
    kl_weight
        ξ₃.
    sample_weight
        How much faces of noise count: with more than 0 they join D's fakes, and their centres of features are to be
        the photographs', as in ``fm-cgan``. 0 is algorithm 4.1.
    rule
        See :class:`EncodingModel` and :class:`GuidedModel`.
    """

    OWN_NUMBERS = ("e_gradient", "pixel_loss", "gd_loss", "gc_loss", "kl_loss", "sample_loss")
    NUMBERS = (*GuidedModel.NUMBERS, *OWN_NUMBERS)

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
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, classifier, **rule)
        self.pixel_weight, self.d_weight, self.c_weight, self.kl_weight = pixel_weight, d_weight, c_weight, kl_weight
        self.sample_weight = sample_weight
        if sample_weight:
            self.make_centres(decay=0.9)
        for name in (*WEIGHTS, "sample_weight"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)}: must be 0 (without this term) or more.")
        if not pixel_weight + d_weight + c_weight:
            raise ValueError("pixel_weight, d_weight and c_weight are all 0: nothing would tell G what to make.")
        width = self.latent_dim + len(self.label_names)
        self.code_bank = self.add_weight(
            (BANK, width), initializer="zeros", trainable=False, dtype="float32", name="codes"
        )
        self.code_bank.assign(np.concatenate([latent_noise(BANK, self.latent_dim), self.patterns(BANK)], axis=1))

    def compile(
        self,
        d_optimizer: Any = None,
        g_optimizer: Any = None,
        c_optimizer: Any = None,
        e_optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """An optimizer for each of the four networks; each by default Adam, rate 2e-4, beta_1 0.5 (section 4.2.3)."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or adam(),
            generator=g_optimizer or adam(),
            classifier=c_optimizer or adam(),
            encoder=e_optimizer or adam(),
        )
        networks = (self.discriminator, self.generator, self.classifier, self.encoder)
        optimizer.build(*(network.trainable_variables for network in networks))
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    # ------------------------------------------------------------------------------------------------- the step

    def adversarial_step(self, images: Any, labels: Any) -> dict[str, Any]:
        """D learns on photographs and their reconstructions, then E and G together (algorithm 4.1)."""
        batch = ops.shape(images)[0] // self.d_steps
        self.remember(labels)

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, wanted = self.scaled(images[part]), ops.cast(labels[part], "float32")
            fake, codes, _, _ = self.reconstructed(real, wanted, self.noise(batch))
            fake = ops.stop_gradient(fake)
            if self.sample_weight:
                of_noise = self.generator([self.noise(batch), wanted], training=True)
                fakes = ops.concatenate([fake, ops.stop_gradient(of_noise)])
                d_numbers = self.improve_discriminator(real, fakes, wanted)
                self.see_photographs(real, wanted)
            else:
                d_numbers = self.improve_discriminator(real, fake, wanted)

        g_numbers = self.improve_generator(real, wanted)
        latest = ops.concatenate([ops.stop_gradient(codes), wanted], axis=1)
        self.code_bank.assign(ops.concatenate([latest, self.code_bank])[:BANK])

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def reconstructed(self, real: Any, labels: Any, chance: Any) -> tuple[Any, Any, Any, Any]:
        """Photographs in [-1, 1] through E and G: ``(x', z, μ, ε)``; ``chance`` is r, (batch, latent_dim)."""
        mean, log_variance = self.posterior(real, labels, training=True)
        codes = reparametrised(mean, log_variance, chance)
        return self.generator([codes, labels], training=True), codes, mean, log_variance

    def improve_generator(self, real: Any, labels: Any) -> dict[str, Any]:
        """One step of E and G: reconstructions that are like their photographs, to the eye, to D and to C."""
        chance = self.noise(ops.shape(real)[0])
        noise = self.noise(ops.shape(real)[0]) if self.sample_weight else None

        def g_loss():
            fake, _, mean, log_variance = self.reconstructed(real, labels, chance)
            terms = {**self.reconstruction_terms(real, fake), "kl_loss": kl_divergence(mean, log_variance)}
            total = sum(weight * term for weight, term in zip(self.weights_of_terms(), terms.values(), strict=True))
            of_noise = ops.zeros(())
            if self.sample_weight:
                of_noise = sum(self.centre_distances(self.generator([noise, labels], training=True), labels))
            return total + self.sample_weight * of_noise, {**terms, "sample_loss": of_noise}

        e_weights, g_weights = self.encoder.trainable_variables, self.generator.trainable_variables
        (loss, terms), gradients = value_and_grad(
            g_loss, e_weights + g_weights, self.variables, self.optimizer.generator
        )
        of_encoder, of_generator = gradients[: len(e_weights)], gradients[len(e_weights) :]
        self.optimizer.encoder.apply(of_encoder, e_weights)
        return {**self.move_generator(loss, of_generator), "e_gradient": global_norm(of_encoder), **terms}

    def reconstruction_terms(self, real: Any, fake: Any) -> dict[str, Any]:
        """The three halves of eq. 4.2, each a mean over the batch; one whose weight is 0 is not computed."""
        in_pixels = in_d = in_c = ops.zeros(())
        if self.pixel_weight:
            in_pixels = 0.5 * squared_error(real, fake)
        if self.d_weight:
            in_d = 0.5 * squared_error(self.seen_by_d(real), self.seen_by_d(fake))
        if self.c_weight:
            pairs = zip(self.seen_by_c(real), self.seen_by_c(fake), strict=True)
            in_c = 0.5 * sum(squared_error(of_real, of_fake) for of_real, of_fake in pairs)
        return {"pixel_loss": in_pixels, "gd_loss": in_d, "gc_loss": in_c}

    def weights_of_terms(self) -> tuple[float, ...]:
        """The weights of the terms, in the order of eq. 4.2 and 4.5."""
        return tuple(getattr(self, name) for name in WEIGHTS)

    # ---------------------------------------------------------------------------------- photographs without a label

    def encode(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Codes of photographs, see :meth:`EncodingModel.encode`; without labels C says to which class each belongs."""
        return super().encode(images, self.named(images) if labels is None else labels)

    def reconstruct(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """See :meth:`EncodingModel.reconstruct`; without labels C says to which class each belongs."""
        return super().reconstruct(images, self.named(images) if labels is None else labels)

    def decode(self, latents: np.ndarray, labels: Any = None) -> np.ndarray:
        """Faces of codes, see :meth:`EncodingModel.decode`. The statistics of G's layers are measured with the latest
        codes of photographs, those of faces of noise with noise, which is spread wider."""
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.latent_dim:
            raise ValueError(f"codes of shape {latents.shape}: {self.name} reads (n, {self.latent_dim}).")
        inputs = [latents, *self._told(labels, len(latents))]
        self.synchronise()
        bank = ops.convert_to_numpy(self.code_bank.value)
        averages = self.average.pairs(self.generator) if self.average else []
        codes = [bank[:, : self.latent_dim], bank[:, self.latent_dim :]]
        state = averages + batchnorm_statistics(self.generator, codes, averages)
        return generate(self.generator, inputs, state, self.value_range)

    def named(self, images: np.ndarray) -> np.ndarray:
        """C's answers to photographs uint8 (n, H, W, 3): one-hot rows, float32 (n, K)."""
        self.synchronise()
        scaled = ops.convert_to_numpy(self.scaled(self._checked(images)))
        logits = [self.classifier(scaled[start : start + 64], training=False) for start in range(0, len(scaled), 64)]
        numbers = [int(row) for part in logits for row in ops.convert_to_numpy(ops.argmax(part, axis=-1))]
        return np.eye(len(self.label_names), dtype="float32")[numbers]

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **{name: getattr(self, name) for name in (*WEIGHTS, "sample_weight")}}

    def get_compile_config(self) -> dict[str, Any]:
        e_optimizer = keras.saving.serialize_keras_object(self.optimizer.encoder)
        return {**super().get_compile_config(), "e_optimizer": e_optimizer}


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
    rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> CVAEGAN:
    """CVAE-GAN, compiled.

    Parameters
    ----------
    image_size
        16, 32, 64 or 128, the source's.
    label_names, label_kind
        See :class:`ConditionalModel`; "classes".
    latent_dim
        Length of z.
    width, encoder_width
        Of G and D, see :func:`keras_faces.models.fm_cgan.build`; and of E, 64 in the paper (``None``: ``width``).
    classifier, classifier_width, classifier_layers, classifier_first
        See :func:`keras_faces.models.fm_cgan.build`.
    pixel_weight, d_weight, c_weight, kl_weight
        1, ξ₁, ξ₂ and ξ₃; 0 leaves a term out. ``kl_weight=None``: 3 at 128×128, else in proportion to the side.
    sample_weight
        See :class:`CVAEGAN`; 1 makes faces of noise come much sooner.
    rate
        Adam's learning rate, of all four networks (section 4.2.3).
    separate_batches
        D reads photographs and reconstructions one after the other.
    rule
        ``classifier_learns``: see :class:`GuidedModel`; ``d_steps``, ``average``, ...: :class:`AdversarialModel`.

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
        **rule,
    )
    model.compile(adam(rate), adam(rate), adam(rate), adam(rate))
    return model
