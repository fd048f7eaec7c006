"""Labels for conditional systems.

    faces.labelled("Smiling")                        # two classes: without, with
    faces.labelled("Smiling, Male, Eyeglasses")      # a vector of attributes, 0 or 1 each
    faces.labelled("man = Male; girl = Young & !Male")    # classes by expressions; other faces are left out
    faces.labelled("identity")                       # a class for each person
    faces.labelled("identity:20")                    # ... of whom there are 20 pictures or more
    faces.labelled("table.csv:hair")                 # a class for each value of a table's column

A face may also have no label (:meth:`Labels.hidden`): its vector is all zeros, and semi-supervised systems learn from
its picture alone. See also ``expressions.py`` (what may stand behind "=").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from keras_faces.data.expressions import nearest, select
from keras_faces.data.tables import read_csv, rows_of
from keras_faces.files import printable

KINDS = ("classes", "attributes")
_PORTION_BYTES = 2**24  # of rows that are made at a time


class OneHot:
    """Rows of zeros with a 1 at each face's class: float32 (N, n), made when they are asked for.

    Ten thousand people on two hundred thousand pictures are 8 GB of rows, and 2 MB of class numbers.

    Parameters
    ----------
    class_ids : ndarray of int, shape (N,)
        Index of each face's class; −1 for a face without a label.
    classes : int
        How many there are, n.
    """

    dtype = np.dtype("float32")
    ndim = 2

    def __init__(self, class_ids: np.ndarray, classes: int):
        self.class_ids = np.asarray(class_ids, np.int64)
        self.shape = (len(self.class_ids), classes)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        """Return one row (n,) for an int; several (m, n) for a slice, int or bool array."""
        return (np.expand_dims(self.class_ids[key], -1) == np.arange(self.shape[1])).astype(self.dtype)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def any(self, axis: int) -> np.ndarray:
        """Return for each row (axis 1) whether it has a 1, or for each column (axis 0)."""
        return self.class_ids >= 0 if axis else np.isin(np.arange(self.shape[1]), self.class_ids)


@dataclass(frozen=True)
class Labels:
    """The labels of a set of faces.

    Attributes
    ----------
    kind : str
        "classes": each face belongs to one of them. "attributes": each is true or not, independently.
    names : tuple of str
        The n classes or attributes.
    rows : ndarray of float32, shape (N, n), or OneHot
        1 at the face's class, or 1 for each attribute that it has. All zeros in "classes" is a face without a label.
    """

    kind: str
    names: tuple[str, ...]
    rows: np.ndarray | OneHot

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def vectors(self) -> np.ndarray:
        """All rows as one array: float32 (N, n). Of many people it is large; `rows` is not."""
        return np.asarray(self.rows)

    @property
    def class_ids(self) -> np.ndarray:
        """Index of each face's class, int64 (N,); −1 for a face without a label. A ValueError for "attributes"."""
        if self.kind != "classes":
            raise ValueError("attributes are not one class each; look at `vectors`.")
        if isinstance(self.rows, OneHot):
            return self.rows.class_ids
        return np.where(self.rows.any(1), self.rows.argmax(1), -1)

    @property
    def partial(self) -> bool:
        """Whether some faces have no label."""
        return self.kind == "classes" and not self.rows.any(axis=1).all()

    def counts(self) -> dict[str, int]:
        """Return how many faces each class or attribute has."""
        if isinstance(self.rows, OneHot):
            counts = np.bincount(self.class_ids[self.class_ids >= 0], minlength=len(self.names))
        else:
            counts = self.rows.sum(0)
        return {name: int(count) for name, count in zip(self.names, counts, strict=True)}

    def take(self, indices: np.ndarray) -> Labels:
        """Return the labels of the faces with these indices."""
        if isinstance(self.rows, OneHot):
            return replace(self, rows=OneHot(self.class_ids[indices], len(self.names)))
        return replace(self, rows=self.rows[indices])

    def hidden(self, keep: int, seed: int = 0) -> Labels:
        """Remove all labels but `keep`, chosen as evenly over the classes as possible.

        Parameters
        ----------
        keep : int
            Labels to keep, at least one per class.
        seed : int
            Which ones.

        Returns
        -------
        Labels

        Raises
        ------
        ValueError
            `keep` is less than one per class or more than there are, or the labels are attributes.
        """
        if self.kind != "classes":
            raise ValueError(
                f"{keep} labels to keep: {', '.join(self.names)} are attributes; only classes can be hidden."
            )
        class_ids = self.class_ids
        labelled = np.flatnonzero(class_ids >= 0)
        if not len(self.names) <= keep <= len(labelled):
            raise ValueError(f"{keep} labels to keep: from {len(self.names)}, one a class, to {len(labelled)}, all.")
        order = np.random.default_rng(seed).permutation(labelled)
        rank = pd.Series(class_ids[order]).groupby(class_ids[order]).cumcount()  # place among the faces of its class
        kept = order[np.argsort(rank.to_numpy(), kind="stable")[:keep]]
        left = np.full(len(self), -1)
        left[kept] = class_ids[kept]
        return replace(self, rows=OneHot(left, len(self.names)))

    def fingerprint(self) -> str:
        """Return a hash of 16 hexadecimal digits that changes with the labels."""
        sha = hashlib.sha256(f"{self.kind}|{'|'.join(self.names)}|".encode())
        step = max(1, _PORTION_BYTES // (4 * len(self.names)))
        for first in range(0, len(self), step):
            sha.update(np.ascontiguousarray(self.rows[first : first + step]))
        return sha.hexdigest()[:16]


def read_labels(
    spec: str, names: list[str], table: pd.DataFrame | None, identities: np.ndarray | None, people: list[str] | None
) -> tuple[np.ndarray, Labels]:
    """Make labels from a description.

    Parameters
    ----------
    spec : str
        One of the forms at the head of this file.
    names : list of str
        Names of the N faces.
    table : DataFrame or None
        Their attributes, N rows.
    identities : ndarray of int64, shape (N,), or None
        Who is shown: indices into `people`.
    people : list of str or None
        Names of the persons.

    Returns
    -------
    indices : ndarray of int64, shape (n,)
        The faces that have a label.
    labels : Labels
        Their labels, in that order.

    Raises
    ------
    FileNotFoundError
        The table of the description does not exist.
    ValueError
        The description cannot be read or does not fit the faces, classes overlap, a class or attribute has no face, or
        all faces have an attribute.
    """
    spec = spec.strip()
    if spec == "identity" or spec.startswith("identity:"):
        return _people(spec, identities, people)
    if ".csv:" in spec:
        return _column(spec, names)
    if table is None:
        raise ValueError(f"labels {spec!r}: these faces have no attributes. Pack them with their table, or draw faces.")
    if "=" in spec or ";" in spec:
        return _expressions(spec, names, table)
    words = [word.strip() for word in spec.split(",") if word.strip()]
    if len(words) == 0:
        raise ValueError('labels \'\': name attributes, such as "Smiling, Male", or "identity".')
    words, masks = _attributes(words, table)
    if len(words) == 1:
        labels = _classes([f"not {words[0]}", words[0]], masks[:, 0].astype(int))
    else:
        labels = Labels("attributes", tuple(words), masks.astype("float32"))
    return np.arange(len(table)), labels


def _people(spec: str, identities, people) -> tuple[np.ndarray, Labels]:
    """``identity`` or ``identity:LEAST``."""
    if identities is None:
        raise ValueError(f"labels {spec!r}: it is not known who is on these pictures. A folder a person tells it.")
    text = spec.partition(":")[2] or "1"
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"labels {spec!r}: after the colon stands the least number of pictures, as in identity:20.")
    who, counts = np.unique(identities[identities >= 0], return_counts=True)
    who = who[counts >= int(text)]
    if len(who) < 2:
        most = f"the most pictures of one person are {counts.max()}" if len(counts) else "nobody is known by name"
        raise ValueError(f"labels {spec!r}: fewer than two people have {text} pictures; {most}.")
    person_names = [str(people[person]) if people is not None else str(person) for person in who]
    chosen = np.flatnonzero(np.isin(identities, who))
    return chosen, _classes(person_names, np.searchsorted(who, identities[chosen]))


