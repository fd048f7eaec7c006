"""cyclegan: from one kind of face to another and back, without a single pair.

Source: dissertation, section 2.3.2, item 2, after Zhu et al. 2017, "Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks". Two spaces X and Y, such as faces without and with glasses, and nobody
photographed both ways. Two generators, G from X to Y and F from Y to X, and a discriminator of each space:

    L(G, F, D_X, D_Y) = L_GAN(G, D_Y) + L_GAN(F, D_X) + λ L_cyc                                    (eq. 3)
    L_cyc = E ‖F(G(x)) − x‖₁ + E ‖G(F(y)) − y‖₁                                                    (eq. 2)

D_Y alone would be content with any face with glasses. The cycle asks that the face be found again in it. A third loss
(section 5.2) asks that G leave alone what is in Y already: ‖G(y) − y‖₁ + ‖F(x) − x‖₁.

As in section 4, each D also learns on older fakes (``layers/image_pool.py``), and another loss stands in the place of
the logarithms: the hinge, where the paper has squares. Networks as in the appendix, smaller: residual blocks with
instance normalisation, and discriminators of patches, which have spectral normalisation here.

X and Y are the two classes of the labels: with ``--labels Eyeglasses``, X is without, Y with. Every step sees as many
faces of both (``data/two_domains.py``).

Read next: ``training/translation.py``; ``keras-faces translate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.data.labels import KINDS
from keras_faces.data.two_domains import TwoDomains
from keras_faces.layers.convolution import Conv2D, Conv2DTranspose
from keras_faces.layers.image_pool import ImagePool
from keras_faces.layers.ladder import normal
from keras_faces.layers.patches import instance_norm, patch_stages, strides_for
from keras_faces.layers.spectral import SpectralConv2D
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad
from keras_faces.training.optimizers import AdversarialOptimizer
from keras_faces.training.sampling import generate
from keras_faces.training.translation import TranslationModel

IMAGE_SIZE = 64
PRINTED: dict = {}  # the dissertation prints no layers
LABELS = ("classes",)


def generator(
    image_size: int = IMAGE_SIZE, width: int = 32, blocks: int = 4, residual: bool = True, name: str = "generator"
) -> keras.Model:
    """Image (image_size, image_size, 3) in [-1, 1] to another (appendix 7.2). Shapes in the comments: 64×64.

    ``residual``: the net makes what is to be *added* to the image, at first nothing. The paper's net paints it anew.
    """
    image = layers.Input((image_size, image_size, 3))
    maps = _norm_relu(_conv(width, 7)(image))  # 64, 64, 32
    maps = _norm_relu(_conv(2 * width, 3, 2)(maps))  # 32, 32, 64
    maps = _norm_relu(_conv(4 * width, 3, 2)(maps))  # 16, 16, 128
    for _ in range(blocks):
        change = _norm_relu(_conv(4 * width, 3)(maps))
        maps = layers.Add()([maps, instance_norm()(_conv(4 * width, 3)(change))])  # 16, 16, 128
    for filters in (2 * width, width):
        maps = Conv2DTranspose(filters, 3, 2, "same", use_bias=False, kernel_initializer=normal())(maps)
        maps = _norm_relu(maps)  # 32, 32, 64 → 64, 64, 32
    maps = Conv2D(3, 7, padding="same", kernel_initializer="zeros" if residual else normal())(maps)
    if residual:
        changed = ops.clip(layers.Add(dtype="float32")([image, maps]), -1.0, 1.0)
    else:
        changed = layers.Activation("tanh", dtype="float32")(maps)
    return keras.Model(image, changed, name=name)  # 64, 64, 3


def discriminator(
    image_size: int = IMAGE_SIZE, width: int = 32, strides: int | None = None, name: str = "discriminator"
) -> keras.Model:
    """Image (image_size, image_size, 3) to logits (h, w, 1), one a patch; spectral normalisation as in ``sngan``."""
    image = layers.Input((image_size, image_size, 3))
    logits = patch_stages(image, width, strides or strides_for(image_size) + 1, conv=SpectralConv2D)
    return keras.Model(image, logits, name=name)  # 8, 8, 1


def _conv(filters: int, kernel_size: int, strides: int = 1) -> Conv2D:
    return Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer=normal()
    )  # the norm behind it takes a bias away


def _norm_relu(maps: Any) -> Any:
    return layers.ReLU()(instance_norm()(maps))


@keras.saving.register_keras_serializable("keras_faces")
class CycleGAN(TranslationModel):
    """Two translations that undo each other.

    Parameters
    ----------
    generator, discriminator
        G, from X to Y, and D_Y.
    backward, discriminator_x
        F, from Y to X, and D_X.
    label_names
        Of X and of Y.
    cycle
        λ, the weight of the cycles.
    identity
        The weight of leaving alone what is right already, in λ; 0 for none.
    pool
        How many older fakes each D is shown; 0 for none.
    rule
        See :class:`AdversarialModel`.
    """

    NUMBERS = (*TranslationModel.NUMBERS, "cycle_loss", "identity_loss")

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
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, **rule)
        if label_kind != "classes" or len(label_names) != 2:
            raise ValueError(
                f"cyclegan goes between two classes, not between {', '.join(label_names)}: name one attribute, as "
                '--labels Eyeglasses, or two classes, as --labels "man = Male; woman = !Male".'
            )
        if cycle < 0 or identity < 0:
            raise ValueError(f"cycle={cycle}, identity={identity}: weights from 0 on.")
        if self.average:
            raise ValueError("cyclegan has no average: both generators change with each other; leave it out.")
        self.backward, self.discriminator_x = backward, discriminator_x
        self.label_names = tuple(label_names)
        self.cycle, self.identity, self.pool_size = cycle, identity, pool
        self.pool_y = ImagePool(pool, self.image_shape, self.seed + 1, name="pool_y")
        self.pool_x = ImagePool(pool, self.image_shape, self.seed + 2, name="pool_x")
        self.bank_y = self.memory("bank_y")

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`AdversarialModel.compile`: an optimizer for both discriminators, another for both generators."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or Adam(2e-4, beta_1=0.5),
            generator=g_optimizer or Adam(2e-4, beta_1=0.5),
        )
        optimizer.build(self.d_weights(), self.g_weights())
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    def d_weights(self) -> list[keras.Variable]:
        """The weights of D_Y and D_X."""
        return self.discriminator.trainable_variables + self.discriminator_x.trainable_variables

    def g_weights(self) -> list[keras.Variable]:
        """The weights of G and F."""
        return self.generator.trainable_variables + self.backward.trainable_variables

    # -------------------------------------------------------------------------------------------------- the data

    def batches(self, faces: Any, batch_size: int, seed: int = 0, part: tuple[int, int] = (0, 1)) -> TwoDomains:
        """Batches of labelled faces for `fit`, half of each of either domain."""
        return TwoDomains(faces.images, batch_size, seed, faces.labels.vectors, part)

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> keras.callbacks.History:
        """Keras's own ``fit`` on what :meth:`batches` gives, or on arrays in which faces of X and Y take turns.

        Raises
        ------
        ValueError
            If they do not take turns: the step tells them apart by their places.
        """
        if not isinstance(x, TwoDomains):
            labels = None if y is None else np.asarray(y)
            turns = labels is not None and labels.shape[1:] == (2,) and labels[0::2, 0].all() and labels[1::2, 1].all()
            if not turns:
                raise ValueError("cyclegan learns from two domains in turns: fit(model.batches(faces, 16, seed=0)).")
            kwargs["shuffle"] = False
        return super().fit(x, y, **kwargs)

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        return self.step(images)  # X and Y take turns

    # -------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: both discriminators learn on photographs and on fakes, old and new; then both generators.

        Parameters
        ----------
        images
            Photographs of X and Y in turns, uint8 (batch, H, W, 3), an even number of them.

        Returns
        -------
        The numbers of :meth:`AdversarialModel.step`, sums of both games for the losses and means for the scores, and
        ``cycle_loss`` and ``identity_loss``, sums of two mean differences of a colour of a pixel.
        """
        self.remember(images, self.bank, self.bank_y)
        x, y = self.scaled(images[0::2]), self.scaled(images[1::2])

        fake_y = ops.stop_gradient(self.generator(x, training=True))
        fake_x = ops.stop_gradient(self.backward(y, training=True))
        d_numbers = self.improve_discriminators(x, y, self.pool_x.exchange(fake_x), self.pool_y.exchange(fake_y))

        g_numbers = self.improve_generators(x, y)

        spread = self.spread_of(fake_y, y)
        return {**d_numbers, **g_numbers, "spread": spread}

    def improve_discriminators(self, x: Any, y: Any, fake_x: Any, fake_y: Any) -> dict[str, Any]:
        """One step of D_Y and D_X."""

        def d_loss():
            of_y = self.discriminator(y, training=True), self.discriminator(fake_y, training=True)
            of_x = self.discriminator_x(x, training=True), self.discriminator_x(fake_x, training=True)
            return self.discriminator_loss(*of_y) + self.discriminator_loss(*of_x), (of_y, of_x)

        weights = self.d_weights()
        (loss, games), gradients = value_and_grad(d_loss, weights, self.variables, self.optimizer.discriminator)
        self.optimizer.discriminator.apply(gradients, weights)
        of_y, of_x = (self.scores(*logits) for logits in games)
        means = {name: 0.5 * (of_y[name] + of_x[name]) for name in of_y}
        return {"d_loss": loss, **means, "d_gradient": global_norm(gradients)}

    def improve_generators(self, x: Any, y: Any) -> dict[str, Any]:
        """One step of G and F: the frozen discriminators are to believe their images, and each is to undo the other."""

        def g_loss():
            fake_y, fake_x = self.generator(x, training=True), self.backward(y, training=True)
            with frozen(self.discriminator):
                y_logits = self.discriminator(fake_y, training=True)
            with frozen(self.discriminator_x):
                x_logits = self.discriminator_x(fake_x, training=True)
            cycles = self.cycles(x, y, fake_x, fake_y)
            unchanged = self.changes(x, y) if self.identity else ops.zeros(())
            paid = self.pair.generator(y_logits) + self.pair.generator(x_logits)
            return paid + self.cycle * (cycles + self.identity * unchanged), (cycles, unchanged)

        weights = self.g_weights()
        (loss, (cycles, unchanged)), gradients = value_and_grad(
            g_loss, weights, self.variables, self.optimizer.generator
        )
        self.optimizer.generator.apply(gradients, weights)
        numbers = {"g_loss": loss, "g_gradient": global_norm(gradients)}
        return {**numbers, "cycle_loss": cycles, "identity_loss": unchanged}

    def cycles(self, x: Any, y: Any, fake_x: Any, fake_y: Any) -> Any:
        """``mean |F(G(x)) − x| + mean |G(F(y)) − y|`` (eq. 2)."""
        back_x, back_y = self.backward(fake_y, training=True), self.generator(fake_x, training=True)
        return ops.mean(ops.abs(back_x - x)) + ops.mean(ops.abs(back_y - y))

    def changes(self, x: Any, y: Any) -> Any:
        """``mean |G(y) − y| + mean |F(x) − x|`` (section 5.2)."""
        same_x, same_y = self.backward(x, training=True), self.generator(y, training=True)
        return ops.mean(ops.abs(same_x - x)) + ops.mean(ops.abs(same_y - y))

    # -------------------------------------------------------------------------------------------------- pictures

    def translate(self, images: np.ndarray, to: str = "Y") -> np.ndarray:
        """Photographs of one domain as if of the other, uint8 (count, H, W, 3).

        Parameters
        ----------
        images
            Photographs, uint8 (count, H, W, 3).
        to
            "Y" (by G) or "X" (by F), or the name of that class.

        Raises
        ------
        ValueError
            For another domain, and for images that are not of the model's size.
        """
        images, network = self.check(images), self.network_to(to)
        self.synchronise()
        return generate(network, self.ready(images), [], self.value_range)

    def network_to(self, to: str) -> keras.Model:
        """G for "Y", F for "X"."""
        known = {"X": self.backward, "Y": self.generator}
        named = dict(zip(self.label_names, known.values(), strict=True))
        if to not in known | named:
            raise ValueError(f"cyclegan goes to X ({self.label_names[0]}) or Y ({self.label_names[1]}), not to {to!r}.")
        return (named | known)[to]

    def rows(self, images: np.ndarray, to: str = "Y") -> list[tuple[str, np.ndarray]]:
        """Photographs, their translations, and these translated back."""
        to_y = self.network_to(to) is self.generator
        there = self.translate(images, to)
        back = self.translate(there, "X" if to_y else "Y")
        return [("photograph", images), (f"to {self.label_names[to_y]}", there), ("and back", back)]

    def remembered_rows(self, count: int) -> list[np.ndarray]:
        """Photographs of X, as Y and back, and of Y, as X and back."""
        of_x, of_y = self.photographs()[:count], self.photographs(self.bank_y)[:count]
        return [images for _, images in self.rows(of_x, "Y") + self.rows(of_y, "X")]

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "backward": serialize(self.backward),
            "discriminator_x": serialize(self.discriminator_x),
            "label_names": self.label_names,
            "cycle": self.cycle,
            "identity": self.identity,
            "pool": self.pool_size,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> CycleGAN:
        load = keras.saving.deserialize_keras_object
        others = {name: load(config[name], custom_objects) for name in ("backward", "discriminator_x")}
        return super().from_config({**config, **others}, custom_objects)


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("X", "Y"),
    label_kind: str = "classes",
    width: int = 32,
    blocks: int = 4,
    strides: int | None = None,
    residual: bool = True,
    rate: float = 2e-4,
    loss: str = "hinge",
    latent_dim: int | None = None,
    seed: int = 0,
    **rule: Any,
) -> CycleGAN:
    """CycleGAN, compiled.

    Parameters
    ----------
    image_size
        A multiple of 4 from 16 on.
    label_names, label_kind
        Of X and of Y; "classes".
    width
        Channels of the largest map in all four networks; the paper has 64.
    blocks
        Residual blocks in G and in F; the paper has 6 or 9.
    strides
        Strides of 2 in D: scores of patches 16, 34, 70 or 142 pixels wide; ``None`` for about the whole image. A
        smaller patch of most faces says nothing of glasses.
    residual
        G and F say what is to be added to an image, as nothing at first; ``False`` as in the paper.
    rate
        Adam's learning rate (beta_1 0.5).
    loss
        Any of ``losses.PAIRS`` that needs no clipping and no penalty. The paper has least squares; those of the
        dissertation ("lsgan") leave a G alone of which D is undecided, and with it most faces without glasses.
    latent_dim
        There is no noise; ignored, so that lists of systems may be built with the same options.
    rule
        ``cycle``, ``identity``, ``pool``: see :class:`CycleGAN`; more: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For an ``image_size`` that two strides do not halve, labels that are not two classes, and options of the rule
        that it does not know.
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
        **rule,
    )
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5))
    return model
