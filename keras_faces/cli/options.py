"""What the commands share: types of arguments, common options, old spellings, and writing a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_faces.outputs import check_out, check_out_folder

PICTURES = (".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".avif", ".pdf", ".svg", ".h5")
BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")  # of fast/autotune.py
COMPILERS = ("auto", "graph", "xla")
CROPS = ("auto", "center", "celeba", "none")
LOSSES = ("non-saturating", "saturating", "lsgan", "wgan", "wgan-gp", "hinge")  # of losses.PAIRS, which needs Keras


def add_command(commands: Any, name: str, function: Callable, help: str) -> argparse.ArgumentParser:
    """Add a command that calls ``function(options)``."""
    command = commands.add_parser(name, help=help, description=help, allow_abbrev=False)
    command.set_defaults(command=function)
    return command


def add_run(command: argparse.ArgumentParser, what: str = "a run folder") -> None:
    """Add the argument RUN."""
    command.add_argument("run", type=path, metavar="RUN", help=what)


def add_seed(command: argparse.ArgumentParser, what: str = "of the noise") -> None:
    """Add ``--seed``."""
    command.add_argument("--seed", type=natural, default=0, help=f"{what} (0)")


def add_truncation(command: argparse.ArgumentParser) -> None:
    """Add ``--truncation``."""
    command.add_argument(
        "--truncation",
        type=float,
        help="draw noise beyond this many standard deviations again (no limit); for stylegan: ψ from 0 to 1",
    )


def add_picture(command: argparse.ArgumentParser, name: str, more: str = "") -> None:
    """Add ``--out``, by default ``RUN/name.png``."""
    command.add_argument("--out", type=path, help=f"the .png file{more} (RUN/{name}.png)")


def add_backend(command: argparse.ArgumentParser) -> None:
    """Add ``--backend``, which must be known before Keras is loaded."""
    command.add_argument("--backend", choices=BACKENDS, help="what Keras runs on (KERAS_BACKEND, else tensorflow)")


def add_data(command: argparse.ArgumentParser) -> None:
    """Add which photographs are used and how they are read; the default None means not given."""
    command.add_argument("--data", type=given, help='"drawn", a folder of photographs, or a packed .h5 (drawn)')
    command.add_argument("--count", type=positive, help="how many images (all; 10,000 drawn ones)")
    command.add_argument("--crop", choices=CROPS, help="how photographs are cropped (auto)")
    command.add_argument("--strict", action="store_true", help="an unreadable file is an error, not skipped")


def add_old(command: argparse.ArgumentParser, old: str, new: str, **how: Any) -> None:
    """Add the old spelling of an option, which is not in the help: it works, and one line names the new one."""

    class Old(argparse.Action):
        def __call__(self, parser, namespace, value, option_string=None):
            print(f"{old} is now called {new}.", file=sys.stderr)
            setattr(namespace, new.strip("-").replace("-", "_"), value)

    command.add_argument(
        old, action=Old, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **how
    )


def arguments(options: argparse.Namespace, *without: str) -> dict[str, Any]:
    """Return the options as keyword arguments of a function, without the command itself and the names given."""
    return {name: value for name, value in vars(options).items() if name not in ("command", *without)}


def out_png(options: argparse.Namespace, name: str, *beside: str) -> Path:
    """Return the path of the picture to write; another ending than .png is an error, and so is a file of others.

    ``beside`` are endings of files that are written with it, such as ".gif" or "-errors.csv".
    """
    out = options.out or options.run / f"{name}.png"
    if out.suffix.lower() != ".png":
        raise ValueError(f"--out {out}: must be the name of a .png file.")
    if options.out is not None:
        check_out(out, *(out.with_name(out.stem + ending) for ending in beside), reads=_files_of(options))
    elif any(out.exists() and out.samefile(file) for file in _files_of(options)):
        raise ValueError(f"{out} is read by this command, and would be lost; choose another name by --out.")
    return out


def out_png_or_folder(options: argparse.Namespace, name: str, *beside: str) -> Path:
    """Return the picture to write, as :func:`out_png`, or the folder for single pictures."""
    if options.out is None or options.out.suffix.lower() == ".png":
        return out_png(options, name, *beside)
    if options.out.suffix.lower() in PICTURES:
        raise ValueError(
            f"--out {options.out}: must be the name of a .png file, or of a folder without such an ending."
        )
    return check_out_folder(options.out)


def _files_of(options: argparse.Namespace) -> list[Path]:
    """The files that a command line names, without ``--out``."""
    found = []
    for name, value in vars(options).items():
        if name != "out":
            values = value if isinstance(value, (list, tuple)) else [value]
            found += [Path(one) for one in values if isinstance(one, (str, Path)) and len(str(one)) < 4096]
    return [file for file in found if _is_file(file)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no path, but a text
        return False


def write_picture(picture: Any, out: Path) -> None:
    """Write a Figure, or an image uint8 (H, W, 3), as a .png file; its folder is made."""
    from keras_faces.figures import grids

    out.parent.mkdir(parents=True, exist_ok=True)
    (grids.save_picture if hasattr(picture, "dtype") else grids.save)(picture, out, signed=True)


# ------------------------------------------------------------------------------------------- types of arguments


def given(text: str) -> str:
    """Read a name that must not be empty, as that of a shell's variable that is not set is."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; is a variable of the shell not set?")
    return text


def path(text: str) -> Path:
    """Read the name of a file or folder."""
    return Path(given(text))


def positive(text: str) -> int:
    """Read a whole number from 1 on."""
    return _number(text, int, lambda value: value >= 1, "a positive whole number")


def natural(text: str) -> int:
    """Read a whole number from 0 on."""
    return _number(text, int, lambda value: value >= 0, "a whole number from 0 on")


def two_or_more(text: str) -> int:
    """Read a whole number from 2 on."""
    return _number(text, int, lambda value: value >= 2, "a whole number from 2 on")


def weight(text: str) -> float:
    """Read the weight of a penalty, from 0 on."""
    return _number(text, float, lambda value: 0 <= value < float("inf"), "a number from 0 on")


def decay(text: str) -> float:
    """Read the decay of an average: from 0 (none) to below 1."""
    return _number(text, float, lambda value: 0 <= value < 1, "from 0 to below 1; 0.999 is usual")


def between_0_and_1(text: str) -> float:
    """Read a number above 0 and below 1."""
    return _number(text, float, lambda value: 0 < value < 1, "a number above 0 and below 1")


def numbers(text: str) -> list[float]:
    """Read numbers with commas between."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers with commas between, such as 0, 0.5, 1") from None


def _number(text: str, kind: type, fits: Callable, wanted: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}") from None
    if not fits(value):
        raise argparse.ArgumentTypeError(f"{text} is not {wanted}")
    return value
