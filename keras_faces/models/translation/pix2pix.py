"""pix2pix: from an image to the photograph that belongs to it, learned from pairs.

Source: dissertation, section 2.3.2, item 1, after Isola et al. 2017, "Image-to-Image Translation with Conditional
Adversarial Networks". G makes y of x, with an adversarial and an ℓ1 loss (the paper's eq. 1, 3 and 4):

    G* = arg min_G max_D  E log D(x, y) + E log(1 − D(x, G(x))) + λ E ‖y − G(x)‖₁

ℓ1 alone gives the median of all photographs that fit x, which is blurred; D wants it sharp. D reads x beside the image
and judges patches (``layers/patches.py``). G is a U-Net: each map on the way down is also read at the same size on the
way up, since input and output have their outlines in the same places.

The pairs are made from the photographs (``degradations.py``): ``task`` is "edges", "grey", "low" or "hole". Dropout in
G, the paper's only noise, acts in training alone: the paper finds that G's images hardly vary with it.

See also: ``base.py``, what the model keeps and shows; ``cyclegan.py``, without pairs.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import downconv, feature_channels, feature_sizes, upconv
from keras_faces.layers.patches import patch_stages, strides_for
from keras_faces.models import check_image_size
from keras_faces.models.translation import degradations
from keras_faces.models.translation.base import TranslationModel
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 64


def generator(image_size: int = IMAGE_SIZE, width: int = 32, dropout: float = 0.5, seed: int = 0) -> keras.Model:
    """Return the U-Net, from an image (image_size, image_size, 3) in [-1, 1] to another (appendix 6.1.1).

    Shapes in the comments: 64×64. The paper has 4×4 convolutions down to 1×1; here are 5×5 ones down to 4×4.
    """
    image = layers.Input((image_size, image_size, 3))
    x, skips = image, []
    for stage, filters in enumerate(feature_channels(image_size, width)):
        x = downconv(filters, use_bias=stage == 0)(x)
        x = layers.BatchNormalization(momentum=0.9)(x) if stage else x
        x = layers.LeakyReLU(negative_slope=0.2)(x)  # 32, 32, 32 → 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        skips.append(x)
    skips.pop()
    for stage, side in enumerate(reversed(feature_sizes(image_size)[1:-1])):
        skip = skips.pop()
        x = upconv(skip.shape[-1], side, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Dropout(dropout, seed=seed + stage)(x) if dropout and stage < 2 else x
        x = layers.Concatenate()([layers.ReLU()(x), skip])  # 8, 8, 256 → 16, 16, 128 → 32, 32, 64
    x = upconv(3, image_size)(x)
    return keras.Model(image, layers.Activation("tanh", dtype="float32")(x), name="generator")  # 64, 64, 3


def discriminator(image_size: int = IMAGE_SIZE, width: int = 32, strides: int | None = None) -> keras.Model:
    """Return D, from ``[y, x]``, both (image_size, image_size, 3), to logits (h, w, 1), one per patch."""
    image, source = layers.Input((image_size, image_size, 3)), layers.Input((image_size, image_size, 3))
    both = layers.Concatenate()([image, source])  # 64, 64, 6
    logits = patch_stages(
        both, width, strides or strides_for(image_size), lambda: layers.BatchNormalization(momentum=0.9)
    )
    return keras.Model([image, source], logits, name="discriminator")  # 16, 16, 1


@keras.saving.register_keras_serializable("keras_faces")
class Pix2Pix(TranslationModel):
    """The step of :class:`GAN` with x beside every image that D reads, and ℓ1 in G's loss.

    Parameters
    ----------
    generator, discriminator
        From :func:`generator` and :func:`discriminator`.
    task : str
        What x is, see ``degradations.py``.
    l1 : float
        λ, the weight of the ℓ1 loss; 0 or more.
    adversarial : float
        The weight of the adversarial loss; 0 for ℓ1 alone.
    options
        See :class:`TranslationModel`.
    """

    METRICS = (*TranslationModel.METRICS, "l1_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        task: str = "edges",
        l1: float = 100.0,
        adversarial: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        if l1 < 0 or adversarial < 0 or l1 + adversarial == 0:
            raise ValueError(f"l1={l1}, adversarial={adversarial}: weights from 0 on, and not both 0.")
        self.task, self.source = task, degradations.task(task)
        self.l1, self.adversarial = l1, adversarial

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration: D learns on photographs and fakes, both beside their x; then G.

        As :meth:`GAN.step`; the logs also have ``l1_loss``, the mean difference of a colour of a pixel, in [0, 2].
        """
        self.remember(images, self.bank)

        real = self.preprocess(images)
        source = self.source(real)
        fake = ops.stop_gradient(self.generator(source, training=True))
        d_logs = self.train_discriminator(real, fake, source)

        g_logs = self.train_generator(source, real)

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}

    def train_generator(self, source: Any, real: Any) -> dict[str, Any]:
        """Update G once, through the frozen D, on x and photographs y, both (batch, H, W, 3) in [-1, 1]."""

        def g_loss():
            fake = self.generator(source, training=True)
            with frozen(self.discriminator):
                logits = self.d_logits([fake, source], training=True)
            difference = ops.mean(ops.abs(real - fake))  # eq. 3
            return self.adversarial * self.pair.generator(logits) + self.l1 * difference, difference  # eq. 4

        loss, difference, gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient, "l1_loss": difference}

    # ------------------------------------------------------------------------------------------------ images

    def inputs(self, images: np.ndarray) -> np.ndarray:
        """Return the x of photographs, both uint8 (count, H, W, 3)."""
        source = ops.convert_to_numpy(self.source(self.preprocess(np.asarray(images))))
        return np.rint((source + 1.0) * 127.5).astype("uint8")

    def translate(self, images: np.ndarray, drawn: bool = False) -> np.ndarray:
        """Make G's photographs of images.

        Parameters
        ----------
        images : ndarray of uint8, shape (count, H, W, 3)
            Photographs, of which x is made first.
        drawn : bool
            ``True``: the images are x, such as a drawing of black lines on white for "edges".

        Returns
        -------
        ndarray of uint8, shape (count, H, W, 3)
            RGB.

        Raises
        ------
        ValueError
            If they are not of the model's size.
        """
        images = self.check(images)
        return self.apply_network(self.generator, images if drawn else self.inputs(images))

    def rows(self, images: np.ndarray, drawn: bool = False) -> list[tuple[str, np.ndarray]]:
        """Return named rows of a figure: input, output, and the photographs unless ``drawn``; see :meth:`translate`."""
        rows = [("input", images if drawn else self.inputs(images)), ("output", self.translate(images, drawn))]
        return rows if drawn else [*rows, ("photograph", images)]

    def remembered_rows(self, count: int) -> list[np.ndarray]:
        """Return input, output and photograph of the first kept photographs."""
        return [images for _, images in self.rows(self.photographs()[:count])]

    def typical_inputs(self, count: int) -> np.ndarray:
        """Return the x of kept photographs in [-1, 1]: the statistics of G's layers are measured with them."""
        return ops.convert_to_numpy(self.preprocess(self.inputs(self.photographs()[:count])))


