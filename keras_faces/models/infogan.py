"""infogan: codes that nobody named, and G is paid for showing them.

Source: the course's textbook, section 5.3.4 with eq. 5-20, and the paper behind it (Chen et al. 2016, "InfoGAN"), whose
equations are numbered here with a C. G reads noise z and a code c: which of a few categories, and a few numbers between
−1 and 1. A plain GAN may ignore c, P_G(x|c) = P_G(x) (eq. 5-20). Here the *mutual information* I(c; G(z, c)), how much
a face tells of its code, is part of the game (eq. C3), with no label anywhere:

    min_G max_D  V(D, G) − λ I(c; G(z, c))

I would need the true P(c|x). Any guess Q(c|x) gives a lower bound of it (eq. C4 and C5), and Q can be trained:

    I(c; G(z, c))  ≥  L_I(G, Q) = E log Q(c | G(z, c)) + H(c)

So Q is asked to name the code of each fake, and G is paid when Q can. What is easily told from a picture is then what a
code does: one way the light falls, one way the head turns. As in the paper's appendix C, Q is one dense layer on top of
D's own layers, so it costs hardly anything; D and Q learn together, then G learns through both, frozen.

What Q says: for a category a softmax; for a number the mean and the variance of a normal distribution (section 6). The
variance stays above e⁻³: beyond that G would have to show the code to a hundredth, and paint for Q instead of for D.

Two things make codes that can be *seen*, which the bound alone does not ask for:

- The veil. A sharp-eyed Q reads signs of a few grey levels that nobody sees: the bound is high after two hundred
  iterations, and the faces hardly change. So Q reads D's features through normal noise. D has spectral normalisation
  (``sngan.py``, here in the place of the paper's BatchNormalization): it cannot magnify a small sign above the noise. A
  code that is to be read must move the face. (The information through a noisy channel is a lower bound, too.)
- Little noise beside the codes. With dozens of numbers in z, G puts into z what varies most and leaves the codes the
  rest.

Read next: ``keras_faces/traverse.py``, the pictures of what each code does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.ladder import channels, normal
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.models.dcgan import generator
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import frozen, global_norm, value_and_grad
from keras_faces.training.optimizers import AdversarialOptimizer
from keras_faces.training.sampling import generate

IMAGE_SIZE = 32
PRINTED: dict = {}  # the textbook prints no layers
LOWEST_LOG_VARIANCE = -3.0


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the score (1,); what its last layer reads, Q reads too."""
    stages = [layers.Input((image_size, image_size, 3))]
    for filters in channels(image_size, width):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
    stages += [
        layers.Flatten(),  # 4096, the features
        SpectralDense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def recogniser(
    features: int, categories: Sequence[int], numbers: int, veil: float = 0.35, units: int = 128, seed: int = 0
) -> keras.Sequential:
    """Q on top of D's body: features (features,), seen through noise, to what it thinks of the code.

    ``veil`` is the noise's standard deviation, in training. The output has ``sum(categories)`` logits, then a mean for
    each of the ``numbers``, then what its variance is made of (:func:`code_log_likelihood`).
    """
    return keras.Sequential(
        [
            layers.Input((features,)),
            layers.GaussianNoise(veil, seed=seed, dtype="float32"),
            layers.Dense(units, use_bias=False, kernel_initializer=normal()),
            BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.1),  # 128
            layers.Dense(sum(categories) + 2 * numbers, kernel_initializer=normal(), dtype="float32"),
        ],
        name="recogniser",
    )


# ------------------------------------------------------------------------------------------------ the bound


def code_log_likelihood(said: Any, code: Any, categories: Sequence[int]) -> tuple[Any, Any]:
    """``mean log Q(c|x)`` of the categories and of the numbers, in nats.

    Parameters
    ----------
    said
        Q's output, (batch, sum(categories) + 2 n).
    code
        The true code (batch, sum(categories) + n): a one-hot a category, then the n numbers.
    categories
        How many values each categorical code has.

    Returns
    -------
    Two scalars: of the softmaxes, and of the normal distributions N(mean, variance), with
    ``log variance = −3 sigmoid(t)``, between −3 and 0, t being Q's last n outputs.
    """
    said, code = ops.cast(said, "float32"), ops.cast(code, "float32")
    one_hots = sum(categories)
    n = code.shape[-1] - one_hots
    of_categories, first = ops.zeros(()), 0
    for values in categories:
        log_probability = ops.log_softmax(said[:, first : first + values])
        of_categories = of_categories + ops.mean(ops.sum(code[:, first : first + values] * log_probability, axis=-1))
        first += values
    mean = said[:, one_hots : one_hots + n]
    log_variance = LOWEST_LOG_VARIANCE * ops.sigmoid(said[:, one_hots + n :])
    squared = (code[:, one_hots:] - mean) ** 2 * ops.exp(-log_variance)
    log_density = -0.5 * (squared + log_variance + math.log(2 * math.pi))
    return of_categories, ops.mean(ops.sum(log_density, axis=-1))


