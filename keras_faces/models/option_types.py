"""Every option of a system is converted and checked against the signature of its builder.

A value may come from the command line, from ``config.json`` or from Python. :func:`check_options` converts it to the
type that the builder's signature names, and stops at a value that cannot be meant: a wrong length, NaN, a dropout of 2,
weights that do not fit into memory.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
import types
import typing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from keras_faces.models.options import FAST_LAYERS

NOT_OPTIONS = ("self", "options", "name", "value_range", "stages", *FAST_LAYERS)  # of builders and constructors
LARGEST = 2**16  # of a whole number without a limit of its own, such as channels or iterations of a schedule

# Name, or its end -> smallest and largest value. A bound in brackets is excluded.
LIMITS: dict[str, tuple[float, float]] = {
    "image_size": (1, 2048),
    "seed": (0, 2**63 - 1),
    "iterations": (0, 10**9),
    "classifier_first": (0, 10**9),
    "continuous_dim": (0, LARGEST),
    "pool": (0, 10**6),
    "blocks": (0, 100),
    "depth": (1, 1000),
    "d_steps": (1, 1000),
    "learning_rate": (1e-12, 1.0),
    "multiplier": (1e-9, 1e6),
    "weight": (0.0, 1e9),
}
SHARES = ("dropout", "label_smoothing", "average", "beta_1", "beta_2", "momentum", "decay")  # in [0, 1)
# What the documentation of a builder leaves to another one.
COMMON = {
    "image_size": "Side of the images in pixels",
    "latent_dim": "Length of the noise z",
    "width": "Channels of the largest map; each smaller map has twice as many",
    "seed": "Seed of the weights, of Dropout and of the training noise",
    "learning_rate": "Adam's learning rate",
    "d_learning_rate": "Adam's learning rate for D",
    "g_learning_rate": "Adam's learning rate for G",
    "divisor": "The printed numbers of units are divided by this",
    "average": "Decay of an average of G's weights to sample from, such as 0.999; 0 for G itself",
    "label_smoothing": "Photographs get the label 1 - this",
    "separate_batches": "Whether D reads fakes and photographs as two batches",
    "d_steps": "Steps of D before each step of G",
    "label_names": "Names of the labels; a run takes them from its data",
    "label_kind": '"classes" or "attributes"; a run takes it from its data',
    "loss": "What D and G minimise",
    "filters": "Channels of the convolutions",
    "dropout": "Share of the activations that Dropout sets to 0",
    "beta_1": "Adam's decay of the mean of the gradients",
    "beta_2": "Adam's decay of the mean of their squares",
    "classifier": "C: the folder of `keras-faces classify`; without it C learns with the others",
    "classifier_width": "Channels of the classifier's first layer",
    "output": 'The distribution of a pixel: "mixture" of logistics, or "softmax" over 256 values',
    "components": "Logistic distributions in the mixture",
}
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class Option:
    """An option of a system.

    Attributes
    ----------
    name : str
        As ``kf.models.build`` takes it.
    type : Any
        The annotation of the builder, such as ``int`` or ``tuple[int, int]``.
    default : Any
        The system's own.
    about : str
        The first line of its documentation, or "".
    """

    name: str
    type: Any
    default: Any
    about: str


@cache
def options_of(system: str) -> dict[str, Option]:
    """Return the options of a system by name: those of its builder, then those of its training.

    Parameters
    ----------
    system : str
        One of ``kf.models.available()``.
    """
    from keras_faces.models import lesson

    build = lesson(system).build
    found = dict(_parameters(build, build))
    model = typing.get_type_hints(build).get("return")
    if "options" in inspect.signature(build).parameters and model is not None:
        for base in (each for each in model.__mro__ if "__init__" in vars(each)):
            if base.__module__.startswith("keras_faces"):
                for name, option in _parameters(vars(base)["__init__"], base):
                    if not found.setdefault(name, option).about:
                        found[name] = replace(found[name], about=option.about)
            if all(each.kind is not each.VAR_KEYWORD for each in inspect.signature(base.__init__).parameters.values()):
                break  # it hands nothing on to its bases
    return {name: option for name, option in found.items() if name not in NOT_OPTIONS and not _is_network(option.type)}


def _is_network(hint: Any) -> bool:
    return any(getattr(kind, "__module__", "").startswith("keras.") for kind in (hint, *typing.get_args(hint)))


def _parameters(function: Any, documented: Any) -> Iterator[tuple[str, Option]]:
    hints, text = typing.get_type_hints(function), inspect.getdoc(documented) or ""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            if parameter.default is not parameter.empty:
                yield name, Option(name, hints.get(name), parameter.default, _about(text, name) or COMMON.get(name, ""))


def _about(text: str, name: str) -> str:
    """The first sentence on a parameter in a NumPy-style docstring; "" where it refers to another one."""
    found = re.search(rf"^(?:\w+, )*{name}(?:, \w+)*(?: : .*)?\n((?: {{4}}.*\n?)+)", text, re.MULTILINE)
    if not found:
        return ""
    sentence = re.split(r"(?<![Ee]q)(?<!al)\. |; ", " ".join(found[1].split()))[0].rstrip(".")
    return "" if re.match(r"(As|As of|See|Of) [:`]", sentence) else sentence


def check_options(system: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options converted to the types that the system's builder asks for.

    Parameters
    ----------
    system : str
        One of ``kf.models.available()``.
    options : dict
        Under their present names.

    Raises
    ------
    ValueError
        For an unknown name, and for a value of another type, length or range.
    """
    known = options_of(system)
    checked = {}
    for name, value in options.items():
        if name not in known:
            raise ValueError(unknown_option(system, name))
        try:
            checked[name] = value if value is known[name].default else _converted(name, value, known[name].type)
        except ValueError as error:
            default = known[name].default
            raise ValueError(f"{system}: {name}={_short(value)}: {error}; the default is {_short(default)}.") from None
    return checked


