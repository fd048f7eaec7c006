"""pggan: both networks grow from 4×4 by doublings, and each new block is faded in.

Source: Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation"; the
dissertation, section 2.2.3 and figure 2.8. Training begins at 4×4 pixels. Then both networks get a block for 8×8, mixed
in with a weight α that rises from 0 to 1 (section 2), and so on: coarse structure first, details last. Photographs are
averaged down to the present size, and faded between two sizes as the networks are.

From the paper: the blocks of table 2, minibatch standard deviation (section 3), equalised learning rate and pixel norm
(section 4), WGAN-GP with one step of D and the drift term ``0.001 · mean D(x)²``, Adam with beta_1 0, beta_2 0.99 and
ε 1e-8, no last activation in G, and an average of G's weights for images (appendix A.1). Against ``wgan_gp.py`` the
networks and the drift term are new; the loss is the same.

Ours:

- All blocks exist from the start. A step trains only those of the present size (:class:`Stage`), so the optimizer
  keeps the moments of all others; ``PerVariableAdam`` counts each weight's own steps. (The authors' code sets all
  moments to 0 at each stage.) ``model.generator`` and ``model.discriminator`` are always the whole networks: blocks
  that are still to come have α = 0, so G's image is a small one, enlarged by repeating pixels.
- The paper shows 800,000 photographs at each stage, with 512 channels and a learning rate of 1e-3. For minutes on two
  cores a stage here has 100 iterations, the rate is 5e-3, and there are 16 channels at the largest size. Batches of 16
  are right for it.

See also: ``layers/equalized.py``, the equalised learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_faces.layers.fade import Fade
from keras_faces.layers.minibatch_std import MinibatchStd
from keras_faces.layers.pixel_norm import PixelNorm
from keras_faces.training.gan import RegularizedGAN
from keras_faces.training.gradients import frozen
from keras_faces.training.optimizers import PerVariableAdam

IMAGE_SIZE = 32

Parts = dict[str, keras.Layer]

# ---------------------------------------------------------------------------------------------- the networks


def sides(image_size: int) -> list[int]:
    """Return the sizes of the stages: ``sides(32) == [4, 8, 16, 32]``."""
    return [2**power for power in range(2, image_size.bit_length())]


def channels(side: int, image_size: int, width: int) -> int:
    """Return the channels of a map: ``width`` at the image's size, doubled at each halving, up to eight times."""
    return width * min(8, image_size // side)


def leaky() -> layers.LeakyReLU:
    """Return the activation of both networks."""
    return layers.LeakyReLU(negative_slope=0.2)


def normalised(filters: int) -> list[keras.Layer]:
    """Return G's convolution, with LeakyReLU and pixel norm."""
    return [EqualizedConv2D(filters, kernel_size=3), leaky(), PixelNorm()]


def block(name: str, *stack: keras.Layer) -> Parts:
    """Return a part of a network under its name."""
    return {name: keras.Sequential(stack, name=name)}


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 16) -> keras.Model:
    """Return the whole G, from noise (latent_dim,) to an image (image_size, image_size, 3) in about [-1, 1]: 32×32."""
    filters = channels(4, image_size, width)
    parts = block(
        "block_4",
        PixelNorm(),  # z of length √100
        EqualizedDense(4 * 4 * filters, gain=math.sqrt(2) / 4),
        layers.Reshape((4, 4, filters)),
        leaky(),
        PixelNorm(),
        *normalised(filters),  # 4, 4, 128
    )
    for side in sides(image_size)[1:]:
        filters = channels(side, image_size, width)
        parts |= block(f"block_{side}", layers.UpSampling2D(), *normalised(filters), *normalised(filters))
        parts[f"fade_{side}"] = Fade(dtype="float32", name=f"fade_{side}")  # 8, 8, 64 → 16, 16, 32 → 32, 32, 16
    for side in sides(image_size):
        parts[f"to_rgb_{side}"] = EqualizedConv2D(3, kernel_size=1, gain=1.0, dtype="float32", name=f"to_rgb_{side}")
    return generator_of(parts, latent_dim, image_size, fading=sides(image_size)[1:])


