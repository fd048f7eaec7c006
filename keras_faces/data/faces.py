"""`load` and `Faces`: one class for every source of faces.

    faces = load("drawn", image_size=64)           # drawn by OpenCV from a seed
    faces = load("photographs/", image_size=64)    # a folder, nested or flat
    faces = load("celeba.h5", image_size=64)       # a packed file, made by Faces.save

See also ``batches.py`` (how they reach `fit`), ``folder.py``, ``packed.py`` and ``drawn/`` (the sources).
"""

from __future__ import annotations

import hashlib
import json
from copy import copy
from pathlib import Path

import numpy as np
import pandas as pd

from keras_faces.data.expressions import select
from keras_faces.data.folder import read_folder
from keras_faces.data.labels import Labels, read_labels
from keras_faces.data.memory import ImageSubset, KeptImages
from keras_faces.data.packed import read_packed, write_packed
from keras_faces.data.pictures import check_crop
from keras_faces.files import printable

_KINDS = 'a source is "drawn", a packed file (.h5 or .hdf5), or a folder of photographs'
_SHOWN = 10  # skipped files named in a summary


class Faces:
    """A set of face images, with names and, where known, attributes, identities and labels.

    Parameters
    ----------
    images : array-like of uint8, shape (N, H, W, 3)
        RGB; a NumPy array, or anything with `shape` and `len` that takes an int, a slice or an int array in square
        brackets.
    names : list of str, optional
        One name per face; "000000", "000001", ... if left out.
    attributes : DataFrame of int8, optional
        One row per face, one column per attribute, +1 where it is present and −1 where not (as in CelebA).
    identities : ndarray of int64, shape (N,), optional
        Who is shown: indices into `identity_names`.
    identity_names : list of str, optional
        Name of each person.
    partition : ndarray of int8, shape (N,), optional
        0 training, 1 validation, 2 test.
    skipped : list of (str, str), optional
        Files that are not readable pictures, each with the reason.
    labels : Labels, optional
        What conditional systems learn; :meth:`labelled` makes them.
    source : str
        Where the faces come from, for `repr`.
    recipe : dict, optional
        What else decides the pixels (seed, crop, sizes of files): it enters the fingerprint.

    Raises
    ------
    ValueError
        `images` is not uint8 (N, H, W, 3), or another argument does not have N entries.
    """

    def __init__(
        self,
        images,
        names: list[str] | None = None,
        *,
        attributes: pd.DataFrame | None = None,
        identities: np.ndarray | None = None,
        identity_names: list[str] | None = None,
        partition: np.ndarray | None = None,
        skipped: list[tuple[str, str]] | None = None,
        labels: Labels | None = None,
        source: str = "an array",
        recipe: dict | None = None,
    ):
        if len(images.shape) != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(
                f"images must be uint8 (N, H, W, 3), not {images.dtype} {tuple(images.shape)}"
                f"{_way_out(images.shape, images.dtype)}"
            )
        if 0 in images.shape:
            raise ValueError(f"images of shape {tuple(images.shape)} hold no picture")
        self.images = images
        self.names = [f"{i:06d}" for i in range(len(images))] if names is None else list(names)
        self.attributes = attributes
        self.identities = None if identities is None else np.asarray(identities, np.int64)
        self.identity_names = None if identity_names is None else list(identity_names)
        self.partition = None if partition is None else np.asarray(partition, np.int8)
        self.skipped = list(skipped or [])
        self.labels = labels
        self.source = source
        self._recipe = dict(recipe or {})
        for name in ("names", "attributes", "identities", "partition", "labels"):
            values = getattr(self, name)
            if values is not None and len(values) != len(images):
                raise ValueError(f"{name} has {len(values)} entries for {len(images)} images")

    @property
    def image_size(self) -> int:
        """Height of the images in pixels."""
        return int(self.images.shape[1])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice) -> np.ndarray:
        """Return an image (S, S, 3), or some (n, S, S, 3), uint8; see :meth:`take` for faces with their labels."""
        return np.asarray(self.images[index])

    def __repr__(self) -> str:
        height, width = self.images.shape[1:3]
        people = "" if self.identities is None else f", {len(np.unique(self.identities)):,} people"
        skipped = f", {_files(len(self.skipped))} skipped" if self.skipped else ""
        return f"<{len(self):,} faces of {width}×{height} from {self.source}{people}{skipped}>"

    def summary(self) -> str:
        """Return counts, size, labels and skipped files, in a few lines of text."""
        height, width = self.images.shape[1:3]
        lines = [f"{len(self):,} faces of {width}×{height} pixels from {self.source}"]
        if self.identities is not None:
            lines.append(f"{len(np.unique(self.identities)):,} people")
        if self.attributes is not None:
            lines.append(f"{self.attributes.shape[1]} attributes: {', '.join(map(printable, self.attributes.columns))}")
        if self.labels is not None:
            counts = [f"{printable(name)} ({count:,})" for name, count in self.labels.counts().items()]
            more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
            lines.append(f"labels, {len(counts)} {self.labels.kind}: {', '.join(counts[:_SHOWN])}{more}")
        if self.partition is not None:
            parts = zip(("training", "validation", "test"), np.bincount(self.partition, minlength=3), strict=False)
            lines.append("partition: " + ", ".join(f"{count:,} {part}" for part, count in parts))
        if self.skipped:
            lines.append(f"{_files(len(self.skipped))} skipped:")
            lines += [f"  {printable(name)}: {reason}" for name, reason in self.skipped[:_SHOWN]]
            if len(self.skipped) > _SHOWN:
                lines.append(f"  and {_files(len(self.skipped) - _SHOWN)} more")
        return "\n".join(lines)

    def fingerprint(self) -> str:
        """Return a hash of 16 hexadecimal digits over size, names, labels and origin, but not over the pixels.

        A resumed training compares it, to notice that it would continue with other faces.
        """
        facts = {"shape": [int(n) for n in self.images.shape], "names": self.names, **self._recipe}
        if self.labels is not None:
            facts["labels"] = self.labels.fingerprint()
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    def take(self, indices: np.ndarray) -> Faces:
        """Return some of the faces, with all that is known of them.

        Parameters
        ----------
        indices : array-like of int, shape (n,)
            Which faces, in the order of the result; from −N to N − 1.

        Returns
        -------
        Faces

        Raises
        ------
        IndexError
            An index is out of range.
        """
        indices = np.asarray(indices, np.int64)
        recipe = dict(self._recipe)
        if isinstance(sizes := recipe.get("sizes"), list) and len(sizes) == len(self):  # one file per face
            recipe["sizes"] = [sizes[index] for index in indices]
        return Faces(
            ImageSubset(self.images, indices),
            [self.names[index] for index in indices],
            attributes=None if self.attributes is None else self.attributes.iloc[indices].reset_index(drop=True),
            identities=None if self.identities is None else self.identities[indices],
            identity_names=self.identity_names,
            partition=None if self.partition is None else self.partition[indices],
            skipped=self.skipped,
            labels=None if self.labels is None else self.labels.take(indices),
            source=self.source,
            recipe=recipe,
        )

    def select(self, expression: str) -> Faces:
        """Return the faces for which an expression is true.

        Parameters
        ----------
        expression : str
            Such as "Smiling & !Eyeglasses"; see `keras_faces.data.select`.

        Returns
        -------
        Faces

        Raises
        ------
        ValueError
            These faces have no attributes, the expression cannot be read, or it is true of no face.
        """
        if self.attributes is None:
            raise ValueError(
                f"select {expression!r}: {self.source} has no attributes; pack the faces with their table."
            )
        indices = np.flatnonzero(select(self.attributes, expression))
        if not len(indices):
            raise ValueError(f"select {expression!r}: it is true of none of the {len(self):,} faces of {self.source}.")
        return self.take(indices)

    def labelled(self, spec: str) -> Faces:
        """Return the faces that have a label, with their labels, for conditional systems.

        Parameters
        ----------
        spec : str
            Which labels, such as "Smiling, Male" or "identity:20"; ``labels.py`` lists the forms.

        Returns
        -------
        Faces

        Raises
        ------
        ValueError
            The description cannot be read, does not fit these faces, or leaves a class without a face.
        """
        indices, labels = read_labels(spec, self.names, self.attributes, self.identities, self.identity_names)
        found = copy(self if len(indices) == len(self) else self.take(indices))
        found.labels = labels
        return found

    def with_labels_of(self, keep: int, seed: int = 0) -> Faces:
        """Return the same faces with all labels but `keep` removed, for semi-supervised systems.

        Parameters
        ----------
        keep : int
            Labels to keep, at least one per class; `Labels.hidden` chooses them.
        seed : int
            Which ones.

        Returns
        -------
        Faces

        Raises
        ------
        ValueError
            The faces have no labels, or as `Labels.hidden`.
        """
        if self.labels is None:
            raise ValueError(f"keep {keep} labels: {self.source} has none yet; choose them by `labelled`.")
        found = copy(self)
        found.labels = self.labels.hidden(keep, seed)
        return found

    def batches(self, batch_size: int, seed: int = 0, part: tuple[int, int] = (0, 1)):
        """Return batches for `fit`, in a new order each epoch, with labels if the faces have any.

        Parameters
        ----------
        batch_size : int
            Faces per batch; the incomplete last batch of an epoch is left out.
        seed : int
            Decides, with the epoch, the order.
        part : tuple of int
            (k, n): the k-th of n equal parts of each batch, for a training on n machines.

        Returns
        -------
        keras_faces.data.Batches
            A `keras.utils.PyDataset`; `PartlyLabelled` if only some faces have a label. This call imports Keras.
        """
        from keras_faces.data.batches import Batches
        from keras_faces.data.mixed_batches import PartlyLabelled

        if self.labels is not None and self.labels.partial:
            return PartlyLabelled(self.images, batch_size, seed, self.labels.rows, part)
        return Batches(self.images, batch_size, seed, None if self.labels is None else self.labels.rows, part)

    def save(self, path: str | Path, *, progress: bool = True) -> Path:
        """Write the faces as one packed file; see `keras_faces.data.write_packed`."""
        return write_packed(
            path,
            self.images,
            self.names,
            attributes=self.attributes,
            identities=self.identities,
            identity_names=self.identity_names,
            partition=self.partition,
            progress=progress,
        )


