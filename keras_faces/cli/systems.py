"""``keras-faces list`` and ``describe``: which systems there are, and what they are made of."""

from __future__ import annotations

import argparse

from keras_faces.cli.options import add_backend, add_command, positive


def register(commands) -> None:
    """Add both commands."""
    add_command(commands, "list", list_systems, "the systems of the course")
    describe = add_command(commands, "describe", describe_system, "a system's layers beside those of its source")
    describe.add_argument("name", metavar="NAME")
    describe.add_argument("--image-size", type=positive, help="side in pixels (the source's own)")
    describe.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the system")
    add_backend(describe)


def list_systems(options: argparse.Namespace) -> None:
    """Print the systems, one on each line."""
    from keras_faces.models import SYSTEMS

    width = max(map(len, SYSTEMS))
    for name, (_, line) in SYSTEMS.items():
        print(f"{name:<{width}}  {line}")


def describe_system(options: argparse.Namespace) -> None:
    """Print Keras's summaries, each with the source's numbers beside it.

    A system whose file has a ``report`` is only counted, not built: at its source's sizes it would not fit in memory.
    """
    from keras_faces.runs.backend import use_backend

    use_backend(options.backend)
    from keras_faces import models
    from keras_faces.cli.describe import describe
    from keras_faces.models.options import parse_options

    module, given = models.lesson(options.name), parse_options(options.option)
    if hasattr(module, "report"):
        print(module.report(options.image_size or module.IMAGE_SIZE, **given))
        return
    print(describe(options.name, models.build(options.name, options.image_size, **given)))
