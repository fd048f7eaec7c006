"""cyclegan: from one kind of face to another and back, without pairs.

Source: dissertation, section 2.3.2, item 2, after Zhu et al. 2017, "Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks". X and Y are two sets of images, such as faces without and with glasses. Two
generators, G from X to Y and F from Y to X, and a discriminator of each set:

    L(G, F, D_X, D_Y) = L_GAN(G, D_Y) + L_GAN(F, D_X) + λ L_cyc                                    (eq. 3)
    L_cyc = E ‖F(G(x)) − x‖₁ + E ‖G(F(y)) − y‖₁                                                    (eq. 2)
    L_identity = E ‖G(y) − y‖₁ + E ‖F(x) − x‖₁                                                     (section 5.2)

For D_Y alone any face with glasses would do. The cycle keeps the face; the identity loss makes G leave alone what is in
Y already.

As in section 4, each D also learns on older fakes (``layers/image_pool.py``); the loss is the hinge, the paper's are
squares. Networks as in the appendix, smaller: residual blocks with instance normalisation, and discriminators of
patches, here with spectral normalisation. X and Y are the two classes of the labels: with ``--labels Eyeglasses``, X is
without, Y with. Every step reads as many faces of both (``data/mixed_batches.py``).

See also: ``base.py``, what the model keeps and shows; ``pix2pix.py``, with pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.data.labels import KINDS
from keras_faces.data.mixed_batches import TwoDomains
from keras_faces.layers.dcgan_blocks import dcgan_init
from keras_faces.layers.image_pool import ImagePool
from keras_faces.layers.patches import instance_norm, patch_stages, strides_for
from keras_faces.layers.spectral import SpectralConv2D
from keras_faces.models import check_image_size
from keras_faces.models.translation.base import TranslationModel
from keras_faces.training.gradients import frozen

IMAGE_SIZE = 64
LABELS = ("classes",)


def generator(
    image_size: int = IMAGE_SIZE, width: int = 32, blocks: int = 4, residual: bool = True, name: str = "generator"
) -> keras.Model:
    """Return G, from an image (image_size, image_size, 3) in [-1, 1] to another (appendix 7.2). Shapes: 64×64.

    With ``residual`` the layers make what is added to the image, at first nothing; in the paper they make the image.
    """
    image = layers.Input((image_size, image_size, 3))
    x = _norm_relu(_conv(width, 7)(image))  # 64, 64, 32
    x = _norm_relu(_conv(2 * width, 3, 2)(x))  # 32, 32, 64
    x = _norm_relu(_conv(4 * width, 3, 2)(x))  # 16, 16, 128
    for _ in range(blocks):
        change = _norm_relu(_conv(4 * width, 3)(x))
        x = layers.Add()([x, instance_norm()(_conv(4 * width, 3)(change))])  # 16, 16, 128
    for filters in (2 * width, width):
        x = layers.Conv2DTranspose(filters, 3, 2, "same", use_bias=False, kernel_initializer=dcgan_init())(x)
        x = _norm_relu(x)  # 32, 32, 64 → 64, 64, 32
    x = layers.Conv2D(3, 7, padding="same", kernel_initializer="zeros" if residual else dcgan_init())(x)
    if residual:
        x = ops.clip(layers.Add(dtype="float32")([image, x]), -1.0, 1.0)
    else:
        x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(image, x, name=name)  # 64, 64, 3


def discriminator(
    image_size: int = IMAGE_SIZE, width: int = 32, strides: int | None = None, name: str = "discriminator"
) -> keras.Model:
    """Return D, from an image (image_size, image_size, 3) to logits (h, w, 1), one per patch."""
    image = layers.Input((image_size, image_size, 3))
    logits = patch_stages(image, width, strides or strides_for(image_size) + 1, conv=SpectralConv2D)
    return keras.Model(image, logits, name=name)  # 8, 8, 1


def _conv(filters: int, kernel_size: int, strides: int = 1) -> layers.Conv2D:
    """A convolution without bias: the normalisation behind it would remove one."""
    return layers.Conv2D(filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer=dcgan_init())


def _norm_relu(x: Any) -> Any:
    return layers.ReLU()(instance_norm()(x))


@keras.saving.register_keras_serializable("keras_faces")
class CycleGAN(TranslationModel):
    """Two translations that undo each other.

    Parameters
    ----------
    generator, discriminator
        G, from X to Y, and D_Y.
    backward, discriminator_x
        F, from Y to X, and D_X.
    label_names : sequence of str
        Names of X and Y.
    label_kind : str
        "classes".
    cycle : float
        λ, the weight of the cycles; 0 or more.
    identity : float
        The weight of the identity loss, in units of λ; 0 for none.
    pool : int
        Number of older fakes that each D learns on; 0 for none.
    loss, label_smoothing, value_range, seed, name
        See :class:`GAN`.
    """

    METRICS = (*TranslationModel.METRICS, "cycle_loss", "identity_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        backward: keras.Model,
        discriminator_x: keras.Model,
        *,
        label_names: Sequence[str] = ("X", "Y"),
        label_kind: str = KINDS[0],
        cycle: float = 10.0,
        identity: float = 0.5,
        pool: int = 50,
        loss: str = "non-saturating",
        label_smoothing: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            loss=loss,
            label_smoothing=label_smoothing,
            value_range=value_range,
            seed=seed,
            name=name,
        )
        if label_kind != "classes" or len(label_names) != 2:
            raise ValueError(
                f"cyclegan goes between two classes, not between {', '.join(label_names)}: name one attribute, as "
                '--labels Eyeglasses, or two classes, as --labels "man = Male; woman = !Male".'
            )
        if cycle < 0 or identity < 0:
            raise ValueError(f"cycle={cycle}, identity={identity}: weights from 0 on.")
        self.backward, self.discriminator_x = backward, discriminator_x
        self.label_names = tuple(label_names)
        self.label_kind = label_kind
        self.cycle, self.identity, self.pool = cycle, identity, pool
        self.pool_y = ImagePool(pool, self.image_shape, self.seed + 1, name="pool_y")
        self.pool_x = ImagePool(pool, self.image_shape, self.seed + 2, name="pool_x")
        self.bank_y = self.memory("bank_y")

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`GAN.compile`: one optimizer for both discriminators, one for both generators."""
        parts = {
            "discriminator": (d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.d_weights()),
            "generator": (g_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.g_weights()),
        }
        self.set_optimizers(parts, **kwargs)

    def d_weights(self) -> list[keras.Variable]:
        """Return the weights of D_Y and D_X."""
        return self.discriminator.trainable_variables + self.discriminator_x.trainable_variables

    def g_weights(self) -> list[keras.Variable]:
        """Return the weights of G and F."""
        return self.generator.trainable_variables + self.backward.trainable_variables

    # -------------------------------------------------------------------------------------------------- the data

    def batches(self, faces: Any, batch_size: int, seed: int = 0, part: tuple[int, int] = (0, 1)) -> TwoDomains:
        """Return batches of labelled faces for :meth:`fit`, in which faces of X and Y alternate."""
        return TwoDomains(faces.images, batch_size, seed, faces.labels.vectors, part)

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> keras.callbacks.History:
        """Keras's own ``fit`` on :meth:`batches`, or on arrays in which faces of X and Y alternate.

        Raises
        ------
        ValueError
            If they do not alternate: the step tells them apart by their places.
        """
        if not isinstance(x, TwoDomains):
            labels = None if y is None else np.asarray(y)
            turns = labels is not None and labels.shape[1:] == (2,) and labels[0::2, 0].all() and labels[1::2, 1].all()
            if not turns:
                raise ValueError("cyclegan learns from two domains in turns: fit(model.batches(faces, 16, seed=0)).")
            kwargs["shuffle"] = False
        return super().fit(x, y, **kwargs)

    # -------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration: both discriminators learn on photographs and on new and old fakes, then both generators.

        As :meth:`GAN.step` on an even number of photographs, of X and Y alternately. Logged losses are sums over both
        games, scores are means; ``cycle_loss`` and ``identity_loss`` are sums of two mean differences of a colour.
        """
        self.remember(images, self.bank, self.bank_y)
        x, y = self.preprocess(images[0::2]), self.preprocess(images[1::2])

        fake_y = ops.stop_gradient(self.generator(x, training=True))
        fake_x = ops.stop_gradient(self.backward(y, training=True))
        d_logs = self.train_discriminators(x, y, self.pool_x.exchange(fake_x), self.pool_y.exchange(fake_y))

        g_logs = self.train_generators(x, y)

        return {**d_logs, **g_logs, "spread": self.spread(fake_y, y)}

    def train_discriminators(self, x: Any, y: Any, fake_x: Any, fake_y: Any) -> dict[str, Any]:
        """Update D_Y and D_X once on photographs and fakes, all (batch / 2, H, W, 3) in [-1, 1]."""

        def d_loss():
            of_y = self.discriminator(y, training=True), self.discriminator(fake_y, training=True)
            of_x = self.discriminator_x(x, training=True), self.discriminator_x(fake_x, training=True)
            return self.discriminator_loss(*of_y) + self.discriminator_loss(*of_x), (of_y, of_x)

        loss, games, gradient = self.update_discriminator(d_loss)
        of_y, of_x = (self.scores(*logits) for logits in games)
        means = {name: 0.5 * (of_y[name] + of_x[name]) for name in of_y}
        return {"d_loss": loss, **means, "d_gradient": gradient}

    def train_generators(self, x: Any, y: Any) -> dict[str, Any]:
        """Update G and F once, through the frozen discriminators, on photographs (batch / 2, H, W, 3) in [-1, 1]."""

        def g_loss():
            fake_y, fake_x = self.generator(x, training=True), self.backward(y, training=True)
            with frozen(self.discriminator):
                y_logits = self.discriminator(fake_y, training=True)
            with frozen(self.discriminator_x):
                x_logits = self.discriminator_x(fake_x, training=True)
            cycles = self.cycles(x, y, fake_x, fake_y)
            changes = self.changes(x, y) if self.identity else ops.zeros(())
            adversarial = self.pair.generator(y_logits) + self.pair.generator(x_logits)
            return adversarial + self.cycle * (cycles + self.identity * changes), (cycles, changes)  # eq. 3

        loss, (cycles, changes), gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient, "cycle_loss": cycles, "identity_loss": changes}

    def cycles(self, x: Any, y: Any, fake_x: Any, fake_y: Any) -> Any:
        """Return L_cyc, ``mean |F(G(x)) − x| + mean |G(F(y)) − y|`` (eq. 2)."""
        back_x, back_y = self.backward(fake_y, training=True), self.generator(fake_x, training=True)
        return ops.mean(ops.abs(back_x - x)) + ops.mean(ops.abs(back_y - y))

    def changes(self, x: Any, y: Any) -> Any:
        """Return the identity loss, ``mean |G(y) − y| + mean |F(x) − x|`` (section 5.2)."""
        same_x, same_y = self.backward(x, training=True), self.generator(y, training=True)
        return ops.mean(ops.abs(same_x - x)) + ops.mean(ops.abs(same_y - y))

    # -------------------------------------------------------------------------------------------------- images

    def translate(self, images: np.ndarray, to: str = "Y") -> np.ndarray:
        """Translate photographs of one set into the other.

        Parameters
        ----------
        images : ndarray of uint8, shape (count, H, W, 3)
            Photographs.
        to : str
            "Y" (by G) or "X" (by F), or the name of that class.

        Returns
        -------
        ndarray of uint8, shape (count, H, W, 3)
            RGB.

        Raises
        ------
        ValueError
            For another name, and for images that are not of the model's size.
        """
        return self.apply_network(self.network_to(to), self.check(images))

    def network_to(self, to: str) -> keras.Model:
        """Return G for "Y" and F for "X", or for the name of that class."""
        known = {"X": self.backward, "Y": self.generator}
        named = dict(zip(self.label_names, known.values(), strict=True))
        if to not in known | named:
            raise ValueError(f"cyclegan goes to X ({self.label_names[0]}) or Y ({self.label_names[1]}), not to {to!r}.")
        return (named | known)[to]

    def rows(self, images: np.ndarray, to: str = "Y") -> list[tuple[str, np.ndarray]]:
        """Return named rows of a figure: photographs, translations, and these translated back."""
        to_y = self.network_to(to) is self.generator
        there = self.translate(images, to)
        back = self.translate(there, "X" if to_y else "Y")
        return [("photograph", images), (f"to {self.label_names[to_y]}", there), ("and back", back)]

    def remembered_rows(self, count: int) -> list[np.ndarray]:
        """Return kept photographs of X, as Y and back, and of Y, as X and back."""
        of_x, of_y = self.photographs()[:count], self.photographs(self.bank_y)[:count]
        return [images for _, images in self.rows(of_x, "Y") + self.rows(of_y, "X")]


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("X", "Y"),
    label_kind: str = "classes",
    width: int = 32,
    blocks: int = 4,
    strides: int | None = None,
    residual: bool = True,
    learning_rate: float = 2e-4,
    loss: str = "hinge",
    latent_dim: int | None = None,
    seed: int = 0,
    **options: Any,
) -> CycleGAN:
    """Return CycleGAN, compiled.

    Parameters
    ----------
    image_size : int
        A multiple of 4 from 16 on.
    label_names, label_kind
        See :class:`CycleGAN`.
    width : int
        Channels of the largest map in all four networks; the paper has 64.
    blocks : int
        Residual blocks in G and in F; the paper has 6 or 9.
    strides : int, optional
        Strides of 2 in D, 1 to 4: patches of 16, 34, 70 or 142 pixels; ``None`` for about the whole image. Most
        smaller patches of a face show nothing of its glasses.
    residual : bool
        Whether G and F make what is added to an image; ``False`` as in the paper.
    learning_rate : float
        Adam's (beta_1 0.5).
    loss : str
        Any of ``losses.PAIRS`` that needs no clipping and no penalty. The paper has least squares; with "lsgan" G has
        no gradient where D is undecided, and most faces stayed without glasses.
    latent_dim
        Ignored: there is no noise, but lists of systems may be built with the same options.
    options
        ``cycle``, ``identity``, ``pool``, ``label_smoothing``: see :class:`CycleGAN`.

    Raises
    ------
    ValueError
        For an ``image_size`` that two strides do not halve, and labels that are not two classes.
    """
    check_image_size("cyclegan", image_size, multiple=4, smallest=16)
    model = CycleGAN(
        generator(image_size, width, blocks, residual),
        discriminator(image_size, width, strides),
        generator(image_size, width, blocks, residual, name="backward"),
        discriminator(image_size, width, strides, name="discriminator_x"),
        label_names=label_names,
        label_kind=label_kind,
        loss=loss,
        seed=seed,
        name="cyclegan",
        **options,
    )
    model.compile(keras.optimizers.Adam(learning_rate, beta_1=0.5), keras.optimizers.Adam(learning_rate, beta_1=0.5))
    return model