def build(
    image_size: int = IMAGE_SIZE,
    task: str = "edges",
    width: int = 32,
    l1: float = 100.0,
    dropout: float = 0.5,
    strides: int | None = None,
    learning_rate: float = 2e-4,
    latent_dim: int | None = None,
    seed: int = 0,
    **options: Any,
) -> Pix2Pix:
    """Return pix2pix, compiled.

    Parameters
    ----------
    image_size : int
        Any from 16 on.
    task : str
        "edges", "grey", "low" (resolution) or "hole": what the input is.
    width : int
        Channels of the largest map in both networks; the paper has 64.
    l1 : float
        λ; the paper has 100.
    dropout : float
        Share of Dropout in G's first two stages upwards, in training.
    strides : int, optional
        Strides of 2 in D, 1 to 3: patches of 16, 34 or 70 pixels; ``None`` for about half of the image.
    learning_rate : float
        Adam's, for D and for G (beta_1 0.5).
    latent_dim
        Ignored: there is no noise, but lists of systems may be built with the same options.
    options
        ``adversarial``: see :class:`Pix2Pix`; ``loss``, ``average``, ...: see :class:`TranslationModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size`` and an unknown ``task``.
    """
    check_image_size("pix2pix", image_size, multiple=1, smallest=16)
    model = Pix2Pix(
        generator(image_size, width, dropout, seed),
        discriminator(image_size, width, strides),
        task=task,
        l1=l1,
        seed=seed,
        name="pix2pix",
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), keras.optimizers.Adam(learning_rate, beta_1=0.5))
    return model
