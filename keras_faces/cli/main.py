"""The command line, ``keras-faces COMMAND``; ``keras-faces --help`` lists the commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from keras_faces import __version__
from keras_faces.cli import (
    applications,
    encoding,
    evaluating,
    identity,
    pictures,
    ring,
    systems,
    training,
    translating,
)

COMMANDS = (systems, training, pictures, evaluating, ring, encoding, identity, applications, translating)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        The exit code: 0 done, 1 an error with a clear message, 2 wrong usage, 3 training failed, 130 Ctrl-C.
    """
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
    """Return the parser of all commands and their options."""
    top = argparse.ArgumentParser(
        prog="keras-faces", description="Learn to generate faces with GANs, epoch by epoch.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"keras-faces {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for file in COMMANDS:
        file.register(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
