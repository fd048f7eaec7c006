"""Which row of a table belongs to which picture.

A table says 000001.jpg; the picture may lie in img_align_celeba/000001.jpg, or be a PNG. What to read next:
``celeba.py`` and ``pack.py``, which use this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from posixpath import splitext

import numpy as np

_SHOWN = 5


def rows_of(rows: Sequence[str], pictures: Sequence[str]) -> np.ndarray:
    """Find the row of each picture.

    A row belongs to a picture if they have the same path, or the same end of it (row 000001.jpg, picture
    img_align_celeba/000001.jpg), or the same but for the extension (000001.png). A picture takes the closest of these.

    Parameters
    ----------
    rows, pictures : sequence of str
        Names of a table's rows; paths of pictures, with forward slashes.

    Returns
    -------
    ndarray
        int64, shape (len(pictures),): the number of the row, or −1 where there is none.
    """
    exact = {name: number for number, name in enumerate(rows)}
    bare = {splitext(name)[0]: number for number, name in enumerate(rows)}
    if len(bare) < len(exact):  # rows that differ in nothing but the extension: it must be right
        bare = {}
    depths = sorted({name.count("/") for name in exact}, reverse=True)
    return np.array([_row_of(picture, exact, bare, depths) for picture in pictures], np.int64)


def _row_of(picture: str, exact: dict[str, int], bare: dict[str, int], depths: list[int]) -> int:
    if picture in exact:
        return exact[picture]
    ends = [_end(picture, depth) for depth in depths]
    for end in ends:
        if end in exact:
            return exact[end]
    for end in ends:
        if splitext(end)[0] in bare:
            return bare[splitext(end)[0]]
    return -1


def _end(path: str, depth: int) -> str:
    """The last part of a path, with `depth` folders."""
    return "/".join(path.split("/")[-depth - 1 :])


def listed(names: Iterable[str], shown: int = _SHOWN) -> str:
    """The first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    printable = (name.encode("utf-8", "backslashreplace").decode("utf-8") for name in names[:shown])
    return ", ".join(printable) + more


def counted(count: int, thing: str, things: str | None = None) -> str:
    """A number with its noun: "1 picture", "5,000 pictures"."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