def _column(spec: str, names: list[str]) -> tuple[np.ndarray, Labels]:
    """``FILE.csv:COLUMN``; the first column of the table holds the names of the pictures."""
    path, _, column = spec.rpartition(":")
    if not Path(path).is_file():
        raise FileNotFoundError(f"labels {spec!r}: there is no file {path}.")
    table = read_csv(path)
    if column not in table.columns:
        there = nearest(column, table.columns)
        raise ValueError(f"labels {spec!r}: {path} has no column {column!r}; {there}")
    values = table[column].convert_dtypes()  # 3 stays 3 beside rows without a value
    rows = rows_of(table.index, names)
    values = values.iloc[rows].mask(rows < 0)
    chosen = np.flatnonzero(values.notna())
    if not len(chosen):
        raise ValueError(
            f"labels {spec!r}: no picture ({names[0]!r}, ...) has a value in {path}, whose rows are "
            f"{printable(table.index[0])!r}, ...: {len(names):,} pictures, {len(table):,} rows."
        )
    if len(chosen) < len(names):
        unused = np.setdiff1d(np.arange(len(table)), rows)
        more = f", such as {printable(table.index[unused[0]])}" if len(unused) else ""
        missing = np.setdiff1d(np.arange(len(names)), chosen)
        print(
            f"{path}: {len(chosen):,} of {len(names):,} pictures have a value, the others are left out, such as "
            f"{printable(names[missing[0]])}; {len(unused):,} of {len(table):,} rows have no picture{more}"
        )
    kinds = sorted(values.iloc[chosen].unique())
    if len(kinds) < 2:
        raise ValueError(f"labels {spec!r}: there is only one class, {kinds[0]!r}; two are needed.")
    return chosen, _classes([str(kind) for kind in kinds], np.searchsorted(kinds, values.iloc[chosen]))


