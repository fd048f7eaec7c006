"""cgan: G is told which face to make, and D which face it should be.

Source: the course's textbook, chapter 5 (Mirza and Osindero 2014), eq. 5-13:

    min_G max_D  E log D(x|y) + E log(1 − D(G(z|y)|y))

The label y stands beside the noise in G, and beside the image in D. A D that sees only faces cannot ask for the right
one; a D that sees face and label together learns which of them belong together, and G must follow.

How y enters D is the option ``discriminator_reads``:

- "concatenate", the textbook's: each of y's numbers is one more channel of the image, the same at every place (many
  classes are brought to eight numbers first).
- "project", Miyato and Koyama 2018, eq. 3, which the dissertation mentions: the score is ψ(φ(x)) + y·V φ(x), so that y
  meets what D has seen instead of its pixels. It learns labels faster, and with spectral normalisation it is theirs.

The two networks are DCGAN's ladder. D's BatchNormalization is left out, as Miyato and Koyama have it: spectral
normalisation keeps D in bounds, and an image's score depends on no other image's label. The hinge loss and the two
learning rates are those of ``sngan.py``.

Read next: ``acgan.py``, whose D does not read the label but has to name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.bias import Dense
from keras_faces.layers.ladder import channels, normal, sides, up
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.conditional import ConditionalModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad

IMAGE_SIZE = 32
PRINTED: dict = {}  # the textbook prints no layers
LABELS = ("classes", "attributes")
DISCRIMINATORS = ("concatenate", "project")


def generator(n_labels: int, image_size: int = IMAGE_SIZE, latent_dim: int = 100, width: int = 64) -> keras.Model:
    """Noise (latent_dim,) and label (n_labels,) to an image (image_size, image_size, 3). Shapes: 32×32."""
    *between, base = sides(image_size)[1:]  # 16, 8; 4
    *narrower, widest = channels(image_size, width)  # 64, 128; 256
    noise, label = layers.Input((latent_dim,)), layers.Input((n_labels,))
    maps = layers.Concatenate()([noise, label])  # 100 + n
    maps = Dense(base * base * widest, use_bias=False, kernel_initializer=normal())(maps)
    maps = layers.Reshape((base, base, widest))(maps)
    maps = BatchNormalization(momentum=0.9)(maps)
    maps = layers.ReLU()(maps)  # 4, 4, 256
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        maps = up(filters, side, use_bias=False)(maps)
        maps = BatchNormalization(momentum=0.9)(maps)
        maps = layers.ReLU()(maps)  # 8, 8, 128 → 16, 16, 64
    maps = up(3, image_size)(maps)
    image = layers.Activation("tanh", dtype="float32")(maps)  # 32, 32, 3
    return keras.Model([noise, label], image, name="generator")


def discriminator(
    n_labels: int, image_size: int = IMAGE_SIZE, width: int = 64, reads: str = "concatenate"
) -> keras.Model:
    """Image (image_size, image_size, 3) and label (n_labels,) to the logit (1,) of their being real together."""
    image, label = layers.Input((image_size, image_size, 3)), layers.Input((n_labels,))
    maps = image
    if reads == "concatenate":
        planes = label if n_labels <= 8 else Dense(8)(label)
        planes = layers.RepeatVector(image_size * image_size)(planes)
        planes = layers.Reshape((image_size, image_size, -1))(planes)  # 32, 32, n
        maps = layers.Concatenate()([image, planes])  # 32, 32, 3 + n
    for filters in channels(image_size, width):
        maps = SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal())(maps)
        maps = layers.LeakyReLU(negative_slope=0.2)(maps)  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
    features = layers.Flatten()(maps)  # 4096
    score = SpectralDense(1, kernel_initializer=normal(), dtype="float32")(features)  # 1
    if reads == "project":
        direction = SpectralDense(features.shape[-1], use_bias=False, kernel_initializer=normal())(label)  # 4096
        score = layers.Add(dtype="float32")([score, layers.Dot(axes=1, dtype="float32")([features, direction])])
    return keras.Model([image, label], score, name="discriminator")


@keras.saving.register_keras_serializable("keras_faces")
class CGAN(ConditionalModel):
    """The common step, with the label beside every image that D reads."""

    def improve_discriminator(self, real: Any, fake: Any, labels: Any) -> dict[str, Any]:
        """One step of D: photographs with their labels are real, fakes with the labels they were asked for are not."""

        share = self.share_of_photographs(ops.shape(real)[0])

        def d_loss():
            fake_logits = self.d_logits([fake, labels], training=True)
            real_logits = self.d_logits([real, labels], training=True)
            loss = self.discriminator_loss(real_logits, fake_logits) + self.penalties(real, fake, share, labels)
            return loss, (real_logits, fake_logits)

        weights = self.discriminator.trainable_variables
        (loss, logits), gradients = value_and_grad(d_loss, weights, self.variables, self.optimizer.discriminator)
        self.optimizer.discriminator.apply(gradients, weights)
        self.clip_weights()
        return {"d_loss": loss, **self.scores(*logits), "d_gradient": global_norm(gradients)}

    def improve_generator(self, labels: Any) -> dict[str, Any]:
        """One step of G: a face for each label, which the frozen D is to take for a photograph with that label."""
        noise = self.noise(ops.shape(labels)[0])

        def g_loss():
            fake = self.generator([noise, labels], training=True)
            with frozen(self.discriminator):
                logits = self.d_logits([fake, labels], training=True)
            return self.pair.generator(logits), None

        weights = self.generator.trainable_variables
        (loss, _), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return self.move_generator(loss, gradients)


def build(
    image_size: int = IMAGE_SIZE,
    label_names: Sequence[str] = ("0", "1"),
    label_kind: str = "classes",
    discriminator_reads: str = "concatenate",
    latent_dim: int = 100,
    width: int = 64,
    d_rate: float = 4e-4,
    g_rate: float = 2e-4,
    loss: str = "hinge",
    seed: int = 0,
    **rule: Any,
) -> CGAN:
    """CGAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    label_names, label_kind
        See :class:`ConditionalModel`.
    discriminator_reads
        "concatenate" or "project": how the label enters D.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map in both networks.
    d_rate, g_rate
        Adam's learning rates; beta_1 0 and beta_2 0.9, as in ``sngan.py``.
    loss
        Any pair of ``losses.PAIRS``; "saturating" is eq. 5-13 to the letter.
    rule
        ``d_steps``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and another ``discriminator_reads``.
    """
    check_image_size("cgan", image_size, multiple=1, smallest=16)
    if discriminator_reads not in DISCRIMINATORS:
        raise ValueError(f"discriminator_reads={discriminator_reads!r}: choose from {', '.join(DISCRIMINATORS)}.")
    n_labels = len(label_names)
    model = CGAN(
        generator(n_labels, image_size, latent_dim, width),
        discriminator(n_labels, image_size, width, discriminator_reads),
        label_names=label_names,
        label_kind=label_kind,
        loss=loss,
        seed=seed,
        name="cgan",
        **rule,
    )
    model.compile(*(Adam(rate, beta_1=0.0, beta_2=0.9) for rate in (d_rate, g_rate)))
    return model
