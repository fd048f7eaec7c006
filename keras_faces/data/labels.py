"""Labels for conditional systems: one vocabulary, whatever they come from.

    faces.labelled("Smiling")                        # two classes: without, with
    faces.labelled("Smiling, Male, Eyeglasses")      # a vector of attributes, 0 or 1 each
    faces.labelled("man = Male; girl = Young & !Male")    # classes by expressions; other faces are left out
    faces.labelled("identity")                       # a class for each person
    faces.labelled("identity:20")                    # ... of whom there are 20 pictures or more
    faces.labelled("table.csv:hair")                 # a class for each value of a table's column

A face may also have no label (:meth:`Labels.hidden`): its vector is all zeros, and semi-supervised systems learn from
its picture alone.

What to read next: ``expressions.py`` (what may stand behind "="), ``faces.py`` (`Faces.labelled`).
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from keras_faces.data.expressions import select

KINDS = ("classes", "attributes")


@dataclass(frozen=True)
class Labels:
    """What is known of each face, as a network reads it.

    Attributes
    ----------
    kind
        "classes": one of them is true of a face. "attributes": each is true or not, by itself.
    names
        Of the classes or attributes, n of them.
    vectors
        float32 (N, n): a 1 at the face's class, or a 1 for each attribute that it has. All zeros in "classes" is a
        face without a label.
    """

    kind: str
    names: tuple[str, ...]
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def numbers(self) -> np.ndarray:
        """Number of each face's class, int64 (N,); -1 for a face without a label. Only for "classes"."""
        if self.kind != "classes":
            raise ValueError("attributes are not one class each; look at `vectors`.")
        return np.where(self.vectors.any(1), self.vectors.argmax(1), -1)

    @property
    def partial(self) -> bool:
        """Whether some faces have no label."""
        return self.kind == "classes" and not self.vectors.any(axis=1).all()

    def counts(self) -> dict[str, int]:
        """How many faces each class or attribute has."""
        return {name: int(count) for name, count in zip(self.names, self.vectors.sum(0), strict=True)}

    def take(self, numbers: np.ndarray) -> Labels:
        """The labels of some of the faces."""
        return replace(self, vectors=self.vectors[numbers])

    def hidden(self, keep: int, seed: int = 0) -> Labels:
        """The same with the labels of all but ``keep`` faces taken away, as evenly over the classes as they allow.

        Raises
        ------
        ValueError
            If ``keep`` is less than one a class or more than there are, or the labels are attributes.
        """
        if self.kind != "classes":
            raise ValueError(
                f"{keep} labels to keep: {', '.join(self.names)} are attributes; only classes can be hidden."
            )
        labelled = np.flatnonzero(self.numbers >= 0)
        if not len(self.names) <= keep <= len(labelled):
            raise ValueError(f"{keep} labels to keep: from {len(self.names)}, one a class, to {len(labelled)}, all.")
        order = np.random.default_rng(seed).permutation(labelled)
        rank = np.empty(len(order), np.int64)  # a face's place among those of its class
        for number in range(len(self.names)):
            mine = self.numbers[order] == number
            rank[mine] = np.arange(mine.sum())
        kept = order[np.argsort(rank, kind="stable")[:keep]]
        vectors = np.zeros_like(self.vectors)
        vectors[kept] = self.vectors[kept]
        return replace(self, vectors=vectors)

    def fingerprint(self) -> str:
        """A short hash that changes with the labels."""
        facts = f"{self.kind}|{'|'.join(self.names)}|".encode() + np.ascontiguousarray(self.vectors).tobytes()
        return hashlib.sha256(facts).hexdigest()[:16]


def read_labels(
    spec: str, names: list[str], table: pd.DataFrame | None, identities: np.ndarray | None, people: list[str] | None
) -> tuple[np.ndarray, Labels]:
    """Labels by their description.

    Parameters
    ----------
    spec
        See the head of this file.
    names, table, identities, people
        As in `Faces`: names of the faces, their attributes, their persons' numbers, the persons' names.

    Returns
    -------
    Numbers of the faces that have a label, int64, and their :class:`Labels`, in that order.

    Raises
    ------
    ValueError
        For a description that cannot be read or does not fit the faces, classes that overlap, and a class (or
        attribute) without any face, or an attribute that all have.
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
    named = [str(people[number]) if people is not None else str(number) for number in who]
    chosen = np.flatnonzero(np.isin(identities, who))
    return chosen, _classes(named, np.searchsorted(who, identities[chosen]))


def _column(spec: str, names: list[str]) -> tuple[np.ndarray, Labels]:
    """``FILE.csv:COLUMN``: rows found by the names of the pictures in the first column."""
    path, _, column = spec.rpartition(":")
    if not Path(path).is_file():
        raise FileNotFoundError(f"labels {spec!r}: there is no file {path}.")
    table = pd.read_csv(path, index_col=0, converters={0: str})  # 000001 is a name, not the number 1
    if column not in table.columns:
        raise ValueError(f"labels {spec!r}: {path} has no column {column!r}{_nearest(column, table.columns)}.")
    if twice := table.index[table.index.duplicated()].tolist():
        raise ValueError(f"labels {spec!r}: {path} has more than one row for {twice[0]!r}.")
    values = table[column].convert_dtypes().reindex(names)  # these keep 3 a 3 beside rows without a value
    chosen = np.flatnonzero(values.notna())
    if not len(chosen):
        raise ValueError(f"labels {spec!r}: no picture ({names[0]!r}, ...) has a value in {path}.")
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
    if (twice := masks.sum(1) > 1).any():
        first = int(np.flatnonzero(twice)[0])
        both = " and ".join(repr(name) for name, mask in classes.items() if mask[first])
        raise ValueError(
            f"labels {spec!r}: {twice.sum()} faces belong to two classes, such as {names[first]} to {both}; "
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
    """An attribute's name as the table has it; an expression, or a name that it has not, as it is."""
    columns = [str(column) for column in table.columns]
    same = [column for column in columns if column.casefold() == word.casefold()]
    return same[0] if len(same) == 1 else word


def _classes(names: list[str], numbers: np.ndarray) -> Labels:
    return Labels("classes", tuple(names), np.eye(len(names), dtype="float32")[numbers])


def _nearest(word: str, words) -> str:
    near = difflib.get_close_matches(word, list(map(str, words)), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; it has {', '.join(map(str, words))}"
