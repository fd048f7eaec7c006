"""stackgan: a face from a sentence, first as a small sketch, then as a larger picture.

Source: the course's textbook, section 5.3.3 (Zhang et al. 2017, "StackGAN: text to photo-realistic image synthesis with
stacked generative adversarial networks"). One G with many upsampling layers does not get from a sentence to a large
picture; two with half the task each do.

- A *text encoder* (``text_encoder.py``), trained beforehand, turns the sentence t into φ_t.
- *Conditioning augmentation*: few sentences lie far apart in a space of 1024 numbers, and G sees only these points. So
  each is made a cloud, ĉ = μ(φ_t) + σ(φ_t)·ε (eq. 5-14, 5-15), kept wide by λ·KL(N(μ, Σ) ‖ N(0, I)) in G's loss (5-17).
- *Stage I*: noise and ĉ to a small image. *Stage II*: that image, taken down to a map, joined by another ĉ of the
  same sentence, through residual blocks and up again. It mends the sketch and adds what was left out.
- *Matching-aware D*: it learns (photograph, its sentence) as real, and as fake both (fake, its sentence) and
  (photograph, a wrong sentence), half the weight each. Otherwise it would never have to read. In both stages φ_t is
  compressed, repeated at each place and joined to the last map of the image.

Stage I is trained alone, for ``first_iterations``, then stage II while stage I stands still. That must be long enough:
of sketches that are no faces yet stage II makes nothing; it learns to draw one face for a sentence, whatever the noise.

The textbook prints (5-16) without the wrong sentences, which its words ask for; it calls (5-18), D's loss of stage II,
the generator's, and (5-19), G's, the discriminator's. G's losses are printed saturating; here as in the authors' code G
wants a score of 1. A decision of ours: a wrong sentence is one of the batch that says something untrue of the
photograph, so that no true one counts as wrong.

Read next: ``text_encoder.py``, ``data/captions.py``; ``pggan.py`` for another way to grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.augmentation import ConditioningAugmentation, kl_divergence
from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.bias import Dense
from keras_faces.layers.convolution import Conv2D
from keras_faces.layers.fade import Fade
from keras_faces.layers.ladder import channels, down, normal, sides, up
from keras_faces.models.text_encoder import TextEncoder
from keras_faces.training.gradients import frozen, global_norm, value_and_grad
from keras_faces.training.late_adam import LateAdam
from keras_faces.training.optimizers import AdversarialOptimizer
from keras_faces.training.sentences import SentenceModel, wrong_sentences

IMAGE_SIZE = 64
PRINTED: dict = {}  # the textbook prints no layers, only the length 1024 of φ_t
LABELS = ("attributes",)

# ---------------------------------------------------------------------------------------------- the networks


def sketcher(side: int, latent_dim: int, components: int, width: int) -> keras.Model:
    """Stage I: [noise (latent_dim,), ĉ (components,)] to an image (side, side, 3). In comments: 32×32."""
    *between, base = sides(side)[1:]  # 16, 8; 4
    *narrower, widest = channels(side, width)  # 64, 128; 256
    noise, condition = layers.Input((latent_dim,)), layers.Input((components,))
    maps = layers.Concatenate()([noise, condition])
    maps = Dense(base * base * widest, use_bias=False, kernel_initializer=normal())(maps)
    maps = layers.Reshape((base, base, widest))(maps)
    maps = activated(maps)  # 4, 4, 256
    for larger, filters in zip(reversed(between), reversed(narrower), strict=True):
        maps = activated(up(filters, larger, use_bias=False)(maps))  # 8, 8, 128 → 16, 16, 64
    image = layers.Activation("tanh", dtype="float32")(up(3, side)(maps))  # 32, 32, 3
    return keras.Model([noise, condition], image, name="draw_1")


def refiner(side: int, image_size: int, components: int, width: int, blocks: int) -> keras.Model:
    """Stage II: [image (side, side, 3), ĉ (components,)] to an image (image_size, image_size, 3): 32×32 to 64×64."""
    sketch, condition = layers.Input((side, side, 3)), layers.Input((components,))
    maps = layers.ReLU()(convolution(width, 3)(sketch))  # 32, 32, 64
    maps = activated(convolution(2 * width, 4, strides=2)(maps))  # 16, 16, 128
    maps = activated(convolution(4 * width, 4, strides=2)(maps))  # 8, 8, 256
    maps = layers.Concatenate()([maps, everywhere(condition, side // 4)])  # 8, 8, 256 + components
    maps = activated(convolution(4 * width, 3)(maps))  # 8, 8, 256
    for _ in range(blocks):
        inner = activated(convolution(4 * width, 3)(maps))
        inner = BatchNormalization(momentum=0.9)(convolution(4 * width, 3)(inner))
        maps = layers.ReLU()(layers.Add()([maps, inner]))  # 8, 8, 256
    larger, filters = side // 4, 4 * width
    while larger < image_size:
        larger, filters = 2 * larger, max(width // 2, filters // 2)
        maps = activated(convolution(filters, 3)(layers.UpSampling2D()(maps)))  # 16, 16, 128 → 32, 32, 64 → 64, 64, 32
    image = layers.Activation("tanh", dtype="float32")(convolution(3, 3, use_bias=True)(maps))  # 64, 64, 3
    return keras.Model([sketch, condition], image, name="draw_2")


def discriminator(image_size: int, dim: int, width: int, text_channels: int, name: str) -> keras.Model:
    """[image (image_size, image_size, 3), φ_t (dim,)] to the logit (1,) of their being real and belonging together."""
    image, text = layers.Input((image_size, image_size, 3)), layers.Input((dim,))
    first, *further = channels(image_size, width)
    maps = leaky(down(first)(image))  # 32, 32, 64
    for filters in further:
        maps = BatchNormalization(momentum=0.9)(down(filters, use_bias=False)(maps))
        maps = leaky(maps)  # 16, 16, 128 → 8, 8, 256 → 4, 4, 512
    told = leaky(Dense(text_channels)(text))  # 128: φ_t compressed
    joined = layers.Concatenate()([maps, everywhere(told, maps.shape[1])])  # 4, 4, 512 + 128
    maps = BatchNormalization(momentum=0.9)(convolution(maps.shape[-1], 1)(joined))
    maps = leaky(maps)  # 4, 4, 512: at each place, what is seen meets what is said
    score = Dense(1, kernel_initializer=normal(), dtype="float32")(layers.Flatten()(maps))
    return keras.Model([image, text], score, name=name)


def everywhere(vector: Any, side: int) -> Any:
    """A vector (n,) at each place of a map, (side, side, n)."""
    return layers.UpSampling2D(side)(layers.Reshape((1, 1, vector.shape[-1]))(vector))


def convolution(filters: int, kernel_size: int, use_bias: bool = False, **options: Any) -> Conv2D:
    options |= {"padding": "same", "use_bias": use_bias, "kernel_initializer": normal()}
    return Conv2D(filters, kernel_size, **options)


def leaky(maps: Any) -> Any:
    return layers.LeakyReLU(negative_slope=0.2)(maps)


def activated(maps: Any) -> Any:
    return layers.ReLU()(BatchNormalization(momentum=0.9)(maps))


@dataclass(frozen=True)
class Stages:
    """The two stages as they are trained, made of the layers of the whole generator."""

    first: keras.Model  # [noise, φ_t] to [small image, μ, log σ]
    second: keras.Model  # [noise, φ_t, small image] to [image, μ, log σ]


def stages(parts: dict[str, keras.Layer], dim: int) -> Stages:
    """The two stages of these parts. The noise is z, and behind it the ε of the first and of the second stage."""
    latent_dim, components = (int(part.shape[-1]) for part in parts["draw_1"].inputs)
    start = latent_dim + components
    noise = layers.Input((start + components,))
    text = layers.Input((dim,))
    sketch = layers.Input(parts["draw_2"].inputs[0].shape[1:])
    condition, *cloud = parts["augment_1"]([text, noise[:, latent_dim:start]])
    first = keras.Model([noise, text], [parts["draw_1"]([noise[:, :latent_dim], condition]), *cloud])
    condition, *cloud = parts["augment_2"]([text, noise[:, start:]])
    return Stages(first, keras.Model([noise, text, sketch], [parts["draw_2"]([sketch, condition]), *cloud]))


def generator(
    image_size: int, side: int, dim: int, latent_dim: int, components: int, width: int, blocks: int
) -> keras.Model:
    """Both stages as one: [noise (latent_dim + 2 components,), φ_t (dim,)] to an image (image_size, image_size, 3).

    While stage I learns, the image is its own, enlarged; then stage II's. ``Fade`` switches from one to the other.
    """
    parts = {
        "augment_1": ConditioningAugmentation(components, name="augment_1"),
        "draw_1": sketcher(side, latent_dim, components, width),
        "augment_2": ConditioningAugmentation(components, name="augment_2"),
        "draw_2": refiner(side, image_size, components, width, blocks),
    }
    noise, text = layers.Input((latent_dim + 2 * components,)), layers.Input((dim,))
    start = latent_dim + components
    sketch = parts["draw_1"]([noise[:, :latent_dim], parts["augment_1"]([text, noise[:, latent_dim:start]])[0]])
    image = parts["draw_2"]([sketch, parts["augment_2"]([text, noise[:, start:]])[0]])
    enlarged = layers.UpSampling2D(image_size // side, dtype="float32")(sketch)
    return keras.Model([noise, text], Fade(dtype="float32", name="which")([enlarged, image]), name="generator")


# ---------------------------------------------------------------------------------------------------- the model


@keras.saving.register_keras_serializable("keras_faces")
class StackGAN(SentenceModel):
    """Two stages of G, and a D for each.

    Parameters
    ----------
    generator, discriminator
        From :func:`generator`, both stages, and :func:`discriminator`, that of stage II.
    text_encoder
        See :class:`SentenceModel`.
    first_discriminator
        That of stage I.
    first_iterations
        How long stage I is trained; then stage II.
    kl_weight
        λ of eq. 5-17, by which the *mean* of the KL's components counts, as in the authors' code.
    rule
        See :class:`SentenceModel`.
    """

    NUMBERS = (*SentenceModel.NUMBERS, "d_wrong", "kl")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        text_encoder: TextEncoder,
        first_discriminator: keras.Model,
        first_iterations: int = 2000,
        kl_weight: float = 1.0,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, text_encoder=text_encoder, **rule)
        if first_iterations < 0:
            raise ValueError(f"first_iterations={first_iterations}: 0 (stage II at once) or more.")
        if self.clip or self.gradient_penalty or self.r1:
            raise ValueError(
                f"loss={self.loss_name!r}, r1={self.r1}: no penalties with stackgan's batch normalisation."
            )
        self.first_discriminator = first_discriminator
        self.first_iterations, self.kl_weight = first_iterations, kl_weight
        self.stages = stages({part.name: part for part in generator.layers}, text_encoder.dim)
        self.stage = 1 if first_iterations else 2

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """One optimizer for both D, one for both stages of G: each weight counts its own steps (``LateAdam``)."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or LateAdam(2e-4, beta_1=0.5),
            generator=g_optimizer or LateAdam(2e-4, beta_1=0.5),
        )
        both = [*self.first_discriminator.trainable_variables, *self.discriminator.trainable_variables]
        optimizer.build(both, self.generator.trainable_variables)
        keras.Model.compile(self, optimizer=optimizer, **kwargs)

    def enter(self, iteration: int) -> bool:
        """The hook of the core: with stage II other networks are trained, so the step is traced anew."""
        stage = 1 if iteration < self.first_iterations else 2
        another, self.stage = stage != self.stage, stage
        return super().enter(iteration) or another

    # ------------------------------------------------------------------------------------------------ the step

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """One iteration of the present stage: its D on three kinds of pairs, then its G.

        Parameters
        ----------
        images
            Photographs, uint8 (d_steps * batch, H, W, 3).
        labels
            ``(vectors, words, said)`` of :class:`Captioned`: attributes, a sentence about each, and what it says.
        """
        labels, words, said = labels
        batch = ops.shape(images)[0] // self.d_steps
        self.remember(labels)
        self.generator.get_layer("which").alpha.assign(float(self.stage - 1))

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, text = self.shrunk(self.scaled(images[part])), self.text_encoder(words[part])
            chance = keras.random.uniform((batch, batch), seed=self.noise_seed)
            wrong = ops.take(text, wrong_sentences(labels[part], said[part], chance), axis=0)
            fake = ops.stop_gradient(self.draw(self.noise(batch), text)[0])
            d_numbers = self.improve_discriminator(real, fake, text, wrong)

        g_numbers = self.improve_generator(text)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def shrunk(self, images: Any) -> Any:
        """Photographs at the side of the present stage."""
        factor = images.shape[1] // self.stages.first.outputs[0].shape[1]
        return ops.average_pool(images, factor, factor) if self.stage == 1 else images

    def draw(self, noise: Any, text: Any) -> tuple[Any, Any, Any]:
        """The present stage's images of φ_t, and the clouds that ĉ was drawn from: (image, μ, log σ)."""
        if self.stage == 1:
            return self.stages.first([noise, text], training=True)
        with frozen(self.stages.first):
            sketch = ops.stop_gradient(self.stages.first([noise, text], training=True)[0])
        return self.stages.second([noise, text, sketch], training=True)

    def improve_discriminator(self, real: Any, fake: Any, text: Any, wrong: Any) -> dict[str, Any]:
        """One step of the stage's D: a photograph with its sentence is real, the other two pairs are not."""
        network = self.first_discriminator if self.stage == 1 else self.discriminator

        def d_loss():
            logits = [network(pair, training=True) for pair in ([real, text], [real, wrong], [fake, text])]
            return self.matching_aware_loss(*logits), logits

        weights = network.trainable_variables
        optimizer = self.optimizer.discriminator
        (loss, (right, other, made)), gradients = value_and_grad(d_loss, weights, self.variables, optimizer)
        optimizer.apply(gradients, weights)
        wrongly = self.scores(right, other)["d_fake"]
        return {"d_loss": loss, **self.scores(right, made), "d_wrong": wrongly, "d_gradient": global_norm(gradients)}

    def matching_aware_loss(self, right: Any, wrong: Any, fake: Any) -> Any:
        """−½ log D(x, t) − ¼ log(1 − D(x, t')) − ¼ log(1 − D(G(t), t)), t' being a wrong sentence."""
        return 0.5 * (self.discriminator_loss(right, fake) + self.discriminator_loss(right, wrong))

    def improve_generator(self, text: Any) -> dict[str, Any]:
        """One step of the stage's G against its frozen D (eq. 5-17 and 5-19)."""
        network = self.first_discriminator if self.stage == 1 else self.discriminator
        noise = self.noise(ops.shape(text)[0])

        def g_loss():
            fake, mean, log_sigma = self.draw(noise, text)
            with frozen(network):
                logits = network([fake, text], training=True)
            kl = kl_divergence(mean, log_sigma)
            return self.pair.generator(logits) + self.kl_weight * kl / mean.shape[-1], kl

        weights = (self.stages.first if self.stage == 1 else self.stages.second).trainable_variables
        (loss, kl), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        self.optimizer.generator.apply(gradients, weights)
        if self.average:
            self.average.update(self.generator)
        return {"g_loss": loss, "kl": kl, "g_gradient": global_norm(gradients)}

    def network(self, stage: int | None = None) -> keras.Model:
        """What draws: 1 for the sketches of stage I, as small as they are; ``None`` for the present stage."""
        if stage not in (None, 1):
            raise ValueError(f"stage={stage}: 1, or None for the present stage.")
        return keras.Model(self.stages.first.inputs, self.stages.first.outputs[0]) if stage else self.generator

    def get_config(self) -> dict[str, Any]:
        first = keras.saving.serialize_keras_object(self.first_discriminator)
        own = {"first_discriminator": first, "first_iterations": self.first_iterations, "kl_weight": self.kl_weight}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> StackGAN:
        first = keras.saving.deserialize_keras_object(config["first_discriminator"], custom_objects)
        return super().from_config({**config, "first_discriminator": first}, custom_objects)


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
    rate: float = 2e-4,
    seed: int = 0,
    **rule: Any,
) -> StackGAN:
    """StackGAN, compiled.

    Parameters
    ----------
    image_size
        Side of stage II's images: 64 or 128; a power of two from 16 on.
    label_names, label_kind
        Attributes of CelebA that the sentences speak of; "attributes".
    side
        Side of stage I's images; ``None``: 32, or half of a smaller ``image_size``.
    text_dim
        Length of φ_t.
    latent_dim
        Length of z. The model's noise has the ε of both stages behind it.
    components
        Length of ĉ; the paper has 128.
    width
        Channels of the largest maps. The paper's stage II has four residual blocks and up to 512 channels.
    blocks
        Residual blocks of stage II.
    languages
        Of the sentences: "english", "chinese" or both.
    rate
        Adam's learning rate for D and for G.
    rule
        ``first_iterations``, ``kl_weight``: see :class:`StackGAN`; ``text_iterations``: see :class:`SentenceModel`;
        ``average``, ``loss``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For sizes that are no powers of two or no larger than stage I's, labels that are classes, and attributes of
        which nothing can be said.
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
        **rule,
    )
    model.compile(LateAdam(rate, beta_1=0.5), LateAdam(rate, beta_1=0.5))
    return model
