"""Verify a packed file: read every byte and compare it with the checksums of ``packed.py``.

HDF5's own checksum, one per chunk, shows which pictures are damaged. The SHA-256 sums, one per dataset, show that the
file is the one that was written: no dataset missing, no number changed.
"""

from __future__ import annotations

from pathlib import Path

import h5py

from keras_faces.data.packed import (
    DAMAGE,
    DATASETS,
    REPAIR,
    SUMS,
    PackedImages,
    as_text,
    checksum,
    digest,
    portions,
    read_annotations,
    report_damage,
)

_SHOWN = 5  # damaged pictures named


def verify_packed(path: str | Path, *, progress: bool = True) -> list[str]:
    """Read a whole packed file and list what is wrong with it.

    Parameters
    ----------
    path : str or Path
        A file by `keras_faces.data.write_packed`. At most 16 MB of it are in memory at a time.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    list of str
        The problems; empty if the file is what was written. A file without checksums, from an older version, is a
        problem too: it cannot be checked.

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
            with report_damage(path, "the list of its checksums"):
                lines = [as_text(line).partition("  ") for line in file.attrs.get(SUMS, ())]
            problems = _differences(file, {name: sum_ for sum_, _, name in lines}, progress)
            if not problems:
                read_annotations(pixels)
    except ValueError as error:
        return [str(error)]
    return [f"{path}: {problem}" for problem in problems]


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
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset):
        return f"is no dataset; {REPAIR}"
    if name == "images":
        found = digest(pixels for _, pixels in portions(dataset, 1, "Verifying", progress))
    else:
        found = checksum(dataset[:], dataset.attrs.get("names", ()))
    if name not in sums:
        return "has no checksum, so it was added later; pack the file anew" if sums else ""
    return "" if found == sums[name] else f"is not as it was written: its SHA-256 sum differs; {REPAIR}"


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
