"""A process of its own for each trainer: it builds, then makes steps whenever it is told to, and tells how long.

    python -m benchmarks.baselines.worker '{"trainer": "keras_step", "system": "dcgan", ...}'

Lines of JSON go both ways. At the start: ``{"parameters": ..., "ready": seconds, "first": seconds}``. For a line with
``{"seconds": 3}``: as many steps as take about that long, then ``{"steps": ..., "seconds": ..., "cpu": ...}``. For
``{"stop": 1}``: ``{"peak_mb": ...}``, and the end. What frameworks print goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import time
from pathlib import Path


def main() -> None:
    since = time.perf_counter()
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    task = json.loads(sys.argv[1])

    def say(**facts):
        out.write(json.dumps(facts) + "\n")

    try:
        if task["trainer"] == "matrix":
            return serve_matrix(task, say)
        module = importlib.import_module(f"benchmarks.baselines.{task['trainer']}")
        keys = ("system", "image_size", "batch_size", "precision", "options")
        trainer = module.Trainer(*(task[key] for key in keys))
        ready = time.perf_counter()
        trainer.run(1)
        first = time.perf_counter() - ready
    except Exception as error:
        return say(error=f"{type(error).__name__}: {error}")
    trainer.run(1)  # what is traced anew or set up at the second call
    say(parameters=trainer.parameters, ready=ready - since, first=first)
    serve(trainer, say)


def serve(trainer, say) -> None:
    """Make steps until told to stop."""
    step = None
    for line in sys.stdin:
        order = json.loads(line)
        if "stop" in order:
            return say(peak_mb=peak_memory())
        steps = max(1, math.ceil(order["seconds"] / step)) if step else 1
        since = time.perf_counter(), time.process_time()
        told = trainer.run(steps)
        seconds, cpu = told or (time.perf_counter() - since[0], time.process_time() - since[1])
        step = seconds / steps
        say(steps=steps, seconds=seconds, cpu=cpu)


def serve_matrix(task, say) -> None:
    """Products of two square matrices by TensorFlow, in the place of steps."""
    import tensorflow as tf

    side = task["side"]
    left, right = (tf.cast(tf.random.normal((side, side)), task["precision"]) for _ in range(2))
    product = tf.function(lambda a, b: tf.matmul(a, b))
    product(left, right)
    say(parameters=[], ready=0.0, first=0.0)

    class Products:
        @staticmethod
        def run(steps):
            for _ in range(steps):
                result = product(left, right)
            float(result[0, 0])

    serve(Products, say)


def peak_memory() -> float:
    """The most memory that this process has held, in megabytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
