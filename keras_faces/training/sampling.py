"""Latent sampling, and image generation with re-estimated BatchNorm statistics.

In inference BatchNormalization uses moving averages of mean and variance. These start at 0 and 1 and follow slowly:
with Keras's momentum of 0.99 they hold hardly a third of the truth after 40 iterations, so a young generator in
inference mode shows grey. In training mode a face would depend on the other faces of its batch. So
:func:`batchnorm_statistics` measures mean and variance of every normalised layer for the present weights, and images
are made in inference mode with those. Training never uses them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def latent_noise(count: int, latent_dim: int, seed: int = 0, truncation: float | None = None) -> np.ndarray:
    """Draw standard normal noise for ``count`` images, the same on every backend.

    Parameters
    ----------
    count, latent_dim : int
        Shape of the noise.
    seed : int
        The same seed gives the same noise; the first rows do not depend on ``count``.
    truncation : float, optional
        Draw again every component whose size exceeds this (a positive number, in standard deviations; 2 is mild,
        0.5 strong). Fewer odd faces, less variety. ``None``: no limit.

    Returns
    -------
    ndarray of float32, shape (count, latent_dim)
        z.

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
    """Measure mean and variance of every BatchNormalization of ``generator`` for its present weights.

    Parameters
    ----------
    generator : keras.Model
        Not changed.
    inputs : ndarray or list of ndarray
        What the generator reads for some images: noise (count, latent_dim), or a list of arrays.
    weights : list of tuple
        Pairs ``(weight, value)`` to measure with instead of the present weights, such as averages.
    batch_size : int
        Images measured at a time.

    Returns
    -------
    list of tuple
        Pairs ``(moving average, measured value)``, ready for ``keras.StatelessScope(state_mapping=...)``; empty for a
        generator without BatchNormalization.
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
    """Cut an array, or each of a list of arrays, into parts of ``batch_size`` rows."""
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
    """Generate images in inference mode.

    Parameters
    ----------
    generator : keras.Model
        Not changed.
    inputs : ndarray or list of ndarray
        What it reads: noise (count, latent_dim), or a list of arrays of ``count`` rows.
    state : list of tuple
        Pairs ``(variable, value)`` that replace what the generator holds, such as measured statistics.
    value_range : tuple of float
        Of the generator's last activation.
    batch_size : int
        Images made at a time.

    Returns
    -------
    ndarray of uint8, shape (count, H, W, 3)
        RGB.
    """
    low, high = value_range
    images = []
    for part in in_batches(inputs, batch_size):
        with keras.StatelessScope(state_mapping=state):
            values = generator(part, training=False)
        values = keras.ops.convert_to_numpy(keras.ops.cast(values, "float32"))
        images.append(np.clip((values - low) / (high - low) * 255.0 + 0.5, 0.0, 255.0).astype("uint8"))
    return np.concatenate(images) if images else np.zeros((0, *generator.output_shape[1:]), "uint8")
