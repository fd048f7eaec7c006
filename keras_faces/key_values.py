"""Options of a system as one types them: ``width=32``, ``dcgan:loss=hinge,width=32``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_PYTHON = {"True": "true", "False": "false", "None": "null"}  # as JSON writes them
_OF_ITS_OWN = ("image-size", "seed", "precision")  # of every run, and what `models.build` takes by name


def key_values(pairs: Sequence[str], where: str = "--option ") -> dict[str, Any]:
    """``["width=32", "filters=[8,4]", "loss=hinge"]`` as a dictionary; a value is JSON if it can be read as such.

    ``True``, ``False`` and ``None`` are what they are in Python; the word "False" would count as true.

    Raises
    ------
    ValueError
        If there is no = in one of them, no name before it, or a name that the command line has an option for.
    """
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{where}{pair}: write KEY=VALUE, such as width=32.")
        if (name := key.strip().replace("_", "-")) in _OF_ITS_OWN:
            raise ValueError(f"{where}{pair}: {name} has an option of its own, --{name}.")
        values[name.replace("-", "_")] = _value(_PYTHON.get(value.strip(), value))
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def system_and_options(text: str) -> tuple[str, dict[str, Any]]:
    """``"dcgan:loss=hinge,width=32"`` as ``("dcgan", {"loss": "hinge", "width": 32})``.

    A comma that is not followed by ``KEY=`` belongs to the value: ``filters=[8,4]``, ``stages=sgd:1e-2:50,adam:2e-4``.
    """
    name, _, options = text.strip().partition(":")
    pairs = re.split(r",(?=\s*[A-Za-z_][\w-]*\s*=)", options) if options else []
    return name, key_values(pairs, where=f"{text!r}: ")
