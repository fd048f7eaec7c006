"""fm-cgan: G matches the center of D's features of photographs, and of C's features of each class of photographs.

Source: the dissertation, chapter 3: section 3.2, tables 3.1 to 3.3 and algorithm 3.1. It is ``fm-gan`` with labels:

    L_C  = −E log P(y|x)                                               C, by a softmax                  (eq. 3.11)
    L_D  = −E log D(x) − E log(1 − D(G(z, y)))                          D, which reads no label          (eq. 3.2)
    L_GD = ½ ‖E f_D(x) − E f_D(G(z, y))‖²                               G                                (eq. 3.10)
    L_GC = ½ Σₖ ‖E_{x∈k} f_C(x) − E f_C(G(z, y_k))‖²                    G                                (eq. 3.12)
    L    = L_C + L_D + L_GD + λ₁ L_GC,   λ₁ = 1                                                          (eq. 3.13)

Each loss changes one network. Eq. 3.10 prints a minus in front (errata S1); algorithm 3.1 divides L_GC by K, eq. 3.12
and this file do not (S7). All centers are moving averages, since a batch holds few faces of a class (S8). When C
learns: ``classifier_guidance.py``. "Using several layers of C is better still" (section 3.2.3): ``classifier_layers``.

The source leaves open how the label enters G (beside the noise, as in ``cgan.py``), the length of the noise (100), and
what follows the dense layer of table 3.1 (BatchNormalization and ReLU, as in DCGAN). Below 128×128 the networks have
fewer stages: those nearest to the image stay.

See also: ``classifier_guidance.py``, C's part; ``cvae_gan.py``, where each face is matched with its own photograph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_faces.layers.dcgan_blocks import dcgan_init, feature_channels
from keras_faces.models.dissertation.classifier_guidance import FIRST, ClassifierGuidedGAN, adam, starting_classifier
from keras_faces.training import losses
from keras_faces.training.feature_centers import FeatureCenters

IMAGE_SIZE = 128
LABELS = ("classes",)
IMAGE_SIZES = (16, 32, 64, 128)


def generator(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Model:
    """Return G, from ``[noise (latent_dim,), class (n_labels,)]`` to an image in [-1, 1]; table 3.1, 128×128."""
    whole = [8 * width, 8 * width, 4 * width, 4 * width, 2 * width, width]  # of the sides 4, 8, 16, 32, 64, 128
    first, *filters = whole[-3 - IMAGE_SIZES.index(image_size) :]  # 512; 512, 256, 256, 128, 64
    noise, label = layers.Input((latent_dim,)), layers.Input((n_labels,))
    x = layers.Concatenate()([noise, label])  # 100 + n
    x = layers.Dense(4 * 4 * first, use_bias=False, kernel_initializer=dcgan_init())(x)  # 8192
    x = layers.Reshape((4, 4, first))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))  # 4, 4, 512
    for count in filters:
        x = layers.Conv2DTranspose(count, 4, 2, padding="same", use_bias=False, kernel_initializer=dcgan_init())(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)  # 8, 8, 512 → 16, 16, 256 → 32, 32, 256 → 64, 64, 128 → 128, 128, 64
    x = layers.Conv2D(3, kernel_size=5, padding="same", kernel_initializer=dcgan_init())(x)
    image = layers.Activation("tanh", dtype="float32")(x)  # 128, 128, 3
    return keras.Model([noise, label], image, name="generator")


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Return D, from an image (image_size, image_size, 3) in [-1, 1] to the logit (1,) of "real"; table 3.2."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in feature_channels(image_size, width):
        stages += [
            layers.Conv2D(filters, 4, strides=2, padding="same", use_bias=False, kernel_initializer=dcgan_init()),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.2),  # 64, 64, 64 → 32, 32, 128 → 16, 16, 256 → 8, 8, 512 → 4, 4, 512
        ]
    stages += [
        layers.Flatten(),  # 8192
        layers.Dense(1, kernel_initializer=dcgan_init(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def check_image_size(name: str, image_size: int) -> None:
    """Raise a ``ValueError`` if tables 3.1 to 3.3 cannot make this size: each stage doubles 4×4."""
    if image_size not in IMAGE_SIZES:
        sizes = ", ".join(map(str, IMAGE_SIZES))
        raise ValueError(f"{name} cannot make {image_size}×{image_size} images: its sides are {sizes}.")


class CenterMixin:
    """Moving centers of f_D and f_C. Mixin: list it before :class:`ClassifierGuidedGAN` in the bases."""

    def make_centers(self, decay: float) -> None:
        """Make the centers of photographs and of fakes: one of f_D, and one per class for each layer of f_C."""
        size, classes = math.prod(self.d_features.output_shape[1:]), len(self.label_names)
        self.d_real = FeatureCenters(size, decay=decay, name="d_real")
        self.d_fake = FeatureCenters(size, decay=decay, name="d_fake")
        sizes = [math.prod(output.shape[1:]) for output in self.c_features.outputs]
        self.c_real = [FeatureCenters(size, classes, decay, name=f"c_real_{n}") for n, size in enumerate(sizes)]
        self.c_fake = [FeatureCenters(size, classes, decay, name=f"c_fake_{n}") for n, size in enumerate(sizes)]

    def update_real_centers(self, real: Any, labels: Any) -> None:
        """Move the photographs' centers by a batch (algorithm 3.1, lines 7 and 10)."""
        self.d_real.update(self.d_features_of(real))
        for centers, features in zip(self.c_real, self.c_features_of(real), strict=True):
            centers.update(features, labels)

    def center_losses(self, fake: Any, labels: Any) -> tuple[Any, Any]:
        """Move the fakes' centers by a batch (batch, H, W, 3); return L_GD, and L_GC summed over C's layers."""
        gd_loss = losses.center_matching(self.d_real.means, self.d_fake.update(self.d_features_of(fake)))  # eq. 3.10
        gc_loss = 0.0
        for real, moving, features in zip(self.c_real, self.c_fake, self.c_features_of(fake), strict=True):
            gc_loss = gc_loss + losses.center_matching(real.means, moving.update(features, labels))  # eq. 3.12
        return gd_loss, gc_loss


