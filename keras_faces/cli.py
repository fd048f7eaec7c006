"""The command line, ``keras-faces COMMAND``; ``keras-faces --help`` lists the commands.

The commands are in ``keras_faces/commands``. Nothing here loads a deep-learning framework before a command needs one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from keras_faces import __version__
from keras_faces.commands import (
    applications,
    classifying,
    comparing,
    completing,
    conditional,
    consistency,
    encoding,
    identity,
    pictures,
    ring,
    scoring,
    systems,
    training,
    translating,
    traversing,
)

ROOMS = (
    systems,
    training,
    pictures,
    conditional,
    traversing,
    comparing,
    classifying,
    scoring,
    consistency,
    ring,
    encoding,
    identity,
    applications,
    translating,
    completing,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 a clear error, 2 wrong usage, 3 training lost, 130 Ctrl-C."""
    options = parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except KeyboardInterrupt:
        print("\nStopped by Ctrl-C. What was made so far is kept.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `keras-faces describe ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if os.environ.get("KERAS_FACES_DEBUG"):
            raise
        print(f"\nkeras-faces: {error}", file=sys.stderr)
        return 3 if type(error).__name__ == "TrainingStopped" else 1


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="keras-faces", description="Learn to generate faces with GANs, epoch by epoch.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"keras-faces {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for room in ROOMS:
        room.add(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