def code_entropy(categories: Sequence[int], numbers: int) -> float:
    """H(c) in nats: ``log K`` for each category of K values, ``log 2`` for each number uniform in (−1, 1)."""
    return sum(math.log(values) for values in categories) + numbers * math.log(2)


# ------------------------------------------------------------------------------------------------- the model


@keras.saving.register_keras_serializable("keras_faces")
class InfoGAN(AdversarialModel):
    """A GAN whose G also shows a code, and whose D also reads it.

    G reads one vector: the noise, a one-hot for each categorical code, the numbers. It is made of as many standard
    normal draws (:meth:`vector`), so that all that asks for faces by noise, such as sample grids and ways between
    faces, works as with every system.

    Parameters
    ----------
    generator
        Model from (batch, noise + sum(categories) + numbers) to images.
    discriminator
        Model from images to a logit whose last layer reads a vector, D's features.
    recogniser
        Q, from those features to what :func:`code_log_likelihood` reads.
    categories
        How many values each categorical code has, such as (10,).
    numbers
        How many continuous codes there are.
    category_weight, number_weight
        λ for the one and for the other kind.
    rule
        See :class:`AdversarialModel`.
    """

    NUMBERS = (*AdversarialModel.NUMBERS, "info_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        recogniser: keras.Model,
        *,
        categories: Sequence[int] = (10,),
        numbers: int = 2,
        category_weight: float = 1.0,
        number_weight: float = 0.2,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, **rule)
        if self.gradient_penalty or self.clip or self.r1:
            raise ValueError("infogan knows no gradient_penalty, clip or r1: D's BatchNormalization mixes the images.")
        self.recogniser = recogniser
        self.categories, self.numbers = tuple(categories), numbers
        self.category_weight, self.number_weight = category_weight, number_weight
        self.code_dim = sum(self.categories) + numbers
        last = self.d_logits.layers[-1]
        self.d_eyes = keras.Model(self.d_logits.inputs[0], [last.output, last.input], name="d_eyes")

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """As :meth:`AdversarialModel.compile`. Q and D share layers, so they share an optimizer as well."""
        optimizer = AdversarialOptimizer(
            discriminator=d_optimizer or Adam(2e-4, beta_1=0.5),
            generator=g_optimizer or Adam(1e-3, beta_1=0.5),
        )
        optimizer.build(self.d_and_q(), self.generator.trainable_variables)
        FaceModel.compile(self, optimizer=optimizer, **kwargs)

    def d_and_q(self) -> list[keras.Variable]:
        """The weights of D and of Q."""
        return self.discriminator.trainable_variables + self.recogniser.trainable_variables

    # ------------------------------------------------------------------------------------------- noise and codes

    def vector(self, normal: Any) -> Any:
        """What G reads, made of standard normal draws (batch, latent_dim): the noise stays as it is; of the draws for
        a category the largest wins; erf makes a number that is uniform in (−1, 1)."""
        first = normal.shape[-1] - self.code_dim
        parts = [normal[:, :first]]
        for values in self.categories:
            parts.append(ops.one_hot(ops.argmax(normal[:, first : first + values], axis=-1), values, dtype="float32"))
            first += values
        parts.append(ops.erf(normal[:, first:] / math.sqrt(2)))
        return ops.concatenate(parts, axis=-1)

    def noise(self, batch: int) -> Any:
        """Fresh noise and codes, (batch, latent_dim)."""
        return self.vector(super().noise(batch))

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: D learns to tell fakes from photographs and Q to read the fakes' codes, then G learns from
        both. Beside the numbers of :meth:`AdversarialModel.step` it returns ``info_loss`` = −L_I in nats: about 0
        while faces tell nothing of their codes."""
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.scaled(images[k * batch : (k + 1) * batch])
            vector = self.noise(batch)
            fake = ops.stop_gradient(self.generator(vector, training=True))
            d_numbers = self.improve_discriminator(real, fake, vector[:, -self.code_dim :])

        g_numbers = self.improve_generator(batch)

        spread = self.spread_of(fake, real)
        return {**d_numbers, **g_numbers, "spread": spread}

    def improve_discriminator(self, real: Any, fake: Any, code: Any) -> dict[str, Any]:
        """One step of D and Q together: the score of photographs and fakes, and the fakes' codes."""

        def d_loss():
            fake_logits, fake_features = self.d_eyes(fake, training=True)
            real_logits, _ = self.d_eyes(real, training=True)
            paid, _ = self.information(self.recogniser(fake_features, training=True), code)
            return self.discriminator_loss(real_logits, fake_logits) - paid, (real_logits, fake_logits, paid)

        weights = self.d_and_q()
        (loss, (*logits, paid)), gradients = value_and_grad(
            d_loss, weights, self.variables, self.optimizer.discriminator
        )
        self.optimizer.discriminator.apply(gradients, weights)
        return {"d_loss": loss + paid, **self.scores(*logits), "d_gradient": global_norm(gradients)}

    def improve_generator(self, batch: int) -> dict[str, Any]:
        """One step of G: faces that the frozen D takes for photographs, and whose codes the frozen Q can read."""
        vector = self.noise(batch)

        def g_loss():
            fake = self.generator(vector, training=True)
            with frozen(self.d_eyes):
                logits, features = self.d_eyes(fake, training=True)
            with frozen(self.recogniser):
                said = self.recogniser(features, training=True)
            paid, bound = self.information(said, vector[:, -self.code_dim :])
            return self.pair.generator(logits) - paid, (paid, bound)

        weights = self.generator.trainable_variables
        (loss, (paid, bound)), gradients = value_and_grad(g_loss, weights, self.variables, self.optimizer.generator)
        return {**self.move_generator(loss + paid, gradients), "info_loss": -bound}

    def information(self, said: Any, code: Any) -> tuple[Any, Any]:
        """λ E log Q(c|x), what D, Q and G are paid; and the bound L_I = E log Q(c|x) + H(c), in nats (eq. C5)."""
        of_categories, of_numbers = code_log_likelihood(said, code, self.categories)
        paid = self.category_weight * of_categories + self.number_weight * of_numbers
        return paid, of_categories + of_numbers + code_entropy(self.categories, self.numbers)

    # ------------------------------------------------------------------------------------------------ pictures

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Faces of standard normal draws (count, latent_dim), see :meth:`vector`: uint8 (count, H, W, 3)."""
        return self.faces_of(ops.convert_to_numpy(self.vector(np.asarray(noise, "float32"))))

    def faces_of(self, vectors: np.ndarray) -> np.ndarray:
        """Faces of what G reads, (count, latent_dim): uint8 (count, H, W, 3). Codes may be anything here."""
        self.synchronise()
        return generate(self.generator, vectors, self.sampling_state(), self.value_range)

    def typical_inputs(self, count: int) -> np.ndarray:
        """Noise and codes as in training: the statistics of G's layers are measured with them."""
        return ops.convert_to_numpy(self.vector(super().typical_inputs(count)))

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recogniser": keras.saving.serialize_keras_object(self.recogniser),
            "categories": self.categories,
            "numbers": self.numbers,
            "category_weight": self.category_weight,
            "number_weight": self.number_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> InfoGAN:
        recogniser = keras.saving.deserialize_keras_object(config["recogniser"], custom_objects)
        return super().from_config({**config, "recogniser": recogniser}, custom_objects)


