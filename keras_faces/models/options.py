"""The options of a system as they are typed, and their old names; ``option_types.py`` checks them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from typing import Any

# Old name -> new name. Run folders and scripts with the old names go on working.
RENAMED = {
    "rate": "learning_rate",
    "d_rate": "d_learning_rate",
    "g_rate": "g_learning_rate",
    "e_rate": "e_learning_rate",
    "recogniser_rate": "recogniser_learning_rate",
    "mapping_rate": "mapping_lr_multiplier",
    "most": "max_multiplier",
    "numbers": "continuous_dim",
    "number_weight": "continuous_weight",
}
FAST_LAYERS = ("polyphase", "pool_first")  # old switches; False now means fast_layers=False
NOT_OPTIONS = ("image-size", "seed", "precision")  # these have a flag of their own on the command line
NAMED = ("name", "system")  # the system

_told: set[str] = set()


def standard_options(system: str, options: dict[str, Any]) -> dict[str, Any]:
    """Replace old names of options by the present ones, with one line of notice each.

    Parameters
    ----------
    system : str
        One of ``kf.models.available()``.
    options : dict
        Options as ``kf.models.build`` takes them, with old or new names.

    Returns
    -------
    dict
        The same options under their present names.

    Raises
    ------
    ValueError
        If an option is given under both names, or the system does not exist.
    """
    from keras_faces.models import lesson

    present = inspect.signature(lesson(system).build).parameters
    standard = {}
    for name, value in options.items():
        new = "fast_layers" if name in FAST_LAYERS else RENAMED.get(name, name)
        if name in present or new == name:
            standard[name] = value
            continue
        if new in options:
            raise ValueError(f"{system}: {name} is the old name of {new}; give one of them.")
        if new != "fast_layers":
            standard[new] = value
        elif value is False:
            standard[new] = False
        _tell(f"{system}: the option {name} is now called {new}.")
    return standard


def _tell(note: str) -> None:
    if note not in _told:
        _told.add(note)
        print(note)


# ----------------------------------------------------------------------------------------------- as they are typed


def parse_options(pairs: Sequence[str], where: str = "--option ") -> dict[str, Any]:
    """Read ``["width=32", "filters=[8,4]", "loss=hinge"]`` as a dict.

    Parameters
    ----------
    pairs : sequence of str
        Each ``KEY=VALUE``. A value is read as JSON where that is possible, else it is text; ``True``, ``False`` and
        ``None`` are Python's.
    where : str
        What stands before the option in an error message.

    Raises
    ------
    ValueError
        If a pair has no ``=``, no name before it, or a name that is a flag of the command line.
    """
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{where}{pair}: write KEY=VALUE, such as width=32.")
        if (name := key.strip().replace("_", "-")) in NOT_OPTIONS:
            raise ValueError(f"{where}{pair}: {name} has an option of its own, --{name}.")
        if name in NAMED:
            raise ValueError(f"{where}{pair}: the system is the first word of the command, not an option.")
        values[name.replace("-", "_")] = _value(value)
    return values


def _value(text: str) -> Any:
    try:
        return json.loads({"True": "true", "False": "false", "None": "null"}.get(text.strip(), text))
    except ValueError:
        return text


def parse_system(text: str) -> tuple[str, dict[str, Any]]:
    """Read ``"dcgan:loss=hinge,width=32"`` as ``("dcgan", {"loss": "hinge", "width": 32})``.

    A comma that is not followed by ``KEY=`` belongs to the value: ``filters=[8,4]``, ``stages=sgd:1e-2:50,adam:2e-4``.
    """
    name, _, options = text.strip().partition(":")
    pairs = re.split(r",(?=\s*[A-Za-z_][\w-]*\s*=)", options) if options else []
    return name, parse_options(pairs, where=f"{text!r}: ")
