"""Minibatch standard deviation: D reads how much the images of a batch differ.

Source: Karras et al. 2018, "Progressive growing of GANs", section 3. A D that judges one image at a time cannot see
that all of G's faces are the same. This layer takes the standard deviation over the batch of every feature at every
place, averages these, and appends the result as one more channel. As in the paper's own code, the batch is taken in
groups of 4; the images of group m are m, m + M, m + 2M, ... of M groups.

Fakes and photographs must come in batches of their own: mixed in one, they would all get the same value.

See also: ``models/gans/pggan.py``, whose D has this layer before its last convolution.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class MinibatchStd(keras.layers.Layer):
    """Append the groups' mean standard deviation: (batch, H, W, channels) to (batch, H, W, channels + 1). No weights.

    Parameters
    ----------
    group_size : int
        Images that are compared with each other, at least 2. A batch that does not divide into such groups is one.

    Raises
    ------
    ValueError
        For a smaller ``group_size``.
    """

    def __init__(self, group_size: int = 4, **options: Any) -> None:
        super().__init__(**options)
        if group_size < 2:
            raise ValueError(f"group_size={group_size}: one image has no standard deviation; 4 is usual.")
        self.group_size = group_size

    def call(self, inputs):
        batch, height, width, channels = ops.shape(inputs)
        groups = self._groups(batch)
        values = ops.reshape(ops.cast(inputs, "float32"), (-1, groups, height, width, channels))
        deviations = ops.sqrt(ops.var(values, axis=0) + 1e-8)  # groups, H, W, channels
        means = ops.mean(deviations, axis=(1, 2, 3), keepdims=True)  # groups, 1, 1, 1
        spread = ops.broadcast_to(means, (batch // groups, groups, height, width, 1))
        spread = ops.reshape(spread, (batch, height, width, 1))
        return ops.concatenate([inputs, ops.cast(spread, inputs.dtype)], axis=-1)

    def _groups(self, batch: Any) -> Any:
        if isinstance(batch, int):
            return batch // self.group_size if batch % self.group_size == 0 else 1
        return ops.where(batch % self.group_size == 0, batch // self.group_size, 1)  # TensorFlow learns it at run time

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group_size": self.group_size}
