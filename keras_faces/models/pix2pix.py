"""pix2pix: G draws the photograph that belongs to a picture.

Source: dissertation, section 2.3.2, item 1, after Isola et al. 2017, "Image-to-Image Translation with Conditional
Adversarial Networks". Two spaces with *pairs* (x, y): G makes y of x, with an ℓ1 loss and an adversarial one. With the
paper's eq. 1, 3 and 4:

    G* = arg min_G max_D  E log D(x, y) + E log(1 − D(x, G(x))) + λ E ‖y − G(x)‖₁

ℓ1 alone asks for the middle of all that might be right, which is blurred; D asks that it be sharp. D sees x beside the
image and judges patches (``layers/patches.py``). G is a U-Net: what goes down the ladder is handed across to the same
height on the way up, since input and output have their outlines in the same places.

The pairs are made of the photographs themselves (``training/pairs.py``): ``task`` is "edges", "grey", "low" or "hole".
The paper's only noise is Dropout in G, and it finds that G's pictures hardly vary with it; here it acts in training
alone.

Read next: ``cyclegan.py``, for two spaces without pairs.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.ladder import channels, down, sides, up
from keras_faces.layers.patches import patch_stages, strides_for
from keras_faces.models import check_image_size
from keras_faces.training import pairs
from keras_faces.training.adam import Adam
from keras_faces.training.gradients import frozen, global_norm, value_and_grad
from keras_faces.training.translation import TranslationModel

IMAGE_SIZE = 64
PRINTED: dict = {}  # the dissertation prints no layers


def generator(image_size: int = IMAGE_SIZE, width: int = 32, dropout: float = 0.5, seed: int = 0) -> keras.Model:
    """U-Net: image (image_size, image_size, 3) in [-1, 1] to another (appendix 6.1.1). Shapes in the comments: 64×64.

    The paper's net has 4×4 convolutions down to 1×1; this one goes down the course's ladder of 5×5 ones, to 4×4.
    """
    image = layers.Input((image_size, image_size, 3))
    maps, across = image, []
    for rung, filters in enumerate(channels(image_size, width)):
        maps = down(filters, use_bias=rung == 0)(maps)
        maps = BatchNormalization(momentum=0.9)(maps) if rung else maps
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 32, 32, 32 → 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        across.append(maps)
    across.pop()
    for rung, side in enumerate(reversed(sides(image_size)[1:-1])):
        beside = across.pop()
        maps = up(beside.shape[-1], side, use_bias=False)(maps)
        maps = BatchNormalization(momentum=0.9)(maps)
        maps = layers.Dropout(dropout, seed=seed + rung)(maps) if dropout and rung < 2 else maps
        maps = layers.Concatenate()([layers.ReLU()(maps), beside])  # 8, 8, 256 → 16, 16, 128 → 32, 32, 64
    maps = up(3, image_size)(maps)
    return keras.Model(image, layers.Activation("tanh", dtype="float32")(maps), name="generator")  # 64, 64, 3


def discriminator(image_size: int = IMAGE_SIZE, width: int = 32, strides: int | None = None) -> keras.Model:
    """Image and the picture that it was made of, both (image_size, image_size, 3), to logits (h, w, 1), one a patch."""
    image, source = layers.Input((image_size, image_size, 3)), layers.Input((image_size, image_size, 3))
    both = layers.Concatenate()([image, source])  # 64, 64, 6
    logits = patch_stages(both, width, strides or strides_for(image_size), lambda: BatchNormalization(momentum=0.9))
    return keras.Model([image, source], logits, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class Pix2Pix(TranslationModel):
    """The common step, with the picture x beside every image that D reads, and ℓ1 beside what D says to G.

    Parameters
    ----------
    generator
        Model from x to y.
    discriminator
        Model from ``[image, x]`` to logits.
    task
        What x is, see ``training/pairs.py``.
    l1
        λ, the weight of the ℓ1 loss; 0 for none.
    adversarial
        The weight of what D says; 0 for ℓ1 alone, to compare.
    rule
        See :class:`AdversarialModel`.
    """

    NUMBERS = (*TranslationModel.NUMBERS, "l1_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        task: str = "edges",
        l1: float = 100.0,
        adversarial: float = 1.0,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, **rule)
        if l1 < 0 or adversarial < 0 or l1 + adversarial == 0:
            raise ValueError(f"l1={l1}, adversarial={adversarial}: weights from 0 on, and not both 0.")
        self.task, self.source = task, pairs.task(task)
        self.l1, self.adversarial = l1, adversarial

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: D learns to tell photographs from G's, both beside their x, then G learns from D and from the
        photographs. Beside the numbers of :meth:`AdversarialModel.step` it returns ``l1_loss``, the mean difference of
        a colour of a pixel, in [0, 2]."""
        self.remember(images, self.bank)

        real = self.scaled(images)
        source = self.source(real)
        fake = ops.stop_gradient(self.generator(source, training=True))
        d_numbers = self.improve_discriminator(real, fake, source)

        g_numbers = self.improve_generator(real, source)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def improve_discriminator(self, real: Any, fake: Any, source: Any) -> dict[str, Any]:
        """One step of D; the mean of both sides is half of their sum, as in the paper's section 3.3."""

        def d_loss():
            fake_logits = self.d_logits([fake, source], training=True)
            real_logits = self.d_logits([real, source], training=True)
            return self.discriminator_loss(real_logits, fake_logits), (real_logits, fake_logits)

        weights = self.discriminator.trainable_variables
        (loss, logits), gradients = value_and_grad(d_loss, weights, self.variables, self.optimizer.discriminator)
        self.optimizer.discriminator.apply(gradients, weights)
        self.clip_weights()
        return {"d_loss": loss, **self.scores(*logits), "d_gradient": global_norm(gradients)}

    def improve_generator(self, real: Any, source: Any) -> dict[str, Any]:
        """One step of G: like the photograph (ℓ1), and such that the frozen D takes it for one."""

        def g_loss():
            fake = self.generator(source, training=True)
            with frozen(self.discriminator):
                logits = self.d_logits([fake, source], training=True)
            difference = ops.mean(ops.abs(real - fake))
            return self.adversarial * self.pair.generator(logits) + self.l1 * difference, difference

        weights = self.generator.trainable_variables
        (loss, difference), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return {**self.move_generator(loss, gradients), "l1_loss": difference}

    # ------------------------------------------------------------------------------------------------ pictures

    def inputs(self, images: np.ndarray) -> np.ndarray:
        """The x of photographs, both uint8 (count, H, W, 3): their edges, their brightness, ..."""
        source = ops.convert_to_numpy(self.source(self.scaled(np.asarray(images))))
        return np.rint((source + 1.0) * 127.5).astype("uint8")

    def translate(self, images: np.ndarray, drawn: bool = False) -> np.ndarray:
        """The photographs that belong to pictures, uint8 (count, H, W, 3).

        Parameters
        ----------
        images
            Photographs, uint8 (count, H, W, 3): their x is made first.
        drawn
            ``True``: the images are the x already, such as a drawing of black lines on white for "edges".

        Raises
        ------
        ValueError
            If they are not of the model's size.
        """
        images = self.check(images)
        return self.made(images if drawn else self.inputs(images))

    def rows(self, images: np.ndarray, drawn: bool = False) -> list[tuple[str, np.ndarray]]:
        """Input, output, and the photograph, if there is one."""
        made = [("input", images if drawn else self.inputs(images)), ("output", self.translate(images, drawn))]
        return made if drawn else [*made, ("photograph", images)]

    def remembered_rows(self, count: int) -> list[np.ndarray]:
        """Input, output and photograph of the first remembered ones."""
        return [images for _, images in self.rows(self.photographs()[:count])]

    def typical_inputs(self, count: int) -> np.ndarray:
        """The x of remembered photographs: the statistics of G's layers are measured with them."""
        return self.ready(self.inputs(self.photographs()[:count]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "task": self.task, "l1": self.l1, "adversarial": self.adversarial}


def build(
    image_size: int = IMAGE_SIZE,
    task: str = "edges",
    width: int = 32,
    l1: float = 100.0,
    dropout: float = 0.5,
    strides: int | None = None,
    rate: float = 2e-4,
    latent_dim: int | None = None,
    seed: int = 0,
    **rule: Any,
) -> Pix2Pix:
    """pix2pix, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    task
        "edges", "grey", "low" (resolution) or "hole": what the input is.
    width
        Channels of the largest map in both networks; the paper has 64.
    l1
        λ; the paper has 100.
    dropout
        Share of Dropout in G's first two layers upwards, in training.
    strides
        Strides of 2 in D: scores of patches 16, 34 or 70 pixels wide; ``None`` for about half of the image.
    rate
        Adam's learning rate for D and for G (beta_1 0.5).
    latent_dim
        There is no noise; ignored, so that lists of systems may be built with the same options.
    rule
        ``adversarial``: see :class:`Pix2Pix`; ``loss``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, an unknown ``task``, and options of the rule that it does not know.
    """
    check_image_size("pix2pix", image_size, multiple=1, smallest=16)
    model = Pix2Pix(
        generator(image_size, width, dropout, seed),
        discriminator(image_size, width, strides),
        task=task,
        l1=l1,
        seed=seed,
        name="pix2pix",
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