@keras.saving.register_keras_serializable("keras_faces")
class FMCGAN(CenterMixin, ClassifierGuidedGAN):
    """G learns by centers of features: one in D, and one per class in C.

    Parameters
    ----------
    generator, discriminator, classifier
        From :func:`generator`, :func:`discriminator` and :func:`starting_classifier`.
    centre_decay : float
        How much of a moving center stays at each update, in [0, 1); 0 for the centers of the batch.
    class_weight : float
        λ₁ of eq. 3.13, the weight of L_GC; 0 or more.
    options
        See :class:`ClassifierGuidedGAN`.
    """

    METRICS = (*ClassifierGuidedGAN.METRICS, "gd_loss", "gc_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        classifier: keras.Model,
        *,
        centre_decay: float = 0.9,
        class_weight: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, classifier, **options)
        if class_weight < 0:
            raise ValueError(f"class_weight={class_weight}: λ₁ must be 0 or more, 1 is the source's.")
        self.centre_decay, self.class_weight = centre_decay, class_weight
        self.make_centers(centre_decay)

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration of algorithm 3.1: C learns, then D and G; in the first iterations C alone.

        As :meth:`ConditionalGAN.step`; the logs also have ``c_loss``, ``c_accuracy``, ``gd_loss`` and ``gc_loss``.
        """
        c_logs = self.classifier_step(images, labels)  # L_C, eq. 3.11
        if self.classifier_alone:
            return {**self.placeholder_logs(), **c_logs}
        return {**super().step(images, labels), **c_logs}  # train_discriminator, then train_generator

    def train_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """Update D once, then the photographs' centers; see :meth:`GAN.train_discriminator`."""
        logs = super().train_discriminator(real, fake)  # L_D, eq. 3.2
        self.update_real_centers(real, labels)
        return logs

    def train_generator(self, noise: Any, labels: Any) -> dict[str, Any]:
        """Update G once: its centers move towards the photographs'; see :meth:`GAN.train_generator`."""

        def g_loss():
            fake = self.generator([noise, labels], training=True)
            gd_loss, gc_loss = self.center_losses(fake, labels)
            return gd_loss + self.class_weight * gc_loss, (gd_loss, gc_loss)  # G's part of eq. 3.13

        loss, (gd_loss, gc_loss), gradient = self.update_generator(g_loss)
        return {"g_loss": loss, "g_gradient": gradient, "gd_loss": gd_loss, "gc_loss": gc_loss}


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
    learning_rate: float = 2e-4,
    separate_batches: bool = True,
    seed: int = 0,
    **options: Any,
) -> FMCGAN:
    """Return FM-CGAN, compiled.

    Parameters
    ----------
    image_size : int
        16, 32, 64 or 128, the source's.
    label_names, label_kind
        See :class:`ConditionalGAN`; "classes".
    latent_dim : int
        Length of the noise vector.
    width : int
        Channels at the image's full size; 64 in tables 3.1 and 3.2.
    classifier : str, optional
        The folder of a `keras-faces classify` run with the same labels and image size: C begins with its weights.
        ``None``: C learns here.
    classifier_width : int, optional
        Channels of C's first layer; ``None``: ``width``, as in table 3.3; a ``classifier`` has its own.
    classifier_layers : str or sequence of str
        C's layers whose outputs are matched, such as ``["pool3", "flatten", "features"]``.
    classifier_first : int, optional
        Number of iterations in which only C learns; ``None``: 300, or 0 with a ``classifier``.
    centre_decay, class_weight
        See :class:`FMCGAN`.
    learning_rate : float
        Adam's, of all three networks (section 3.4.2).
    separate_batches : bool
        Whether D reads photographs and fakes one after the other.
    options
        ``classifier_learns``: see :class:`ClassifierGuidedGAN`; ``d_steps``, ``average``, ...: :class:`GAN`.

    Raises
    ------
    ValueError
        For another ``image_size``, a ``classifier`` that does not fit, a layer that C does not have, a negative weight.
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
        **options,
    )
    model.compile(adam(learning_rate), adam(learning_rate), adam(learning_rate))
    return model
