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
from keras_faces.files import escape_missing_letters, printable_lines
from keras_faces.runs.memory import OutOfMemory, is_out_of_memory

EXPECTED = (ValueError, OSError, RuntimeError, ImportError)  # their messages say what is wrong; others have a traceback
COMMANDS = (systems, training, pictures, evaluating, ring, encoding, identity, applications, translating)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        The exit code: 0 done, 1 an error with a clear message, 2 wrong usage, 3 training failed, 130 Ctrl-C.
    """
    escape_missing_letters()
    options = parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except KeyboardInterrupt as stop:
        kept = str(stop) or "Files that were finished are kept."  # a training says what it has kept
        print(f"\nStopped by Ctrl-C. {printable_lines(kept)}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `keras-faces describe ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        no_memory = is_out_of_memory(error) and not isinstance(error, OutOfMemory)
        if os.environ.get("KERAS_FACES_DEBUG") or not (no_memory or isinstance(error, EXPECTED)):
            raise
        way_out = (
            "\nThe memory is not enough: take a smaller --count, --batch-size or --image-size." if no_memory else ""
        )
        said = printable_lines(str(error) if not no_memory else str(error).partition("\n")[0])
        print(f"\nkeras-faces: {said}{way_out}", file=sys.stderr)
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
