"""``keras-faces ring``: the original GAN, WGAN and FM-GAN on the same ring of points (figure 3.5)."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.cli.options import (
    add_backend,
    add_command,
    add_old,
    decay,
    natural,
    path,
    positive,
)

PAPER = {"iterations": 2_000_000, "learning_rate": 5e-5, "every": 20_000}
SETTINGS = (
    "iterations",
    "every",
    "batch_size",
    "learning_rate",
    "activation",
    "centre_decay",
    "d_steps",
    "inner",
    "outer",
    "seed",
)


def register(commands) -> None:
    """Add the command; the default None means not given."""
    command = add_command(commands, "ring", run_ring, "three losses on a ring of points, side by side")
    command.add_argument("--out", type=path, default=Path("runs/ring"), help="the folder to make (runs/ring)")
    command.add_argument("--resume", action="store_true", help="go on with what the folder holds")
    command.add_argument("--rule", action="append", choices=("gan", "wgan", "fm-gan"), help="one alone; again for more")
    command.add_argument("--paper", action="store_true", help="the source's length: 2,000,000 iterations at rate 5e-5")
    command.add_argument("--iterations", type=positive, help="how many (100000)")
    command.add_argument("--every", type=positive, help="iterations from one snapshot to the next (2000)")
    command.add_argument("--batch-size", type=positive, help="points of the ring in each step (64)")
    command.add_argument("--learning-rate", type=float, help="of RMSprop (3e-4)")
    add_old(command, "--rate", "--learning-rate", type=float)
    command.add_argument("--activation", choices=("leaky_relu", "relu", "tanh"), help="of hidden layers (leaky_relu)")
    command.add_argument("--centre-decay", type=decay, help="of fm-gan: how much of a centre stays at each step (0.9)")
    command.add_argument("--d-steps", type=positive, help="steps of D for each of G (1, as the source's)")
    command.add_argument("--inner", type=float, help="the ring's inner radius (20)")
    command.add_argument("--outer", type=float, help="the ring's outer radius (30)")
    command.add_argument("--seed", type=natural, help="of weights, noise and points (0)")
    add_backend(command)


def run_ring(options: argparse.Namespace) -> None:
    """Train what is asked for, then write the pictures and the table."""
    from keras_faces.ring import experiment as ring
    from keras_faces.runs.backend import backend_name, use_backend

    given = {name: getattr(options, name) for name in (*SETTINGS, "backend")}
    given = {name: value for name, value in given.items() if value is not None}
    if options.rule:
        given["rules"] = list(dict.fromkeys(options.rule))
    if options.paper:
        given = {**PAPER, **given}
    if options.resume and (options.out / "ring.json").exists():
        given = {**vars(ring.read(options.out)), **given}
    asked = ring.Experiment(**{"backend": backend_name(), **given})
    use_backend(asked.backend)
    ring.train(asked, options.out, options.resume)
    table = ring.write(options.out)
    print("\nMeans of the last fifth of the snapshots:")
    print(ring.settled(table).to_string(float_format="%.2f"))
    files = {"ring.png": "figure 3.5", "ring.gif": "as an animation", "coverage.png": "curves", "coverage.csv": "table"}
    for name, what in files.items():
        print(f"  {what + ':':<18} {options.out / name}")
