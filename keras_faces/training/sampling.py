"""Noise, and pictures from it that are not grey.

BatchNormalization works in two ways: in training it normalises by the mean and variance of the batch, afterwards by
*moving averages* of them. Those start at mean 0 and variance 1 and follow slowly: with Keras's momentum of 0.99 they
have seen hardly a third of the truth after 40 iterations, while the weights have long gone elsewhere. A young generator
asked for pictures in inference mode therefore shows grey, though the same generator makes coloured images in training.
Asking in training mode gives colours, but then a face depends on the other faces of its batch.

The clean way is to measure what the moving averages only guess: :func:`batchnorm_statistics` runs the generator on
fresh noise and returns the true mean and variance of every normalised layer *for the present weights*. Pictures are
then made in inference mode with those. Training never sees them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def latent_noise(count: int, latent_dim: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
    """Noise for ``count`` images, float32 (count, latent_dim), standard normal, the same on every backend.

    Parameters
    ----------
    seed
        The same seed gives the same noise; the first rows do not depend on ``count``.
    truncation
        Draw again every component whose size exceeds this (a positive number, in standard deviations; 2 is mild,
        0.5 strong). Fewer odd faces, less variety. ``None``: no limit.

    Raises
    ------
    ValueError
        If ``truncation`` is not positive.
    """
    if truncation is not None and not truncation > 0:
        raise ValueError(f"truncation={truncation}: must be a positive number of standard deviations, such as 1.5.")
    rows = []
    for index in range(count):
        random = np.random.default_rng([seed, index])
        row = random.standard_normal(latent_dim)
        while truncation is not None and (outside := np.abs(row) > truncation).any():
            row[outside] = random.standard_normal(outside.sum())
        rows.append(row)
    return np.asarray(rows, "float32").reshape(count, latent_dim)


def batchnorm_statistics(
    generator: keras.Model,
    inputs: Any,
    weights: list[tuple[keras.Variable, Any]] = (),
    batch_size: int = 64,
) -> list[tuple[keras.Variable, Any]]:
    """Mean and variance of every BatchNormalization of ``generator`` for its present weights.

    Parameters
    ----------
    inputs
        What the generator reads for some images: noise (count, latent_dim), or a list of arrays.
    weights
        Pairs ``(weight, value)`` to measure with instead of the present weights, such as averages.
    batch_size
        The statistics of ``count`` images are measured so many at a time.

    Returns
    -------
    Pairs ``(moving average, measured value)``, ready for ``keras.StatelessScope(state_mapping=...)``. Empty for a
    generator without BatchNormalization. The generator itself is not changed.
    """
    layers = [layer for layer in generator._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return []
    moments = [_batch_moments(generator, layers, part, list(weights)) for part in in_batches(inputs, batch_size)]
    statistics = []
    for index, layer in enumerate(layers):
        means = np.stack([batch[index][0] for batch in moments])
        variances = np.stack([batch[index][1] for batch in moments])
        statistics.append((layer.moving_mean, means.mean(0)))
        statistics.append((layer.moving_variance, variances.mean(0) + means.var(0)))  # within + between the batches
    return statistics


def in_batches(inputs: Any, batch_size: int) -> list[Any]:
    """An array, or each of a list of arrays, cut into parts of ``batch_size`` rows."""
    if isinstance(inputs, (list, tuple)):
        return [list(part) for part in zip(*(in_batches(array, batch_size) for array in inputs), strict=True)]
    return [inputs[start : start + batch_size] for start in range(0, len(inputs), batch_size)]


def _batch_moments(generator, layers, inputs, weights) -> list[tuple[np.ndarray, np.ndarray]]:
    """The batch's mean and variance in each layer: what a moving average with momentum 0 holds after one batch."""
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.momentum = 0.0
        with keras.StatelessScope(state_mapping=weights) as scope:
            generator(inputs, training=True)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    read = keras.ops.convert_to_numpy
    return [
        (read(scope.get_current_value(layer.moving_mean)), read(scope.get_current_value(layer.moving_variance)))
        for layer in layers
    ]


def generate(
    generator: keras.Model,
    inputs: Any,
    state: list[tuple[keras.Variable, Any]],
    value_range: tuple[float, float] = (-1.0, 1.0),
    batch_size: int = 64,
) -> np.ndarray:
    """Images of ``inputs`` (noise, or a list of arrays) in inference mode, uint8 (count, H, W, 3), with ``state``
    (pairs of variable and value, such as measured statistics) in the place of what the generator holds."""
    low, high = value_range
    images = []
    for part in in_batches(inputs, batch_size):
        with keras.StatelessScope(state_mapping=state):
            values = generator(part, training=False)
        values = keras.ops.convert_to_numpy(keras.ops.cast(values, "float32"))
        images.append(np.clip((values - low) / (high - low) * 255.0 + 0.5, 0.0, 255.0).astype("uint8"))
    return np.concatenate(images) if images else np.zeros((0, *generator.output_shape[1:]), "uint8")
