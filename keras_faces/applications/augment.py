"""Augmentation: faces made for a recogniser to learn from, as a packed file that ``--data`` reads.

Source: the dissertation, section 4.4.4 and table 4.2. Two ways: more faces of the labels that there are (200 each), and
faces of labels that lie between two of them, each a person who does not exist (5,000 new labels, 100 faces each). A
recogniser that learned from the one or the other, beside the photographs, told strangers apart a little better: 91.87 %
without, 92.77 % with known labels, 92.98 % with new ones.

    y = α yᵢ + (1 − α) yⱼ,   i ≠ j

The source does not say which α; here it is drawn evenly from 0.25 to 0.75, so that the new person is neither of the
two. The faces are made as they are written, so that their number is bound by the disk and not by the memory. The
experiment is ``benchmarks/augment.py``.

Read next: ``data/packed.py``, the file; ``metrics/verification.py``, how the recogniser is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ALPHA = (0.25, 0.75)


@dataclass
class Wanted:
    """Which faces to make: a label vector for each person, and how many faces of each."""

    names: list[str]  # of the persons
    vectors: np.ndarray  # float32 (persons, K)
    per_person: np.ndarray  # int (persons,)

    @property
    def persons(self) -> np.ndarray:
        """The number of the person on each face, int64 (faces,)."""
        return np.repeat(np.arange(len(self.names)), self.per_person)


def wanted_labels(
    model: Any, per_label: int, interpolated: int = 0, per_new: int | None = None, seed: int = 0
) -> Wanted:
    """The labels that a model knows, and labels between them.

    Parameters
    ----------
    model
        A system that reads labels. Of attributes the known labels are the combinations that its latest training
        photographs had; only classes can be interpolated.
    per_label
        Faces of each known label; 0 for none.
    interpolated
        How many new labels.
    per_new
        Faces of each new label; ``None``: ``per_label``, at least 1.
    seed
        Of the pairs and of α.

    Raises
    ------
    ValueError
        For a model that reads no labels, no face at all, or new labels between attributes or of a single class.
    """
    if not hasattr(model, "label_vectors"):
        raise ValueError(f"{model.name} makes faces without being told a label: nothing to augment by.")
    if min(per_label, interpolated) < 0 or (per_new is not None and per_new < 1) or not per_label + interpolated:
        raise ValueError(f"per_label={per_label}, interpolated={interpolated}, per_new={per_new}: that is no face.")
    if model.label_kind == "classes":
        names, vectors = list(model.label_names), np.eye(len(model.label_names), dtype="float32")
    elif interpolated:
        raise ValueError(f"the labels of {model.name} are attributes: half an attribute is no new person.")
    else:
        vectors = np.unique(np.asarray(model.label_bank), axis=0)
        names = [", ".join(np.array(model.label_names)[row > 0.5]) or "none of them" for row in vectors]
    counts = np.full(len(names), per_label)
    between = _between(vectors, names, interpolated, np.random.default_rng(seed))
    new = max(1, per_label) if per_new is None else per_new
    return Wanted(
        names + between[0],
        np.concatenate([vectors, between[1]]),
        np.concatenate([counts, np.full(interpolated, new)]).astype(int),
    )


def _between(vectors: np.ndarray, names: list[str], count: int, random: np.random.Generator):
    """Names and vectors of ``count`` labels between two others."""
    if count and len(vectors) < 2:
        raise ValueError("one label alone has no other to be interpolated with.")
    new_names, rows = [], np.zeros((count, vectors.shape[1]), "float32")
    for place in range(count):
        one, other = random.choice(len(vectors), 2, replace=False)
        alpha = random.uniform(*ALPHA)
        rows[place] = alpha * vectors[one] + (1.0 - alpha) * vectors[other]
        new_names.append(f"{alpha:.3f} {names[one]} + {1 - alpha:.3f} {names[other]} ({place})")
    return new_names, rows


class MadeFaces:
    """Faces that are made when they are asked for: looks like an array uint8 (N, H, W, 3) that is cut in portions.

    Parameters
    ----------
    model
        A system that reads labels.
    vectors
        The label of each face, float32 (N, K).
    seed
        Of the noise; face i has the same noise however the portions are cut.
    """

    dtype = np.dtype("uint8")

    def __init__(self, model: Any, vectors: np.ndarray, seed: int = 0) -> None:
        self.model, self.vectors, self.seed = model, vectors, seed
        self.shape = (len(vectors), *model.generator.output_shape[1:])

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, part: slice) -> np.ndarray:
        numbers = range(*part.indices(len(self)))
        noise = [
            np.random.default_rng([self.seed, number]).standard_normal(self.model.latent_dim) for number in numbers
        ]
        noise = np.asarray(noise, "float32").reshape(len(numbers), self.model.latent_dim)
        return self.model.render(noise, self.vectors[numbers.start : numbers.stop : numbers.step])


def augment(
    model: Any,
    path: str | Path,
    per_label: int = 200,
    interpolated: int = 0,
    per_new: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Wanted:
    """Make faces and write them as a packed file, in which each label is a person (``--labels identity``).

    Parameters
    ----------
    path
        Ends in .h5; an older file is replaced when the new one is whole.
    model, per_label, interpolated, per_new, seed
        See :func:`wanted_labels`.
    progress
        Show a progress bar where it takes longer than a second.

    Returns
    -------
    What was made.

    Raises
    ------
    ValueError, OSError
        As of :func:`wanted_labels` and ``data.packed.write_packed``.
    """
    from keras_faces.data.packed import write_packed

    wanted = wanted_labels(model, per_label, interpolated, per_new, seed)
    persons = wanted.persons
    table = None
    if model.label_kind == "attributes":
        table = pd.DataFrame(np.where(wanted.vectors[persons] > 0.5, 1, -1).astype("int8"), columns=model.label_names)
    write_packed(
        path,
        MadeFaces(model, wanted.vectors[persons], seed),
        [f"{number:07d}" for number in range(len(persons))],
        attributes=table,
        identities=persons,
        identity_names=wanted.names,
        progress=progress,
    )
    return wanted
