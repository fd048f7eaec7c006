"""How long an update by Adam takes: as Keras writes it, and in one operation.

It measures milliseconds of one update of both networks and of Adam's moments, gradients given, in a compiled graph.
Both forms alternate in one run; medians, and the median of the ratios of neighbours.

Command: ``./run bench adam [--systems dcgan slides-v2 linear] [--image-size 64] [--rounds 15]``. TensorFlow alone: JAX
joins the operations by itself.

See also: ``keras_faces/fast/adam.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import keras
import numpy as np

from benchmarks._measured import in_turns, tensorflow_alone
from data_prep.engine.script import run
from keras_faces import models
from keras_faces.cli.options import natural
from keras_faces.fast import adam


def update(optimizer: keras.optimizers.Optimizer, shapes: list[tuple[int, ...]]) -> Callable[[], None]:
    """Return a compiled function that makes one step of the optimizer, over weights of these shapes."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    weights = [keras.Variable(random.standard_normal(shape, "float32")) for shape in shapes]
    gradients = [tf.constant(random.standard_normal(shape, "float32")) for shape in shapes]
    optimizer.build(weights)
    return tf.function(lambda: optimizer.apply(gradients, weights))


def compare(shapes: list[tuple[int, ...]], rounds: int) -> tuple[float, float, float]:
    """Return the median milliseconds of Keras's Adam and of ours, and the median ratio of neighbours."""
    theirs, ours = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))
    adam.accelerate(ours)
    return in_turns(update(theirs, shapes), update(ours, shapes), rounds)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench adam", description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="+", choices=models.available(), default=["dcgan", "slides-v2", "linear"])
    parser.add_argument("--image-size", type=natural, default=64)
    parser.add_argument("--rounds", type=natural, default=15)
    options = parser.parse_args(arguments)
    tensorflow_alone("two ways to make Adam's step")
    print("| system | weights | Keras's Adam, ms | in one operation, ms | ratio |\n|---|---:|---:|---:|---:|")
    for name in options.systems:
        model = models.build(name, image_size=options.image_size)
        shapes = [tuple(weight.shape) for weight in model.trainable_variables]
        count = sum(int(np.prod(shape)) for shape in shapes)
        keras_own, ours, ratio = compare(shapes, options.rounds)
        print(f"| {name} | {count:,} | {keras_own:.1f} | {ours:.1f} | {ratio:.1f} |", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
