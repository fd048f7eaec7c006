"""Dataclasses that stand in JSON files, such as ``config.json``: read with every field checked."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

_WORDS = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table of names and values"}


def read_json(file: Path) -> dict[str, Any]:
    """Read the object in a JSON file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It holds no JSON, or none with names and values.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged, it holds no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} must hold names and values, and holds {found!r:.60}.")
    return found


def as_record(kind: type, found: dict[str, Any], file: Path, check: Callable[[Any], None] | None = None) -> Any:
    """Make a dataclass of the values in a JSON file.

    Parameters
    ----------
    kind : type
        The dataclass. Its annotations are the types that the values must have.
    found : dict
        The values, as :func:`read_json` gives them.
    file : Path
        For the error message.
    check : callable, optional
        Called with the record; raises ValueError where a value has the right type and cannot be meant.

    Raises
    ------
    ValueError
        A name is unknown or missing, or a value has another type. It names the file, the field and the value.
    """
    hints = typing.get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    for name, value in found.items():
        if name not in known:
            raise ValueError(f"{file}: {name!r} is not known to this version of keras_faces; take it out, or update.")
        if not _fits(value, hints[name]):
            raise ValueError(f"{file}: {name} is {value!r:.60}, and must be {_words(hints[name])}.")
    for field in fields(kind):
        if field.name not in found and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{file}: {field.name} is missing, which is {_words(hints[field.name])}.")
    try:
        record = kind(**found)
        if check is not None:
            check(record)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return record


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if isinstance(hint, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(hint))
    if hint is types.NoneType:
        return value is None
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is list and inner:
        return isinstance(value, list) and all(_fits(one, inner[0]) for one in value)
    if origin is dict and inner:
        return isinstance(value, dict) and all(_fits(one, inner[1]) for one in value.values())
    if origin is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, origin) and not (origin is int and isinstance(value, bool))


def _words(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        return " or ".join("null" if part is types.NoneType else _words(part) for part in typing.get_args(hint))
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is list and inner:
        return f"a list, each {_words(inner[0])}"
    return _WORDS.get(origin, getattr(origin, "__name__", str(origin)))
