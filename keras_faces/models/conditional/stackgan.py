"""stackgan: from a sentence to a small image, and from that to a larger one.

Source: the course's textbook, section 5.3.3; Zhang et al. 2017, "StackGAN: text to photo-realistic image synthesis with
stacked generative adversarial networks". Against ``cgan.py``:

- *Text encoder*, trained first: it turns a sentence t into φ_t.
- *Conditioning augmentation*: G reads ĉ = μ(φ_t) + σ(φ_t)·ε (eq. 5-14, 5-15), and λ·KL(N(μ, Σ) ‖ N(0, I)) is added to
  its loss (eq. 5-17). Few sentences are few points in a space of 1024 dimensions; ĉ fills the space between them.
- *Stage I* makes a small image of z and ĉ. *Stage II* makes the large image of the small one and another ĉ of the same
  sentence: convolutions down to a map, residual blocks, and up again.
- *Matching-aware D*: (photograph, its sentence) is real; (fake, its sentence) and (photograph, wrong sentence) are
  fake, with half the weight each. So D has to read the sentence.

Stage I is trained alone for ``first_iterations``; then stage II, while stage I stands still. If stage I is stopped too
early, stage II makes one face for a sentence, whatever the noise.

The textbook prints (5-16) without the wrong sentences, which its text asks for, and exchanges the names of (5-18), D's
loss of stage II, and (5-19), G's. G's losses are printed saturating; here, as in the authors' code, they are not. Ours:
a wrong sentence is one of the batch that is untrue of the photograph.

See also: ``text_conditioning.py``, the base class; ``layers/augmentation.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.augmentation import ConditioningAugmentation, kl_divergence
from keras_faces.layers.dcgan_blocks import dcgan_init, downconv, feature_channels
from keras_faces.layers.fade import Fade
from keras_faces.models.conditional import cgan
from keras_faces.models.conditional.text_conditioning import TextConditionalGAN, wrong_sentences
from keras_faces.models.networks.text_encoder import TextEncoder
from keras_faces.training.gradients import frozen
from keras_faces.training.optimizers import PerVariableAdam

IMAGE_SIZE = 64
LABELS = ("attributes",)
RENAMED = {"draw_1": "stage1_generator", "draw_2": "stage2_generator"}  # parts of models saved with old names

# ---------------------------------------------------------------------------------------------- the networks


def stage1_generator(side: int, latent_dim: int, components: int, width: int) -> keras.Model:
    """Return stage I, the G of CGAN: from [noise (latent_dim,), ĉ (components,)] to an image (side, side, 3)."""
    return cgan.generator(components, side, latent_dim, width, name="stage1_generator")


def stage2_generator(side: int, image_size: int, components: int, width: int, blocks: int) -> keras.Model:
    """Return stage II, from [image (side, side, 3), ĉ (components,)] to an image (image_size, image_size, 3): 64×64."""
    small, condition = layers.Input((side, side, 3)), layers.Input((components,))
    maps = layers.ReLU()(conv(width, 3)(small))  # 32, 32, 64
    maps = bn_relu(conv(2 * width, 4, strides=2)(maps))  # 16, 16, 128
    maps = bn_relu(conv(4 * width, 4, strides=2)(maps))  # 8, 8, 256
    maps = layers.Concatenate()([maps, replicate_spatially(condition, side // 4)])  # 8, 8, 256 + components
    maps = bn_relu(conv(4 * width, 3)(maps))  # 8, 8, 256
    for _ in range(blocks):
        residual = bn_relu(conv(4 * width, 3)(maps))
        residual = layers.BatchNormalization(momentum=0.9)(conv(4 * width, 3)(residual))
        maps = layers.ReLU()(layers.Add()([maps, residual]))  # 8, 8, 256
    larger, filters = side // 4, 4 * width
    while larger < image_size:
        larger, filters = 2 * larger, max(width // 2, filters // 2)
        maps = bn_relu(conv(filters, 3)(layers.UpSampling2D()(maps)))  # 16, 16, 128 → 32, 32, 64 → 64, 64, 32
    image = layers.Activation("tanh", dtype="float32")(conv(3, 3, use_bias=True)(maps))  # 64, 64, 3
    return keras.Model([small, condition], image, name="stage2_generator")


def discriminator(image_size: int, dim: int, width: int, text_channels: int, name: str) -> keras.Model:
    """Return the D of a stage, from [image (image_size, image_size, 3), φ_t (dim,)] to the logit (1,) of "real"."""
    image, text = layers.Input((image_size, image_size, 3)), layers.Input((dim,))
    first, *others = feature_channels(image_size, width)
    maps = leaky(downconv(first)(image))  # 32, 32, 64
    for filters in others:
        maps = layers.BatchNormalization(momentum=0.9)(downconv(filters, use_bias=False)(maps))
        maps = leaky(maps)  # 16, 16, 128 → 8, 8, 256 → 4, 4, 512
    compressed = leaky(layers.Dense(text_channels)(text))  # 128
    joined = layers.Concatenate()([maps, replicate_spatially(compressed, maps.shape[1])])  # 4, 4, 512 + 128
    maps = layers.BatchNormalization(momentum=0.9)(conv(maps.shape[-1], 1)(joined))
    maps = leaky(maps)  # 4, 4, 512
    score = layers.Dense(1, kernel_initializer=dcgan_init(), dtype="float32")(layers.Flatten()(maps))
    return keras.Model([image, text], score, name=name)


def replicate_spatially(vector: Any, side: int) -> Any:
    """Return a map (side, side, n) with the vector (n,) at each place."""
    return layers.UpSampling2D(side)(layers.Reshape((1, 1, vector.shape[-1]))(vector))


def conv(filters: int, kernel_size: int, use_bias: bool = False, **options: Any) -> layers.Conv2D:
    """Return a convolution with DCGAN's initial weights."""
    options |= {"padding": "same", "use_bias": use_bias, "kernel_initializer": dcgan_init()}
    return layers.Conv2D(filters, kernel_size, **options)


