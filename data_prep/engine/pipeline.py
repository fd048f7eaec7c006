"""Many pictures through many threads, in order, with few in memory at a time.

A portion of pictures goes to a thread, which reads, decodes, resizes and finishes them one by one; portions come back
in the order they were sent, and no new one is sent before an old one was taken. Threads serve as well as processes
here: OpenCV lets go of Python's lock while it decodes and resizes.
"""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from tqdm import tqdm

from data_prep.engine.decode import Framing, decode
from data_prep.engine.devices import Device, fastest_device, make_device
from data_prep.engine.script import counted
from data_prep.engine.sources import Picture, Source
from keras_faces.data.pictures import PictureError
from keras_faces.data.quiet import quiet_opencv
from keras_faces.files import printable

_MEMORY_BYTES = 96 * 2**20  # of all portions on their way
_PORTION = 64  # pictures in one, at most
_AHEAD = 3  # portions a thread has under way
_SHOWN = 10  # broken pictures named
_SAMPLE, _SAMPLE_BYTES = 32, 2**26  # pictures on which devices are tried

_T, _R = TypeVar("_T"), TypeVar("_R")
Result = tuple[Picture, object]  # what `finish` made of the picture, or the PictureError that it met


@dataclass
class Report:
    """What a run did."""

    target: Path
    done: int = 0  # pictures written in this run
    skipped: int = 0  # pictures that an earlier run had finished
    broken: list[tuple[str, str]] = field(default_factory=list)  # names of pictures that cannot be read, and why
    ignored: list[str] = field(default_factory=list)  # files of other kinds than pictures
    names: list[str] = field(default_factory=list)  # the pictures that the target now holds, in order
    device: str = "cpu"
    measured: dict[str, float | str] = field(default_factory=dict)  # pictures per second of each device, or why not
    workers: int = 1
    seconds: float = 0.0  # from the first picture to the end

    @property
    def images_per_second(self) -> float:
        """Pictures written per second of this run."""
        return self.done / self.seconds if self.seconds else 0.0


def run_summary(report: Report) -> str:
    """A run in a few lines: counts, speed, device, the first broken pictures."""
    lines = [
        f"{report.target}: {len(report.names):,} pictures; {report.done:,} done now, {report.skipped:,} were there "
        f"already, {len(report.broken):,} broken, {len(report.ignored):,} files of other kinds ignored",
    ]
    if report.done:
        speed = f"{report.images_per_second:,.0f} pictures a second"
        lines.append(f"{report.seconds:.1f} s, {speed} on {report.device}, {counted(report.workers, 'thread')}")
    for name, value in report.measured.items():
        lines.append(f"  {name}: " + (value if isinstance(value, str) else f"{value:,.0f} pictures resized a second"))
    return "\n".join([*lines, *broken_lines(report.broken)])


def broken_lines(broken: list[tuple[str, str]]) -> list[str]:
    """A line for each of the first broken pictures, and how many more there are."""
    lines = [f"  broken: {printable(name)}: {reason}" for name, reason in broken[:_SHOWN]]
    return lines + ([f"  and {len(broken) - _SHOWN:,} broken ones more"] if len(broken) > _SHOWN else [])


def thread_count(workers: int | None) -> int:
    """`workers`, or as many as this process may use cores. ValueError below 1."""
    from keras_faces.fast.autotune import usable_cores

    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: give 1 or more")
    return workers or usable_cores()


def threaded(
    function: Callable[[_T], _R], items: Iterable[_T], *, threads: int | None = None, ahead: int = 4
) -> Iterator[_R]:
    """``map`` by several threads, in order, with few items under way, so that memory stays bounded.

    Parameters
    ----------
    function : callable
        What is done with each item.
    items : iterable
        Taken from one at a time, by the caller's thread.
    threads : int, optional
        One for each core, if None.
    ahead : int
        How many items a thread may have under way, waiting ones and results not yet taken included.
    """
    threads = thread_count(threads)
    with ThreadPoolExecutor(threads) as pool:
        under_way: deque[Future] = deque()
        try:
            for item in items:
                under_way.append(pool.submit(function, item))
                if len(under_way) >= ahead * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:  # after an error or Ctrl-C
                future.cancel()


def choose_device(
    name: str, source: Source, pictures: list[Picture], framing: Framing, workers: int
) -> tuple[Device, dict[str, float | str]]:
    """Make the device of this name; for "auto", measure on the first pictures which is fastest."""
    if name == "cpu":
        return make_device("cpu", [], framing.size), {}
    sample: list[np.ndarray] = []
    with quiet(), closing(source.read(pictures[:_SAMPLE])) as found:
        for picture, data in found:
            try:
                sample.append(decode(source.data(picture, data), framing))
            except PictureError:
                continue
            if sum(one.nbytes for one in sample) > _SAMPLE_BYTES:
                break
        if name == "auto":
            return fastest_device(sample, framing.size, len(pictures), workers)
        return make_device(name, sample, framing.size), {}


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
    source : Source
    pictures : list of Picture
        Those of the source that are wanted.
    framing : Framing
        Which part of each, and how large.
    device : Device
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
    room = _MEMORY_BYTES // (_AHEAD * workers)
    most = max(1, min(_PORTION, room // (3 * framing.size**2))) if framing.size else 16

    def made(picture: Picture, data: bytes | None) -> object:
        try:
            image = decode(source.data(picture, data), framing)
            return finish(picture, image if framing.size is None else device.resize(image, framing.size))
        except PictureError as error:
            return error

    def work(portion: list[tuple[Picture, bytes | None]]) -> list[Result]:
        return [(picture, made(picture, data)) for picture, data in portion]

    with (
        quiet(),
        closing(_portions(source, pictures, most, room)) as portions,
        closing(threaded(work, portions, threads=workers, ahead=_AHEAD)) as results,
    ):
        yield from results


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


def resize_left(
    source: Source,
    left: list[Picture],
    framing: Framing,
    device: str,
    finish: Callable[[Picture, np.ndarray], object],
    report: Report,
    progress: bool,
) -> Iterator[list[Result]]:
    """`run_portions` on the pictures that are left, with a progress bar; `report` gets the device and the seconds."""
    chosen, report.measured = choose_device(device, source, left, framing, report.workers)
    report.device = chosen.label
    start, total = time.perf_counter(), len(source.pictures)
    with (
        quiet(),
        tqdm(total=total, initial=total - len(left), desc="Resizing", unit=" pictures", disable=not progress) as bar,
        closing(run_portions(source, left, framing, chosen, finish, report.workers)) as portions,
    ):
        for portion in portions:
            yield portion
            bar.update(len(portion))
    report.seconds = time.perf_counter() - start


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
