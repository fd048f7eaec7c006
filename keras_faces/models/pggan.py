"""pggan: both networks grow from 4×4 by doublings, and each new block is faded in.

Source: Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation"; the
dissertation, section 2.2.3 and figure 2.8. At 4×4 pixels a face is a matter of 48 numbers, and the contest is soon
balanced. Then both networks get a block for 8×8, mixed in with a share α that rises from 0 to 1 (section 2), and so on.
Coarse things are learned first and cheaply, details last.

From the paper come the blocks of table 2 (G's first layer and D's last as in the paper's own code), minibatch standard
deviation (section 3), equalised learning rate and pixel norm (section 4), WGAN-GP with one step of D and the drift term
``0.001 · mean D(x)²``, Adam with β1 0, β2 0.99, ε 1e-8, a G without a last activation, and the average of G's
weights for pictures (appendix A.1). Photographs are shrunk to the present size by averaging, and faded between two
sizes while the networks fade (the paper's own code).

Decisions of ours:

- All blocks exist from the start, so one optimizer holds the moments of all of them and survives growing. At each stage
  only the weights that work get gradients and are moved; ``training/late_adam.py`` lets each count its own steps. (The
  paper's code starts all moments anew at each stage.)
- ``model.generator`` and ``model.discriminator`` are always the whole networks, images of ``image_size`` in and out:
  blocks still to come have α = 0, so G's small picture is enlarged by repeating pixels. The step trains smaller ones
  made of the same layers (:class:`Stage`), and pays for no pixel that is not there yet.
- The paper shows 800,000 photographs a stage, in batches of 16, with 512 channels and a rate of 1e-3. At that rate a
  weight of size 1 needs a thousand steps to become another one. For minutes on two cores a stage has 100 iterations
  here, the rate is 5e-3, and there are 16 channels at the largest size. Batches of 16 are right for it.

Read next: ``layers/equalized.py`` and its neighbours; ``stylegan.py`` for what came of it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from keras_faces import losses
from keras_faces.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_faces.layers.fade import Fade
from keras_faces.layers.minibatch_std import MinibatchStd
from keras_faces.layers.pixel_norm import PixelNorm
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.gradients import frozen, global_norm, input_gradients, value_and_grad
from keras_faces.training.late_adam import LateAdam

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers

Parts = dict[str, keras.Layer]

# ---------------------------------------------------------------------------------------------- the networks


def sides(image_size: int) -> list[int]:
    """The sides on the way up: ``sides(32) == [4, 8, 16, 32]``."""
    return [2**power for power in range(2, image_size.bit_length())]


def channels(side: int, image_size: int, width: int) -> int:
    """Channels of a map: ``width`` at the image's size, doubled at each halving, up to eight times."""
    return width * min(8, image_size // side)


def leaky() -> layers.LeakyReLU:
    return layers.LeakyReLU(negative_slope=0.2)


def normalised(filters: int) -> list[keras.Layer]:
    """G's convolution: the signal leaves it with the same length at every place."""
    return [EqualizedConv2D(filters, kernel_size=3), leaky(), PixelNorm()]


def named(name: str, *stack: keras.Layer) -> Parts:
    return {name: keras.Sequential(stack, name=name)}


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 16) -> keras.Model:
    """The whole G: noise (latent_dim,) to an image (image_size, image_size, 3), about [-1, 1]. In comments: 32×32."""
    filters = channels(4, image_size, width)
    parts = named(
        "block_4",
        PixelNorm(),  # noise of length √100
        EqualizedDense(4 * 4 * filters, gain=math.sqrt(2) / 4),
        layers.Reshape((4, 4, filters)),
        leaky(),
        PixelNorm(),
        *normalised(filters),  # 4, 4, 128
    )
    for side in sides(image_size)[1:]:
        filters = channels(side, image_size, width)
        parts |= named(f"block_{side}", layers.UpSampling2D(), *normalised(filters), *normalised(filters))
        parts[f"fade_{side}"] = Fade(dtype="float32", name=f"fade_{side}")  # 8, 8, 64 → 16, 16, 32 → 32, 32, 16
    for side in sides(image_size):
        parts[f"to_rgb_{side}"] = EqualizedConv2D(3, kernel_size=1, gain=1.0, dtype="float32", name=f"to_rgb_{side}")
    return generator_of(parts, latent_dim, image_size, fading=sides(image_size)[1:])


