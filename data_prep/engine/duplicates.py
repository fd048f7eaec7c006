"""Which pictures are the same, and which nearly: fingerprints, and a search that never compares all with all.

A picture's fingerprint is its perceptual hash: shrunk to 32×32 grey pixels and turned into frequencies by the cosine
transform, of which the 128 lowest give one bit each, their sign. Scaling, compression and brightness change few bits,
another picture about half. (Of 5,000 CelebA faces, aligned and so much alike, the nearest two different ones differ in
22 bits; the same face saved as a JPEG of quality 20 in 5, at half size in 10, nine times out of ten.)

The search rests on the pigeonhole principle: cut the 128 bits into 9 pieces; two fingerprints that differ in at most 8
bits agree entirely in at least one piece. So sorting by each piece brings every such pair side by side, and only what
agrees there is compared: 200,000 pictures in seconds.

Sources: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", Hagenberg 2010; M. Norouzi,
A. Punjani, D. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

import cv2
import numpy as np

BITS = 128
NEAR = 8  # bits
_PORTION = 2**17  # pairs that are compared at a time
_LOWEST = tuple(np.array(sorted(np.ndindex(32, 32), key=lambda at: (sum(at), at))[1 : BITS + 1]).T)  # but the mean
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)  # bits of a byte


def fingerprint(image: np.ndarray) -> np.ndarray:
    """The perceptual hash of a picture.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB.

    Returns
    -------
    ndarray of uint64, shape (2,)
    """
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(small.astype(np.float32))
    return np.packbits(frequencies[_LOWEST] > 0).view(np.uint64)


def equal_groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """Positions of equal keys, for every key that is there twice or more, in order of the first."""
    places: dict = {}
    for position, key in enumerate(keys):
        places.setdefault(key, []).append(position)
    return [group for group in places.values() if len(group) > 1]


def near_groups(prints: np.ndarray, bits: int = NEAR) -> list[list[int]]:
    """Positions of pictures that are nearly alike, chained: if A is near B and B near C, all three are one group.

    Parameters
    ----------
    prints : ndarray of uint64, shape (N, 2)
        Fingerprints.
    bits : int
        By how many bits neighbours in a chain may differ.

    Returns
    -------
    list of list of int
        Groups of two or more, sorted.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(prints):
        return []
    unique, which = np.unique(prints, axis=0, return_inverse=True)
    one, other, _ = near_pairs(unique, bits).T
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(len(unique), len(unique)))
    _, group = connected_components(graph, directed=False)
    return equal_groups(group[which.ravel()].tolist())


def near_pairs(prints: np.ndarray, bits: int = NEAR) -> np.ndarray:
    """All pairs of fingerprints that differ in at most so many bits.

    Parameters
    ----------
    prints : ndarray of uint64, shape (N, 2)
        All rows different.
    bits : int
        0 or more; the search slows down as it grows.

    Returns
    -------
    ndarray of int64, shape (P, 3)
        The two positions, the lesser first, and how many bits differ; sorted.
    """
    found = [np.empty((0, 3), np.int64)]
    for piece in _pieces(prints, bits + 1):
        found += _pairs_side_by_side(prints, piece, bits)
    return np.unique(np.concatenate(found), axis=0)


def _pieces(prints: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Cut each fingerprint's 128 bits into `count` pieces of about equal length; give each as one number a row."""
    bits = np.unpackbits(prints.view(np.uint8), axis=1)
    edges = np.linspace(0, BITS, min(count, BITS) + 1).round().astype(int)
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        packed = np.packbits(bits[:, first:last], axis=1)
        yield np.unique(packed, axis=0, return_inverse=True)[1].ravel()


def _pairs_side_by_side(prints: np.ndarray, piece: np.ndarray, bits: int) -> Iterator[np.ndarray]:
    """Compare within every run of equal pieces: neighbours one step apart in all runs at once, then two, and so on."""
    order = np.argsort(piece, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(piece[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    left = np.repeat(starts + sizes, sizes) - np.arange(len(order))  # to the run's end, itself included
    step = 1
    places = np.flatnonzero(left > step)
    while len(places):
        for first in range(0, len(places), _PORTION):
            part = places[first : first + _PORTION]
            one, other = order[part], order[part + step]
            distance = _ONES[(prints[one] ^ prints[other]).view(np.uint8)].sum(axis=1, dtype=np.int64)
            near = distance <= bits
            pair = np.sort(np.stack([one[near], other[near]], axis=1), axis=1)
            yield np.concatenate([pair, distance[near, None]], axis=1)
        step += 1
        places = places[left[places] > step]
