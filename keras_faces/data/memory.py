"""Pictures that stay in memory once they were read, up to a bound.

Every kind of source (drawing, file, packed file) is a function from picture numbers to pixels; `KeptImages` makes an
array of it. What to read next: ``folder.py`` and ``packed.py``, which supply such functions.
"""

from collections.abc import Callable

import numpy as np


class KeptImages:
    """An array of pictures, read when they are asked for and then kept as long as there is room.

    The first `memory_mb` mebibytes of pictures (by number) are kept once they were read; those beyond are read anew
    each time. Memory grows no further, however many pictures there are.

    Parameters
    ----------
    read : callable
        Takes an int array of picture numbers, gives uint8 pixels (len(numbers), H, W, 3). Called from several threads.
    shape : tuple of int
        (N, H, W, 3).
    memory_mb : float
        Bound for the pixels kept, in mebibytes; 0 keeps none.
    kept : ndarray, optional
        Pixels of the first pictures, where they are in memory already; `memory_mb` is then not looked at.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        read: Callable[[np.ndarray], np.ndarray],
        shape: tuple[int, ...],
        memory_mb: float = 1024,
        kept: np.ndarray | None = None,
    ):
        self.shape = tuple(int(n) for n in shape)
        self._read = read
        self._pixels = room_for(self.shape, memory_mb) if kept is None else kept
        self._is_kept = np.full(len(self._pixels), kept is not None)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def kept_bytes(self) -> int:
        """Bytes of the pictures that are in memory now."""
        return int(self._is_kept.sum()) * int(np.prod(self.shape[1:]))

    def __getitem__(self, key) -> np.ndarray:
        """A copy of one picture (H, W, 3) for an int, or of several (n, H, W, 3) for a slice or an int array."""
        if isinstance(key, (int, np.integer)):
            return self._gather(as_numbers([key], len(self)))[0]
        return self._gather(as_numbers(key, len(self)))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def _gather(self, numbers: np.ndarray) -> np.ndarray:
        images = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        kept = np.zeros(len(numbers), bool)
        has_room = numbers < len(self._pixels)
        kept[has_room] = self._is_kept[numbers[has_room]]
        images[kept] = self._pixels[numbers[kept]]
        if not kept.all():
            images[~kept] = self._read(numbers[~kept])
            self._keep(numbers[~kept & has_room], images[~kept & has_room])
        return images

    def _keep(self, numbers: np.ndarray, images: np.ndarray) -> None:
        self._pixels[numbers] = images  # pixels first: another thread may look at the mask in between
        self._is_kept[numbers] = True


def room_for(shape: tuple[int, ...], memory_mb: float) -> np.ndarray:
    """An uninitialised uint8 array for as many of the N pictures of `shape` (N, H, W, 3) as fit in `memory_mb`."""
    bytes_each = max(1, int(np.prod(shape[1:])))
    return np.empty((min(shape[0], int(memory_mb * 2**20) // bytes_each), *shape[1:]), np.uint8)


def as_numbers(key, count: int) -> np.ndarray:
    """Turn a slice, a list or an int or bool array into picture numbers from 0 to count − 1.

    Raises
    ------
    IndexError
        A number outside −count to count − 1, or something that is no number.
    """
    if isinstance(key, slice):
        return np.arange(count)[key]
    numbers = np.asarray(key)
    if numbers.size == 0:
        return np.zeros(0, np.int64)
    if numbers.dtype == bool and numbers.shape == (count,):
        return np.flatnonzero(numbers)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise IndexError(f"pictures are picked by an int, a slice or an int array, not by {key!r}")
    wrong = numbers[(numbers < -count) | (numbers >= count)]
    if wrong.size:
        raise IndexError(f"picture {wrong[0]} does not exist: there are {count}, numbered 0 to {count - 1}")
    return np.where(numbers < 0, numbers + count, numbers).astype(np.int64)


class Chosen:
    """Some pictures of an array, in an order of their own; they are read from it when they are asked for.

    Parameters
    ----------
    images : array-like
        uint8 (N, H, W, 3), as `KeptImages`.
    numbers : ndarray
        int64 (n,): which of them.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, images, numbers: np.ndarray):
        self._images, self.numbers = images, as_numbers(numbers, len(images))
        self.shape = (len(numbers), *images.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        if isinstance(key, (int, np.integer)):
            return self._images[int(self.numbers[key])]
        return self._images[self.numbers[as_numbers(key, len(self))]]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)