def leaky(maps: Any) -> Any:
    """Apply LeakyReLU."""
    return layers.LeakyReLU(negative_slope=0.2)(maps)


def bn_relu(maps: Any) -> Any:
    """Apply BatchNormalization, then ReLU."""
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maps))


def generator(
    image_size: int, side: int, dim: int, latent_dim: int, components: int, width: int, blocks: int
) -> keras.Model:
    """Return both stages as one G, from [noise (latent_dim + 2 components,), φ_t (dim,)] to an image.

    The noise is z, then ε of stage I and ε of stage II. ``Fade`` chooses between stage I's image, enlarged to
    (image_size, image_size, 3), and stage II's.
    """
    augment_1 = ConditioningAugmentation(components, name="augment_1")
    stage_1 = stage1_generator(side, latent_dim, components, width)
    augment_2 = ConditioningAugmentation(components, name="augment_2")
    stage_2 = stage2_generator(side, image_size, components, width, blocks)
    noise, text = layers.Input((latent_dim + 2 * components,)), layers.Input((dim,))
    start = latent_dim + components
    small = stage_1([noise[:, :latent_dim], augment_1([text, noise[:, latent_dim:start]])[0]])
    image = stage_2([small, augment_2([text, noise[:, start:]])[0]])
    enlarged = layers.UpSampling2D(image_size // side, dtype="float32")(small)
    return keras.Model([noise, text], Fade(dtype="float32", name="which")([enlarged, image]), name="generator")


@dataclass(frozen=True)
class Stages:
    """The two stages as they are trained, made of the layers of the whole generator."""

    first: keras.Model  # [noise, φ_t] to [small image, μ, log σ]
    second: keras.Model  # [noise, φ_t, small image] to [image, μ, log σ]


def stages(generator: keras.Model, dim: int) -> Stages:
    """Return the two stages of a whole ``generator``: new models of the same layers and weights."""
    parts = {RENAMED.get(part.name, part.name): part for part in generator.layers}
    stage_1, stage_2 = parts["stage1_generator"], parts["stage2_generator"]
    latent_dim, components = (int(part.shape[-1]) for part in stage_1.inputs)
    start = latent_dim + components
    noise, text = layers.Input((start + components,)), layers.Input((dim,))
    small = layers.Input(stage_2.inputs[0].shape[1:])
    condition, *moments = parts["augment_1"]([text, noise[:, latent_dim:start]])
    first = keras.Model([noise, text], [stage_1([noise[:, :latent_dim], condition]), *moments])
    condition, *moments = parts["augment_2"]([text, noise[:, start:]])
    return Stages(first, keras.Model([noise, text, small], [stage_2([small, condition]), *moments]))


# ---------------------------------------------------------------------------------------------------- the model


@keras.saving.register_keras_serializable("keras_faces")
class StackGAN(TextConditionalGAN):
    """Two stages of G, and a D for each.

    Parameters
    ----------
    generator : keras.Model
        Both stages, from :func:`generator`.
    discriminator, first_discriminator : keras.Model
        D of stage II and of stage I, from :func:`discriminator`.
    text_encoder : TextEncoder
        See :class:`TextConditionalGAN`.
    first_iterations : int
        How long stage I is trained before stage II; 0 for stage II at once.
    kl_weight : float
        λ of eq. 5-17, here of the *mean* over the components of the KL divergence, as in the authors' code.
    options
        See :class:`TextConditionalGAN`.

    Raises
    ------
    ValueError
        For a negative ``first_iterations``.
    """

    METRICS = (*TextConditionalGAN.METRICS, "d_wrong", "kl")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        text_encoder: TextEncoder,
        first_discriminator: keras.Model,
        first_iterations: int = 2000,
        kl_weight: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, text_encoder=text_encoder, **options)
        if first_iterations < 0:
            raise ValueError(f"first_iterations={first_iterations}: 0 (stage II at once) or more.")
        self.first_discriminator = first_discriminator
        self.first_iterations, self.kl_weight = first_iterations, kl_weight
        self.stages = stages(generator, text_encoder.dim)
        self.stage = 1 if first_iterations else 2

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """Give both D one optimizer, and both stages of G one, which count the steps of each weight."""
        both = [*self.first_discriminator.trainable_variables, *self.discriminator.trainable_variables]
        parts = {
            "discriminator": (d_optimizer or PerVariableAdam(2e-4, beta_1=0.5), both),
            "generator": (g_optimizer or PerVariableAdam(2e-4, beta_1=0.5), self.generator),
        }
        self.set_optimizers(parts, **kwargs)

    def on_iteration(self, iteration: int) -> bool:
        """Choose the stage of an iteration; return True if it is a new one, whose step must be traced."""
        stage = 1 if iteration < self.first_iterations else 2
        changed, self.stage = stage != self.stage, stage
        return super().on_iteration(iteration) or changed

    def d_of_stage(self) -> keras.Model:
        """Return the D of the present stage."""
        return self.first_discriminator if self.stage == 1 else self.discriminator

    def d_weights(self) -> list[keras.Variable]:
        """Return the weights of the stage's D."""
        return self.d_of_stage().trainable_variables

    def g_weights(self) -> list[keras.Variable]:
        """Return the weights of the stage's G."""
        return (self.stages.first if self.stage == 1 else self.stages.second).trainable_variables

    # ------------------------------------------------------------------------------------------------ the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration of the present stage: its D learns, then its G.

        Parameters
        ----------
        images : tensor of uint8, shape (d_steps * batch, H, W, 3)
            Photographs.
        labels : tuple of tensors
            ``(vectors, words, statements)`` of :class:`Captioned`: attributes, a sentence about each photograph, and
            what it states.

        Returns
        -------
        dict of scalar tensors
            The logs of :meth:`GAN.step`; ``d_wrong``, D's mean score of photographs with wrong sentences; and ``kl``.
        """
        vectors, words, statements = labels
        batch = ops.shape(images)[0] // self.d_steps
        self.remember(vectors)
        self.generator.get_layer("which").alpha.assign(float(self.stage - 1))

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, text = self.shrunk(self.preprocess(images[part])), self.text_encoder(words[part])
            uniform = keras.random.uniform((batch, batch), seed=self.noise_seed)
            wrong = ops.take(text, wrong_sentences(vectors[part], statements[part], uniform), axis=0)
            fake = ops.stop_gradient(self.draw(self.noise(batch), text)[0])
            d_logs = self.train_discriminator(real, fake, text, wrong)

        g_logs = self.train_generator(self.noise(batch), text)

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}

    def shrunk(self, images: Any) -> Any:
        """Return photographs at the image size of the present stage."""
        factor = images.shape[1] // self.stages.first.outputs[0].shape[1]
        return ops.average_pool(images, factor, factor) if self.stage == 1 else images

    def draw(self, noise: Any, text: Any) -> tuple[Any, Any, Any]:
        """Return the present stage's images of φ_t, with μ and log σ of ĉ."""
        if self.stage == 1:
            return self.stages.first([noise, text], training=True)
        with frozen(self.stages.first):
            small = ops.stop_gradient(self.stages.first([noise, text], training=True)[0])
        return self.stages.second([noise, text, small], training=True)

    def train_discriminator(self, real: Any, fake: Any, text: Any, wrong: Any) -> dict[str, Any]:
        """Update the stage's D once.

        Parameters
        ----------
        real, fake : tensor, shape (batch, H, W, 3)
            Images in ``value_range``.
        text, wrong : tensor, shape (batch, dim)
            φ_t of the sentences of both, and of sentences that are untrue of the photographs.
        """
        d = self.d_of_stage()

        def d_loss():
            logits = [d(pair, training=True) for pair in ([real, text], [real, wrong], [fake, text])]
            return self.matching_aware_loss(*logits), logits

        loss, (right_logits, wrong_logits, fake_logits), gradient = self.update_discriminator(d_loss)
        d_wrong = self.scores(right_logits, wrong_logits)["d_fake"]
        return {"d_loss": loss, **self.scores(right_logits, fake_logits), "d_wrong": d_wrong, "d_gradient": gradient}

    def matching_aware_loss(self, right: Any, wrong: Any, fake: Any) -> Any:
        """Return −½ log D(x, t) − ¼ log(1 − D(x, t')) − ¼ log(1 − D(G(t), t)), t' being a wrong sentence."""
        return 0.5 * (self.discriminator_loss(right, fake) + self.discriminator_loss(right, wrong))

    def train_generator(self, noise: Any, text: Any) -> dict[str, Any]:
        """Update the stage's G once through its frozen D (eq. 5-17 and 5-19)."""
        d = self.d_of_stage()

        def g_loss():
            fake, mean, log_sigma = self.draw(noise, text)
            with frozen(d):
                logits = d([fake, text], training=True)
            kl = kl_divergence(mean, log_sigma)
            return self.pair.generator(logits) + self.kl_weight * kl / mean.shape[-1], kl

        loss, kl, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "kl": kl, "g_gradient": gradient}

    def network(self, stage: int | None = None) -> keras.Model:
        """Return the network that makes images: 1 for stage I and its small images, ``None`` for the whole G."""
        if stage not in (None, 1):
            raise ValueError(f"stage={stage}: 1, or None for the present stage.")
        return keras.Model(self.stages.first.inputs, self.stages.first.outputs[0]) if stage else self.generator


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("Smiling", "Male", "Eyeglasses"),
    label_kind: str = "attributes",
    side: int | None = None,
    text_dim: int = 1024,
    latent_dim: int = 100,
    components: int = 64,
    width: int = 32,
    blocks: int = 2,
    languages: str | Sequence[str] = ("english", "chinese"),
    learning_rate: float = 2e-4,
    seed: int = 0,
    **options: Any,
) -> StackGAN:
    """Return StackGAN, compiled.

    Parameters
    ----------
    image_size : int
        Side of stage II's images in pixels: a power of two, at least 16.
    label_names : sequence of str
        Attributes of CelebA that the sentences are about; ``label_kind`` is "attributes".
    side : int, optional
        Side of stage I's images, a power of two, at least 8; ``None``: 32, or half of a smaller ``image_size``.
    text_dim, latent_dim, components : int
        Lengths of φ_t, of z and of ĉ; the paper has 128 for ĉ. ``model.latent_dim`` also counts the ε of both stages.
    width : int
        Channels of the largest maps; the paper's stage II has up to 512.
    blocks : int
        Residual blocks of stage II; the paper has four.
    languages : str or sequence of str
        Of the sentences: "english", "chinese" or both.
    learning_rate, seed
        As of :func:`dcgan.build`.
    options
        ``first_iterations``, ``kl_weight``, ``text_iterations``, ``average``, ...: see :class:`StackGAN`.

    Raises
    ------
    ValueError
        For sizes that are no powers of two, a ``side`` that is not smaller than ``image_size``, labels that are
        classes, and attributes that no sentence can be written about.
    """
    side = side or min(32, image_size // 2)
    if image_size & (image_size - 1) or side & (side - 1) or not 8 <= side < image_size:
        raise ValueError(
            f"stackgan cannot make {image_size}×{image_size} images from {side}×{side} sketches: both are powers of "
            "two, the sketches from 8 on and smaller. Try image_size 64 with side 32."
        )
    if label_kind != "attributes":
        raise ValueError('stackgan writes sentences of attributes: name two or more, such as --labels "Smiling, Male".')
    languages = [languages] if isinstance(languages, str) else languages
    encoder = TextEncoder(label_names, image_size, text_dim, languages=languages)
    model = StackGAN(
        generator(image_size, side, text_dim, latent_dim, components, width, blocks),
        discriminator(image_size, text_dim, width, 4 * width, "discriminator"),
        first_discriminator=discriminator(side, text_dim, width, 4 * width, "first_discriminator"),
        text_encoder=encoder,
        label_names=label_names,
        label_kind=label_kind,
        seed=seed,
        name="stackgan",
        **options,
    )
    model.compile(PerVariableAdam(learning_rate, beta_1=0.5), PerVariableAdam(learning_rate, beta_1=0.5))
    return model