def load(
    source: str | Path,
    image_size: int | None = 64,
    *,
    count: int | None = None,
    seed: int = 0,
    crop: str = "auto",
    strict: bool = False,
    memory_mb: float = 1024,
    progress: bool = True,
) -> Faces:
    """Load faces: drawn ones, a packed file, or a folder of photographs.

    The pixels of the first images stay in memory, up to `memory_mb`; the others are drawn, decoded or read again each
    time.

    Parameters
    ----------
    source : str or Path
        "drawn"; the path of a packed file (.h5 or .hdf5); or a folder of photographs (a folder which is itself called
        drawn is "./drawn"). Photographs in two or more subfolders, one per person as in LFW, get identities.
    image_size : int or None
        Side of the images in pixels. None keeps the size of a packed file.
    count : int, optional
        Number of drawn faces (10,000 if left out), or the most images taken from a folder (in the order of the paths)
        or packed file.
    seed : int
        Which faces are drawn; has no effect on photographs.
    crop : str
        How a picture becomes a square: "auto", "center", "celeba" or "none"; see `keras_faces.data.to_square`.
    strict : bool
        Raise an error at the first file of a folder that is not a readable picture. By default it is skipped.
    memory_mb : float
        Bound for the pixels in memory, in mebibytes (1,024 hold 87,000 faces of 64×64).
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    Faces
        RGB images with names and, where known, attributes, identities and partition.

    Raises
    ------
    FileNotFoundError
        The source does not exist.
    ValueError
        The source is of another kind, holds nothing readable, is damaged, or an argument is out of range.
    """
    _check_arguments(source, image_size, count, memory_mb)
    check_crop(crop)
    if source == "drawn":
        return _draw(image_size, count, seed, memory_mb)
    path = Path(source).expanduser()
    recipe = {"kind": "folder", "crop": crop}
    if path.is_dir():
        if image_size is None:
            raise ValueError(f"image_size=None keeps the size of a packed file; say a size for the folder {path}")
        found = read_folder(
            path, image_size, count=count, crop=crop, strict=strict, memory_mb=memory_mb, progress=progress
        )
    elif path.is_file() and path.suffix.lower() in (".h5", ".hdf5"):
        recipe["kind"] = "packed"
        found = read_packed(path, image_size, count=count, crop=crop, memory_mb=memory_mb)
    else:
        raise _no_source(path)
    recipe["sizes"] = found.pop("sizes")
    return Faces(source=str(path), recipe=recipe, **found)


