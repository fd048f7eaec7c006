"""The packed format: all faces of a data set in one HDF5 file, read on demand.

    images          uint8 (N, H, W, 3) RGB, in chunks of one picture or a few
    names           UTF-8 strings (N,)
    attributes      int8 (N, A), optional; its HDF5 attribute "names" holds the A names
    identities      int64 (N,), optional            identity_names   UTF-8 strings, optional
    partition       int8 (N,), optional: 0 training, 1 validation, 2 test, as CelebA numbers them

The file's attributes are format="keras_faces", version=1 and sha256, "SUM  images" and so on, one line per dataset
(older files have none, and are read as well). Each chunk also has a small checksum, Fletcher's, by which HDF5 finds
damage while it reads. See also ``packed_verify.py``.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from tqdm import tqdm

from keras_faces.data.memory import KeptImages
from keras_faces.data.pictures import check_crop, to_square
from keras_faces.files import atomic_write_hdf5, open_hdf5, printable

FORMAT, VERSION, SUMS = "keras_faces", 1, "sha256"
DATASETS = ("images", "names", "attributes", "identities", "identity_names", "partition")
DAMAGE = (OSError, KeyError, RuntimeError, TypeError)  # what h5py raises when bytes make no sense
REPAIR = "copy the file again from where it is whole, or pack it anew"
_COMPRESSION = 1100  # times: more than any compression of HDF5's reaches
_CHUNK_BYTES = 2**14  # of one HDF5 chunk: one picture from 74×74 on, a few where they are smaller
_PORTION_BYTES = 2**24  # read and written at a time


def write_packed(
    path: str | Path,
    images,
    names: list[str],
    *,
    attributes: pd.DataFrame | None = None,
    identities: np.ndarray | None = None,
    identity_names: list[str] | None = None,
    partition: np.ndarray | None = None,
    progress: bool = True,
) -> Path:
    """Write faces as one packed HDF5 file.

    The pictures are read in portions of at most 16 MB. After any failure (a full disk, Ctrl-C) an older file of that
    name is unchanged.

    Parameters
    ----------
    path : str or Path
        Ends in .h5 or .hdf5.
    images : array-like of uint8, shape (N, H, W, 3)
        Takes slices.
    names, attributes, identities, identity_names, partition
        As in `keras_faces.data.Faces`.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        The path has another extension, or lengths differ.
    OSError
        The folder does not exist or cannot be written, or the disk is full.
    """
    path = Path(path)
    if path.suffix.lower() not in (".h5", ".hdf5"):
        raise ValueError(f"{path}: a packed file ends in .h5 or .hdf5")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder; make it first")
    per_face = {"names": names, "attributes": attributes, "identities": identities, "partition": partition}
    for name, values in per_face.items():
        if values is not None and len(values) != images.shape[0]:
            raise ValueError(
                f"{path}: {name} has {len(values)} entries for {images.shape[0]} images; nothing was changed"
            )
    columns = () if attributes is None else _fixed(attributes.columns)
    arrays = {
        "names": _fixed(names),
        "attributes": None if attributes is None else attributes.to_numpy(np.int8),
        "identities": None if identities is None else np.asarray(identities, np.int64),
        "identity_names": None if identity_names is None else _fixed(identity_names),
        "partition": None if partition is None else np.asarray(partition, np.int8),
    }
    try:
        with atomic_write_hdf5(path) as (file, check):
            file.attrs["format"], file.attrs["version"] = _fixed([FORMAT])[0], VERSION
            sums = {}
            for name, values in arrays.items():
                if values is not None:
                    compression = "gzip" if values.dtype.kind == "S" else None
                    options = {"chunks": True, "fletcher32": True, "compression": compression} if values.size else {}
                    dataset = file.create_dataset(name, data=values, **options)
                    if name == "attributes":
                        dataset.attrs["names"] = columns
                    sums[name] = checksum(values, columns if name == "attributes" else ())
            sums["images"] = digest(_written_portions(file, images, check, progress))
            file.attrs[SUMS] = _fixed(f"{sum_}  {name}" for name, sum_ in sums.items())
    except OSError as error:
        raise OSError(f"{path} could not be written ({error}); nothing was changed") from error
    return path


def _fixed(texts) -> np.ndarray:
    """Texts as UTF-8 of a fixed length, that of the longest.

    HDF5 keeps texts of variable length in a heap without checksums, and may search a damaged heap for ever.
    """
    encoded = [str(text).encode("utf-8", "surrogateescape") for text in texts]
    return np.array(encoded, h5py.string_dtype("utf-8", max([1, *map(len, encoded)])))


def _written_portions(file, images, check, progress: bool) -> Iterator[np.ndarray]:
    """Write the images and yield them in portions."""
    shape = tuple(images.shape)
    chunk = min(shape[0], max(1, _CHUNK_BYTES // int(np.prod(shape[1:]))))
    dataset = file.create_dataset("images", shape, np.uint8, chunks=(chunk, *shape[1:]), fletcher32=True)
    for first, pixels in portions(images, chunk, "Packing faces", progress):
        dataset[first : first + len(pixels)] = pixels
        check()
        yield pixels


def portions(images, chunk: int, title: str, progress: bool) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the images in portions of whole chunks, at most 16 MB, each with its first index; show a progress bar."""
    size = max(1, _PORTION_BYTES // max(1, int(np.prod(images.shape[1:]))) // chunk) * chunk
    with tqdm(total=images.shape[0], desc=title, unit=" faces", delay=1, disable=not progress) as bar:
        for first in range(0, images.shape[0], size):
            pixels = np.ascontiguousarray(images[first : first + size], np.uint8)
            yield first, pixels
            bar.update(len(pixels))


def checksum(values: np.ndarray, columns: Iterable[bytes | str] = ()) -> str:
    """Return the SHA-256 of texts, or of numbers and the names of their columns."""
    return digest(texts=values) if values.dtype.kind in "SO" else digest([values], columns)


def digest(arrays: Iterable[np.ndarray] = (), texts: Iterable[bytes | str] = ()) -> str:
    """Return the SHA-256 of arrays (little-endian) followed by texts, each ended by a zero byte."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")))
    for text in texts:
        sha.update((text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)) + b"\0")
    return sha.hexdigest()


def read_packed(
    path: str | Path,
    image_size: int | None = None,
    *,
    count: int | None = None,
    crop: str = "auto",
    memory_mb: float = 1024,
) -> dict:
    """Open a packed file; its pictures are read on demand.

    Parameters
    ----------
    path : str or Path
        A file by `write_packed`, or any HDF5 file with a dataset `images` of uint8 (N, H, W, 3).
    image_size, count, crop, memory_mb
        As in `keras_faces.data.load`. None keeps the stored size.

    Returns
    -------
    dict
        Arguments of `keras_faces.data.Faces`: images, names, attributes, identities, identity_names, partition; and
        sizes.

    Raises
    ------
    ValueError
        The file is not HDF5, is cut short, or a dataset is missing or has the wrong shape, type or length.
    """
    check_crop(crop)
    pixels = PackedImages(path, image_size, crop)
    count = len(pixels) if count is None else min(count, len(pixels))
    found = read_annotations(pixels, count)
    images = KeptImages(pixels.read, (count, *pixels.shape[1:]), memory_mb)
    return {"images": images, **found, "sizes": [pixels.path.stat().st_size]}


class PackedImages:
    """The pictures of a packed file, cropped and resized as they are read.

    The file stays open; after pickling, or in a forked process, it is opened again.

    Parameters
    ----------
    path : str or Path
        The HDF5 file.
    image_size : int or None
        Side of the images in pixels; None for the stored size, which must be square.
    crop : str
        See `keras_faces.data.to_square`.

    Raises
    ------
    ValueError
        The file cannot be read, or has no images of the right shape and type.
    """

    def __init__(self, path: str | Path, image_size: int | None = None, crop: str = "auto"):
        self.path = Path(path)
        self.crop = crop
        self._file = None
        self._process = None
        count, height, width = self._check_images()
        if image_size is None and height != width:
            raise ValueError(f"{self.path}: its images are {width}×{height}, not square; say which image_size you want")
        self.stored_shape = (count, height, width, 3)
        self.shape = (count, image_size or height, image_size or width, 3)

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_file": None}

    def open(self) -> h5py.File:
        """Return the open file of this process."""
        if self._file is None or self._process != os.getpid():
            try:
                self._file = open_hdf5(self.path)
            except OSError as error:
                raise ValueError(
                    f"{self.path} cannot be read as an HDF5 file: it is of another kind or was cut short ({error})"
                ) from error
            self._process = os.getpid()
        return self._file

    def _check_images(self) -> tuple[int, int, int]:
        file = self.open()
        with report_damage(self.path, "the description of the file"):
            kind, version = file.attrs.get("format", FORMAT), file.attrs.get("version", VERSION)
            images = file["images"] if "images" in file else None
        if np.size(version) != 1 or not np.issubdtype(np.asarray(version).dtype, np.integer):
            raise ValueError(f"{self.path}: its version is {printable(version)!r}, which is no number; {REPAIR}")
        if as_text(kind) == FORMAT and version > VERSION:
            raise ValueError(f"{self.path} has version {version} of the packed format; update keras_faces to read it")
        if not isinstance(images, h5py.Dataset):
            there = ", ".join(map(printable, file)) or "nothing"
            raise ValueError(f"{self.path} has no dataset 'images'; it has: {there}")
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
            found = f"{images.dtype} {images.shape}"
            raise ValueError(f"{self.path}: dataset 'images' must be uint8 (N, H, W, 3) with N ≥ 1, not {found}")
        stored, claimed = images.id.get_storage_size(), np.prod(images.shape, dtype=float)
        if not images.is_virtual and stored * _COMPRESSION < claimed:
            raise ValueError(
                f"{self.path}: dataset 'images' should hold {images.shape[0]:,} pictures of {images.shape[2]}×"
                f"{images.shape[1]}, but only {stored:,} bytes of them were written; {REPAIR}"
            )
        return images.shape[:3]

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Read the pictures of these indices, in any order: uint8, shape (n, height, width, 3)."""
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        with report_damage(self.path, "dataset 'images'"):
            stored = self.open()["images"]
        longest = max(1, _PORTION_BYTES // int(np.prod(self.stored_shape[1:])))
        at = 0  # consecutive indices are read as a slice, which is 50 times as fast as a list
        for run in np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1):
            for first in range(0, len(run), longest):
                part = run[first : first + longest]
                with report_damage(self.path, f"dataset 'images' near picture {part[0]}"):
                    pixels = stored[part[0] : part[-1] + 1]
                if self.shape[1:] != self.stored_shape[1:] or self.crop == "celeba":
                    pixels = [to_square(image, self.shape[1], self.crop) for image in pixels]
                images[at : at + len(part)] = pixels
                at += len(part)
        return images


@contextmanager
def report_damage(path: Path, what: str) -> Iterator[None]:
    """Turn HDF5's errors about senseless bytes into a ValueError that names the file and the way out."""
    try:
        yield
    except DAMAGE as error:
        raise ValueError(f"{path}: {what} is damaged ({error}); {REPAIR}") from error


def read_annotations(pixels: PackedImages, most: int | None = None) -> dict:
    """Read and check everything of a packed file but its pictures; `most` takes what belongs to the first so many.

    Returns
    -------
    dict
        names : list of str; attributes : DataFrame or None; identities : ndarray of int64 or None;
        partition : ndarray of int8 or None; identity_names : list of str or None. As in `keras_faces.data.Faces`.

    Raises
    ------
    ValueError
        A dataset is damaged or has the wrong shape, type or length.
    """
    path, file, count = pixels.path, pixels.open(), len(pixels)
    most = count if most is None else min(most, count)
    with report_damage(path, "the list of datasets"):
        file = {name: file[name] for name in DATASETS if name in file}
    for name, dataset in file.items():
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{path}: {name!r} is no dataset; {REPAIR}")
    for name in ("names", "attributes", "identities", "partition"):
        if name in file and file[name].shape and len(file[name]) != count:
            raise ValueError(f"{path}: dataset {name!r} has {len(file[name])} entries for {count} images")
    names = _read(path, file, "names", str, most=most)
    if names is None:
        names = [f"{index:06d}" for index in range(most)]
    identity_names = _read(path, file, "identity_names", str)
    found = {
        "names": names,
        "attributes": _attributes(path, file, names, most),
        "identities": _read(path, file, "identities", np.int64, most=most),
        "partition": _read(path, file, "partition", np.int8, most=most),
    }
    identities = found["identities"]
    if identities is not None and identity_names is not None:
        if identities.min() < 0 or identities.max() >= len(identity_names):
            raise ValueError(
                f"{path}: dataset 'identities' has numbers from {identities.min()} to {identities.max()}, "
                f"but 'identity_names' has {len(identity_names)} entries"
            )
    partition = found["partition"]
    if partition is not None and len(partition) and not 0 <= partition.min() <= partition.max() <= 2:
        wrong = partition[(partition < 0) | (partition > 2)][0]
        raise ValueError(
            f"{path}: dataset 'partition' holds {wrong}; it may hold 0 (training), 1 (validation), 2 (test)"
        )
    return {**found, "identity_names": identity_names}


def as_text(value) -> str:
    """Return a text from an HDF5 file as str; texts of a fixed length come as bytes."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _read(
    path: Path, file, name: str, kind: type, ndim: int = 1, most: int | None = None
) -> list[str] | np.ndarray | None:
    """The first `most` rows of a dataset as texts (`kind` is str) or integers; None if there is none."""
    if name not in file:
        return None
    dataset = file[name]
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    if dataset.ndim != ndim or not (is_text if kind is str else np.issubdtype(dataset.dtype, np.integer)):
        wanted = "a list of texts" if kind is str else f"integers in {ndim}-D"
        raise ValueError(f"{path}: dataset {name!r} must be {wanted}, not {dataset.dtype} {dataset.shape}")
    with report_damage(path, f"dataset {name!r}"):
        values = dataset[:most]
        if kind is str:
            return [as_text(text) for text in values]
    bounds = np.iinfo(kind)
    if values.size and not bounds.min <= values.min() <= values.max() <= bounds.max:
        raise ValueError(f"{path}: dataset {name!r} holds numbers from {values.min()} to {values.max()}")
    return values.astype(kind)


def _attributes(path: Path, file, index: list[str], most: int) -> pd.DataFrame | None:
    values = _read(path, file, "attributes", np.int8, ndim=2, most=most)
    if values is None:
        return None
    with report_damage(path, "the list of attributes"):
        names = file["attributes"].attrs.get("names")
    columns = [as_text(name) for name in np.ravel([] if names is None else names)]
    if len(columns) != values.shape[1]:
        raise ValueError(
            f"{path}: dataset 'attributes' has {values.shape[1]} columns and needs an HDF5 attribute 'names' of as many"
            f" texts, not {len(columns) or 'none'}"
        )
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise ValueError(
            f"{path}: two attributes are called {printable(twice)!r}; pack the faces anew with one of them"
        )
    return pd.DataFrame(values, columns=columns, index=index)
