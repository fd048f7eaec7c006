"""Where the time of a training step goes, operation by operation.

    ./run bench profile                                             # dcgan, 64×64, batches of 64, bfloat16
    ./run bench profile --systems slides-v2 sngan --precision float32 --top 20

It counts, by TensorFlow's profiler, the seconds that a step spends in each kind of operation, on all threads: two
operations that run side by side count both, so the sum may exceed the step's own time. A transposed convolution runs as
`Conv2DBackpropInput`, and its gradient by the images as `Conv2D`: the names are TensorFlow's. TensorFlow alone, without
XLA, which joins operations and would hide them.

See also: ``benchmarks/train.py``, how fast the whole step is.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import keras
import numpy as np

from benchmarks._measured import machine, tensorflow_alone
from data_prep.engine.script import run
from keras_faces import models
from keras_faces.cli.options import natural, positive

OPERATION = re.compile(r"[\w./-]+:_?(?:MklNative|Mkl)?_?(?P<kind>[A-Z]\w+)")  # "g/dense/MatMul:_MklMatMul" -> MatMul
CALLS = {"PartitionedCall", "StatefulPartitionedCall", "While", "If"}  # hold other operations, which count themselves
MULTIPLYING = re.compile(r"Conv2D|MatMul|Einsum")


def seconds_by_operation(model: keras.Model, images: np.ndarray, steps: int) -> tuple[float, Counter, Counter]:
    """Return a step's seconds, and by kind of operation how often a step runs it and the seconds of these runs."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    model.train_on_batch(images)  # traced here, and buffers made
    model.train_on_batch(images)
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            start = time.perf_counter()
            for _ in range(steps):
                model.train_on_batch(images)
            whole = (time.perf_counter() - start) / steps
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())

    times, seconds = Counter(), Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            found = OPERATION.fullmatch(plane.event_metadata[event.metadata_id].name)
            if found and found["kind"] not in CALLS:
                times[found["kind"]] += 1 / steps
                seconds[found["kind"]] += event.duration_ps / 1e12 / steps
    return whole, times, seconds


def table(whole: float, times: Counter, seconds: Counter, top: int) -> str:
    """Return the costliest kinds, the rest, and the share of those that multiply matrices, as markdown."""
    total = seconds.total()
    lines = ["| operation | times a step | ms | share |", "|---|---:|---:|---:|"]
    for kind, spent in seconds.most_common(top):
        lines.append(f"| {kind} | {times[kind]:.0f} | {1000 * spent:.1f} | {spent / total:.1%} |")
    rest = [kind for kind, _ in seconds.most_common()[top:]]
    spent = sum(seconds[kind] for kind in rest)
    lines.append(
        f"| {len(rest)} others | {sum(times[kind] for kind in rest):.0f} | {1000 * spent:.1f} | {spent / total:.1%} |"
    )
    multiplying = sum(spent for kind, spent in seconds.items() if MULTIPLYING.search(kind))
    lines += [
        "",
        f"A step takes {1000 * whole:.0f} ms; {multiplying / total:.0%} of the operations' time is convolutions",
    ]
    lines[-1] += " and matrix products."
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench profile", description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="+", choices=models.available(), default=["dcgan"])
    parser.add_argument("--image-size", type=positive, default=64)
    parser.add_argument("--batch-size", type=positive, default=64)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--steps", type=positive, default=5)
    parser.add_argument("--top", type=natural, default=10, help="kinds of operations in the table (10)")
    options = parser.parse_args(arguments)
    tensorflow_alone("operations for this profiler to read")
    shape = (options.batch_size, options.image_size, options.image_size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    print(machine())
    for name in options.systems:
        model = models.build(name, options.image_size, precision=options.precision)
        model.jit_compile = False
        print(
            f"\n{name}, {options.precision}, {options.image_size}×{options.image_size}, {options.batch_size} images\n"
        )
        print(table(*seconds_by_operation(model, images, options.steps), options.top), flush=True)
    return 0


if __name__ == "__main__":
    run(main)
