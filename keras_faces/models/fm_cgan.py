"""fm-cgan: G matches the centre of what D sees in photographs, and of what C sees in each class of them.

Source: the dissertation, chapter 3: section 3.2, tables 3.1 to 3.3 and algorithm 3.1. It is `fm-gan` with labels:

    L_C  = −E log P(y|x)                                               C, by a softmax                  (eq. 3.11)
    L_D  = −E log D(x) − E log(1 − D(G(z, y)))                          D, which reads no label          (eq. 3.2)
    L_GD = ½ ‖E f_D(x) − E f_D(G(z, y))‖²                               G                                (eq. 3.10)
    L_GC = ½ Σₖ ‖E_{x∈k} f_C(x) − E f_C(G(z, y_k))‖²                    G                                (eq. 3.12)
    L    = L_C + L_D + L_GD + λ₁ L_GC,   λ₁ = 1                                                          (eq. 3.13)

Each loss changes one network. Eq. 3.10 prints a minus in front (errata S1); algorithm 3.1 divides L_GC by K and eq.
3.12 does not (S7): here it is the sum. All centres are moving averages, of D's one, of C's one a class: a batch holds
few faces of a class (S8).

C is trained first, and goes on learning afterwards, as line 14 of the algorithm has it: ``training/guided.py``. "Using
several layers of C is better still" (section 3.2.3): ``classifier_layers``.

Where the source is silent: the label enters G beside the noise, as in ``cgan.py``; the noise has 100 numbers; the dense
layer of table 3.1 has BatchNormalization and ReLU, as DCGAN's. At 64×64 and 32×32 the nets have fewer rungs: those
nearest to the image stay.

Read next: ``cvae_gan.py``, where each face is matched with its own photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.convolution import Conv2D, Conv2DTranspose
from keras_faces.layers.ladder import channels, normal
from keras_faces.training.gradients import value_and_grad
from keras_faces.training.guided import FIRST, GuidedModel, adam, starting_classifier

IMAGE_SIZE = 128
PRINTED: dict = {}  # tables 3.1 to 3.3 give shapes, not weights; tests/models/test_fm_cgan.py holds them to those
LABELS = ("classes",)
IMAGE_SIZES = (16, 32, 64, 128)


def generator(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Model:
    """Noise (latent_dim,) and class (n_labels,) to an image (image_size, image_size, 3) in [-1, 1]; table 3.1."""
    first, *filters = _deconvolutions(image_size, width)  # 512; 512, 256, 256, 128, 64
    noise, label = layers.Input((latent_dim,)), layers.Input((n_labels,))
    maps = layers.Concatenate()([noise, label])  # 100 + n
    maps = layers.Dense(4 * 4 * first, use_bias=False, kernel_initializer=normal())(maps)  # 8192
    maps = layers.Reshape((4, 4, first))(maps)
    maps = _activated(maps)  # 4, 4, 512
    for count in filters:
        maps = Conv2DTranspose(count, 4, strides=2, padding="same", use_bias=False, kernel_initializer=normal())(maps)
        maps = _activated(maps)  # 8, 8, 512 → 16, 16, 256 → 32, 32, 256 → 64, 64, 128 → 128, 128, 64
    maps = Conv2D(3, kernel_size=5, padding="same", kernel_initializer=normal())(maps)
    image = layers.Activation("tanh", dtype="float32")(maps)  # 128, 128, 3
    return keras.Model([noise, label], image, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of its being real; table 3.2."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in channels(image_size, width):
        stages += [
            Conv2D(filters, 4, strides=2, padding="same", use_bias=False, kernel_initializer=normal()),
            BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.2),  # 64, 64, 64 → 32, 32, 128 → 16, 16, 256 → 8, 8, 512 → 4, 4, 512
        ]
    stages += [
        layers.Flatten(),  # 8192
        layers.Dense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def _deconvolutions(image_size: int, width: int) -> list[int]:
    """Channels of table 3.1 from the 4×4 map to the image: of smaller images the last ones."""
    whole = [8 * width, 8 * width, 4 * width, 4 * width, 2 * width, width]  # 4, 8, 16, 32, 64, 128
    return whole[-1 - IMAGE_SIZES.index(image_size) - 2 :]


def _activated(maps: Any) -> Any:
    return layers.ReLU()(BatchNormalization(momentum=0.9)(maps))


def check_image_size(name: str, image_size: int) -> None:
    """Stop if tables 3.1 to 3.3 cannot be brought to this size: 4×4 is doubled from rung to rung."""
    if image_size not in IMAGE_SIZES:
        sizes = ", ".join(map(str, IMAGE_SIZES))
        raise ValueError(f"{name} cannot make {image_size}×{image_size} images: its sides are {sizes}.")


@keras.saving.register_keras_serializable("keras_faces")
class FMCGAN(GuidedModel):
    """G learns by feature centres in D and, class by class, in C.

    Parameters
    ----------
    centre_decay
        How much of a moving centre stays at each update, in [0, 1); 0 for the centres of the batch.
    class_weight
        λ₁ of eq. 3.13: how much L_GC counts beside L_GD.
    rule
        See :class:`GuidedModel`.
    """

    NUMBERS = (*GuidedModel.NUMBERS, "gd_loss", "gc_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        centre_decay: float = 0.9,
        class_weight: float = 1.0,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, classifier, **rule)
        if class_weight < 0:
            raise ValueError(f"class_weight={class_weight}: λ₁ must be 0 or more, 1 is the source's.")
        self.centre_decay, self.class_weight = centre_decay, class_weight
        self.make_centres(centre_decay)

    def improve_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """One step of D; then the photographs' centres move to where D and C see them now (lines 7 and 10)."""
        numbers = super().improve_discriminator(real, fake, labels)
        self.see_photographs(real, labels)
        return numbers

    def improve_generator(self, labels: Any) -> dict[str, Any]:
        """One step of G: its centres, in D and of each class in C, are to come nearer to the photographs'."""
        noise = self.noise(ops.shape(labels)[0])

        def g_loss():
            fake = self.generator([noise, labels], training=True)
            in_d, in_c = self.centre_distances(fake, labels)
            return in_d + self.class_weight * in_c, (in_d, in_c)

        weights = self.generator.trainable_variables
        (loss, (in_d, in_c)), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return {**self.move_generator(loss, gradients), "gd_loss": in_d, "gc_loss": in_c}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "centre_decay": self.centre_decay, "class_weight": self.class_weight}


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    latent_dim: int = 100,
    width: int = 64,
    classifier: str | None = None,
    classifier_width: int | None = None,
    classifier_layers: Sequence[str] | str = ("features",),
    classifier_first: int | None = None,
    centre_decay: float = 0.9,
    class_weight: float = 1.0,
    rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **rule: Any,
) -> FMCGAN:
    """FM-CGAN, compiled.

    Parameters
    ----------
    image_size
        16, 32, 64 or 128, the source's.
    label_names, label_kind
        See :class:`ConditionalModel`; "classes".
    latent_dim
        Length of the noise vector.
    width
        Channels at the image's full size; 64 as in tables 3.1 and 3.2.
    classifier
        A folder of `keras-faces classify`, with the same labels and image size: C begins with its weights. ``None``:
        C learns here.
    classifier_width
        Channels of C's first layer; ``None``: ``width``, as in table 3.3; a ``classifier`` has its own.
    classifier_layers
        C's layers whose outputs are matched, such as ``["pool3", "flatten", "features"]``.
    classifier_first
        In how many iterations only C learns. ``None``: 300, or 0 with a ``classifier``.
    centre_decay, class_weight
        See :class:`FMCGAN`.
    rate
        Adam's learning rate, of all three networks (section 3.4.2).
    separate_batches
        D reads photographs and fakes one after the other.
    rule
        ``classifier_learns``: see :class:`GuidedModel`; ``d_steps``, ``average``, ...: :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For another ``image_size``, a ``classifier`` that does not fit, a layer that C does not have.
    """
    check_image_size("fm-cgan", image_size)
    model = FMCGAN(
        generator(len(label_names), image_size, latent_dim, width),
        discriminator(image_size, width),
        starting_classifier(image_size, label_names, classifier_width or width, classifier),
        label_names=label_names,
        label_kind=label_kind,
        classifier_layers=[classifier_layers] if isinstance(classifier_layers, str) else classifier_layers,
        classifier_first=(0 if classifier else FIRST) if classifier_first is None else classifier_first,
        centre_decay=centre_decay,
        class_weight=class_weight,
        separate_batches=separate_batches,
        seed=seed,
        name="fm_cgan",
        **rule,
    )
    model.compile(adam(rate), adam(rate), adam(rate))
    return model
