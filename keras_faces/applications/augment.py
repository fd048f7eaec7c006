"""Data augmentation for a recogniser: generated faces in a packed file that ``--data`` reads.

Source: the dissertation, section 4.4.4 and table 4.2. More faces of the known labels (200 each), or faces of new people
whose label lies between two known ones (5,000 labels, 100 faces each):

    y = α yᵢ + (1 − α) yⱼ,   i ≠ j

Verification accuracy was 91.87 % without, 92.77 % with known and 92.98 % with new labels. The source does not print α;
here it is uniform in [0.25, 0.75]. Faces are generated as they are written, so they need not fit in memory. The
experiment is ``benchmarks/augment.py``; see also ``metrics/verification.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ALPHA = (0.25, 0.75)


@dataclass
class Plan:
    """Which faces to generate.

    Attributes
    ----------
    names : list of str
        Of the people.
    vectors : ndarray of float32, shape (people, K)
        Their labels.
    per_person : ndarray of int, shape (people,)
        Faces of each.
    """

    names: list[str]
    vectors: np.ndarray
    per_person: np.ndarray

    @property
    def persons(self) -> np.ndarray:
        """Index of the person on each face, int64 (faces,)."""
        return np.repeat(np.arange(len(self.names)), self.per_person)


def wanted_labels(model: Any, per_label: int, interpolated: int = 0, per_new: int | None = None, seed: int = 0) -> Plan:
    """Plan faces of the labels that a model knows, and of labels between them.

    Parameters
    ----------
    model : LabelMixin
        For attributes, the known labels are the combinations of its latest training photographs; only classes can be
        interpolated.
    per_label : int
        Faces of each known label; 0 for none.
    interpolated : int
        New labels.
    per_new : int, optional
        Faces of each new label; by default ``per_label``, at least 1.
    seed : int
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
    if interpolated and len(vectors) < 2:
        raise ValueError("one label alone has no other to be interpolated with.")
    per_person = [per_label] * len(names) + [per_new or max(1, per_label)] * interpolated
    new_names, new_vectors = [], np.zeros((interpolated, vectors.shape[1]), "float32")
    random = np.random.default_rng(seed)
    for index in range(interpolated):
        one, other = random.choice(len(vectors), 2, replace=False)
        alpha = random.uniform(*ALPHA)
        new_vectors[index] = alpha * vectors[one] + (1.0 - alpha) * vectors[other]
        new_names.append(f"{alpha:.3f} {names[one]} + {1 - alpha:.3f} {names[other]} ({index})")
    return Plan(names + new_names, np.concatenate([vectors, new_vectors]), np.array(per_person, int))


class MadeFaces:
    """An array-like uint8 (N, H, W, 3) whose slices are generated when they are read.

    Parameters
    ----------
    model : LabelMixin
    vectors : ndarray of float32, shape (N, K)
        The label of each face.
    seed : int
        Of the noise; face i has the same noise however the array is sliced.
    """

    dtype = np.dtype("uint8")

    def __init__(self, model: Any, vectors: np.ndarray, seed: int = 0) -> None:
        self.model, self.vectors, self.seed = model, vectors, seed
        self.shape = (len(vectors), *model.generator.output_shape[1:])

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, part: slice) -> np.ndarray:
        indices = range(*part.indices(len(self)))
        noise = np.empty((len(indices), self.model.latent_dim), "float32")
        for row, index in zip(noise, indices, strict=True):
            row[:] = np.random.default_rng([self.seed, index]).standard_normal(len(row))
        return self.model.render(noise, self.vectors[part])


def augment(
    model: Any,
    path: str | Path,
    per_label: int = 200,
    interpolated: int = 0,
    per_new: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Plan:
    """Generate faces and write them as a packed file in which each label is a person (``--labels identity``).

    Parameters
    ----------
    model, per_label, interpolated, per_new, seed
        As in :func:`wanted_labels`.
    path : str or Path
        Ends in .h5; an older file is replaced when the new one is complete.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Raises
    ------
    ValueError, OSError
        As in :func:`wanted_labels` and ``data.packed.write_packed``.
    """
    from keras_faces.data.packed import write_packed

    plan = wanted_labels(model, per_label, interpolated, per_new, seed)
    persons = plan.persons
    vectors, table = plan.vectors[persons], None
    if model.label_kind == "attributes":
        table = pd.DataFrame(np.where(vectors > 0.5, 1, -1).astype("int8"), columns=model.label_names)
    write_packed(
        path,
        MadeFaces(model, vectors, seed),
        [f"{index:07d}" for index in range(len(persons))],
        attributes=table,
        identities=persons,
        identity_names=plan.names,
        progress=progress,
    )
    return plan