def generator_of(parts: Parts, latent_dim: int, side: int, fading: Collection[int]) -> keras.Model:
    """Return G up to ``side``, made of its parts: from noise (latent_dim,) to an image (side, side, 3).

    The image of each size in ``fading`` is mixed with the enlarged image of the size before.
    """
    noise = keras.Input((latent_dim,))
    features = parts["block_4"](noise)
    image = parts["to_rgb_4"](features)
    for larger in sides(side)[1:]:
        features = parts[f"block_{larger}"](features)
        new = parts[f"to_rgb_{larger}"](features)
        image = parts[f"fade_{larger}"]([layers.UpSampling2D(dtype="float32")(image), new]) if larger in fading else new
    return keras.Model(noise, image, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 16) -> keras.Model:
    """Return the whole D, from an image (image_size, image_size, 3) to a score (1,)."""
    filters = channels(4, image_size, width)
    parts = block(
        "block_4",
        MinibatchStd(),  # 4, 4, 129
        EqualizedConv2D(filters, kernel_size=3),
        leaky(),
        layers.Flatten(),
        EqualizedDense(filters),
        leaky(),  # 128
        EqualizedDense(1, gain=1.0, dtype="float32"),  # 1
    )
    for side in sides(image_size):
        filters = channels(side, image_size, width)
        parts |= block(f"from_rgb_{side}", EqualizedConv2D(filters, kernel_size=1), leaky())
    for side in sides(image_size)[1:]:
        parts |= block(
            f"block_{side}",
            EqualizedConv2D(channels(side, image_size, width), kernel_size=3),
            leaky(),
            EqualizedConv2D(channels(side // 2, image_size, width), kernel_size=3),
            leaky(),
            layers.AveragePooling2D(2),  # 16, 16, 32 → 8, 8, 64 → 4, 4, 128
        )
        parts[f"fade_{side}"] = Fade(name=f"fade_{side}")
    return discriminator_of(parts, image_size, fading=sides(image_size)[1:])


def discriminator_of(parts: Parts, side: int, fading: Collection[int]) -> keras.Model:
    """Return D from ``side`` down, made of its parts: from an image (side, side, 3) to a score (1,).

    The features of each size in ``fading`` are mixed with those of the image of half the size.
    """
    image = shrunk = keras.Input((side, side, 3))
    features = parts[f"from_rgb_{side}"](image)
    for larger in reversed(sides(side)[1:]):
        shrunk = layers.AveragePooling2D(2, dtype="float32")(shrunk)
        features = parts[f"block_{larger}"](features)
        if larger in fading:
            features = parts[f"fade_{larger}"]([parts[f"from_rgb_{larger // 2}"](shrunk), features])
    return keras.Model(image, parts["block_4"](features), name="discriminator")


# ------------------------------------------------------------------------------------------------ the model


@dataclass(frozen=True)
class Stage:
    """What is trained at present: images of ``side``, faded in or not, and the two networks of that size."""

    side: int
    fading: bool
    generator: keras.Model
    discriminator: keras.Model


@keras.saving.register_keras_serializable("keras_faces")
class PGGAN(RegularizedGAN):
    """A GAN that trains one stage of its two networks at a time.

    Parameters
    ----------
    generator, discriminator : keras.Model
        From :func:`generator` and :func:`discriminator`.
    fade_iterations, steady_iterations : int
        How many iterations each size is faded in, and how many it is then trained alone; 4×4 is not faded in.
    drift : float
        Weight of ``mean D(x)²``, which keeps the scores of a Wasserstein critic near 0; the other losses have none.
    options
        See :class:`RegularizedGAN`; ``separate_batches`` is always true.

    Raises
    ------
    ValueError
        For ``separate_batches=False``, and for stages of less than 1 iteration.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        fade_iterations: int = 100,
        steady_iterations: int = 100,
        drift: float = 1e-3,
        separate_batches: bool = True,
        **options: Any,
    ) -> None:
        if not separate_batches:
            raise ValueError(
                "separate_batches=False: pggan's D compares the images of a batch, so it reads fakes alone."
            )
        if fade_iterations < 1 or steady_iterations < 1:
            raise ValueError(
                f"fade_iterations={fade_iterations}, steady_iterations={steady_iterations}: both must be at least 1."
            )
        super().__init__(generator, discriminator, separate_batches=True, **options)
        self.fade_iterations = fade_iterations
        self.steady_iterations = steady_iterations
        self.drift = drift
        self.sides = sides(generator.output_shape[1])
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="float32", name="steps")
        self.stage = self.stage_of(4, fading=False)

    def begin(self, side: int) -> int:
        """Return the iteration, counted from 0, in which a size begins to fade in."""
        return self.steady_iterations + self.sides[1:].index(side) * (self.fade_iterations + self.steady_iterations)

    def alpha(self, side: int) -> Any:
        """Return α of a size at present: 0 before it begins, 1 once it has been faded in."""
        return ops.clip((self.steps - self.begin(side)) / self.fade_iterations, 0.0, 1.0)

    def on_iteration(self, iteration: int) -> bool:
        """Choose the stage of an iteration; return True if it is a new one, whose step must be traced."""
        begun = [side for side in self.sides[1:] if iteration >= self.begin(side)]
        side = begun[-1] if begun else 4
        fading = side > 4 and iteration < self.begin(side) + self.fade_iterations
        changed = (side, fading) != (self.stage.side, self.stage.fading)
        if changed:
            self.stage = self.stage_of(side, fading)
        return super().on_iteration(iteration) or changed

    def stage_of(self, side: int, fading: bool) -> Stage:
        """Return the networks of a stage: new models of the same layers and weights."""
        g_parts, d_parts = ({part.name: part for part in net.layers} for net in (self.generator, self.discriminator))
        fades = [side] if fading else []
        return Stage(
            side, fading, generator_of(g_parts, self.latent_dim, side, fades), discriminator_of(d_parts, side, fades)
        )

    # ------------------------------------------------------------------------------------------------ the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration as :meth:`GAN.step`, with the networks and the image size of the stage."""
        batch = ops.shape(images)[0] // self.d_steps
        self.fade()

        for k in range(self.d_steps):
            real = self.shrunk(self.preprocess(images[k * batch : (k + 1) * batch]))
            fake = ops.stop_gradient(self.stage.generator(self.noise(batch), training=True))
            d_logs = self.train_discriminator(real, fake)

        g_logs = self.train_generator(self.noise(batch))
        self.steps.assign(self.steps + 1.0)

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}

    def fade(self) -> None:
        """Set α of every size, in both networks."""
        for side in self.sides[1:]:
            for network in (self.generator, self.discriminator):
                network.get_layer(f"fade_{side}").alpha.assign(self.alpha(side))

    def shrunk(self, images: Any) -> Any:
        """Return photographs (batch, image_size, image_size, 3) at the stage's size, faded as G's images are."""
        factor = self.sides[-1] // self.stage.side
        small = ops.average_pool(images, factor, factor)
        if not self.stage.fading:
            return small
        alpha = self.alpha(self.stage.side)
        coarse = ops.average_pool(small, 2, 2)
        coarse = ops.repeat(ops.repeat(coarse, 2, axis=1), 2, axis=2)
        return (1.0 - alpha) * coarse + alpha * small

    def discriminate(self, real: Any, fake: Any, *labels: Any) -> tuple[Any, Any]:
        """Return the stage's D of photographs and of fakes, read as two batches."""
        return self.stage.discriminator(real, training=True), self.stage.discriminator(fake, training=True)

    def penalty(self, real: Any, fake: Any, *labels: Any) -> Any:
        """Return the gradient penalty of the stage's D."""
        return self.penalty_of(self.stage.discriminator, real, fake)

    def d_weights(self) -> list[keras.Variable]:
        """Return the weights of the stage's D."""
        return self.stage.discriminator.trainable_variables

    def g_weights(self) -> list[keras.Variable]:
        """Return the weights of the stage's G."""
        return self.stage.generator.trainable_variables

    def discriminator_loss(self, real_logits: Any, fake_logits: Any) -> Any:
        """Return D's side of the pair of losses, with the drift term for a critic (appendix A.1)."""
        loss = super().discriminator_loss(real_logits, fake_logits)
        if self.pair.critic:
            loss = loss + self.drift * ops.mean(ops.cast(real_logits, "float32") ** 2)
        return loss

    def train_generator(self, noise: Any, *labels: Any) -> dict[str, Any]:
        """Update the stage's G once against the stage's D, which is frozen."""

        def g_loss():
            fake = self.stage.generator(noise, training=True)
            with frozen(self.discriminator):
                logits = self.stage.discriminator(fake, training=True)
            return self.pair.generator(logits), None

        loss, _, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 16,
    fade_iterations: int = 100,
    steady_iterations: int = 100,
    learning_rate: float = 5e-3,
    loss: str = "wgan-gp",
    average: float = 0.999,
    seed: int = 0,
    **options: Any,
) -> PGGAN:
    """Return PGGAN, compiled.

    Parameters
    ----------
    image_size : int
        Side of the images in pixels: a power of two, at least 8.
    width : int
        Channels of both networks at the largest size; up to eight times as many at smaller ones.
    fade_iterations, steady_iterations : int
        See :class:`PGGAN`. By default 32×32 is trained alone from iteration 600 on.
    latent_dim, learning_rate, loss, average, seed
        As of :func:`dcgan.build` and :class:`RegularizedGAN`.
    options
        ``drift``, ``d_steps``, ``r1``, ...: see :class:`PGGAN`.

    Raises
    ------
    ValueError
        If ``image_size`` is not 4 doubled, and for stages without iterations.
    """
    if image_size < 8 or image_size & (image_size - 1):
        below = max(8, 2 ** (image_size.bit_length() - 1))
        near = "8" if image_size < 8 else f"{below} or {2 * below}"
        raise ValueError(f"pggan cannot make {image_size}×{image_size} images: 4 doubled, 8, 16, 32, .... Try {near}.")
    model = PGGAN(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        fade_iterations=fade_iterations,
        steady_iterations=steady_iterations,
        loss=loss,
        average=average,
        seed=seed,
        name="pggan",
        **options,
    )
    d_adam, g_adam = (PerVariableAdam(learning_rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8) for _ in range(2))
    model.compile(d_adam, g_adam)
    return model