def generator_of(parts: Parts, latent_dim: int, side: int, fading: Collection[int]) -> keras.Model:
    """G up to ``side``, made of its parts: noise (latent_dim,) to an image (side, side, 3).

    Where a size is in ``fading``, its image is faded in over the enlarged image of the size before; elsewhere the
    smaller image is not made at all.
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
    """The whole D: image (image_size, image_size, 3) to one logit (1,)."""
    filters = channels(4, image_size, width)
    parts = named(
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
        parts |= named(f"from_rgb_{side}", EqualizedConv2D(filters, kernel_size=1), leaky())
    for side in sides(image_size)[1:]:
        parts |= named(
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
    """D from ``side`` down, made of its parts: image (side, side, 3) to one logit (1,).

    Where a size is in ``fading``, its features are faded in over those of the image shrunk by half.
    """
    image = shrunk = keras.Input((side, side, 3))
    features = parts[f"from_rgb_{side}"](image)
    for larger in reversed(sides(side)[1:]):
        shrunk = layers.AveragePooling2D(2, dtype="float32")(shrunk)
        features = parts[f"block_{larger}"](features)
        if larger in fading:
            features = parts[f"fade_{larger}"]([parts[f"from_rgb_{larger // 2}"](shrunk), features])
    return keras.Model(image, parts["block_4"](features), name="discriminator")


# ---------------------------------------------------------------------------------------------- the growing


@dataclass(frozen=True)
class Stage:
    """What is trained at present: images of ``side``, faded in or not, and the two networks for just that."""

    side: int
    fading: bool
    generator: keras.Model
    discriminator: keras.Model


@keras.saving.register_keras_serializable("keras_faces")
class PGGAN(AdversarialModel):
    """Two whole networks, of which a stage at a time is trained.

    Parameters
    ----------
    generator, discriminator
        From :func:`generator` and :func:`discriminator`.
    fade_iterations, steady_iterations
        How many iterations each size is faded in, and how many it then stays before the next; 4×4 only stays.
    drift
        Weight of ``mean D(x)²``, which keeps the scores of a Wasserstein critic near 0; unused by the other losses.
    rule
        See :class:`AdversarialModel`.
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
        **rule: Any,
    ) -> None:
        if not separate_batches:
            raise ValueError("separate_batches=False: pggan's D compares the images of a batch, so fakes come apart.")
        if fade_iterations < 1 or steady_iterations < 1:
            raise ValueError(
                f"fade_iterations={fade_iterations}, steady_iterations={steady_iterations}: both must be at least 1."
            )
        super().__init__(generator, discriminator, separate_batches=True, **rule)
        self.fade_iterations = fade_iterations
        self.steady_iterations = steady_iterations
        self.drift = drift
        self.sides = sides(generator.output_shape[1])
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="float32", name="steps")
        self.stage = self.stage_of(4, fading=False)

    def begin(self, side: int) -> int:
        """The iteration, counted from 0, in which a size begins to fade in."""
        return self.steady_iterations + self.sides[1:].index(side) * (self.fade_iterations + self.steady_iterations)

    def alpha(self, side: int) -> Any:
        """The share of a size at present: 0 before it begins, 1 when it has been faded in."""
        return ops.clip((self.steps - self.begin(side)) / self.fade_iterations, 0.0, 1.0)

    def enter(self, iteration: int) -> bool:
        """The hook of the core: with a new stage other networks are trained, so the step is traced anew."""
        begun = [side for side in self.sides[1:] if iteration >= self.begin(side)]
        side = begun[-1] if begun else 4
        fading = side > 4 and iteration < self.begin(side) + self.fade_iterations
        another = (side, fading) != (self.stage.side, self.stage.fading)
        if another:
            self.stage = self.stage_of(side, fading)
        return super().enter(iteration) or another

    def stage_of(self, side: int, fading: bool) -> Stage:
        """The networks of a stage: new models, the same layers and weights."""
        g_parts, d_parts = ({part.name: part for part in net.layers} for net in (self.generator, self.discriminator))
        fades = [side] if fading else []
        return Stage(
            side, fading, generator_of(g_parts, self.latent_dim, side, fades), discriminator_of(d_parts, side, fades)
        )

    # ------------------------------------------------------------------------------------------------ the step

    def step(self, images: Any) -> dict[str, Any]:
        """As :meth:`AdversarialModel.step`, with the networks of the stage and photographs shrunk to its size."""
        batch = ops.shape(images)[0] // self.d_steps
        self.fade()

        for k in range(self.d_steps):
            real = self.shrunk(self.scaled(images[k * batch : (k + 1) * batch]))
            fake = ops.stop_gradient(self.stage.generator(self.noise(batch), training=True))
            d_numbers = self.improve_discriminator(real, fake)

        g_numbers = self.improve_generator(batch)
        self.steps.assign(self.steps + 1.0)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def fade(self) -> None:
        """Set α of every size, in both networks."""
        for side in self.sides[1:]:
            for network in (self.generator, self.discriminator):
                network.get_layer(f"fade_{side}").alpha.assign(self.alpha(side))

    def shrunk(self, images: Any) -> Any:
        """Photographs (batch, image_size, image_size, 3) at the stage's side, faded as G's images are."""
        factor = self.sides[-1] // self.stage.side
        small = ops.average_pool(images, factor, factor)
        if not self.stage.fading:
            return small
        alpha = self.alpha(self.stage.side)
        coarse = ops.average_pool(small, 2, 2)
        coarse = ops.repeat(ops.repeat(coarse, 2, axis=1), 2, axis=2)
        return (1.0 - alpha) * coarse + alpha * small

    def improve_discriminator(self, real: Any, fake: Any) -> dict[str, Any]:
        """One step of the stage's D on photographs and fakes of the stage's side."""
        network = self.stage.discriminator
        share = self.share_of_photographs(ops.shape(real)[0])

        def d_loss():
            real_logits, fake_logits = network(real, training=True), network(fake, training=True)
            loss = self.discriminator_loss(real_logits, fake_logits)
            if self.gradient_penalty:
                gradients = input_gradients(network, losses.between(real, fake, share))
                loss = loss + self.gradient_penalty * losses.gradient_penalty(gradients)
            if self.r1:
                loss = loss + self.r1 * losses.r1_penalty(input_gradients(network, real))
            return loss, (real_logits, fake_logits)

        weights = network.trainable_variables  # those of the stage
        (loss, logits), gradients = value_and_grad(d_loss, weights, self.variables, self.optimizer.discriminator)
        self.optimizer.discriminator.apply(gradients, weights)
        if self.clip:
            for weight in weights:
                weight.assign(ops.clip(weight, -self.clip, self.clip))
        return {"d_loss": loss, **self.scores(*logits), "d_gradient": global_norm(gradients)}

    def discriminator_loss(self, real_logits: Any, fake_logits: Any) -> Any:
        """D's side of the pair of losses, and for a critic the drift term (appendix A.1)."""
        loss = super().discriminator_loss(real_logits, fake_logits)
        if self.pair.critic:
            loss = loss + self.drift * ops.mean(ops.cast(real_logits, "float32") ** 2)
        return loss

    def improve_generator(self, batch: int) -> dict[str, Any]:
        """One step of the stage's G against the stage's D, which stands still."""
        noise = self.noise(batch)

        def g_loss():
            fake = self.stage.generator(noise, training=True)
            with frozen(self.discriminator):
                logits = self.stage.discriminator(fake, training=True)
            return self.pair.generator(logits), None

        weights = self.stage.generator.trainable_variables
        (loss, _), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        self.optimizer.generator.apply(gradients, weights)
        if self.average:
            self.average.update(self.generator)
        return {"g_loss": loss, "g_gradient": global_norm(gradients)}

    def get_config(self) -> dict[str, Any]:
        growing = {"fade_iterations": self.fade_iterations, "steady_iterations": self.steady_iterations}
        return {**super().get_config(), **growing, "drift": self.drift}


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 100,
    width: int = 16,
    fade_iterations: int = 100,
    steady_iterations: int = 100,
    rate: float = 5e-3,
    loss: str = "wgan-gp",
    average: float = 0.999,
    seed: int = 0,
    **rule: Any,
) -> PGGAN:
    """PGGAN, compiled.

    Parameters
    ----------
    image_size
        A power of two from 8 on: 32, 64, 128.
    latent_dim
        Length of the noise vector; the paper has 512. It is brought to length √latent_dim before use.
    width
        Channels of both networks at the largest size; up to eight times as many at smaller ones.
    fade_iterations, steady_iterations
        See :class:`PGGAN`. ``image_size`` is trained alone after ``steady + doublings * (fade + steady)`` iterations
        less the last ``steady``: from 600 on at 32×32.
    rate
        Adam's learning rate for D and for G; the paper has 1e-3 for a training a thousand times as long.
    loss
        Any of ``losses.PAIRS``; the paper has "wgan-gp".
    average
        Decay of the moving average of G that pictures are made with; 0 for none.
    rule
        ``drift``, ``d_steps``, ``r1``, ...: see :class:`PGGAN` and :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For an ``image_size`` that doublings of 4 do not reach, and for stages without iterations.
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
        **rule,
    )
    d_adam, g_adam = (LateAdam(rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8) for _ in range(2))
    model.compile(d_adam, g_adam)
    return model
