"""The packed format: all faces of a data set in one HDF5 file, read lazily.

    images          uint8 (N, H, W, 3) RGB, in chunks of one picture or a few
    names           UTF-8 strings (N,)
    attributes      int8 (N, A), optional; its HDF5 attribute "names" holds the A names
    identities      int64 (N,), optional            identity_names   UTF-8 strings, optional
    partition       int8 (N,), optional: 0 training, 1 validation, 2 test, as CelebA numbers them

The file's attributes are format="keras_faces", version=1 and sha256, "SUM  images" and so on, one line a dataset (files
from before there were checksums have none, and are read as well). Each chunk also has a small checksum of its own,
Fletcher's, by which HDF5 finds damage as it reads.
What to read next: ``packed_verify.py`` (the checksums), ``faces.py``.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from tqdm import tqdm

from keras_faces.data.memory import KeptImages
from keras_faces.data.pictures import check_crop, to_square
from keras_faces.files import replacing_hdf5

FORMAT, VERSION, SUMS = "keras_faces", 1, "sha256"
DATASETS = ("images", "names", "attributes", "identities", "identity_names", "partition")
DAMAGE = (OSError, KeyError, RuntimeError, TypeError)  # what h5py raises when bytes make no sense
REPAIR = "copy the file again from where it is whole, or pack it anew"
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

    The pictures stream through in portions of at most 16 MB. The file is written beside its place and moved there when
    it is whole: after any failure (a full disk, Ctrl-C) an older file of that name is as it was.

    Parameters
    ----------
    path : path
        Ends in .h5 or .hdf5.
    images : array-like
        uint8 (N, H, W, 3), sliced by portions.
    names, attributes, identities, identity_names, partition
        As in `keras_faces.data.Faces`.
    progress : bool
        Show a progress bar where it takes longer than a second.

    Returns
    -------
    Path
        Where the file lies.

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
    labels = {"names": names, "attributes": attributes, "identities": identities, "partition": partition}
    for name, values in labels.items():
        if values is not None and len(values) != images.shape[0]:
            raise ValueError(
                f"{path}: {name} has {len(values)} entries for {images.shape[0]} images; nothing was changed"
            )
    try:
        with replacing_hdf5(path) as (file, check):
            file.attrs["format"], file.attrs["version"] = _fixed([FORMAT])[0], VERSION
            sums = _write_labels(file, names, attributes, identities, identity_names, partition)
            sums["images"] = _write_images(file, images, check, progress)
            file.attrs[SUMS] = _fixed(f"{sum_}  {name}" for name, sum_ in sums.items())
    except OSError as error:
        raise OSError(f"{path} could not be written ({error}); nothing was changed") from error
    return path


def _write_labels(file, names, attributes, identities, identity_names, partition) -> dict[str, str]:
    """Write what is there; return the SHA-256 sum of each dataset."""
    sums = {"names": _write_texts(file, "names", names)}
    if attributes is not None:
        columns = _fixed(attributes.columns)
        sums["attributes"] = _write_numbers(file, "attributes", attributes.to_numpy(np.int8), columns)
        file["attributes"].attrs["names"] = columns
    if identities is not None:
        sums["identities"] = _write_numbers(file, "identities", np.asarray(identities, np.int64))
    if identity_names is not None:
        sums["identity_names"] = _write_texts(file, "identity_names", identity_names)
    if partition is not None:
        sums["partition"] = _write_numbers(file, "partition", np.asarray(partition, np.int8))
    return sums


def _write_texts(file, name: str, texts) -> str:
    array = _fixed(texts)
    options = {"chunks": True, "fletcher32": True, "compression": "gzip"} if array.size else {}
    file.create_dataset(name, data=array, **options)
    return digest(texts=array)


def _write_numbers(file, name: str, values: np.ndarray, columns=()) -> str:
    options = {"chunks": True, "fletcher32": True} if values.size else {}
    file.create_dataset(name, data=values, **options)
    return digest([values], columns)


def _fixed(texts) -> np.ndarray:
    """Texts as UTF-8 of a fixed length, that of the longest.

    HDF5 keeps texts of variable length in a heap without checksums, and may search a damaged heap for ever.
    """
    encoded = [str(text).encode("utf-8", "surrogateescape") for text in texts]
    return np.array(encoded, h5py.string_dtype("utf-8", max([1, *map(len, encoded)])))


def digest(arrays: Iterable[np.ndarray] = (), texts: Iterable[bytes | str] = ()) -> str:
    """SHA-256 of arrays, number by number (little-endian), and of texts after them, each ended by a zero byte."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")))
    for text in texts:
        sha.update((text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)) + b"\0")
    return sha.hexdigest()


