"""How much faster ``UpSampling2D`` and ``Conv2D`` are on the small map, shape by shape.

It measures milliseconds of forward and backward (by maps and by weights), as Keras computes the two layers and by
phases, in a compiled graph. Both forms alternate in one run; medians, and the median of the ratios of neighbours, which
other work on the machine disturbs least.

Command: ``python -m benchmarks.phases [--batch 64] [--rounds 9] [--dtypes float32 bfloat16]``; for JAX, set
``KERAS_BACKEND=jax``. ``SMALLEST_KERNEL`` was read off this table.

See also: ``keras_faces/fast/upsample_conv.py``.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from benchmarks._measured import in_turns
from keras_faces.fast.upsample_conv import doubled_convolution

# Side of the small map, channels, filters, side of the kernel; whose they are.
SHAPES = [
    (16, 128, 64, 5, "slides-v1"),
    (32, 64, 3, 5, "slides-v1"),
    (8, 512, 256, 5, "slides-v2 at 64"),
    (16, 256, 128, 5, "slides-v2 at 64"),
    (32, 128, 64, 5, "slides-v2 at 64"),
    (6, 512, 256, 5, "slides-v2 at 48"),
    (12, 256, 128, 5, "slides-v2 at 48"),
    (24, 128, 64, 5, "slides-v2 at 48"),
    (4, 512, 256, 5, "dcgan's channels"),
    (64, 32, 3, 5, "dcgan's channels"),
    (4, 256, 128, 3, "sagan at 32"),
    (8, 128, 64, 3, "sagan at 32"),
    (16, 64, 32, 3, "sagan at 32"),
]


def as_listed(maps: Any, kernel: Any) -> Any:
    """Double the map, then convolve: what the two layers of Keras compute."""
    doubled = ops.repeat(ops.repeat(maps, 2, axis=1), 2, axis=2)
    return ops.conv(doubled, kernel, padding="same", data_format="channels_last")


def forward_and_backward(form: Callable, dtype: str) -> Callable:
    """Return a compiled function of maps, float32 weights and the upstream gradient that gives both gradients."""

    def loss(maps, kernel, upstream_grad):
        return ops.sum(ops.cast(form(maps, ops.cast(kernel, dtype)) * upstream_grad, "float32"))

    if keras.backend.backend() == "jax":
        import jax

        gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))
        return lambda *given: jax.block_until_ready(gradients(*given))
    import tensorflow as tf

    @tf.function
    def gradients(maps, kernel, upstream_grad):
        with tf.GradientTape() as tape:
            tape.watch([maps, kernel])
            value = loss(maps, kernel, upstream_grad)
        return tape.gradient(value, [maps, kernel])

    return lambda *given: [gradient.numpy() for gradient in gradients(*given)][:0]


def compare(shape: tuple, dtype: str, batch: int, rounds: int) -> tuple[float, float, float]:
    """Return the median milliseconds as listed and by phases, and the median ratio of neighbours."""
    side, channels, filters, size, _ = shape
    random = np.random.default_rng(0)
    maps = ops.cast(random.standard_normal((batch, side, side, channels), "float32"), dtype)
    upstream_grad = ops.cast(random.standard_normal((batch, 2 * side, 2 * side, filters), "float32"), dtype)
    given = (
        maps,
        ops.convert_to_tensor(random.standard_normal((size, size, channels, filters), "float32")),
        upstream_grad,
    )
    forms = [functools.partial(forward_and_backward(form, dtype), *given) for form in (as_listed, doubled_convolution)]
    return in_turns(*forms, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    options = parser.parse_args()
    print(f"{'map':>7} {'channels':>12} {'kernel':>6} {'dtype':<9} {'as listed':>10} {'by phases':>10}  times faster")
    for shape in SHAPES:
        side, channels, filters, size, whose = shape
        for dtype in options.dtypes:
            listed, phases, ratio = compare(shape, dtype, options.batch, options.rounds)
            maps, kernel = f"{side}×{side}", f"{size}×{size}"
            print(
                f"{maps:>7} {channels:>5} → {filters:>4} {kernel:>6} {dtype:<9} {listed:>7.1f} ms {phases:>7.1f} ms "
                f"{ratio:>8.2f}   {whose}",
                flush=True,
            )


if __name__ == "__main__":
    main()
