"""infogan: codes without labels; G is trained so that a network Q can read the code from the image.

Source: the course's textbook, section 5.3.4 (the course's copy ends before its equations); Chen et al. 2016, "InfoGAN"
(equations with a C). G reads noise z and a code c: a few categories, and a few continuous values in (−1, 1). A plain
GAN may ignore c: P_G(x|c) = P_G(x). Here the mutual information of code and image is part of the loss (eq. C3), without
any label:

    min_G max_D  V(D, G) − λ I(c; G(z, c))

I would need the true P(c|x). Any Q(c|x) gives a lower bound (eq. C4 and C5), which Q is trained to raise:

    I(c; G(z, c))  ≥  L_I(G, Q) = E log Q(c | G(z, c)) + H(c)

As in the paper's appendix C, Q has a hidden layer of 128 on D's features: D and Q learn together, then G through both,
frozen.
Q gives a softmax for each category, and mean and variance of a normal distribution for each continuous code (section
6). The variance stays above e⁻³, so that G need not show a code more precisely than that.

Against ``gans/sngan.py``, whose two networks these are, two decisions make the codes visible:

- Q reads D's features through normal noise of standard deviation ``veil``. Without it Q reads differences of a few
  grey levels: after 200 iterations L_I is high and the faces hardly change with the code. Spectral normalisation keeps
  D from amplifying such differences. (Information through a noisy channel is a lower bound, too.)
- Few components of z. With dozens of them, G puts the largest variations into z, not into the codes.

See also: ``figures/traverse.py``, the figures of what each code does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.layers.dcgan_blocks import dcgan_init
from keras_faces.models import check_image_size
from keras_faces.models.gans.sngan import discriminator, generator
from keras_faces.training.gan import GAN
from keras_faces.training.gradients import frozen
from keras_faces.training.sampling import generate

IMAGE_SIZE = 32
LOWEST_LOG_VARIANCE = -3.0


def recogniser(
    features: int, categories: Sequence[int], continuous_dim: int, veil: float = 0.35, units: int = 128, seed: int = 0
) -> keras.Sequential:
    """Return Q, from D's features (features,) to the parameters of Q(c|x).

    The output has ``sum(categories)`` logits, then ``continuous_dim`` means, then as many values t of which the
    variances are made (:func:`code_log_likelihood`). ``veil`` is the standard deviation of the noise, in training.
    """
    return keras.Sequential(
        [
            layers.Input((features,)),
            layers.GaussianNoise(veil, seed=seed, dtype="float32"),
            layers.Dense(units, use_bias=False, kernel_initializer=dcgan_init()),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(negative_slope=0.1),  # 128
            layers.Dense(sum(categories) + 2 * continuous_dim, kernel_initializer=dcgan_init(), dtype="float32"),
        ],
        name="recogniser",
    )


def code_log_likelihood(q_outputs: Any, code: Any, categories: Sequence[int]) -> tuple[Any, Any]:
    """Return ``mean log Q(c|x)`` in nats, of the categories and of the continuous codes.

    Parameters
    ----------
    q_outputs : tensor, shape (batch, sum(categories) + 2 n)
        Q's output; its last n columns are t, with ``log variance = −3 sigmoid(t)``, between −3 and 0.
    code : tensor, shape (batch, sum(categories) + n)
        The true code: a one-hot for each category, then n continuous values.
    categories : sequence of int
        How many values each categorical code has.

    Returns
    -------
    tuple of two scalar tensors
        Of the softmaxes, and of the normal distributions.
    """
    q_outputs, code = ops.cast(q_outputs, "float32"), ops.cast(code, "float32")
    one_hots = sum(categories)
    n = code.shape[-1] - one_hots
    of_categories, first = ops.zeros(()), 0
    for values in categories:
        log_probability = ops.log_softmax(q_outputs[:, first : first + values])
        of_categories = of_categories + ops.mean(ops.sum(code[:, first : first + values] * log_probability, axis=-1))
        first += values
    mean = q_outputs[:, one_hots : one_hots + n]
    log_variance = LOWEST_LOG_VARIANCE * ops.sigmoid(q_outputs[:, one_hots + n :])
    squared = (code[:, one_hots:] - mean) ** 2 * ops.exp(-log_variance)
    log_density = -0.5 * (squared + log_variance + math.log(2 * math.pi))
    return of_categories, ops.mean(ops.sum(log_density, axis=-1))


def code_entropy(categories: Sequence[int], continuous_dim: int) -> float:
    """Return H(c) in nats: log K for each category of K values, log 2 for each value uniform in (−1, 1)."""
    return sum(math.log(values) for values in categories) + continuous_dim * math.log(2)


@keras.saving.register_keras_serializable("keras_faces")
class InfoGAN(GAN):
    """A GAN with a code in G's input, which Q reads from the images.

    G's input is z, a one-hot for each categorical code, then the continuous codes. It is made of as many standard
    normal values (:meth:`vector`), so sample grids and interpolations work as with every system.

    Parameters
    ----------
    generator : keras.Model
        From (batch, noise + sum(categories) + continuous_dim) to images.
    discriminator : keras.Model
        From images to a logit; its last layer is dense, and reads D's features.
    recogniser : keras.Model
        Q, from those features to the input of :func:`code_log_likelihood`.
    categories : sequence of int
        How many values each categorical code has, such as (10,).
    continuous_dim : int
        How many continuous codes there are.
    category_weight, continuous_weight : float
        λ of the two kinds.
    options
        See :class:`GAN`.
    """

    METRICS = (*GAN.METRICS, "info_loss")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        recogniser: keras.Model,
        *,
        categories: Sequence[int] = (10,),
        continuous_dim: int = 2,
        category_weight: float = 1.0,
        continuous_weight: float = 0.2,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        self.recogniser = recogniser
        self.categories, self.continuous_dim = tuple(categories), continuous_dim
        self.category_weight, self.continuous_weight = category_weight, continuous_weight
        self.code_dim = sum(self.categories) + continuous_dim
        last = self.d_logits.layers[-1]
        self.d_with_features = keras.Model(self.d_logits.inputs[0], [last.output, last.input], name="d_with_features")

    def compile(self, d_optimizer: Any = None, g_optimizer: Any = None, **kwargs: Any) -> None:
        """Give G an optimizer, and D and Q one for both; parameters as of :meth:`GAN.compile`."""
        parts = {
            "discriminator": (d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5), self.d_weights()),
            "generator": (g_optimizer or keras.optimizers.Adam(1e-3, beta_1=0.5), self.generator),
        }
        self.set_optimizers(parts, **kwargs)

    def d_weights(self) -> list[keras.Variable]:
        """Return the weights of D and of Q."""
        return self.discriminator.trainable_variables + self.recogniser.trainable_variables

    # ------------------------------------------------------------------------------------------- noise and codes

    def vector(self, normal: Any) -> Any:
        """Return G's input, made of standard normal values of the same shape (batch, latent_dim).

        z stays as it is. A category is the argmax of its values. A continuous code is erf(value / √2), uniform in
        (−1, 1).
        """
        first = normal.shape[-1] - self.code_dim
        parts = [normal[:, :first]]
        for values in self.categories:
            parts.append(ops.one_hot(ops.argmax(normal[:, first : first + values], axis=-1), values, dtype="float32"))
            first += values
        parts.append(ops.erf(normal[:, first:] / math.sqrt(2)))
        return ops.concatenate(parts, axis=-1)

    def noise(self, batch: int) -> Any:
        """Return fresh noise and codes, (batch, latent_dim)."""
        return self.vector(super().noise(batch))

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration as :meth:`GAN.step`: D and Q learn, then G.

        The logs also have ``info_loss`` = −L_I in nats: about 0 while images do not depend on their codes.
        """
        batch = ops.shape(images)[0] // self.d_steps

        for k in range(self.d_steps):
            real = self.preprocess(images[k * batch : (k + 1) * batch])
            vector = self.noise(batch)
            fake = ops.stop_gradient(self.generator(vector, training=True))
            d_logs = self.train_discriminator(real, fake, vector[:, -self.code_dim :])

        g_logs = self.train_generator(self.noise(batch))

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}

    def train_discriminator(self, real: Any, fake: Any, code: Any) -> dict[str, Any]:
        """Update D and Q once: D by its scores, both by the codes (batch, code_dim) of the fakes."""

        def d_loss():
            fake_logits, fake_features = self.d_with_features(fake, training=True)
            real_logits, _ = self.d_with_features(real, training=True)
            reward, _ = self.information(self.recogniser(fake_features, training=True), code)
            return self.discriminator_loss(real_logits, fake_logits) - reward, (real_logits, fake_logits, reward)

        loss, (*logits, reward), gradient = self.update_discriminator(d_loss)
        return {"d_loss": loss + reward, **self.scores(*logits), "d_gradient": gradient}

    def train_generator(self, noise: Any) -> dict[str, Any]:
        """Update G once through D and Q, frozen: its images are to score "real", and Q is to read their codes."""

        def g_loss():
            fake = self.generator(noise, training=True)
            with frozen(self.d_with_features):
                logits, features = self.d_with_features(fake, training=True)
            with frozen(self.recogniser):
                q_outputs = self.recogniser(features, training=True)
            reward, bound = self.information(q_outputs, noise[:, -self.code_dim :])
            return self.pair.generator(logits) - reward, (reward, bound)

        loss, (reward, bound), gradient = self.update_generator(g_loss)
        return {"g_loss": loss + reward, "g_gradient": gradient, "info_loss": -bound}

    def information(self, q_outputs: Any, code: Any) -> tuple[Any, Any]:
        """Return λ E log Q(c|x), the reward of D, Q and G; and L_I = E log Q(c|x) + H(c), in nats (eq. C5)."""
        categorical, continuous = code_log_likelihood(q_outputs, code, self.categories)
        reward = self.category_weight * categorical + self.continuous_weight * continuous
        return reward, categorical + continuous + code_entropy(self.categories, self.continuous_dim)

    # -------------------------------------------------------------------------------------------------- images

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Generate faces of standard normal values (count, latent_dim), see :meth:`vector`: uint8 (count, H, W, 3)."""
        return self.faces_of(ops.convert_to_numpy(self.vector(np.asarray(noise, "float32"))))

    def faces_of(self, vectors: np.ndarray) -> np.ndarray:
        """Generate faces of inputs of G (count, latent_dim), with any codes: uint8 (count, H, W, 3)."""
        self.synchronise()
        return generate(self.generator, vectors, self.sampling_state(), self.value_range)

    def typical_inputs(self, count: int) -> np.ndarray:
        """Return noise and codes as in training, (count, latent_dim)."""
        return ops.convert_to_numpy(self.vector(super().typical_inputs(count)))


def build(
    image_size: int = IMAGE_SIZE,
    categories: Sequence[int] | int = (2,),
    continuous_dim: int = 2,
    latent_dim: int = 16,
    width: int = 64,
    veil: float = 0.35,
    category_weight: float = 1.0,
    continuous_weight: float = 0.2,
    d_learning_rate: float = 4e-4,
    g_learning_rate: float = 2e-4,
    beta_1: float = 0.0,
    beta_2: float = 0.9,
    loss: str = "hinge",
    seed: int = 0,
    **options: Any,
) -> InfoGAN:
    """Return InfoGAN, compiled.

    Parameters
    ----------
    image_size, width, d_learning_rate, g_learning_rate, beta_1, beta_2, loss, seed, options
        As of :func:`sngan.build`; Q learns with D.
    categories : sequence of int, or int
        How many values each categorical code has, at least 2; () for no such code.
    continuous_dim : int
        How many continuous codes there are.
    latent_dim : int
        Length of the noise z, codes not counted (the paper: 62 to 228).
    veil : float
        Standard deviation of the noise through which Q reads D's features; 0 for the paper's Q.
    category_weight, continuous_weight : float
        λ of the two kinds of code. The paper has 1 for categories, and less for continuous codes.

    Raises
    ------
    ValueError
        If ``image_size`` is below 16, for a category of fewer than 2 values, no code at all, and a negative weight.
    """
    check_image_size("infogan", image_size, multiple=1, smallest=16)
    categories = (categories,) if isinstance(categories, int) else tuple(categories)
    if any(values < 2 for values in categories) or continuous_dim < 0 or not categories and not continuous_dim:
        raise ValueError(
            f"categories={categories}, continuous_dim={continuous_dim}: 2 values a category, one code at least."
        )
    if category_weight < 0 or continuous_weight < 0 or veil < 0:
        raise ValueError(
            f"category_weight={category_weight}, continuous_weight={continuous_weight}, veil={veil}: must be 0 or more."
        )
    d = discriminator(image_size, width)
    model = InfoGAN(
        generator(image_size, latent_dim + sum(categories) + continuous_dim, width),
        d,
        recogniser(d.layers[-1].input.shape[-1], categories, continuous_dim, veil, seed=seed),
        categories=categories,
        continuous_dim=continuous_dim,
        category_weight=category_weight,
        continuous_weight=continuous_weight,
        loss=loss,
        seed=seed,
        name="infogan",
        **options,
    )
    betas = {"beta_1": beta_1, "beta_2": beta_2}
    model.compile(keras.optimizers.Adam(d_learning_rate, **betas), keras.optimizers.Adam(g_learning_rate, **betas))
    return model
