"""Many pictures through many threads, in order, with no more in memory than a few portions.

A portion of pictures goes to a thread, which reads, decodes, resizes and finishes them one by one; portions come back
in the order they were sent, and no new one is sent before an old one was taken. Threads serve as well as processes
here: OpenCV lets go of Python's lock while it decodes and resizes. What to read next: ``resize.py``, which takes the
portions.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from data_prep.decode import Framing, decode
from data_prep.devices import Device, fastest_device, make_device
from data_prep.pictures_in import Picture, Source
from keras_faces.data.folder import quiet_opencv
from keras_faces.data.pictures import PictureError

_MEMORY_BYTES = 96 * 2**20  # of all portions on their way
_PORTION = 64  # pictures in one, at most
_SAMPLE, _SAMPLE_BYTES = 32, 2**26  # pictures on which devices are tried

Result = tuple[Picture, object]  # what `finish` made of the picture, or the PictureError that it met


@dataclass
class Report:
    """What a run did.

    Attributes
    ----------
    target : Path
    done : int
        Pictures written in this run.
    skipped : int
        Pictures that an earlier run had finished.
    broken : list of (str, str)
        Names of those that could not be read, and why; earlier runs' included where the target is a packed file.
    ignored : list of str
        Files without a picture's extension.
    names : list of str
        The pictures that the target now holds, in order.
    device : str
        Where they were resized.
    measured : dict
        Pictures per second of each device, or why it was not tried, where the device was chosen by measurement.
    workers : int
    seconds : float
        From the first picture to the end.
    """

    target: Path
    done: int = 0
    skipped: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    device: str = "cpu"
    measured: dict[str, float | str] = field(default_factory=dict)
    workers: int = 1
    seconds: float = 0.0

    @property
    def images_per_second(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0


def available_cores() -> int:
    """The cores that this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_device(
    name: str, source: Source, pictures: list[Picture], framing: Framing, workers: int
) -> tuple[Device, dict[str, float | str]]:
    """Make the device of this name; for "auto", measure on the first pictures which is fastest."""
    if name == "cpu":
        return make_device("cpu", [], framing.size), {}
    with quiet(), closing(_decoded(source, pictures[:_SAMPLE], framing)) as found:
        sample: list[np.ndarray] = []
        for image in found:
            sample.append(image)
            if sum(one.nbytes for one in sample) > _SAMPLE_BYTES:
                break
        if name == "auto":
            return fastest_device(sample, framing.size, len(pictures), workers)
        return make_device(name, sample, framing.size), {}


def _decoded(source: Source, pictures: list[Picture], framing: Framing) -> Iterator[np.ndarray]:
    with closing(source.read(pictures)) as found:
        for picture, data in found:
            try:
                yield decode(source.data(picture) if data is None else data, framing)
            except PictureError:
                continue


def run_portions(
    source: Source,
    pictures: list[Picture],
    framing: Framing,
    device: Device,
    finish: Callable[[Picture, np.ndarray], object],
    workers: int,
) -> Iterator[list[Result]]:
    """Read, decode and resize pictures on all workers, and give the results portion by portion, in order.

    Parameters
    ----------
    source, pictures, framing, device
        What to read, and what to make of it.
    finish : callable
        Takes a picture and its pixels (uint8 BGR) in the worker's thread; what it returns is the result. A PictureError
        that it raises is one, too; any other exception ends the run.
    workers : int
        Threads.

    Yields
    ------
    list of (Picture, result)
        In the pictures' order, broken ones with their PictureError.
    """
    ahead = 3 * workers
    room = _MEMORY_BYTES // ahead
    most = max(1, min(_PORTION, room // (3 * framing.size**2))) if framing.size else 16

    def work(portion: list[tuple[Picture, bytes | None]]) -> list[Result]:
        return _work(portion, source, framing, device, finish)

    waiting: deque[Future] = deque()
    with quiet(), closing(_portions(source, pictures, most, room)) as portions, _pool(workers) as pool:
        for portion in portions:
            waiting.append(pool.submit(work, portion))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _portions(source: Source, pictures: list[Picture], most: int, most_bytes: int) -> Iterator[list]:
    portion, size = [], 0
    with closing(source.read(pictures)) as found:
        for picture, data in found:
            portion.append((picture, data))
            size += len(data or b"")
            if len(portion) == most or size >= most_bytes:
                yield portion
                portion, size = [], 0
    if portion:
        yield portion


def _work(portion: list, source: Source, framing: Framing, device: Device, finish: Callable) -> list[Result]:
    """Decode until the device has as much as it wants at a time, then resize and finish these."""
    results: list[Result] = []
    decoded: list[tuple[int, np.ndarray]] = []  # place in results, pixels

    def resize() -> None:
        images = [image for _, image in decoded]
        if framing.size is not None:
            images = device.resize(images, framing.size)
        for (place, _), image in zip(decoded, images, strict=True):
            picture = results[place][0]
            results[place] = (picture, _or_error(lambda p=picture, i=image: finish(p, i)))
        decoded.clear()

    for picture, data in portion:
        image = _or_error(lambda p=picture, d=data: decode(source.data(p) if d is None else d, framing))
        results.append((picture, image))
        if not isinstance(image, PictureError):
            decoded.append((len(results) - 1, image))
            if sum(image.nbytes for _, image in decoded) >= device.batch_bytes:
                resize()
    resize()
    return results


def _or_error(make: Callable[[], object]) -> object:
    try:
        return make()
    except PictureError as error:
        return error


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads; after an error or Ctrl-C, what they have not begun is dropped."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def quiet() -> Iterator[None]:
    """OpenCV without complaints of its own, and on one thread a call: the cores have work already."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with quiet_opencv():
            yield
    finally:
        cv2.setNumThreads(threads)


def explain_full_disk(error: OSError, finished: str) -> None:
    """Where an error means a full disk, raise one that says what is finished and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        message = f"the disk is full ({error.strerror}); {finished}. Make room and run the same command again"
        explained = OSError(message)
        explained.errno = error.errno
        raise explained from error


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self._start
