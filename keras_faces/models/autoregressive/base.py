"""Base class of the autoregressive models: training on the likelihood, and sampling pixel by pixel.

Source: dissertation, section 2.1.4, eq. 2.3: ``p(x) = Π p(xᵢ | x₁ … xᵢ₋₁)``. The probability of an image is a product,
so the loss is minus its logarithm. There is no discriminator, and the loss also measures faces that the model has not
seen: bits per dimension.

In training all pixels are known, and one pass of the network gives the distributions of all of them. A sample needs one
pass for each colour of each pixel, 3072 at 32×32, and nearly all of each pass was computed before. So sampling keeps
the latest rows of each layer, and within a row the latest pixels, and computes one pixel of each layer at a time
(Ramachandran et al. 2017, "Fast generation for convolutional autoregressive models").

See also: ``pixelcnn.py``, ``pixelrnn.py``; ``pixel_likelihood.py``, the distributions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from tqdm import tqdm

from keras_faces.layers.dcgan_blocks import dcgan_init
from keras_faces.layers.masked_conv import MaskedConv2D
from keras_faces.models.autoregressive import pixel_likelihood
from keras_faces.training.base import FaceModel
from keras_faces.training.gradients import global_norm, value_and_grad
from keras_faces.training.optimizers import with_loss_scale
from keras_faces.training.sampling import latent_noise

AT_ONCE = 36  # faces in a batch of samples: a constant, so that a face does not depend on how many there are


def output_stages(image: Any, maps: Any, width: int, levels: Any) -> keras.Model:
    """Make the network from images (batch, S, S, 3) in [-1, 1] and its last hidden maps (batch, S, S, width).

    It returns the parameters of ``levels``, a distribution, (batch, S, S, params_per_channel, 3). Beside the source's
    two 1×1 convolutions there is a linear one from the pixels to the parameters: most of a pixel is in its neighbours,
    and ``levels.initial_kernel`` is a good guess from the start.
    """
    maps = layers.ReLU()(maps)
    maps = MaskedConv2D(2 * width, 1, "B", name="head")(maps)  # 32, 32, 72
    maps = layers.ReLU()(maps)
    channels = 3 * levels.params_per_channel
    maps = MaskedConv2D(channels, 1, "B", kernel_initializer=dcgan_init(), dtype="float32", name="says")(maps)
    linear = MaskedConv2D(channels, 7, "A", use_bias=False, dtype="float32", name="straight")
    maps = layers.Add(dtype="float32")([maps, linear(image)])  # 32, 32, 45
    params = layers.Reshape((*image.shape[1:3], levels.params_per_channel, 3), dtype="float32")(maps)  # 32, 32, 15, 3
    linear.kernel.assign(levels.initial_kernel(7))
    return keras.Model(image, params, name="generator")


class AutoregressiveModel(FaceModel):
    """A network that gives the distribution of each pixel, given those before it.

    A subclass has the network in parts, for sampling:

    - ``start(batch)``: the state before the first row, zeros.
    - ``next_row(state, above)``: the state with one more row of pixels, (batch, W, 3), and a list of all features of
      the rows above that the next row needs, (batch, W, n) each; the last one is that of the linear convolution.
    - ``first_left(batch)``: of each layer, what lies to the left of a row's first pixel, zeros (batch, n).
    - ``pixel(left, here, pixels)``: the parameters of a pixel, (batch, params_per_channel, 3), and what the next pixel
      needs as ``left``. ``here`` is a column of the features above; ``pixels`` are ``LEFT`` pixels to the left and the
      pixel itself as far as it is known, (batch, LEFT + 1, 3).

    Parameters
    ----------
    generator : keras.Model
        From images (batch, H, W, 3) in [-1, 1] to parameters (batch, H, W, params_per_channel, 3), where no place
        depends on itself or on what follows.
    output : str
        "softmax" or "mixture", see ``pixel_likelihood.py``.
    components : int
        Of the mixture.
    average, seed, name
        See :class:`FaceModel`.
    """

    METRICS = ("bits_loss", "g_gradient")
    LEFT = 3  # pixels to the left that the first layer reads

    def __init__(
        self,
        generator: keras.Model,
        *,
        output: str = "mixture",
        components: int = 5,
        average: float = 0.0,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(generator, average=average, seed=seed, name=name)
        self.output_name, self.components = output, components
        self.levels = pixel_likelihood.output(output, components)
        self.image_shape = tuple(generator.input_shape[1:])
        self.latent_dim = math.prod(self.image_shape)  # a normal number for each colour of each pixel
        self._row: Callable | None = None

    def compile(self, optimizer: keras.optimizers.Optimizer | None = None, *others: Any, **kwargs: Any) -> None:
        """Give the network its optimizer, by default Adam, learning rate 1e-3; a second one is a ``ValueError``."""
        if others:
            raise ValueError(f"{self.name} has one network and no stages; leave --stages out.")
        optimizer = with_loss_scale(optimizer or keras.optimizers.Adam(1e-3))
        optimizer.build(self.generator.trainable_variables)
        super().compile(optimizer=optimizer, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer)}

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """Make one iteration: raise the probability of the photographs.

        Parameters
        ----------
        images : tensor of uint8, shape (batch, H, W, 3)
            Photographs.

        Returns
        -------
        dict of scalar tensors
            ``bits_loss``, bits per dimension, and ``g_gradient``, the length of the gradient.
        """

        def loss_fn():
            params = self.generator(self.preprocess(images), training=True)
            return pixel_likelihood.bits(self.levels.log_probability(params, images)), None  # eq. 2.3

        weights = self.generator.trainable_variables
        (loss, _), gradients = value_and_grad(loss_fn, weights, self.variables, self.optimizer)
        self.optimizer.apply(gradients, weights)
        self.update_average()
        return {"bits_loss": loss, "g_gradient": global_norm(gradients)}

    def bits_per_dimension(self, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Return the bits that each of an image's H · W · 3 values would take to store.

        Parameters
        ----------
        images : ndarray of uint8, shape (count, H, W, 3)
            Faces not trained on show how good the model is.
        batch_size : int
            Images at a time.

        Returns
        -------
        ndarray of float32, shape (count,)
            A uniform model has 8.
        """
        self.synchronise()
        found = []
        for start in range(0, len(images), batch_size):
            part = np.asarray(images[start : start + batch_size])
            with keras.StatelessScope(state_mapping=self.sampling_state()):
                params = self.generator(self.preprocess(part), training=False)
                logs = self.levels.log_probability(params, part)
            found.append(ops.convert_to_numpy(-ops.mean(logs, axis=(1, 2, 3)) / math.log(2.0)))
        return np.concatenate(found)

    # ------------------------------------------------------------------------------------------------ sampling

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Generate faces of normal noise (count, latent_dim), one number for each colour: uint8 (count, H, W, 3).

        Each colour takes the intensity at the quantile Φ(noise) of its distribution: standard normal noise samples from
        the model, and zeros take every median (no likely face, but what a small ``truncation`` leads to).
        """
        noise = np.asarray(noise, "float32").reshape(-1, *self.image_shape)
        blank = np.zeros(noise.shape, "uint8")
        return self._generate(noise, blank, np.ones(noise.shape[:3], bool), "sampling")

    def complete(
        self, images: np.ndarray, hidden: np.ndarray, seed: int = 0, truncation: float | None = None
    ) -> np.ndarray:
        """Sample a part of faces anew; all other pixels stay as they are.

        A pixel depends on those before it: a hidden lower half goes with the upper one; a hidden upper half is sampled
        as if there were nothing below.

        Parameters
        ----------
        images : ndarray of uint8, shape (count, H, W, 3)
            Faces.
        hidden : ndarray of bool, shape (H, W) or (count, H, W)
            True for the pixels to sample.
        seed, truncation
            As of :meth:`FaceModel.sample`.

        Returns
        -------
        ndarray of uint8, shape (count, H, W, 3)
            RGB.

        Raises
        ------
        ValueError
            If the shapes do not fit the model.
        """
        images, hidden = np.asarray(images), np.asarray(hidden, bool)
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"{self.name} completes uint8 images of {self.image_shape}, got {images.dtype} {images.shape[1:]}."
            )
        if hidden.shape not in (images.shape[1:3], images.shape[:3]):
            raise ValueError(f"hidden has the shape {hidden.shape}, the images are {images.shape[:3]}.")
        noise = latent_noise(len(images), self.latent_dim, seed, truncation).reshape(images.shape)
        return self._generate(noise, images, np.broadcast_to(hidden, images.shape[:3]), "completing")

    def _generate(self, noise: np.ndarray, images: np.ndarray, hidden: np.ndarray, what: str) -> np.ndarray:
        """Sample the hidden pixels of images, ``AT_ONCE`` images at a time."""
        self.synchronise()
        variables = self.generator.variables
        if self._row is None:
            self._row = jit(self.sample_row, variables)
        averages = {id(variable): value for variable, value in self.sampling_state()}
        values = [averages.get(id(variable), variable.value) for variable in variables]
        faces = np.zeros_like(images)
        rows = -(-len(images) // AT_ONCE) * self.image_shape[0]
        with tqdm(total=rows, desc=what, unit=" rows", delay=2, mininterval=1, leave=False) as bar:
            for first in range(0, len(images), AT_ONCE):
                part = slice(first, first + AT_ONCE)
                faces[part] = self._generate_part(values, noise[part], images[part], hidden[part], bar)
        return faces

    def _generate_part(self, values, noise, images, hidden, bar) -> np.ndarray:
        """Up to ``AT_ONCE`` faces, row by row."""
        count = len(noise)
        fill = [(0, AT_ONCE - count), (0, 0), (0, 0)]
        noise, images, hidden = np.pad(noise, [*fill, (0, 0)]), np.pad(images, [*fill, (0, 0)]), np.pad(hidden, fill)
        state = self.start(AT_ONCE)
        above = np.zeros((AT_ONCE, *self.image_shape[1:]), "float32")
        rows = []
        for row in range(self.image_shape[0]):
            given = ops.convert_to_numpy(self.preprocess(images[:, row]))
            mask = hidden[:, row, :, None].astype("float32")
            state, above = self._row(values, state, above, noise[:, row], given, mask)
            rows.append(ops.convert_to_numpy(above))
            bar.update()
        faces = np.stack(rows, axis=1)[:count]
        return np.rint((faces + 1.0) * 127.5).astype("uint8")

    def sample_row(self, state: Any, above: Any, noise: Any, given: Any, hidden: Any) -> tuple[Any, Any]:
        """Sample one row, from left to right, colour by colour.

        ``state`` is that of the rows above the last, ``above`` the last one, (batch, W, 3) in [-1, 1]; ``noise`` is
        normal and ``given`` holds the pixels where nothing is sampled, (batch, W, 3) both; ``hidden`` is 1 where to
        sample, (batch, W, 1). Returns the next state, and the row (batch, W, 3).
        """
        state, features = self.next_row(state, above)
        quantile = 0.5 * (1.0 + ops.erf(ops.cast(noise, "float32") / math.sqrt(2.0)))  # Φ(noise)
        batch, width = noise.shape[0], noise.shape[1]
        left = ops.zeros((batch, self.LEFT, 3)), self.first_left(batch)

        def next_pixel(column, carried):
            row, (before, left) = carried
            here = [_column(feature, column) for feature in features]
            pixel = ops.zeros((batch, 3))
            for colour in range(3):  # green depends on red, blue on both
                params, next_left = self.pixel(left, here, ops.concatenate([before, pixel[:, None]], axis=1))
                own = slice(colour, colour + 1)
                level = self.levels.level(params[..., own], _column(quantile, column)[:, own])
                sampled, mask = ops.cast(level, "float32") / 127.5 - 1.0, _column(hidden, column)
                value = mask * sampled + (1.0 - mask) * _column(given, column)[:, own]
                pixel = pixel + value * ops.one_hot(colour, 3)
            place = ops.reshape(ops.one_hot(column, width), (1, width, 1))
            before = ops.concatenate([before, pixel[:, None]], axis=1)[:, 1:]
            return row + place * pixel[:, None], (before, next_left)

        row, _ = ops.fori_loop(0, width, next_pixel, (ops.zeros((batch, width, 3)), left))
        return state, row

    def output_pixel(self, maps: Any, pixels: Any, linear: Any) -> Any:
        """Apply :func:`output_stages` at one pixel, to hidden maps (batch, width): (batch, params_per_channel, 3)."""
        maps = self.generator.get_layer("head").pixel(ops.relu(maps)[:, None])
        params = self.generator.get_layer("says").pixel(ops.relu(maps)[:, None])
        params = params + self.generator.get_layer("straight").pixel(pixels) + linear
        return ops.reshape(params, (-1, self.levels.params_per_channel, 3))


def jit(function: Callable, variables: Sequence[keras.Variable]) -> Callable:
    """Compile a function of a model's variables, for thousands of small calls: a graph on TensorFlow, compiled on JAX.

    ``function`` reads nested tensors and ``variables``, and changes nothing. The result is called as
    ``(values, *arguments)``: the values of the variables to work with, such as averages, come first.
    """

    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(pure, autograph=False, reduce_retracing=True)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(pure)
    return pure


def _column(maps: Any, column: Any) -> Any:
    """Of maps (batch, W, n) one column, (batch, n)."""
    return ops.take(maps, column, axis=1)
