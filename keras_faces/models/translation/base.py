"""Base class of pix2pix and CycleGAN: G reads an image instead of noise.

The model keeps the first photographs that it is trained on, so that it always shows the translations of the same ones:
``samples/`` has the translations, ``translations/`` rows of input, output and what belongs beside them.

See also: ``pix2pix.py``, ``cyclegan.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.figures import grids
from keras_faces.training.gan import GAN
from keras_faces.training.sampling import generate

BANK = 64  # photographs that a model keeps


class TranslationModel(GAN):
    """A GAN whose G reads an image, (batch, H, W, 3) in [-1, 1], and makes another.

    A subclass has ``translate(images, ...)``, uint8 to uint8; ``rows(images, ...)``, pairs of a name and uint8 images
    for a figure; and ``remembered_rows(count)``, such images of ``count`` of the kept photographs.

    Parameters
    ----------
    generator : keras.Model
        From images to images of the same shape.
    discriminator : keras.Model
        From images, and what else the system gives it, to logits.
    loss, label_smoothing, average, value_range, seed, name
        See :class:`GAN`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str = "non-saturating",
        label_smoothing: float = 0.0,
        average: float = 0.0,
        value_range: tuple[float, float] = (-1.0, 1.0),
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            loss=loss,
            label_smoothing=label_smoothing,
            average=average,
            value_range=value_range,
            seed=seed,
            name=name,
        )
        self.latent_dim = 1  # of the noise for images, whose number of rows alone counts here
        self.image_shape = tuple(generator.output_shape[1:])
        self.bank = self.memory("bank")
        self.remembered = self.add_weight((), initializer="zeros", trainable=False, dtype="int32", name="remembered")

    def memory(self, name: str) -> keras.Variable:
        """Make a bank for photographs, part of the model's state: int32 (BANK, H, W, 3), grey at first."""
        shape = (BANK, *self.image_shape)
        bank = self.add_weight(shape, initializer="zeros", trainable=False, dtype="int32", name=name)
        bank.assign(np.full(shape, 128, "int32"))
        return bank

    def remember(self, images: Any, *banks: keras.Variable) -> None:
        """Keep the first ``BANK`` photographs of training: the k-th of each ``len(banks)`` go into the k-th bank."""
        for k, bank in enumerate(banks):
            mine = ops.cast(images[k :: len(banks)], "int32")
            count = ops.shape(mine)[0]
            place = ops.arange(BANK) - self.remembered  # of each in this batch
            new = ops.take(mine, ops.clip(place, 0, count - 1), axis=0)
            comes = ops.reshape(ops.logical_and(place >= 0, place < count), (BANK, 1, 1, 1))
            bank.assign(ops.where(comes, new, bank.value))
        self.remembered.assign(ops.minimum(self.remembered + count, BANK))

    def photographs(self, bank: keras.Variable | None = None) -> np.ndarray:
        """Return the kept photographs, uint8 (count, H, W, 3); a grey image before training."""
        self.synchronise()
        count = max(1, int(ops.convert_to_numpy(self.remembered.value)))
        return ops.convert_to_numpy((self.bank if bank is None else bank).value)[:count].astype("uint8")

    # ------------------------------------------------------------------------------------------------ images

    def sample(self, count: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Translate ``count`` kept photographs, in an order by ``seed``: uint8 (count, H, W, 3).

        A ``truncation`` is a ``ValueError``: there is no noise.
        """
        if truncation is not None:
            raise ValueError(f"{self.name} makes no faces of noise, so there is none to truncate.")
        photographs = self.photographs()
        order = np.random.default_rng(seed).permutation(len(photographs))
        return self.translate(photographs[order[np.arange(count) % len(order)]])

    def render(self, noise: np.ndarray) -> np.ndarray:
        """Translate as many kept photographs as there are rows of noise: uint8 (count, H, W, 3)."""
        photographs = self.photographs()
        return self.translate(photographs[np.arange(len(noise)) % len(photographs)])

    def apply_network(self, network: keras.Model, images: np.ndarray) -> np.ndarray:
        """Return the images that a generator of this model makes of others, both uint8 (count, H, W, 3)."""
        self.synchronise()
        scaled = ops.convert_to_numpy(self.preprocess(np.asarray(images)))
        return generate(network, scaled, self.sampling_state(), self.value_range)

    def check(self, images: np.ndarray) -> np.ndarray:
        """Return the images as an array; raise a ``ValueError`` unless they are uint8 (count, H, W, 3) of G's size."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape or not len(images):
            raise ValueError(
                f"{self.name} translates uint8 images (count, {', '.join(map(str, self.image_shape))}), "
                f"got {images.dtype} {images.shape}."
            )
        return images

    def watchers(self, folder: Path, progress: Any, every: int | None) -> list[keras.callbacks.Callback]:
        """Return the callback for ``translations/``, see :meth:`FaceModel.watchers`."""
        return [TranslationGrids(folder / "translations", progress, every)]


class TranslationGrids(keras.callbacks.Callback):
    """Writes rows of eight kept photographs and their translations: ``translations/epoch0001-000400.png``."""

    COUNT = 8

    def __init__(self, folder: Path, progress: Any, every: int | None = 200) -> None:
        super().__init__()
        self.folder, self.progress, self.every = Path(folder), progress, every

    def on_train_batch_end(self, batch, logs=None):
        if not (self.progress.due(self.every) or self.progress.epoch_is_over):
            return
        self.folder.mkdir(exist_ok=True)
        name = f"epoch{self.progress.epoch:04d}-{self.progress.iteration:06d}.png"
        rows = self.model.remembered_rows(self.COUNT)
        grids.save_picture(grids.tile(np.concatenate(rows), columns=len(rows[0])), self.folder / name)
