"""Style mixing: one w for each layer of the generator, in training now and then from two different noises.

Source: Karras et al. 2019, section 3.1. In training most images ("mixing probability" 0.9) are made with two w: the
first for the layers before a random crossover, the second for those from it on. So no layer can rely on the style of
its neighbours.

See also: ``models/gans/stylegan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class StyleMixing(keras.layers.Layer):
    """Two w (batch, size) to one w for each layer, (batch, count, size). No weights.

    Outside training every layer gets the first w. In training each image draws its own crossover, uniform among the
    ``count - 1`` places between two layers, and is mixed with this ``probability``.

    Parameters
    ----------
    count : int
        How many layers have a style, at least 2.
    probability : float
        In [0, 1]: share of the images that are mixed; 0 for none.
    seed : int
        Of the crossovers.

    Raises
    ------
    ValueError
        For values out of these ranges.
    """

    def __init__(self, count: int, probability: float = 0.9, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"probability={probability}: the share of mixed images is between 0 and 1; 0.9 is usual.")
        if count < 2:
            raise ValueError(f"count={count}: mixing needs at least two layers.")
        self.count = count
        self.probability = probability
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, first, second, training=False):
        if not training:
            return ops.repeat(first[:, None, :], self.count, axis=1)
        return self.mix(first, second, self.crossovers(ops.shape(first)[0]))

    def crossovers(self, batch: int) -> Any:
        """Draw how many layers, from the coarsest on, keep the first w.

        Parameters
        ----------
        batch : int
            Number of images.

        Returns
        -------
        tensor of int, shape (batch,)
            1 to ``count``; ``count`` for an image that is not mixed.
        """
        place = keras.random.randint((batch,), 1, self.count, seed=self.seed_generator)
        mixed = keras.random.uniform((batch,), seed=self.seed_generator) < self.probability
        return ops.where(mixed, place, self.count)

    def mix(self, first: Any, second: Any, crossovers: Any) -> Any:
        """Take the first w for the layers before an image's crossover, the second for the others.

        Parameters
        ----------
        first, second : tensor, shape (batch, size)
            Two w for each image.
        crossovers : tensor of int, shape (batch,)
            0 to ``count``, see :meth:`crossovers`.

        Returns
        -------
        tensor, shape (batch, count, size)
        """
        keep = ops.less(ops.arange(self.count)[None, :], ops.cast(crossovers, "int32")[:, None])
        return ops.where(keep[:, :, None], first[:, None, :], second[:, None, :])

    def compute_output_shape(self, first_shape, second_shape):
        return (first_shape[0], self.count, first_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count, "probability": self.probability, "seed": self.seed}
