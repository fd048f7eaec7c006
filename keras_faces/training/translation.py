"""Systems that make a picture of a picture: what pix2pix and CycleGAN share.

There is no noise to make a face of. So the model remembers the first photographs that it is trained on, and shows what
it makes of these, always the same ones, as training goes on: ``samples/`` has the translations alone, and
``translations/`` rows of input, output and what else there is to lay beside them.

Read next: ``models/pix2pix.py``, ``models/cyclegan.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces import plots
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.sampling import generate

BANK = 64  # photographs that a model remembers


class TranslationModel(AdversarialModel):
    """A GAN whose G reads an image, (batch, H, W, 3) in [-1, 1], and makes another.

    A system has ``translate(images, **asked)``, uint8 to uint8; ``rows(images, **asked)``, pairs of a name and uint8
    images, the same with what to lay beside it; and ``remembered_rows(count)``, the images of these for ``count`` of
    the remembered photographs.

    Parameters
    ----------
    generator
        Model from images to images of the same shape.
    discriminator
        As the system wants it; the first that it reads are images.
    rule
        See :class:`AdversarialModel`.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, **rule: Any) -> None:
        super().__init__(generator, discriminator, **rule)
        if self.gradient_penalty or self.r1 or self.shared_fakes or self.d_steps > 1:
            raise ValueError("a translation knows no gradient_penalty, r1, shared_fakes and d_steps; leave them out.")
        self.latent_dim = 1  # pictures are asked for by noise everywhere; here only how many of them are wanted counts
        self.image_shape = tuple(generator.output_shape[1:])
        self.bank = self.memory("bank")
        self.remembered = self.add_weight((), initializer="zeros", trainable=False, dtype="int32", name="remembered")

    def memory(self, name: str) -> keras.Variable:
        """Room for photographs, part of the model's state: int32 (BANK, H, W, 3), grey at first."""
        room = self.add_weight(
            (BANK, *self.image_shape), initializer="zeros", trainable=False, dtype="int32", name=name
        )
        room.assign(np.full(room.shape, 128, "int32"))
        return room

    def remember(self, images: Any, *banks: keras.Variable) -> None:
        """Keep the first ``BANK`` photographs that come: the k-th of each ``len(banks)`` go into the k-th bank."""
        for k, bank in enumerate(banks):
            mine = ops.cast(images[k :: len(banks)], "int32")
            count = ops.shape(mine)[0]
            place = ops.arange(BANK) - self.remembered  # of each in this batch
            new = ops.take(mine, ops.clip(place, 0, count - 1), axis=0)
            comes = ops.reshape(ops.logical_and(place >= 0, place < count), (BANK, 1, 1, 1))
            bank.assign(ops.where(comes, new, bank.value))
        self.remembered.assign(ops.minimum(self.remembered + count, BANK))

    def photographs(self, bank: keras.Variable | None = None) -> np.ndarray:
        """The remembered photographs, uint8 (count, H, W, 3); one grey picture before training."""
        self.synchronise()
        count = max(1, int(ops.convert_to_numpy(self.remembered.value)))
        return ops.convert_to_numpy((self.bank if bank is None else bank).value)[:count].astype("uint8")

    # ------------------------------------------------------------------------------------------------ pictures

    def sample(self, count: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
        """Translations of remembered photographs, uint8 (count, H, W, 3); the seed says which come first."""
        if truncation is not None:
            raise ValueError(f"{self.name} makes no faces of noise, so there is none to truncate.")
        photographs = self.photographs()
        order = np.random.default_rng(seed).permutation(len(photographs))
        return self.translate(photographs[order[np.arange(count) % len(order)]])

    def render(self, noise: np.ndarray) -> np.ndarray:
        """As many translations of remembered photographs as there are rows of noise, uint8 (count, H, W, 3)."""
        photographs = self.photographs()
        return self.translate(photographs[np.arange(len(noise)) % len(photographs)])

    def made(self, images: np.ndarray) -> np.ndarray:
        """G's pictures of images that are ready for it, both uint8 (count, H, W, 3)."""
        self.synchronise()
        return generate(self.generator, self.ready(images), self.sampling_state(), self.value_range)

    def ready(self, images: np.ndarray) -> np.ndarray:
        """uint8 images in G's range, as a NumPy array."""
        return ops.convert_to_numpy(self.scaled(np.asarray(images)))

    def check(self, images: np.ndarray) -> np.ndarray:
        """The images, if they are uint8 (count, H, W, 3) of the model's size; else a ``ValueError``."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape or not len(images):
            raise ValueError(
                f"{self.name} translates uint8 images (count, {', '.join(map(str, self.image_shape))}), "
                f"got {images.dtype} {images.shape}."
            )
        return images

    def watchers(self, folder: Path, progress: Any, every: int | None) -> list[keras.callbacks.Callback]:
        """The callbacks that a run folder has beside the usual ones."""
        return [TranslationGrids(folder / "translations", progress, every)]


class TranslationGrids(keras.callbacks.Callback):
    """Rows of what the model makes of eight remembered photographs: ``translations/epoch0001-000400.png``."""

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
        plots.save_picture(plots.tile(np.concatenate(rows), columns=len(rows[0])), self.folder / name)
