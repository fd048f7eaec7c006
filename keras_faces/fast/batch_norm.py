"""BatchNormalization in one operation.

Keras writes the layer (Ioffe and Szegedy 2015, algorithm 1) as a dozen operations, each a pass over the maps, and under
mixed precision in float32 between two casts. TensorFlow normalises a batch by one operation and has another for the
gradient; both keep the statistics in float32. Results are Keras's to rounding. In inference, for dense features and on
JAX, whose compiler joins the operations by itself, the layer computes as Keras wrote it.

See also: ``docs/speed.md``, "BatchNormalization in one operation".
"""

from __future__ import annotations

from typing import Any

import keras

SMALLEST_EPSILON = 1.001e-5  # that TensorFlow's one operation takes


def batch_normalization(
    layer: keras.layers.BatchNormalization, inputs: Any, training: bool | None = None, mask: Any = None
) -> Any:
    """The ``call`` of ``keras.layers.BatchNormalization``; in training on TensorFlow, maps take one operation.

    Parameters
    ----------
    layer : keras.layers.BatchNormalization
        A built one.
    inputs : tensor, shape (batch, H, W, channels) or any that Keras normalises
        The maps.
    training, mask
        As of Keras's ``call``.

    Returns
    -------
    tensor
        Of the shape and dtype of ``inputs``; each channel has the mean ``beta`` and the variance ``gamma``².
    """
    if not (training and layer.trainable and mask is None and _is_one_operation(layer, inputs)):
        return type(layer).call(layer, inputs, training=training, mask=mask)
    import tensorflow as tf

    maps, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs,
        keras.ops.convert_to_tensor(layer.gamma),
        keras.ops.convert_to_tensor(layer.beta),
        epsilon=layer.epsilon,
    )
    count = tf.cast(tf.size(inputs) // inputs.shape[-1], "float32")
    variance *= (count - 1) / count  # TensorFlow divides by count - 1, Keras and the paper's algorithm 1 by count
    layer.moving_mean.assign(layer.moving_mean * layer.momentum + mean * (1 - layer.momentum))
    layer.moving_variance.assign(layer.moving_variance * layer.momentum + variance * (1 - layer.momentum))
    return maps


def _is_one_operation(layer: keras.layers.BatchNormalization, inputs: Any) -> bool:
    maps_last = len(inputs.shape) == 4 and layer.axis in (-1, 3) and layer.scale and layer.center
    maps_last = maps_last and layer.epsilon >= SMALLEST_EPSILON
    whole = layer.variable_dtype == "float32" and not layer.synchronized and not getattr(layer, "renorm", False)
    return keras.backend.backend() == "tensorflow" and maps_last and whole
