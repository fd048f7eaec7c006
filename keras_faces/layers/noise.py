"""Noise added to the maps of a generator, with a learned strength for each channel.

Source: Karras et al. 2019, section 2 and figure 1b, box B; dissertation, section 2.2.2 (noise after each convolution:
the direction of the hair, the position of the pupils).

See also: ``models/gans/stylegan.py``.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class NoiseInjection(keras.layers.Layer):
    """``maps + rate * strength * noise``: (batch, H, W, channels) to the same shape; one noise map for all channels.

    In training the noise is drawn anew for every image and every call. Otherwise it is the layer's ``fixed`` noise, so
    that a face depends only on its own w.

    Weights: ``strength`` (channels,), 0 at first; ``fixed`` (1, H, W, 1), not learned.

    Parameters
    ----------
    seed : int
        Of the fixed noise and of the draws in training. Give every layer another one.
    rate : float
        The strength learns at this share of the learning rate, above 0; 1 in the paper.

    Raises
    ------
    ValueError
        For a ``rate`` of 0 or less; when built for maps of unknown size.
    """

    def __init__(self, seed: int = 0, rate: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        if not rate > 0:
            raise ValueError(f"rate={rate}: must be a positive share of the learning rate; 1 is the paper's.")
        self.seed = seed
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if height is None or width is None:
            raise ValueError("NoiseInjection needs maps of a known size: its fixed noise has one value a pixel.")
        self.strength = self.add_weight(shape=(channels,), initializer="zeros", name="strength")
        self.fixed = self.add_weight(shape=(1, height, width, 1), initializer="zeros", trainable=False, name="fixed")
        self.fixed.assign(self.random_noise(self.seed))

    def random_noise(self, seed: int) -> np.ndarray:
        """Return noise in the shape of ``fixed``, the same on every backend.

        Parameters
        ----------
        seed : int or sequence of int
            Of ``numpy.random.default_rng``.

        Returns
        -------
        ndarray of float32, shape (1, H, W, 1)
        """
        return np.random.default_rng(seed).standard_normal(self.fixed.shape).astype("float32")

    def call(self, maps, training=False):
        noise = self.fixed
        if training:
            noise = keras.random.normal((*ops.shape(maps)[:3], 1), seed=self.seed_generator)
        pixels = ops.reshape(ops.cast(noise, self.compute_dtype), (-1, 1))
        product = ops.matmul(pixels, self.rate * self.strength[None, :])  # whose gradient is summed in float32
        return maps + ops.reshape(product, (-1, *maps.shape[1:]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed, "rate": self.rate}
