"""How long BatchNormalization takes in training, forward and backward: as Keras writes it, and in one operation.

    ./run bench batch_norm [--batch-size 64] [--rounds 15]

The shapes are those of the networks at 64×64. Both layers alternate in one run; medians, and the median of the ratios
of neighbours. TensorFlow alone: JAX joins the operations by itself.

See also: ``keras_faces/fast/batch_norm.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import keras
import numpy as np

from benchmarks._measured import in_turns, machine, tensorflow_alone
from data_prep.engine.script import run
from keras_faces.cli.options import positive
from keras_faces.fast import accelerate

SHAPES = ((32, 64), (16, 128), (8, 256), (4, 512))  # sides and channels of dcgan's maps


def forward_and_backward(fast: bool, shape: tuple[int, ...], precision: str) -> Callable[[], None]:
    """Return a compiled function that normalises random maps and takes the gradients by the maps and both weights.

    Parameters
    ----------
    fast : bool
        Whether the layer is accelerated.
    shape : tuple of int
        Of the maps, (batch, H, W, channels).
    precision : str
        Keras's dtype policy.
    """
    import tensorflow as tf

    layer = keras.layers.BatchNormalization(dtype=precision)
    layer.build(shape)
    if fast:
        accelerate(layer)
    random = np.random.default_rng(0)
    maps, upstream_grad = (tf.constant(random.standard_normal(shape), layer.compute_dtype) for _ in range(2))

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(maps)
            outputs = layer(maps, training=True)
        return tape.gradient(outputs, [maps, layer.gamma.value, layer.beta.value], upstream_grad)

    return lambda: gradients()[1].numpy()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench batch_norm", description=__doc__.partition("\n")[0])
    parser.add_argument("--batch-size", type=positive, default=64)
    parser.add_argument("--rounds", type=positive, default=15)
    options = parser.parse_args(arguments)
    tensorflow_alone("two layers")
    print(machine() + "\n")
    print("| maps | layers | Keras's layer, ms | in one operation, ms | ratio |\n|---|---|---:|---:|---:|")
    for side, channels in SHAPES:
        for precision in ("float32", "mixed_bfloat16"):
            shape = (options.batch_size, side, side, channels)
            forms = [forward_and_backward(fast, shape, precision) for fast in (False, True)]
            theirs, ours, ratio = in_turns(*forms, options.rounds)
            name = precision.removeprefix("mixed_")
            print(f"| {side}×{side}×{channels} | {name} | {theirs:.1f} | {ours:.1f} | {ratio:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
