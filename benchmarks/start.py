"""How long from the command to the first step of training, and what the time goes into.

    ./run bench start
    ./run bench start --systems slides-v2 dcgan --backends tensorflow jax --rounds 5

Each start is a process of its own; the starts take turns, and medians are given. It measures what `keras-faces train`
does: load Keras and its backend, load this package, choose precision and compiler, draw the first photographs, build
the networks, trace and compile the first step. "Plain Keras" loads Keras as usual, and lets it compile as it likes.
A first start, which is not counted, fills a cache folder; its first step is the row "first step, empty cache".

See also: ``keras_faces/fast/autotune.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.train import machine_line

_PROGRAM = """
import json, os, sys, time
out = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
began, task = float(sys.argv[1]), json.loads(sys.argv[2])
times = {}
def mark(name):
    global began
    now = time.time()
    times[name], began = now - began, now
mark("Python")
from keras_faces.runs.backend import use_backend
if task["plain"]:
    os.environ["KERAS_BACKEND"] = task["backend"]
else:
    use_backend(task["backend"])
import keras
mark("Keras and its backend")
from keras_faces.runs.folder import RunConfig
from keras_faces.runs import callbacks
from keras_faces.fast import autotune
from keras_faces.data import load
mark("this package")
config = RunConfig(task["system"], image_size=task["image_size"], compiler="auto", precision="auto",
                   options=task["options"])
if not task["plain"]:
    autotune.prepare(task["backend"])
    config.settle()
else:
    config.precision, config.compiler = "float32", "xla"
mark("choices")
faces = load("drawn", task["image_size"], count=2 * task["batch_size"], progress=False)
batches = faces.batches(task["batch_size"])
mark("photographs")
model = config.build()
mark("networks")
class Steps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        float(logs["d_loss"])
        mark("first step" if batch == 0 else "second step")
model.fit(batches, epochs=1, verbose=0, callbacks=[Steps()])
out.write(json.dumps(times))
"""


def start(task: dict, cache: Path) -> dict[str, float]:
    """Return the seconds of each part of one start."""
    import time

    path = os.pathsep.join([str(Path(__file__).resolve().parent.parent), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "KERAS_FACES_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("KERAS_BACKEND", None)
    command = [sys.executable, "-c", _PROGRAM, repr(time.time()), json.dumps(task)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip().splitlines()[-1])
    return json.loads(ended.stdout)


def table(found: dict[str, list[dict[str, float]]], empty: dict[str, dict[str, float]]) -> str:
    """Return a column for each start and a row for each part, in seconds, as markdown."""
    parts = list(next(iter(found.values()))[0])
    medians = {}
    for name, rounds in found.items():
        medians[name] = {part: statistics.median(one[part] for one in rounds) for part in parts}
    rows = {part: [one[part] for one in medians.values()] for part in parts[:-1]}
    rows["**together**"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    rows["a later step"] = [one[parts[-1]] for one in medians.values()]
    rows["first step, empty cache"] = [empty[name]["first step"] for name in found]
    lines = [f"| seconds | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    lines += [f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |" for name, values in rows.items()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    print(f"# Starting\n\n{machine_line()}.")
    for system in options.systems:
        task = {"system": system, "image_size": options.image_size, "batch_size": options.batch_size}
        task["options"] = options.options
        starts = {}
        for backend in options.backends:
            starts[f"plain Keras, {backend}"] = {**task, "backend": backend, "plain": True}
            starts[f"ours, {backend}"] = {**task, "backend": backend, "plain": False}
        found = {name: [] for name in starts}
        with tempfile.TemporaryDirectory() as folder:
            cache = {name: Path(folder) / str(number) for number, name in enumerate(starts)}
            empty = {name: start(one, cache[name]) for name, one in starts.items()}
            for _ in range(options.rounds):
                for name, one in starts.items():
                    found[name].append(start(one, cache[name]))
        print(f"\n## {system}, {options.image_size}×{options.image_size}, batches of {options.batch_size}\n")
        print(table(found, empty), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", nargs="+", default=["slides-v2"], help="(default: slides-v2)")
    parser.add_argument("--backends", nargs="+", default=["tensorflow"], help="(default: tensorflow)")
    parser.add_argument("--image-size", type=int, default=64, help="(default: 64)")
    parser.add_argument("--batch-size", type=int, default=16, help="(default: 16)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument(
        "--options", type=json.loads, default={}, metavar="JSON", help="of the systems, such as '{\"latent_dim\": 50}'"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
