"""``keras-faces list`` and ``describe``: which systems there are, and what they are made of."""

from __future__ import annotations

import argparse

from keras_faces.commands.options import add_backend, positive, use_backend
from keras_faces.key_values import key_values


def add(commands) -> None:
    """Add both commands."""
    listing = commands.add_parser("list", help="the systems of the course")
    listing.set_defaults(command=list_systems)

    describe = commands.add_parser("describe", help="a system's layers beside the numbers of its source")
    describe.add_argument("name", metavar="NAME")
    describe.add_argument("--image-size", type=positive, help="side in pixels (the source's own)")
    describe.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the system")
    add_backend(describe)
    describe.set_defaults(command=describe_system)


def list_systems(options: argparse.Namespace) -> None:
    """Print the systems, one a line."""
    from keras_faces.models import SYSTEMS

    width = max(map(len, SYSTEMS))
    for name, (_, line) in SYSTEMS.items():
        print(f"{name:<{width}}  {line}")


def describe_system(options: argparse.Namespace) -> None:
    """Print Keras's summaries, each with the source's numbers beside it.

    A system whose file has a ``report`` is only counted, not built: at its source's sizes it would fit no memory.
    """
    use_backend(options.backend)
    from keras_faces import models
    from keras_faces.models.describe import describe

    module, given = models.lesson(options.name), key_values(options.option)
    if hasattr(module, "report"):
        print(module.report(options.image_size or module.IMAGE_SIZE, **given))
        return
    print(describe(options.name, models.build(options.name, options.image_size, **given)))