def _write_images(file, images, check: Callable[[], None], progress: bool) -> str:
    shape = tuple(images.shape)
    bytes_each = int(np.prod(shape[1:]))
    chunk = (min(shape[0], max(1, _CHUNK_BYTES // bytes_each)), *shape[1:])
    dataset = file.create_dataset("images", shape, np.uint8, chunks=chunk, fletcher32=True)
    portion = max(1, _PORTION_BYTES // bytes_each // chunk[0]) * chunk[0]
    with tqdm(total=shape[0], desc="Packing faces", unit=" faces", delay=1, disable=not progress) as bar:

        def written_portions():
            for first in range(0, shape[0], portion):
                pixels = np.ascontiguousarray(images[first : first + portion], np.uint8)
                dataset[first : first + len(pixels)] = pixels
                check()
                bar.update(len(pixels))
                yield pixels

        return digest(written_portions())


def read_packed(
    path: str | Path,
    image_size: int | None = None,
    *,
    count: int | None = None,
    crop: str = "auto",
    memory_mb: float = 1024,
) -> dict:
    """Open a packed file; pictures are read from it when they are asked for.

    Parameters
    ----------
    path : path
        A file by `write_packed`, or any HDF5 file with a dataset `images` of uint8 (N, H, W, 3).
    image_size, count, crop, memory_mb
        As in `keras_faces.data.load`. None keeps the stored size.

    Returns
    -------
    dict
        Arguments of `keras_faces.data.Faces`: images, names, attributes, identities, identity_names, partition, sizes.

    Raises
    ------
    ValueError
        The file is no HDF5 file, is cut short, or a dataset is missing or has the wrong shape, type or length.
    """
    check_crop(crop)
    pixels = PackedImages(path, image_size, crop)
    count = len(pixels) if count is None else min(count, len(pixels))
    labels = read_labels(pixels)
    for name in ("names", "identities", "partition"):
        if labels[name] is not None:
            labels[name] = labels[name][:count]
    if labels["attributes"] is not None:
        labels["attributes"] = labels["attributes"].iloc[:count]
    images = KeptImages(pixels.read, (count, *pixels.shape[1:]), memory_mb)
    return {"images": images, **labels, "sizes": [pixels.path.stat().st_size]}


class PackedImages:
    """The pictures of a packed file, cropped and resized as they are read.

    The file stays open; after pickling, or in a forked process, it is opened anew.

    Parameters
    ----------
    path : path
        The HDF5 file.
    image_size : int or None
        Height and width in pixels; None for the stored ones, which must be equal.
    crop : str
        See `keras_faces.data.to_square`.
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
        """The open file of this process."""
        if self._file is None or self._process != os.getpid():
            try:
                self._file = h5py.File(self.path, "r")
            except OSError as error:
                raise ValueError(
                    f"{self.path} cannot be read as an HDF5 file: it is of another kind or was cut short ({error})"
                ) from error
            self._process = os.getpid()
        return self._file

    def _check_images(self) -> tuple[int, int, int]:
        file = self.open()
        with telling_damage(self.path, "the description of the file"):
            kind, version = file.attrs.get("format", FORMAT), file.attrs.get("version", VERSION)
            images = file["images"] if "images" in file else None
        if as_text(kind) == FORMAT and version > VERSION:
            raise ValueError(f"{self.path} has version {version} of the packed format; update keras_faces to read it")
        if not isinstance(images, h5py.Dataset):
            raise ValueError(f"{self.path} has no dataset 'images'; it has: {', '.join(file) or 'nothing'}")
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
            found = f"{images.dtype} {images.shape}"
            raise ValueError(f"{self.path}: dataset 'images' must be uint8 (N, H, W, 3) with N ≥ 1, not {found}")
        return images.shape[:3]

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Read the pictures of these numbers, in any order: uint8, shape (len(numbers), height, width, 3)."""
        images = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        with telling_damage(self.path, "dataset 'images'"):
            stored = self.open()["images"]
        at = 0
        for first, last in _runs(numbers, max(1, _PORTION_BYTES // int(np.prod(self.stored_shape[1:])))):
            with telling_damage(self.path, f"dataset 'images' near picture {first}"):
                pixels = stored[first : last + 1]
            if self.shape[1:] != self.stored_shape[1:] or self.crop == "celeba":
                pixels = [to_square(image, self.shape[1], self.crop) for image in pixels]
            images[at : at + len(pixels)] = pixels
            at += len(pixels)
        return images


def _runs(numbers: np.ndarray, longest: int) -> Iterator[tuple[int, int]]:
    """Cut numbers into runs of consecutive ones: h5py takes a slice 50 times as fast as a list of numbers."""
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1):
        for first in range(0, len(run), longest):
            part = run[first : first + longest]
            yield int(part[0]), int(part[-1])


@contextmanager
def telling_damage(path: Path, what: str) -> Iterator[None]:
    """Turn HDF5's complaints about bytes that make no sense into an error which names the file and the way out."""
    try:
        yield
    except DAMAGE as error:
        raise ValueError(f"{path}: {what} is damaged ({error}); {REPAIR}") from error


def read_labels(pixels: PackedImages) -> dict:
    """Everything of an open packed file but its pictures, checked: names, attributes, identities, partition, ..."""
    file, count = pixels.open(), len(pixels)
    with telling_damage(pixels.path, "the list of datasets"):
        file = {name: file[name] for name in DATASETS if name in file}
    for name, dataset in file.items():
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"{pixels.path}: {name!r} is no dataset; {REPAIR}")
    names = _texts(pixels.path, file, "names")
    if names is None:
        names = [f"{number:06d}" for number in range(count)]
    identity_names = _texts(pixels.path, file, "identity_names")
    labels = {
        "names": names,
        "attributes": _attributes(pixels.path, file, names),
        "identities": _integers(pixels.path, file, "identities", np.int64, ndim=1),
        "partition": _integers(pixels.path, file, "partition", np.int8, ndim=1),
    }
    for name, values in labels.items():
        if values is not None and len(values) != count:
            raise ValueError(f"{pixels.path}: dataset {name!r} has {len(values)} entries for {count} images")
    identities = labels["identities"]
    if identities is not None and identity_names is not None:
        if identities.min() < 0 or identities.max() >= len(identity_names):
            raise ValueError(
                f"{pixels.path}: dataset 'identities' has numbers from {identities.min()} to {identities.max()}, "
                f"but 'identity_names' has {len(identity_names)} entries"
            )
    return {**labels, "identity_names": identity_names}


def _texts(path: Path, file, name: str) -> list[str] | None:
    if name not in file:
        return None
    if h5py.check_string_dtype(file[name].dtype) is None or file[name].ndim != 1:
        raise ValueError(f"{path}: dataset {name!r} must be a list of texts, not {file[name].dtype} {file[name].shape}")
    return [as_text(text) for text in _read(path, file[name])]


def as_text(value) -> str:
    """A text from an HDF5 file, which comes as bytes if its length is fixed."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _integers(path: Path, file, name: str, dtype, ndim: int) -> np.ndarray | None:
    if name not in file:
        return None
    dataset = file[name]
    if dataset.ndim != ndim or not np.issubdtype(dataset.dtype, np.integer):
        raise ValueError(f"{path}: dataset {name!r} must be integers in {ndim}-D, not {dataset.dtype} {dataset.shape}")
    return _read(path, dataset).astype(dtype)


def _read(path: Path, dataset) -> np.ndarray:
    with telling_damage(path, f"dataset {dataset.name[1:]!r}"):
        return dataset[:]


def _attributes(path: Path, file, index: list[str]) -> pd.DataFrame | None:
    values = _integers(path, file, "attributes", np.int8, ndim=2)
    if values is None:
        return None
    with telling_damage(path, "the list of attributes"):
        names = file["attributes"].attrs.get("names")
    if names is None or len(names) != values.shape[1]:
        raise ValueError(
            f"{path}: dataset 'attributes' has {values.shape[1]} columns and needs an HDF5 attribute 'names' of as many"
            f" texts, not {'none' if names is None else len(names)}"
        )
    columns = [as_text(name) for name in names]
    return pd.DataFrame(values, columns=columns, index=index if len(index) == len(values) else None)