def build(
    image_size: int = IMAGE_SIZE,
    categories: Sequence[int] | int = (2,),
    numbers: int = 2,
    latent_dim: int = 16,
    width: int = 64,
    veil: float = 0.35,
    category_weight: float = 1.0,
    number_weight: float = 0.2,
    d_rate: float = 4e-4,
    g_rate: float = 2e-4,
    beta_1: float = 0.0,
    beta_2: float = 0.9,
    loss: str = "hinge",
    seed: int = 0,
    **rule: Any,
) -> InfoGAN:
    """InfoGAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    categories
        How many values each categorical code has: one number a code; () for none.
    numbers
        How many continuous codes there are; 0 for none.
    latent_dim
        Length of the noise beside the codes (the paper: 62 to 228).
    width
        Channels of the largest map in both networks.
    veil
        Standard deviation of the noise through which Q reads D's features; 0 for the paper's Q.
    category_weight, number_weight
        λ, what a nat of information is worth beside the adversarial loss, for the two kinds of code. The paper takes 1
        for categories and less for numbers.
    d_rate, g_rate, beta_1, beta_2
        Of Adam, for D with Q and for G: those of ``sngan.py``.
    loss
        A pair of ``losses.PAIRS``.
    rule
        ``d_steps``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, a category of fewer than two values, no code at all, or a negative weight.
    """
    check_image_size("infogan", image_size, multiple=1, smallest=16)
    categories = (categories,) if isinstance(categories, int) else tuple(categories)
    if any(values < 2 for values in categories) or numbers < 0 or not categories and not numbers:
        raise ValueError(
            f"categories={categories}, numbers={numbers}: a category has two values or more, one code is needed."
        )
    if category_weight < 0 or number_weight < 0 or veil < 0:
        raise ValueError(
            f"category_weight={category_weight}, number_weight={number_weight}, veil={veil}: λ and veil are 0 or more."
        )
    eyes = discriminator(image_size, width)
    model = InfoGAN(
        generator(image_size, latent_dim + sum(categories) + numbers, width),
        eyes,
        recogniser(eyes.layers[-1].input.shape[-1], categories, numbers, veil, seed=seed),
        categories=categories,
        numbers=numbers,
        category_weight=category_weight,
        number_weight=number_weight,
        loss=loss,
        seed=seed,
        name="infogan",
        **rule,
    )
    betas = {"beta_1": beta_1, "beta_2": beta_2}
    model.compile(Adam(d_rate, **betas), Adam(g_rate, **betas))
    return model
