"""Select faces by an expression over their attributes: "Smiling and not Eyeglasses"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from keras_faces.files import printable

_TOKEN = re.compile(r"""\s+|(?P<sign>&&?|\|\|?|[!~()])|(?P<name>\w+)|(["'])(?P<quoted>.*?)\3|(?P<wrong>.)""", re.DOTALL)
_SIGNS = {"&": "and", "&&": "and", "|": "or", "||": "or", "!": "not", "~": "not", "(": "(", ")": ")"}


def select(table: pd.DataFrame, expression: str) -> np.ndarray:
    """Find the rows of an attribute table for which an expression is true.

    "not" binds closest, then "and", then "or"; `!` or `~`, `&` and `|` are other spellings. An attribute is true where
    its value is positive, so −1/+1 and 0/1 both serve. Case does not matter. A name with a space or a sign in it, or
    that is "and", "or" or "not", needs quotation marks.

    Parameters
    ----------
    table : DataFrame
        One row per face, one column per attribute with values −1, 0, 1 or bool; other columns are allowed.
    expression : str
        For example "Smiling & (Male | !Eyeglasses)".

    Returns
    -------
    ndarray of bool, shape (len(table),)

    Raises
    ------
    ValueError
        The expression cannot be read, names no column of the table (the nearest names are listed), or names a column
        that is not an attribute.

    Notes
    -----
    `pandas.DataFrame.eval` computes the result. It sees only "and", "or", "not", parentheses and the names c0, c1, ...
    of the columns, so an expression cannot reach a Python object.

    Examples
    --------
    >>> table = pd.DataFrame({"Smiling": [1, 1, -1], "Eyeglasses": [-1, 1, -1]})
    >>> select(table, "Smiling and not Eyeglasses")
    array([ True, False, False])
    """
    words, masks = [], {}
    for token in _TOKEN.finditer(expression):
        name = token["quoted"] if token["name"] is None else token["name"]
        if token["wrong"]:
            raise ValueError(f"unexpected {token['wrong']!r} in {expression!r}")
        if token["sign"] or (token["name"] or "").lower() in ("and", "or", "not"):
            words.append(_SIGNS[token["sign"]] if token["sign"] else token["name"].lower())
        elif name is not None:
            column = find_column(table, name)
            if not pd.api.types.is_numeric_dtype(table[column]) or not table[column].isin([-1, 0, 1]).all():
                raise ValueError(f"{column!r} is no attribute: not all of its values are -1, 0 or 1")
            words.append(f"c{len(masks)}")
            masks[words[-1]] = table[column].to_numpy() > 0
    try:
        found = pd.DataFrame(masks).eval(" ".join(words), engine="python")
        return np.asarray(found, bool).reshape(len(table))
    except Exception as error:  # pandas and Python's parser raise many kinds
        raise ValueError(
            f"{expression!r} cannot be read: join attributes by 'and', 'or' and 'not', and close each parenthesis"
        ) from error


def find_column(table: pd.DataFrame, name: str):
    """Return the column of this name, whatever its case; of names that differ in case alone, the exact one.

    Raises
    ------
    ValueError
        There is no such column, or there are several and none is exact.
    """
    columns = {str(column): column for column in table.columns}
    same = [name] if name in columns else [text for text in columns if text.casefold() == name.casefold()]
    if len(same) > 1:
        raise ValueError(f"{name!r} may be any of {', '.join(same)}: write one of them exactly")
    if not same:
        raise ValueError(f"there is no attribute {name!r}; {nearest(name, columns)}")
    return columns[same[0]]


def nearest(name: str, names: Iterable) -> str:
    """Return "did you mean X or Y?" for the names most like a wrong one, or "there are: ..." with all of them."""
    by_lower = {str(known).casefold(): printable(known) for known in names}
    near = difflib.get_close_matches(name.casefold(), by_lower, n=3)
    if near:
        return f"did you mean {' or '.join(by_lower[text] for text in near)}?"
    return f"there are: {', '.join(by_lower.values()) or 'none'}"
