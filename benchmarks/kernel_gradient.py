"""How long the gradient of a convolution's kernel takes: by TensorFlow's operation, and as one product of matrices.

    ./run bench kernel_gradient [--batch-size 64] [--rounds 9]

The shapes are those of the networks at 64×64 and of their phases, by the side of the map that the convolution makes.
Both forms alternate in one run, in bfloat16; medians, and the median of the ratios of neighbours. The rule in
``keras_faces/fast/convolution_tensorflow.py`` was read off this table. TensorFlow alone.

See also: ``keras_faces/fast/convolution_tensorflow.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from benchmarks._measured import in_turns, machine, tensorflow_alone
from data_prep.engine.script import run
from keras_faces.cli.options import positive
from keras_faces.fast.convolution_tensorflow import kernel_gradient

# Side of the map that is made, channels, filters, side of the kernel, stride; whose they are.
SHAPES = [
    (4, 256, 512, 5, 2, "dcgan"),
    (8, 128, 256, 5, 2, "dcgan"),
    (16, 64, 128, 5, 2, "dcgan"),
    (32, 3, 64, 5, 2, "dcgan"),
    (8, 512, 1024, 3, 1, "slides-v2, by phases"),
    (9, 256, 512, 5, 1, "slides-v2"),
    (9, 128, 256, 5, 2, "slides-v2"),
    (16, 256, 512, 3, 1, "slides-v2, by phases"),
    (4, 256, 256, 4, 2, "fm-cgan"),
    (12, 128, 256, 5, 2, "slides-v2 at 96"),
]


def forms(shape: tuple, batch: int) -> list[Callable[[], None]]:
    """Return two compiled functions that give the kernel's gradient for random maps: TensorFlow's and ours."""
    import tensorflow as tf

    side, channels, filters, size, strides, _ = shape
    random = np.random.default_rng(0)
    maps = random.standard_normal((batch, side * strides, side * strides, channels), "float32")
    upstream_grad = random.standard_normal((batch, side, side, filters), "float32")
    maps, upstream_grad = tf.cast(maps, "bfloat16"), tf.cast(upstream_grad, "bfloat16")
    stride = [1, strides, strides, 1]

    @tf.function
    def theirs(maps, upstream_grad):
        return tf.raw_ops.Conv2DBackpropFilter(
            input=maps,
            filter_sizes=[size, size, channels, filters],
            out_backprop=upstream_grad,
            strides=stride,
            padding="SAME",
        )

    @tf.function
    def ours(maps, upstream_grad):
        return kernel_gradient(maps, upstream_grad, (size, size), strides, "same")

    return [lambda form=form: form(maps, upstream_grad)[0, 0].numpy() for form in (theirs, ours)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench kernel_gradient", description=__doc__.partition("\n")[0])
    parser.add_argument("--batch-size", type=positive, default=64)
    parser.add_argument("--rounds", type=positive, default=9)
    options = parser.parse_args(arguments)
    tensorflow_alone("two forms of this gradient")
    print(f"{machine()}; batches of {options.batch_size}, bfloat16\n")
    print("| map made | channels | kernel, stride | in | TensorFlow's, ms | product, ms | ratio | GFLOP/s |")
    print("|---|---|---|---|---:|---:|---:|---:|")
    for shape in SHAPES:
        side, channels, filters, size, strides, whose = shape
        theirs, ours, ratio = in_turns(*forms(shape, options.batch_size), options.rounds)
        work = 2 * options.batch_size * (side * size) ** 2 * channels * filters / 1e6
        layer = f"{side}×{side} | {channels} → {filters} | {size}×{size}, {strides} | {whose}"
        rates = f"{work / theirs:.0f}, {work / ours:.0f}"
        print(f"| {layer} | {theirs:.1f} | {ours:.1f} | {ratio:.1f} | {rates} |", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
