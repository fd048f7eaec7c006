"""``keras-faces ring``: the original GAN, WGAN and FM-GAN on the same ring of points (figure 3.5)."""

from __future__ import annotations

import argparse
from pathlib import Path

from keras_faces.commands.options import add_backend, backend_name, decay, natural, positive, use_backend

PAPER = {"iterations": 2_000_000, "rate": 5e-5}


def add(commands) -> None:
    """Add the command. None is the mark of "not given"."""
    command = commands.add_parser("ring", help="three losses on a ring of points, side by side", allow_abbrev=False)
    command.add_argument("--out", type=Path, default=Path("runs/ring"), help="the folder to make (runs/ring)")
    command.add_argument("--resume", action="store_true", help="go on with what the folder holds")
    command.add_argument("--rule", action="append", choices=("gan", "wgan", "fm-gan"), help="one alone; again for more")
    command.add_argument("--paper", action="store_true", help="the source's length: 2,000,000 iterations at rate 5e-5")
    command.add_argument("--iterations", type=positive, help="how many (100000)")
    command.add_argument("--every", type=positive, help="iterations from one snapshot to the next (2000)")
    command.add_argument("--batch-size", type=positive, help="points of the ring for each step (64)")
    command.add_argument("--rate", type=float, help="RMSprop's learning rate (3e-4)")
    command.add_argument("--activation", choices=("leaky_relu", "relu", "tanh"), help="of hidden layers (leaky_relu)")
    command.add_argument("--centre-decay", type=decay, help="of fm-gan: how much of a centre stays at each step (0.9)")
    command.add_argument("--d-steps", type=positive, help="steps of D for each of G (1, as the source's)")
    command.add_argument("--inner", type=float, help="the ring's inner radius (20)")
    command.add_argument("--outer", type=float, help="the ring's outer radius (30)")
    command.add_argument("--seed", type=natural, help="seed of weights, noise and points (0)")
    add_backend(command)
    command.set_defaults(command=run_ring)


def run_ring(options: argparse.Namespace) -> None:
    """Train what is asked for, then write the pictures and the table."""
    from keras_faces import ring

    names = ("iterations", "every", "batch_size", "rate", "activation", "centre_decay", "d_steps", "inner", "outer")
    given = {name: getattr(options, name) for name in (*names, "seed", "backend")}
    given = {name: value for name, value in given.items() if value is not None}
    if options.rule:
        given["rules"] = list(dict.fromkeys(options.rule))
    if options.paper:
        given = {**PAPER, "every": 20_000, **given}
    if options.resume and (options.out / "ring.json").exists():
        asked = ring.Experiment(**{**vars(ring.read(options.out)), **given})
    else:
        asked = ring.Experiment(**{"backend": backend_name(options.backend), **given})
    use_backend(asked.backend)
    ring.train(asked, options.out, options.resume)
    numbers = ring.write(options.out)
    print("\nMeans of the last fifth of the snapshots:")
    print(ring.settled(numbers).to_string(float_format="%.2f"))
    files = (
        ("ring.png", "figure 3.5"),
        ("ring.gif", "the same, moving"),
        ("coverage.png", "curves"),
        ("coverage.csv", "table"),
    )
    for name, what in files:
        print(f"  {what + ':':<18} {options.out / name}")
