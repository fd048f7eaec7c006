"""How fast the same networks train here and as people train them today.

    ./run bench train                                                   # slides-v1, slides-v2, dcgan at 64×64
    ./run bench train --systems dcgan --image-size 128 --batch-size 32 --seconds 10
    ./run bench train --programs ours-bfloat16 torch-bfloat16           # some of the programs only
    ./run bench train --programs ours-bfloat16 plain-bfloat16           # with the fast layers and without
    ./run bench train --systems sngan stylegan                          # beside PyTorch alone

Each program is a process of its own, which builds the networks and makes its first steps; then the programs take turns,
so that other work on the machine slows all alike. Medians of the rounds are given, and ratios within a round. CPU
seconds are those of a step in all threads. "First step" includes tracing and compiling. Memory is the peak of the
process. "Share of the matrix rate" is the operations of the source's layers, forward and backward, a multiplication
and its addition counting as two, divided by the time and by the rate of a large matrix product in the same rounds. A
program that needs fewer operations for the same result shows a share that is too high.

See also: ``benchmarks/baselines``, the programs.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path

PROGRAMS = {  # name: its file in baselines/, precision, Keras's backend, what it needs, more options, what it is
    "ours-float32": ("ours", "float32", "tensorflow", "tensorflow", {}, "this package"),
    "ours-bfloat16": ("ours", "bfloat16", "tensorflow", "tensorflow", {}, "this package"),
    "toggle-float32": ("keras_toggle", "float32", "tensorflow", "tensorflow", {}, "Keras, trainable toggled"),
    "step-float32": ("keras_step", "float32", "tensorflow", "tensorflow", {}, "Keras, train_step"),
    "step-bfloat16": ("keras_step", "bfloat16", "tensorflow", "tensorflow", {}, "Keras, train_step"),
    "torch-float32": ("torch_script", "float32", "tensorflow", "torch", {}, "PyTorch, channels last"),
    "torch-bfloat16": ("torch_script", "bfloat16", "tensorflow", "torch", {}, "PyTorch, channels last"),
}
DEFAULT = list(PROGRAMS)
PROGRAMS |= {
    "calls-float32": ("ours", "float32", "tensorflow", "tensorflow", {"steps_per_call": 10}, "this, 10 steps a call"),
    "calls-bfloat16": ("ours", "bfloat16", "tensorflow", "tensorflow", {"steps_per_call": 10}, "this, 10 steps a call"),
    "plain-float32": ("ours", "float32", "tensorflow", "tensorflow", {"fast_layers": False}, "this, plain layers"),
    "plain-bfloat16": ("ours", "bfloat16", "tensorflow", "tensorflow", {"fast_layers": False}, "this, plain layers"),
    "jax-float32": ("ours", "float32", "jax", "jax", {}, "this package on JAX"),
    "jax-bfloat16": ("ours", "bfloat16", "jax", "jax", {}, "this package on JAX"),
    "compile-bfloat16": (
        "torch_script",
        "bfloat16",
        "tensorflow",
        "torch",
        {"compile": True},
        "PyTorch, torch.compile",
    ),
}
KERAS_SYSTEMS = ("slides-v1", "slides-v2", "dcgan")  # those that the plain Keras programs have
SYSTEMS = (*KERAS_SYSTEMS, "sngan", "stylegan")
MATRIX_SIDE = 2048


@dataclass
class Measured:
    """What one program did: the steps and their seconds in each round, and its messages at the start and the end."""

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    started: dict = field(default_factory=dict)
    ended: dict = field(default_factory=dict)

    @property
    def step(self) -> list[float]:
        """Seconds a step, round by round."""
        return [seconds / steps for seconds, steps in zip(self.seconds, self.steps, strict=True)]


class Worker:
    """A process with one program in it, see ``baselines/worker.py``."""

    def __init__(self, task: dict, backend: str) -> None:
        path = os.pathsep.join([str(Path(__file__).resolve().parent.parent), *filter(None, sys.path)])
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend, "PYTHONPATH": path}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.baselines.worker", json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **quiet},
        )
        self.started = self._answer()

    def ask(self, **order) -> dict:
        """Send one line and return the answer."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended with code {self.process.wait()}"}
        if "error" in answer:
            self.close()
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()
        self.process.wait()


def measure(tasks: dict[str, tuple[dict, str]], rounds: int, seconds: float) -> tuple[dict[str, Measured], list[str]]:
    """Let the programs take turns; return what was measured, and a line for each program that could not run."""
    workers: dict[str, Worker] = {}
    missing = []
    try:
        for name, (task, backend) in tasks.items():
            print(f"  starting {name}", file=sys.stderr, flush=True)
            try:
                workers[name] = Worker(task, backend)
            except RuntimeError as error:
                missing.append(f"- {name}: left out: {error}")
        found = {name: Measured(started=worker.started) for name, worker in workers.items()}
        for number in range(rounds + 1):  # the first round only tells how many steps fill the time
            for name, worker in workers.items():
                done = worker.ask(seconds=seconds)
                if number:
                    found[name].steps.append(done["steps"])
                    found[name].seconds.append(done["seconds"])
                    found[name].cpu.append(done["cpu"] / done["steps"])
            print(f"  round {number} of {rounds}", file=sys.stderr, flush=True)
        for name, worker in workers.items():
            found[name].ended = worker.ask(stop=1)
    finally:
        for worker in workers.values():
            worker.close()
    return found, missing


