"""Image arrays that read their pixels on demand and keep some of them in memory.

See also ``folder.py`` and ``packed.py``, which supply the functions that read.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np


class LazyImages(ABC):
    """Base of the image arrays: an array-like of uint8, shape (N, H, W, 3).

    A subclass sets `shape` and defines ``read(indices)``: int64 indices from 0 to N − 1 to uint8 (n, H, W, 3).
    """

    dtype = np.dtype(np.uint8)
    ndim = 4
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        """Return a copy of one image (H, W, 3) for an int; of several (n, H, W, 3) for a slice, int or bool array."""
        if isinstance(key, (int, np.integer)):
            return self.read(as_indices([key], len(self)))[0]
        return self.read(as_indices(key, len(self)))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    @abstractmethod
    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the images of these indices: uint8, shape (n, H, W, 3)."""


class KeptImages(LazyImages):
    """Images that stay in memory after they were read, up to a bound.

    The first `memory_mb` mebibytes of images (by index) are kept; the others are read again each time.

    Parameters
    ----------
    read : callable
        Takes an int64 array of indices, returns uint8 pixels, shape (n, H, W, 3). Called from several threads.
    shape : tuple of int
        (N, H, W, 3).
    memory_mb : float
        Bound for the pixels kept, in mebibytes; 0 keeps none.
    kept : ndarray, optional
        Pixels of the first images, if they are in memory already; `memory_mb` is then not used.
    """

    def __init__(
        self,
        read: Callable[[np.ndarray], np.ndarray],
        shape: tuple[int, ...],
        memory_mb: float = 1024,
        kept: np.ndarray | None = None,
    ):
        self.shape = tuple(int(n) for n in shape)
        self._source = read
        self._pixels = allocate(self.shape, memory_mb) if kept is None else kept
        self._is_kept = np.full(len(self._pixels), kept is not None)

    @property
    def kept_bytes(self) -> int:
        """Bytes of the images that are in memory now."""
        return int(self._is_kept.sum()) * int(np.prod(self.shape[1:]))

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the images of these indices, from memory or from the source."""
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        kept = np.zeros(len(indices), bool)
        has_room = indices < len(self._pixels)
        kept[has_room] = self._is_kept[indices[has_room]]
        images[kept] = self._pixels[indices[kept]]
        if not kept.all():
            images[~kept] = self._source(indices[~kept])
            new = ~kept & has_room
            self._pixels[indices[new]] = images[new]  # pixels first: another thread may look at the mask in between
            self._is_kept[indices[new]] = True
        return images


class ImageSubset(LazyImages):
    """Some images of an array, in a given order, read from it on demand.

    Parameters
    ----------
    images : array-like
        uint8 (N, H, W, 3).
    indices : ndarray of int
        Shape (n,), from −N to N − 1.
    """

    def __init__(self, images, indices: np.ndarray):
        self._images, self.indices = images, as_indices(indices, len(images))
        self.shape = (len(self.indices), *images.shape[1:])

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the images of these indices of the subset."""
        return self._images[self.indices[indices]]


def allocate(shape: tuple[int, ...], memory_mb: float) -> np.ndarray:
    """Return an uninitialised uint8 array for as many of the N images of `shape` (N, H, W, 3) as fit in `memory_mb`."""
    bytes_each = max(1, int(np.prod(shape[1:])))
    return np.empty((min(shape[0], int(memory_mb * 2**20) // bytes_each), *shape[1:]), np.uint8)


def as_indices(key, count: int) -> np.ndarray:
    """Turn a slice, a list, or an int or bool array into int64 indices from 0 to `count` − 1.

    Raises
    ------
    IndexError
        An index outside −count to count − 1, or another kind of key.
    """
    if isinstance(key, slice):
        return np.arange(count)[key]
    indices = np.asarray(key)
    if indices.size == 0:
        return np.zeros(0, np.int64)
    if indices.dtype == bool and indices.shape == (count,):
        return np.flatnonzero(indices)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise IndexError(f"pictures are picked by an int, a slice or an int array, not by {key!r}")
    wrong = indices[(indices < -count) | (indices >= count)]
    if wrong.size:
        raise IndexError(f"picture {wrong[0]} does not exist: there are {count}, numbered 0 to {count - 1}")
    return np.where(indices < 0, indices + count, indices).astype(np.int64)