def _way_out(shape: tuple[int, ...], dtype: np.dtype) -> str:
    """How an array of another form becomes images, if it is one of the usual ones."""
    if len(shape) == 3:
        return ": grey images; repeat them, np.repeat(images[..., None], 3, axis=-1)"
    if len(shape) == 4 and shape[3] == 1:
        return ": grey images; repeat their channel, np.repeat(images, 3, axis=-1)"
    if len(shape) == 4 and shape[3] == 4:
        return ": leave out the fourth channel, images[..., :3]"
    if len(shape) == 4 and shape[1] == 3 != shape[3]:
        return ": the channels come last here, images.transpose(0, 2, 3, 1)"
    if np.issubdtype(dtype, np.floating):
        return ": values from 0 to 1 become uint8 by (255 * images).round().astype(np.uint8)"
    return ""


def _check_arguments(source, image_size, count, memory_mb) -> None:
    if not isinstance(source, (str, Path)):
        raise TypeError(f"source={source!r} is of type {type(source).__name__}; {_KINDS}")
    for name, value in (("image_size", image_size), ("count", count)):
        if value is not None and (not isinstance(value, (int, np.integer)) or value < 1):
            raise ValueError(f"{name}={value!r} must be a whole number from 1 on")
    if not memory_mb >= 0:
        raise ValueError(f"memory_mb={memory_mb!r} must be 0 or more")


def _draw(image_size: int | None, count: int | None, seed: int, memory_mb: float) -> Faces:
    from keras_faces.data.drawn import DrawnFaces

    if image_size is None:
        raise ValueError("image_size=None keeps the size of a packed file; say a size for drawn faces")
    faces = DrawnFaces(10_000 if count is None else count, image_size, seed=seed)
    return Faces(
        KeptImages(faces.read, faces.shape, memory_mb),
        faces.names,
        attributes=faces.attribute_table(),
        identities=faces.identity_numbers,
        source=f"drawings (seed {seed})",
        recipe={"kind": "drawn", "seed": seed},
    )


def _no_source(path: Path) -> Exception:
    if path.exists():
        return ValueError(f"{path} is neither a folder nor a packed file; {_KINDS}")
    parent = next((folder for folder in path.absolute().parents if folder.is_dir()), None)
    names = sorted(entry.name for entry in parent.iterdir() if not entry.name.startswith(".")) if parent else []
    there = ", ".join(map(printable, names[:_SHOWN])) + (
        f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    )
    return FileNotFoundError(f"{path} does not exist; {parent} holds: {there or 'nothing'}. Note that {_KINDS}")


def _files(count: int) -> str:
    return f"{count:,} file" + ("" if count == 1 else "s")