def unknown_option(system: str, name: str) -> str:
    """Return the message for an option that a system does not have: it names the nearest ones."""
    known = [*options_of(system), "stages", "fast_layers"]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(sorted(known))}."
    return f"{system} has no such option: {name}. {hint}"


def check_size(image_size: Any) -> int:
    """Return a side in pixels as a whole number.

    Raises
    ------
    ValueError
        For height and width (images are square here), and for what is no size.
    """
    if isinstance(image_size, (tuple, list)):
        raise ValueError(
            f"image_size={image_size}: one number, the side in pixels, since all images are square. "
            "`--crop none` squeezes other frames into a square."
        )
    try:
        return _converted("image_size", image_size, int)
    except ValueError as error:
        raise ValueError(f"image_size={_short(image_size)}: {error}.") from None


def _short(value: Any) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _converted(name: str, value: Any, wanted: Any) -> Any:
    """``value`` as the type ``wanted``; the ValueError says what it should be."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        kinds = [kind for kind in arguments if kind is not type(None)]
        problems = []
        for kind in kinds:
            try:
                return _converted(name, value, kind)
            except ValueError as error:
                problems.append(str(error))
        raise ValueError(" or ".join(dict.fromkeys(problems)))
    if wanted is bool:
        return _bool(value)
    if wanted in (int, float):
        return _number(name, value, wanted)
    if wanted is str:
        if isinstance(value, (str, Path)):
            return str(value)
        raise ValueError("must be a text")
    if origin in (tuple, Sequence, list):
        return _row(name, value, origin, arguments)
    return value


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in WORDS:
        return WORDS[str(value).lower()]
    raise ValueError("must be true or false")


def _number(name: str, value: Any, kind: type) -> int | float:
    what = "a whole number" if kind is int else "a number"
    if isinstance(value, bool) or value is None or isinstance(value, (list, tuple, dict)):
        raise ValueError(f"must be {what}")
    try:
        number = float(value)
        if kind is int:
            number = int(value) if not isinstance(value, float) else int(number) if number == int(number) else math.nan
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"must be {what}") from None
    low, high = _limits(name, kind)
    if not low <= number <= high or (name in SHARES and number == 1):
        if math.isnan(number) or math.isinf(number):
            raise ValueError(f"must be {what}")
        bounds = "from 0 to below 1" if name in SHARES else f"from {low:,g} to {high:,g}"
        raise ValueError(f"must be {what} {bounds}")
    return number


def _limits(name: str, kind: type) -> tuple[float, float]:
    if name in SHARES:
        return 0.0, 1.0
    for end, limits in LIMITS.items():
        if name == end or name.endswith(f"_{end}"):
            return limits
    return (1, LARGEST) if kind is int else (0.0, 1e9)


def _row(name: str, value: Any, origin: Any, arguments: tuple) -> Any:
    if isinstance(value, str):
        value = [part.strip() for part in value.strip("[]() ").split(",") if part.strip()]
    if not isinstance(value, (list, tuple)) and not hasattr(value, "tolist"):
        raise ValueError("must be a list, such as [64,32]")
    values = list(value)
    fixed = origin is tuple and Ellipsis not in arguments
    if fixed and len(values) != len(arguments):
        raise ValueError(f"must be a list of {len(arguments)}, and it has {len(values)}")
    kinds = arguments if fixed else [arguments[0]] * len(values)
    return tuple(_converted(name, each, kind) for each, kind in zip(values, kinds, strict=True))


# ------------------------------------------------------------------------------------------------ memory

BYTES = 4 * 4  # of a weight in training, float32: itself, its gradient, and two averages of Adam


@contextmanager
def within_memory(system: str) -> Iterator[None]:
    """Stop before a weight is made that does not fit into this machine's memory with all before it.

    Raises
    ------
    ValueError
        It says how many weights there are, and how much memory they need.
    """
    import keras

    free, total = free_memory(), 0
    add_weight = keras.Layer.add_weight

    def counted(layer: Any, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        nonlocal total
        total += math.prod(shape or ())
        if free is not None and total * BYTES > free:
            raise ValueError(
                f"{system}: with these options its networks have more than {total:,} weights, which take "
                f"{total * BYTES / 2**30:,.1f} GiB in training; {free / 2**30:,.1f} GiB of memory are free. "
                "Take a smaller width, filters or image_size."
            )
        return add_weight(layer, shape, *args, **kwargs)

    keras.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.Layer.add_weight = add_weight


def free_memory(meminfo: Path = Path("/proc/meminfo"), limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int | None:
    """Return the bytes of memory that are free, in a container at most its limit; ``None`` where nobody tells."""
    found = []
    try:
        found.append(1024 * int(re.search(r"MemAvailable:\s*(\d+) kB", meminfo.read_text())[1]))
        found.append(int(limit.read_text()))
    except (OSError, ValueError, TypeError):  # no Linux, or no limit ("max")
        pass
    return min(found, default=None)
