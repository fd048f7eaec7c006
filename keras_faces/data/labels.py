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

KINDS = ("classes", "attributes")


@dataclass(frozen=True)
class Labels:
    """The labels of a set of faces.

    Attributes
    ----------
    kind : str
        "classes": each face belongs to one of them. "attributes": each is true or not, independently.
    names : tuple of str
        The n classes or attributes.
    vectors : ndarray of float32, shape (N, n)
        1 at the face's class, or 1 for each attribute that it has. All zeros in "classes" is a face without a label.
    """

    kind: str
    names: tuple[str, ...]
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def class_ids(self) -> np.ndarray:
        """Index of each face's class, int64 (N,); −1 for a face without a label. A ValueError for "attributes"."""
        if self.kind != "classes":
            raise ValueError("attributes are not one class each; look at `vectors`.")
        return np.where(self.vectors.any(1), self.vectors.argmax(1), -1)

    @property
    def partial(self) -> bool:
        """Whether some faces have no label."""
        return self.kind == "classes" and not self.vectors.any(axis=1).all()

    def counts(self) -> dict[str, int]:
        """Return how many faces each class or attribute has."""
        return {name: int(count) for name, count in zip(self.names, self.vectors.sum(0), strict=True)}

    def take(self, indices: np.ndarray) -> Labels:
        """Return the labels of the faces with these indices."""
        return replace(self, vectors=self.vectors[indices])

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
        vectors = np.zeros_like(self.vectors)
        vectors[kept] = self.vectors[kept]
        return replace(self, vectors=vectors)

    def fingerprint(self) -> str:
        """Return a hash of 16 hexadecimal digits that changes with the labels."""
        facts = f"{self.kind}|{'|'.join(self.names)}|".encode() + np.ascontiguousarray(self.vectors).tobytes()
        return hashlib.sha256(facts).hexdigest()[:16]


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
    table = pd.read_csv(path, index_col=0, converters={0: str})  # 000001 is a name, not the number 1
    if column not in table.columns:
        raise ValueError(f"labels {spec!r}: {path} has no column {column!r}; {nearest(column, table.columns)}")
    if repeated := table.index[table.index.duplicated()].tolist():
        raise ValueError(f"labels {spec!r}: {path} has more than one row for {repeated[0]!r}.")
    values = table[column].convert_dtypes().reindex(names)  # 3 stays 3 beside rows without a value
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
    return Labels("classes", tuple(names), np.eye(len(names), dtype="float32")[class_ids])
