"""Models that paint a face pixel by pixel, each pixel given those before it: the training, and a quick way to paint.

Source: dissertation, section 2.1.4, eq. 2.3: ``p(x) = Π p(xᵢ | x₁ … xᵢ₋₁)``. The probability of a whole photograph is a
product, so the loss is plain: minus its logarithm. There is no D, no game, and a number that says how good the model
is, on faces that it has not seen, too: bits per dimension.

In training all pixels are known, and one pass of the network says something about all of them. To draw a face, one
pass is needed for each colour of each pixel, 3072 at 32×32, and each would compute again what the last one knew. So
pictures are made another way here (Ramachandran et al. 2017, "Fast generation for convolutional autoregressive
models"): of each layer the latest rows, and within a row the latest pixels, are kept, and what is computed is one
pixel of each layer.

Read next: ``models/pixelcnn.py``; ``levels.py`` for what a network says about a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from keras_faces.training import levels
from keras_faces.training.adam import Adam
from keras_faces.training.compiled import compiled
from keras_faces.training.face_model import FaceModel
from keras_faces.training.gradients import global_norm, value_and_grad
from keras_faces.training.loss_scale import scaled
from keras_faces.training.sampling import latent_noise

AT_ONCE = 36  # faces: with one size, a face is the same, to the last bit, whatever is drawn beside it


class AutoregressiveModel(FaceModel):
    """A network that says of each pixel what it may be, given those before it.

    A system has the network in parts, for a picture under way:

    - ``start(batch)``: the state before the first row, zeros.
    - ``next_row(state, above)``: the state with one more row of pixels, (batch, W, 3), and a list of all that the next
      row's pixels need of the rows above, (batch, W, n) each.
    - ``first_left(batch)``: of each layer, what lies to the left of a row's first pixel, zeros (batch, n).
    - ``pixel(left, here, pixels)``: what the network says of a pixel, (batch, numbers, 3), and what it leaves for the
      next one; from what the one before left, the column of the list above, and ``LEFT`` pixels to the left with the
      pixel itself as far as it is known, (batch, LEFT + 1, 3).

    Parameters
    ----------
    generator
        Model from images (batch, H, W, 3) in [-1, 1] to what ``levels.py`` reads, (batch, H, W, numbers, 3), in which
        no place depends on itself or on what follows.
    output
        "softmax" or "mixture", see ``levels.py``.
    components
        Of the mixture.
    average, seed
        See :class:`FaceModel`.
    """

    NUMBERS = ("bits_loss", "g_gradient")
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
        self.levels = levels.output(output, components)
        self.image_shape = tuple(generator.input_shape[1:])
        self.latent_dim = math.prod(self.image_shape)  # a normal number for each colour of each pixel
        self._row: Callable | None = None

    def compile(self, optimizer: keras.optimizers.Optimizer | None = None, *others: Any, **kwargs: Any) -> None:
        """Give the network its optimizer; by default Adam with rate 1e-3."""
        if others:
            raise ValueError(f"{self.name} has one network and no stages; leave --stages out.")
        optimizer = scaled(optimizer or Adam(1e-3))
        optimizer.build(self.generator.trainable_variables)
        super().compile(optimizer=optimizer, **kwargs)

    # ------------------------------------------------------------------------------------------------- the step

    def step(self, images: Any) -> dict[str, Any]:
        """One iteration: the photographs are to become more probable.

        Parameters
        ----------
        images
            uint8 (batch, H, W, 3).

        Returns
        -------
        ``bits_loss``, bits per dimension, and ``g_gradient``, the length of the gradient.
        """

        def loss():
            said = self.generator(self.scaled(images), training=True)
            return levels.bits(self.levels.log_probability(said, images)), None

        weights = self.generator.trainable_variables
        (value, _), gradients = value_and_grad(loss, weights, self.variables, self.optimizer)
        self.optimizer.apply(gradients, weights)
        if self.average:
            self.average.update(self.generator)
        return {"bits_loss": value, "g_gradient": global_norm(gradients)}

    def bits_per_dimension(self, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
        """Of each photograph, float32 (count,): how many bits each of its H · W · 3 numbers would take to store.

        Parameters
        ----------
        images
            uint8 (count, H, W, 3); of faces not trained on it says how well the model knows faces.
        """
        self.synchronise()
        found = []
        for start in range(0, len(images), batch_size):
            part = np.asarray(images[start : start + batch_size])
            with keras.StatelessScope(state_mapping=self.sampling_state()):
                said = self.generator(self.scaled(part), training=False)
                logs = self.levels.log_probability(said, part)
            found.append(ops.convert_to_numpy(-ops.mean(logs, axis=(1, 2, 3)) / math.log(2.0)))
        return np.concatenate(found)

    # ------------------------------------------------------------------------------------------------ pictures

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Faces of normal noise (count, latent_dim), a number for each colour of each pixel: uint8 (count, H, W, 3).

        Each pixel takes the level at the share Φ(noise) of its distribution: so standard normal noise draws from the
        model, and noise of 0 takes the middle each time (no likely face, but what ``truncation`` leads to).
        """
        noise = np.asarray(noise, "float32").reshape(-1, *self.image_shape)
        blank = np.zeros(noise.shape, "uint8")
        return self._painted(noise, blank, np.ones(noise.shape[:3], bool), "drawing")

    def complete(self, images: np.ndarray, hidden: np.ndarray, seed: int = 0, truncation: float | None = None):
        """Faces of which a part is drawn anew, uint8 (count, H, W, 3); the rest stays as it is, to the last bit.

        A pixel is drawn given what comes *before* it: a hidden lower half goes with the upper one; a hidden upper half
        is drawn as if there were nothing below.

        Parameters
        ----------
        images
            uint8 (count, H, W, 3).
        hidden
            True for the pixels to draw: (H, W), or (count, H, W).

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
        return self._painted(noise, images, np.broadcast_to(hidden, images.shape[:3]), "completing")

    def _painted(self, noise: np.ndarray, images: np.ndarray, hidden: np.ndarray, what: str) -> np.ndarray:
        self.synchronise()
        variables = self.generator.variables
        if self._row is None:
            self._row = compiled(self.paint_row, variables)
        averages = {id(variable): value for variable, value in self.sampling_state()}
        values = [averages.get(id(variable), variable.value) for variable in variables]
        painted = np.zeros_like(images)
        rounds = -(-len(images) // AT_ONCE)
        with tqdm(
            total=rounds * self.image_shape[0], desc=what, unit=" rows", delay=2, mininterval=1, leave=False
        ) as bar:
            for first in range(0, len(images), AT_ONCE):
                some = slice(first, first + AT_ONCE)
                painted[some] = self._paint(values, noise[some], images[some], hidden[some], bar)
        return painted

    def _paint(self, values, noise, images, hidden, bar) -> np.ndarray:
        """Up to ``AT_ONCE`` faces, row by row."""
        count = len(noise)
        fill = [(0, AT_ONCE - count), (0, 0), (0, 0)]
        noise, images, hidden = np.pad(noise, [*fill, (0, 0)]), np.pad(images, [*fill, (0, 0)]), np.pad(hidden, fill)
        state = self.start(AT_ONCE)
        above = np.zeros((AT_ONCE, *self.image_shape[1:]), "float32")
        rows = []
        for row in range(self.image_shape[0]):
            given = ops.convert_to_numpy(self.scaled(images[:, row]))
            drawn = self._row(values, state, above, noise[:, row], given, hidden[:, row, :, None].astype("float32"))
            state, above = drawn
            rows.append(ops.convert_to_numpy(above))
            bar.update()
        faces = np.stack(rows, axis=1)[:count]
        return np.rint((faces + 1.0) * 127.5).astype("uint8")

    def paint_row(self, state: Any, above: Any, noise: Any, given: Any, hidden: Any) -> tuple[Any, Any]:
        """One row, from left to right, colour by colour.

        Parameters
        ----------
        state
            What the rows above left behind, without the last.
        above
            That last one, (batch, W, 3) in [-1, 1].
        noise, given, hidden
            For the row: normal noise (batch, W, 3), the photographs' pixels (batch, W, 3), and 1 where to draw,
            (batch, W, 1).

        Returns
        -------
        The next ``state``, and the row.
        """
        state, features = self.next_row(state, above)
        share = 0.5 * (1.0 + ops.erf(ops.cast(noise, "float32") / math.sqrt(2.0)))
        batch, width = noise.shape[0], noise.shape[1]
        left = ops.zeros((batch, self.LEFT, 3)), self.first_left(batch)

        def next_pixel(column, carried):
            row, (seen, left) = carried
            here = [_column(feature, column) for feature in features]
            pixel = ops.zeros((batch, 3))
            for colour in range(3):  # what the network says of green depends on red
                said, below = self.pixel(left, here, ops.concatenate([seen, pixel[:, None]], axis=1))
                level = self.levels.level(
                    said[..., colour : colour + 1], _column(share, column)[:, colour : colour + 1]
                )
                drawn = ops.cast(level, "float32") / 127.5 - 1.0
                there = _column(hidden, column)
                value = there * drawn + (1.0 - there) * _column(given, column)[:, colour : colour + 1]
                pixel = pixel + value * ops.one_hot(colour, 3)
            here_only = ops.reshape(ops.one_hot(column, width), (1, width, 1))
            return row + here_only * pixel[:, None], (ops.concatenate([seen, pixel[:, None]], axis=1)[:, 1:], below)

        row, _ = ops.fori_loop(0, width, next_pixel, (ops.zeros((batch, width, 3)), left))
        return state, row

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "output": self.output_name,
            "components": self.components,
            "average": self.average.decay if self.average else 0.0,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> AutoregressiveModel:
        return cls(
            **{**config, "generator": keras.saving.deserialize_keras_object(config["generator"], custom_objects)}
        )

    def get_compile_config(self) -> dict[str, Any]:
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(keras.saving.deserialize_keras_object(config["optimizer"]))


def _column(maps: Any, column: Any) -> Any:
    """Of maps (batch, W, n) one column, (batch, n)."""
    return ops.take(maps, column, axis=1)