def _expressions(spec: str, names: list[str], table: pd.DataFrame) -> tuple[np.ndarray, Labels]:
    """``NAME = EXPRESSION; NAME = EXPRESSION``: a class each."""
    classes = {}
    for part in filter(str.strip, spec.split(";")):
        name, sign, expression = (text.strip() for text in part.partition("="))
        if not (name and sign and expression):
            raise ValueError(f"labels {spec!r}: {part.strip()!r} must be NAME = EXPRESSION.")
        if name in classes:
            raise ValueError(f"labels {spec!r}: there are two classes {name!r}.")
        classes[name] = select(table, expression)
    if len(classes) < 2:
        raise ValueError(f"labels {spec!r}: one class alone tells nothing apart; name two, with a semicolon between.")
    for name, mask in classes.items():
        if not mask.any():
            raise ValueError(f"labels {spec!r}: no face belongs to the class {name!r}.")
    masks = np.stack(list(classes.values()), axis=1)
    if (overlap := masks.sum(1) > 1).any():
        first = int(np.flatnonzero(overlap)[0])
        both = " and ".join(repr(name) for name, mask in classes.items() if mask[first])
        raise ValueError(
            f"labels {spec!r}: {overlap.sum()} faces belong to two classes, such as {names[first]} to {both}; "
            'exclude one from the other by "& !...".'
        )
    chosen = np.flatnonzero(masks.any(1))
    return chosen, _classes(list(classes), masks[chosen].argmax(1))


def _attributes(words: list[str], table: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """The attributes' names as the table spells them, and who has them, bool (N, n)."""
    words = [_as_spelt(word, table) for word in words]
    if len(set(words)) < len(words):
        raise ValueError(f"labels {', '.join(words)!r}: an attribute is named twice.")
    masks = np.stack([select(table, word) for word in words], axis=1)
    for word, mask in zip(words, masks.T, strict=True):
        if mask.all() or not mask.any():
            raise ValueError(f"labels: {'every' if mask.all() else 'no'} face has {word!r}; it tells nothing apart.")
    return words, masks


def _as_spelt(word: str, table: pd.DataFrame) -> str:
    """An attribute's name as the table has it; an expression or an unknown name unchanged."""
    same = [str(column) for column in table.columns if str(column).casefold() == word.casefold()]
    return same[0] if len(same) == 1 else word


def _classes(names: list[str], class_ids: np.ndarray) -> Labels:
    return Labels("classes", tuple(names), OneHot(class_ids, len(names)))
