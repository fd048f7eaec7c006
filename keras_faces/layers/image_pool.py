"""The image pool: D also learns on older fakes, so that it does not forget them.

Source: Zhu et al. 2017 (CycleGAN), section 4, after Shrivastava et al. 2017: the last 50 fakes are kept; for each new
fake a random draw decides whether D sees it, or an older one in whose place it is kept.

See also: ``models/translation/cyclegan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class ImagePool(keras.layers.Layer):
    """A buffer of ``size`` images; images, count and random state are part of a model's state.

    Parameters
    ----------
    size : int
        How many fakes are kept; of a larger batch only so many take part. 0: none, D sees the new ones.
    image_shape : tuple of int
        (H, W, 3).
    seed : int
        Of the random draws.

    Raises
    ------
    ValueError
        For a negative ``size``.
    """

    def __init__(self, size: int, image_shape: tuple[int, ...], seed: int = 0, name: str = "pool") -> None:
        super().__init__(name=name, dtype="float32")
        if size < 0:
            raise ValueError(f"pool={size}: must be 0 (none) or how many fakes to keep, such as 50.")
        self.size, self.image_shape, self.seed = size, tuple(image_shape), seed
        self.images = self.add_weight((size, *image_shape), initializer="zeros", trainable=False, name="images")
        self.count = self.add_weight((), initializer="zeros", trainable=False, dtype="int32", name="count")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def exchange(self, images: Any) -> Any:
        """Return fakes for D: new ones, and for some an older one.

        While there is room, each image is kept and returned. Then, with probability ½, it takes the place of a kept
        one, which is returned instead; no place is taken twice in a batch.

        Parameters
        ----------
        images : tensor, shape (batch, H, W, 3)
            New fakes.

        Returns
        -------
        tensor, shape (batch, H, W, 3)
        """
        if not self.size:
            return images
        images, others = images[: self.size], images[self.size :]
        batch = ops.shape(images)[0]
        places = ops.argsort(keras.random.uniform((self.size,), seed=self.seed_generator))[:batch]
        heads = keras.random.uniform((batch,), seed=self.seed_generator) < 0.5
        full = self.count >= self.size
        coming = self.count + ops.arange(batch)
        places = ops.where(full, ops.cast(places, "int32"), coming % self.size)
        kept = ops.where(full, heads, coming < self.size)
        older = ops.take(self.images.value, places, axis=0)
        kept, swapped = (ops.reshape(flags, (-1, 1, 1, 1)) for flags in (kept, ops.logical_and(full, heads)))
        new = ops.where(kept, ops.cast(images, "float32"), older)
        self.images.assign(ops.scatter_update(self.images.value, ops.expand_dims(places, -1), new))
        self.count.assign(ops.minimum(self.count + batch, self.size))
        return ops.concatenate([ops.where(swapped, ops.cast(older, images.dtype), images), others])

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size, "image_shape": self.image_shape, "seed": self.seed, "name": self.name}
