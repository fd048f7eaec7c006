"""How long a small training step takes here: as a graph or by XLA, in float32 or in bfloat16.

The step is a piece of every system of the course in small: a nearest upsampling with a 5×5 convolution, as in G, a
5×5 convolution with stride 2, as in D, forward and backward. Its net is written in ``keras.ops`` without layers, so
that no layer's name and no random state of a training that follows depends on whether it was measured before.

Read next: ``choices.py``, which asks for it once per machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

_SIDE, _NARROW, _WIDE = 16, 64, 128  # the map before the upsampling, and channels


def seconds(variants: Sequence[tuple[str, str]], rounds: int = 4, batch: int = 16) -> dict[str, float]:
    """The shortest time of the small step in each variant; the variants take turns, so that all meet the same load.

    Parameters
    ----------
    variants
        Pairs of a compiler, "graph" or "xla" (JAX knows "xla" alone), and a dtype, "float32" or "bfloat16".
    rounds
        Steps of each variant, after a first one that compiles.
    batch
        Images a step.

    Returns
    -------
    Seconds a step by variant, written ``"graph float32"``.
    """
    random = np.random.default_rng(0)
    images = ops.convert_to_tensor(random.normal(size=(batch, _SIDE, _SIDE, _NARROW)).astype("float32"))
    shapes = (5, 5, _NARROW, _NARROW), (5, 5, _NARROW, _WIDE)
    kernels = [ops.convert_to_tensor(random.normal(0, 0.02, shape).astype("float32")) for shape in shapes]
    steps = {f"{compiler} {dtype}": _step(compiler, dtype) for compiler, dtype in variants}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            since = time.perf_counter()
            ops.convert_to_numpy(step(images, kernels)[-1])  # waits until the device is done
            if number:
                times[name].append(time.perf_counter() - since)
    return {name: min(values) for name, values in times.items()}


def small_net(images: Any, kernels: Sequence[Any], dtype: str) -> Any:
    """The loss of the small step: images (batch, 16, 16, 64) through both convolutions, a float32 number."""
    first, second = (ops.cast(kernel, dtype) for kernel in kernels)
    x = ops.repeat(ops.repeat(ops.cast(images, dtype), 2, axis=1), 2, axis=2)  # 32, 32, 64
    x = ops.relu(ops.conv(x, first, padding="same"))  # 32, 32, 64
    x = ops.relu(ops.conv(x, second, strides=2, padding="same"))  # 16, 16, 128
    return ops.mean(ops.square(ops.cast(x, "float32")))


def _step(compiler: str, dtype: str) -> Callable:
    """A function from images and kernels to the kernels' gradients, compiled."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(jax.grad(partial(small_net, dtype=dtype), argnums=1))
    import tensorflow as tf

    @tf.function(jit_compile=compiler == "xla", autograph=False)
    def step(images, kernels):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            loss = small_net(images, kernels, dtype)
        return tape.gradient(loss, kernels)

    return step
