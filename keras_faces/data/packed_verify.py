"""Is a packed file whole? Every byte of it is read and compared with the checksums it was written with.

HDF5's own checksum, one a chunk, tells which pictures are damaged, and stops a training that meets one. The SHA-256
sums, one a dataset, tell that the file is the one that was written: no dataset missing, no number changed. What to read
next: ``packed.py``, which writes both.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from keras_faces.data.packed import (
    DAMAGE,
    DATASETS,
    REPAIR,
    SUMS,
    PackedImages,
    as_text,
    digest,
    read_labels,
    telling_damage,
)

_PORTION_BYTES = 2**24  # read at a time
_SHOWN = 5  # damaged pictures named


def verify_packed(path: str | Path, *, progress: bool = True) -> list[str]:
    """Read a whole packed file and say what is wrong with it.

    Parameters
    ----------
    path : path
        A file by `keras_faces.data.write_packed`. At most 16 MB of it are in memory at a time.
    progress : bool
        Show a progress bar where it takes longer than a second.

    Returns
    -------
    list of str
        The problems, in words; empty if the file is what was written. A file without checksums, from before there were
        any, is a problem too: nobody can tell whether it is whole.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there, or is no file")
    try:
        pixels = PackedImages(path, image_size=1)
        with pixels.open() as file:
            with telling_damage(path, "the list of its checksums"):
                sums = _written_sums(file)
            problems = _differences(file, sums, progress)
            if not problems:
                read_labels(pixels)
    except ValueError as error:
        return [str(error)]
    return [f"{path}: {problem}" for problem in problems]


def _written_sums(file: h5py.File) -> dict[str, str]:
    """The sum of each dataset, as it was when the file was written."""
    return {name: sum_ for sum_, _, name in (as_text(line).partition("  ") for line in file.attrs.get(SUMS, ()))}


def _differences(file: h5py.File, sums: dict[str, str], progress: bool) -> list[str]:
    """Read every dataset and compare it with its sum."""
    problems = []
    for name in DATASETS:
        try:
            problem = _difference(file, name, sums, progress)
        except DAMAGE as error:
            where = _damaged_pictures(file[name]) if name == "images" else str(error)
            problem = f"is damaged ({where}); {REPAIR}"
        if problem:
            problems.append(f"dataset {name!r} {problem}")
    if not sums:
        problems.append("there are no checksums, so whether it is as it was written cannot be told; pack it anew")
    return problems


def _difference(file: h5py.File, name: str, sums: dict[str, str], progress: bool) -> str:
    if name not in file:
        return f"is missing; {REPAIR}" if name in sums else ""
    if not isinstance(file[name], h5py.Dataset):
        return f"is no dataset; {REPAIR}"
    found = _image_sum(file[name], progress) if name == "images" else _label_sum(file[name])
    if name not in sums:
        return "has no checksum, so it was added later; pack the file anew" if sums else ""
    return "" if found == sums[name] else f"is not as it was written: its SHA-256 sum differs; {REPAIR}"


def _image_sum(dataset: h5py.Dataset, progress: bool) -> str:
    portion = max(1, _PORTION_BYTES // max(1, int(np.prod(dataset.shape[1:]))))
    with tqdm(total=len(dataset), desc="Verifying", unit=" faces", delay=1, disable=not progress) as bar:

        def portions():
            for first in range(0, len(dataset), portion):
                yield dataset[first : first + portion]
                bar.update(min(portion, len(dataset) - first))

        return digest(portions())


def _label_sum(dataset: h5py.Dataset) -> str:
    if h5py.check_string_dtype(dataset.dtype):
        return digest(texts=dataset[:])
    return digest([dataset[:]], dataset.attrs.get("names", ()))


def _damaged_pictures(dataset: h5py.Dataset) -> str:
    step = dataset.chunks[0] if dataset.chunks else len(dataset)
    damaged = []
    for first in range(0, len(dataset), step):
        try:
            dataset[first : first + step]
        except OSError:
            damaged += range(first, min(first + step, len(dataset)))
    shown = ", ".join(map(str, damaged[:_SHOWN])) + (", ..." if len(damaged) > _SHOWN else "")
    return f"{len(damaged):,} of {len(dataset):,} pictures cannot be read, counted from 0: {shown}"
