"""Choose faces by their attributes: "Smiling and not Eyeglasses".

    expression = term   { ("or"  | "|") term }
    term       = factor { ("and" | "&") factor }
    factor     = ("not" | "!" | "~") factor  |  "(" expression ")"  |  attribute

One method for each line of this grammar: a recursive-descent parser, the oldest way to read a language, in which the
calls of the methods follow the shape of what they read. What to read next: ``faces.py``, whose tables it reads.
"""

from __future__ import annotations

import difflib
import re

import numpy as np
import pandas as pd

_TOKEN = re.compile(r"""\s*(?:(?P<sign>&&?|\|\|?|[!~()])|(?P<name>[^\W_]\w*|_\w+)|["'](?P<quoted>[^"']*)["'])""")
_SIGNS = {"&": "and", "&&": "and", "|": "or", "||": "or", "!": "not", "~": "not", "(": "(", ")": ")"}
_WORDS = ("and", "or", "not")
_DEEPEST = 100  # of parentheses and "not" within one another
_END = "the end"


def select(table: pd.DataFrame, expression: str) -> np.ndarray:
    """Find the rows of an attribute table for which an expression is true.

    "not" binds closest, then "and", then "or", as in Python; `!` or `~`, `&` and `|` are other spellings, and bind just
    the same. An attribute counts as true where its value is positive, so −1/+1 and 0/1 both serve. Upper and lower case
    do not matter. A name that is not made of letters, digits and underscores alone stands in quotation marks.

    Parameters
    ----------
    table : DataFrame
        One row a face, one column an attribute with values −1, 0, 1 or bool; other columns may stand beside them.
    expression : str
        For example "Smiling & (Male | !Eyeglasses)".

    Returns
    -------
    ndarray
        bool, shape (len(table),).

    Raises
    ------
    ValueError
        The expression cannot be understood (a caret marks the place), names no column of the table, or names one that
        holds something other than an attribute.

    Examples
    --------
    >>> table = pd.DataFrame({"Smiling": [1, 1, -1], "Eyeglasses": [-1, 1, -1]})
    >>> select(table, "Smiling and not Eyeglasses")
    array([ True, False, False])
    """
    return _Parser(table, expression).parse()


class _Parser:
    """Reads an expression from left to right; each method consumes its part and returns the mask of that part."""

    def __init__(self, table: pd.DataFrame, expression: str):
        self.table, self.expression = table, expression
        self.tokens = self._cut()
        self.at = 0
        self.depth = 0

    def parse(self) -> np.ndarray:
        mask = self._expression()
        if self.kind != _END:
            raise self._error(f"expected 'and', 'or' or the end, not {self._shown()}")
        return mask

    def _expression(self) -> np.ndarray:
        mask = self._term()
        while self._take("or"):
            mask = mask | self._term()
        return mask

    def _term(self) -> np.ndarray:
        mask = self._factor()
        while self._take("and"):
            mask = mask & self._factor()
        return mask

    def _factor(self) -> np.ndarray:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self._error(f"parentheses or 'not' more than {_DEEPEST} deep")
        if self._take("not"):
            mask = ~self._factor()
        elif self._take("("):
            mask = self._expression()
            if not self._take(")"):
                raise self._error(f"expected ')', not {self._shown()}")
        elif self.kind == "name":
            mask = self._attribute()
            self.at += 1
        else:
            raise self._error(f"expected an attribute, 'not' or '(', not {self._shown()}")
        self.depth -= 1
        return mask

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    def _take(self, kind: str) -> bool:
        """Step over the next token if it is of this kind."""
        if self.kind != kind:
            return False
        self.at += 1
        return True

    def _cut(self) -> list[tuple[str, str, int]]:
        """Cut the expression into tokens: kind ("and", "or", "not", "(", ")", "name", the end), text, position."""
        tokens, at, text = [], 0, self.expression.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                at += len(text[at:]) - len(text[at:].lstrip())
                raise self._error(f"unexpected {text[at]!r}", at)
            sign, name, quoted = found["sign"], found["name"], found["quoted"]
            word = (name or "").lower()
            kind = _SIGNS[sign] if sign else word if word in _WORDS else "name"
            tokens.append((kind, sign or name or quoted or "", found.start(found.lastgroup)))
            at = found.end()
        return [*tokens, (_END, "", len(text))]

    def _attribute(self) -> np.ndarray:
        values = self.table[self._column(self.tokens[self.at][1])]
        if not pd.api.types.is_numeric_dtype(values) or not values.isin([-1, 0, 1]).all():
            raise self._error(f"{values.name!r} is no attribute: not all of its values are -1, 0 or 1")
        return values.to_numpy() > 0

    def _column(self, name: str):
        """The column of this name, whatever its case; the exact case where two differ in nothing else."""
        by_text = {str(column): column for column in self.table.columns}
        if name in by_text:
            return by_text[name]
        same = [text for text in by_text if text.casefold() == name.casefold()]
        if len(same) == 1:
            return by_text[same[0]]
        if same:
            raise self._error(f"{name!r} may be any of {', '.join(same)}: write one of them exactly")
        lower = {text.casefold(): text for text in by_text}
        near = [lower[text] for text in difflib.get_close_matches(name.casefold(), lower, n=3, cutoff=0.6)]
        if near:
            raise self._error(f"there is no attribute {name!r}; did you mean {' or '.join(near)}?")
        raise self._error(f"there is no attribute {name!r}; there are: {', '.join(by_text) or 'none'}")

    def _shown(self) -> str:
        kind, text, _ = self.tokens[self.at]
        return _END if kind == _END else repr(text)

    def _error(self, message: str, at: int | None = None) -> ValueError:
        at = self.tokens[self.at][2] if at is None else at
        line = re.sub(r"\s", " ", self.expression)  # a tab or a line end would move the caret
        return ValueError(f"{message}\n    {line}\n    {' ' * at}^")
