"""What the commands share: exit codes, the parser, number options, and words for counts and lists."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from keras_faces.files import escape_missing_letters, printable, printable_lines

DONE, FAILED, LOOK, INTERRUPTED = 0, 1, 3, 130
_EPILOG = "Exit codes: 0 done; 1 could not be done; 2 wrong usage; 3 done, but something needs a look; 130 Ctrl-C."


def run(main: Callable[[], int]) -> NoReturn:
    """Run a command's ``main`` and leave with its exit code.

    Errors that a user can mend come without a traceback (with it if KERAS_FACES_DEBUG is set). A letter that the
    terminal's encoding lacks is written as its escape sequence.
    """
    escape_missing_letters()
    try:
        code = main()
    except KeyboardInterrupt:
        print(
            "\nStopped by Ctrl-C. What was finished is kept; run the same command again to continue.", file=sys.stderr
        )
        code = INTERRUPTED
    except BrokenPipeError:  # `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get("KERAS_FACES_DEBUG"):
            raise
        print(f"\n{printable_lines(error)}", file=sys.stderr)
        code = FAILED
    sys.exit(code)


def command_parser(name: str, description: str, **options) -> argparse.ArgumentParser:
    """The parser of ``python -m data_prep.NAME``; its help ends with the exit codes."""
    prog = f"python -m data_prep.{name}"
    return argparse.ArgumentParser(prog=prog, description=description, epilog=_EPILOG, **options)


def whole_number(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    """An argparse type: whole numbers from `lowest` to `highest`, or without an upper bound."""

    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) or (highest is not None and int(text) > highest):
            bounds = f"from {lowest} on" if highest is None else f"from {lowest} to {highest}"
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number {bounds}")
        return int(text)

    return read


def check_parent(path: Path) -> None:
    """Raise a ValueError, before any work, where the folder of a file to write does not exist."""
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: the folder {path.parent} does not exist; make it first")


def listed(names: Iterable[str], shown: int = 5) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(map(printable, names[:shown])) + more


def counted(count: int, thing: str, things: str | None = None) -> str:
    """A number with its noun: "1 picture", "5,000 pictures"."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
