"""Self-attention: every place of a map reads from every other place.

Source: Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", section 3 (the dissertation's figure 2.7):

    s_ij = f(x_i) · g(x_j)      β_ji = softmax over i of s_ij      o_j = v( Σ_i β_ji h(x_i) )      y = γ o + x

f, g, h, v are 1×1 convolutions, the first three to an eighth of the channels (C̄ = C/8), v back to all. γ starts at 0:
at first the layer changes nothing. The dissertation's figure has the paper's first form, where h keeps all channels and
there is no v.

See also: ``models/gans/sagan.py``, which also draws where a face looks.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_faces.layers.spectral import SpectralConv2D


@keras.saving.register_keras_serializable("keras_faces")
class SelfAttention(layers.Layer):
    """Attention between all places of a map: (batch, H, W, C) to the same shape.

    Parameters
    ----------
    reduction : int
        f, g and h have C / ``reduction`` channels (at least 1); 8 in the paper.
    spectral : bool
        Divide the four kernels by their σ, as SAGAN does in all layers.
    pooled : bool
        Take keys and values from the maxima of 2×2 places, as the authors' code does: a quarter of the work on large
        maps. For even sides only.
    kernel_initializer : str or keras.initializers.Initializer
        Of the four kernels.

    Raises
    ------
    ValueError
        When built for an odd side with ``pooled``.
    """

    def __init__(
        self,
        reduction: int = 8,
        spectral: bool = True,
        pooled: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.reduction, self.spectral, self.pooled = reduction, spectral, pooled
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple) -> None:
        *_, height, width, channels = input_shape
        if self.pooled and (height % 2 or width % 2):
            raise ValueError(f"SelfAttention(pooled=True) needs even sides, not {height}×{width}: leave `pooled` out.")
        narrow = max(1, channels // self.reduction)
        self.f, self.g, self.h = (self._convolution(narrow, name) for name in ("f", "g", "h"))
        self.v = self._convolution(channels, "v")
        for convolution in (self.f, self.g, self.h):
            convolution.build(input_shape)
        self.v.build((*input_shape[:-1], narrow))
        self.gamma = self.add_weight((), initializer="zeros", name="gamma")

    def _convolution(self, filters: int, name: str) -> layers.Layer:
        kind = SpectralConv2D if self.spectral else layers.Conv2D
        # A copy with a seed of its own for each, where the initializer is random.
        initializer = self.kernel_initializer.clone()
        return kind(
            filters, kernel_size=1, use_bias=False, kernel_initializer=initializer, dtype=self.dtype_policy, name=name
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        shares = ops.cast(self.attention_map(inputs, training), self.compute_dtype)
        news = self._places(self._pool(self.h(inputs, training=training)))
        gathered = ops.matmul(shares, news)  # Σ_i β_ji h(x_i): batch, places, C / 8
        gathered = ops.reshape(gathered, (-1, *inputs.shape[1:-1], news.shape[-1]))
        return self.gamma * self.v(gathered, training=training) + inputs

    def attention_map(self, inputs: Any, training: bool = False) -> Any:
        """Return β, row j of which says how much place j takes from each place.

        Parameters
        ----------
        inputs : tensor, shape (batch, H, W, C)
            Maps.
        training : bool
            Whether the vectors u of spectral kernels move.

        Returns
        -------
        tensor of float32, shape (batch, places, keys)
            Rows sum to 1. The place at (row, column) has the index ``row * W + column``. There are as many keys as
            places, a quarter as many with ``pooled``.
        """
        keys = self._places(self._pool(self.f(inputs, training=training)))
        queries = self._places(self.g(inputs, training=training))
        scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))  # s_ij at [j, i]
        return ops.softmax(ops.cast(scores, "float32"), axis=-1)

    def _pool(self, maps: Any) -> Any:
        return ops.max_pool(maps, 2, strides=2, data_format="channels_last") if self.pooled else maps

    @staticmethod
    def _places(maps: Any) -> Any:
        """(batch, H, W, channels) to (batch, H·W, channels)."""
        return ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "reduction": self.reduction,
            "spectral": self.spectral,
            "pooled": self.pooled,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