def tasks_of(system: str, options: argparse.Namespace) -> tuple[dict[str, tuple[dict, str]], list[str]]:
    """Return the programs of one system and the matrix products, and a line for each program that cannot run."""
    common = {"system": system, "image_size": options.image_size, "batch_size": options.batch_size}
    tasks, missing = {}, []
    for name in options.programs:
        trainer, precision, backend, needed, more, _ = PROGRAMS[name]
        if trainer.startswith("keras") and system not in KERAS_SYSTEMS:
            missing.append(f"- {name}: left out: {system} is not written in plain Keras here")
            continue
        if util.find_spec(needed) is None:
            missing.append(f"- {name}: left out: {needed} is not installed")
            continue
        given = {"trainer": trainer, "precision": precision, "options": {**options.options, **more}}
        tasks[name] = ({**common, **given}, backend)
    for precision in ("float32", "bfloat16"):
        if util.find_spec("tensorflow") is not None:
            task = {"trainer": "matrix", "precision": precision, "side": options.matrix_side}
            tasks[f"matrix-{precision}"] = (task, "tensorflow")
    return tasks, missing


def table(found: dict[str, Measured], batch_size: int, operations: float, matrix_side: int) -> str:
    """Return a markdown row for each program: speed, ratios to the best of ours and at equal precision, memory."""
    rates = matrix_rates(found, matrix_side)
    lines = [
        "| program | layers | images/s | seconds a step | CPU seconds | first step | peak memory | ours / this | "
        "ours at equal precision / this | share of the matrix rate |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    ours = {name: one for name, one in found.items() if name in PROGRAMS and PROGRAMS[name][0] == "ours"}
    best = min(ours, key=lambda name: statistics.median(ours[name].step)) if ours else None
    for name, one in found.items():
        if name not in PROGRAMS:
            continue
        _, precision, _, _, _, title = PROGRAMS[name]
        step = statistics.median(one.step)
        equal = [other for other in ours if PROGRAMS[other][1] == precision]
        equal = min(equal, key=lambda other: statistics.median(ours[other].step), default=None)
        cells = [
            title,
            precision,
            f"{batch_size / step:.1f}",
            f"{step:.3f}",
            f"{statistics.median(one.cpu):.3f}",
            f"{one.started['first']:.1f} s",
            f"{one.ended['peak_mb']:,.0f} MB",
            f"{ratio(one, found[best]):.2f}" if best else "",
            f"{ratio(one, found[equal]):.2f}" if equal else "",
            f"{operations / step / rates[precision]:.0%}" if precision in rates else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ratio(one: Measured, other: Measured) -> float:
    """Return how many times faster ``other`` is: the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(one.step, other.step, strict=True))


def matrix_rates(found: dict[str, Measured], side: int) -> dict[str, float]:
    """Return the operations per second of square matrix products, by precision."""
    rates = {}
    for precision in ("float32", "bfloat16"):
        if one := found.get(f"matrix-{precision}"):
            rates[precision] = 2 * side**3 / statistics.median(one.step)
    return rates


def operations_of(system: str, image_size: int, batch_size: int, options: dict) -> float:
    """Return the operations of one step.

    G runs forward twice and backward once, D forward and backward on real images, fakes and G's images. A backward pass
    costs two forward ones, and one where D is frozen and only the gradient of its input is needed. R1 costs a pass
    forward, one back to the images, and twice both to differentiate that by the weights.
    """
    from benchmarks.baselines.keras_nets import multiplications
    from keras_faces import models

    model = models.build(system, image_size, **options)
    g, d = multiplications(model.generator), multiplications(model.discriminator)
    penalty = 6 * d if model.r1 else 0
    return 2.0 * batch_size * (g + 3 * g + 2 * 3 * d + 2 * d + penalty)


def machine_line() -> str:
    """Return the date, the machine and the versions."""
    from keras_faces.fast.autotune import machine

    here = machine()
    names = ("keras", "tensorflow", "tensorflow-cpu", "jax", "torch")
    found = [f"{name} {metadata.version(name)}" for name in names if _is_installed(name)]
    place = f"{here.cores} cores, {here.name}" if here.device == "cpu" else f"{here.name}, {here.cores} cores"
    return (
        f"{datetime.date.today()}, {place}, {platform.system()}; Python {platform.python_version()}, {', '.join(found)}"
    )


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    print(f"# Training\n\n{machine_line()}.\n")
    print(f"{options.image_size}×{options.image_size}, batches of {options.batch_size}; {options.rounds} rounds of")
    print(f"{options.seconds:g} seconds or one step a program.")
    for system in options.systems:
        tasks, missing = tasks_of(system, options)
        found, failed = measure(tasks, options.rounds, options.seconds)
        operations = operations_of(system, options.image_size, options.batch_size, options.options)
        counts = {tuple(one.started["parameters"]) for name, one in found.items() if name in PROGRAMS}
        print(f"\n## {system}\n\nWeights of G and D: {' or '.join(' and '.join(f'{n:,}' for n in c) for c in counts)}.")
        rates = matrix_rates(found, options.matrix_side)
        print("Matrix products: " + ", ".join(f"{rate / 1e9:,.0f} GFLOP/s in {name}" for name, rate in rates.items()))
        print(f"\n{table(found, options.batch_size, operations, options.matrix_side)}\n")
        print("\n".join([*missing, *failed]), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(KERAS_SYSTEMS), help="(default: the first three)"
    )
    parser.add_argument(
        "--programs", nargs="+", choices=list(PROGRAMS), default=DEFAULT, help="(default: all on TensorFlow)"
    )
    parser.add_argument("--image-size", type=int, default=64, choices=(16, 32, 64, 128, 256), help="(default: 64)")
    parser.add_argument("--batch-size", type=int, default=64, help="(default: 64)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="time of a program's turn, at least (default: 3)")
    parser.add_argument("--matrix-side", type=int, default=MATRIX_SIDE, help="(default: 2048; more for a GPU)")
    parser.add_argument(
        "--options", type=json.loads, default={}, metavar="JSON", help="of the systems, such as '{\"latent_dim\": 50}'"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
