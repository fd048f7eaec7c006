"""How fast pictures become training data, beside the plainest program and beside decoding alone.

    ./run bench data                                    # on faces that are drawn for it
    ./run bench data --data lfw-deepfunneled --count 2000 --many 50000

Measured, for each size: a loop of `cv2.imread` and `cv2.resize` on one thread; decoding alone, whole and at the reduced
scale that `data_prep.engine.decode` takes; `data_prep.resize` to pixels on each device; and from JPEG to a packed file
with its checksums, on one thread and on all. Rounds alternate between all of these, so that a machine that is busy with
other things slows all alike; medians are given, and ratios within a round. CPU time counts all threads. Memory is the
peak of a process of its own, which packs `--many` pictures: links to the same files, over and over.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import h5py
import numpy as np

from data_prep.engine.decode import Framing, decode, jpeg_size, reduction
from data_prep.engine.devices import Device, make_device
from data_prep.engine.pipeline import quiet, run_portions
from data_prep.engine.resize_packed import resize_to_packed
from data_prep.engine.script import DONE, counted, run
from data_prep.engine.sources import Source, open_source
from keras_faces.data import load, write_packed
from keras_faces.data.pictures import PictureError, to_square
from keras_faces.fast.autotune import processor, usable_cores

_DRAWN_SIZE, _DRAWN_QUALITY = 250, 92  # as LFW's photographs
_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_PLAIN = "plain loop, 1 thread"

_MEMORY_PROGRAM = """
import sys
from data_prep.engine.resize_packed import resize_to_packed
report = resize_to_packed(sys.argv[1], sys.argv[2], int(sys.argv[3]), progress=False)
try:
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
except OSError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
print(report.done, peak / 1024, report.seconds)
"""


@dataclass
class Times:
    """Seconds of each round: on the clock, and of all threads together."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def draw_photographs(folder: Path, count: int, seed: int = 0) -> None:
    """Write `count` drawn faces as JPEGs of 250×250, always the same ones for the same seed."""
    faces = load("drawn", _DRAWN_SIZE, count=count, seed=seed, memory_mb=0)
    for first in range(0, count, 50):
        for number, image in enumerate(faces.images[first : first + 50], first):
            data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _DRAWN_QUALITY])[1]
            (folder / f"{number:06d}.jpg").write_bytes(data.tobytes())


def alternate(methods: dict[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Run every method once to warm up, then `rounds` times in turn."""
    times = {name: Times() for name in methods}
    for number in range(rounds + 1):
        for name, method in methods.items():
            wall, cpu = time.perf_counter(), time.process_time()
            method()
            if number:
                times[name].wall.append(time.perf_counter() - wall)
                times[name].cpu.append(time.process_time() - cpu)
    return times


def methods_for(
    source: Source, size: int, devices: dict[str, Device], folder: Path, workers: int
) -> dict[str, Callable[[], object]]:
    """What is measured for one size: a name, and a function that treats all pictures once."""
    paths = [str(source.path / picture.name) for picture in source.pictures]
    framing = Framing(size)
    factor = reduction_of(source, framing)
    methods: dict[str, Callable[[], object]] = {
        _PLAIN: partial(_plain_loop, paths, size),
        "decode alone, whole, 1 thread": partial(_decode_alone, paths, 1),
    }
    if factor > 1:
        methods[f"decode alone at 1/{factor}, 1 thread"] = partial(_decode_alone, paths, factor)
    methods["to pixels, cpu, 1 thread"] = partial(_to_pixels, source, framing, devices["cpu"], 1)
    for name, device in devices.items():
        methods[f"to pixels, {name}, {counted(workers, 'thread')}"] = partial(
            _to_pixels, source, framing, device, workers
        )
    methods["plain loop, then write_packed"] = partial(_plain_packed, paths, size, folder / "plain.h5")
    for threads in sorted({1, workers}):
        methods[f"to a packed file, {counted(threads, 'thread')}"] = partial(
            resize_to_packed, source.path, folder / "ours.h5", size, workers=threads, progress=False
        )
    return methods


def reduction_of(source: Source, framing: Framing) -> int:
    """The factor at which most of the first pictures are decoded."""
    sizes = [jpeg_size(source.data(picture)) for picture in source.pictures[:50]]
    return statistics.mode(reduction(*size, framing) if size else 1 for size in sizes)


def _plain_loop(paths: list[str], size: int) -> None:
    for path in paths:
        cv2.resize(cv2.imread(path), (size, size), interpolation=cv2.INTER_AREA)


def _plain_packed(paths: list[str], size: int, target: Path) -> None:
    images = [cv2.resize(cv2.imread(path)[..., ::-1], (size, size), interpolation=cv2.INTER_AREA) for path in paths]
    write_packed(target, np.stack(images), paths, progress=False)


def _decode_alone(paths: list[str], factor: int) -> None:
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            cv2.imdecode(np.frombuffer(file.readall(), np.uint8), _FLAGS[factor])


def _to_pixels(source: Source, framing: Framing, device: Device, workers: int) -> None:
    for _ in run_portions(source, source.pictures, framing, device, lambda _, image: image.shape, workers):
        pass


def psnr_of_reduced(source: Source, size: int, most: int = 500) -> np.ndarray:
    """PSNR in dB of what `data_prep` makes, against decoding whole and averaging areas, for each of the pictures."""
    values = []
    for picture in source.pictures[:most]:
        data = source.data(picture)
        try:
            reduced, whole = (to_square(decode(data, Framing(size, reduced=r)), size, "none") for r in (True, False))
        except PictureError:
            continue
        error = np.mean((reduced.astype(float) - whole) ** 2)
        values.append(10 * np.log10(255**2 / error) if error else np.inf)
    return np.array(values)


def peak_memory(source: Source, size: int, many: int, folder: Path) -> str:
    """Pack `many` links to the pictures in a process of its own; say what it took."""
    links = folder / "many"
    for number in range(many):
        picture = source.pictures[number % len(source.pictures)]
        link = links / f"{number // 1000:04d}" / f"{number:07d}{Path(picture.name).suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        _link(source.path / picture.name, link)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", _MEMORY_PROGRAM, links, folder / "many.h5", str(size)],
        env=environment,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        return f"not measured: {ended.stderr.strip().splitlines()[-1]}"
    done, megabytes, seconds = ended.stdout.split()
    return f"{int(done):,} pictures: {float(megabytes):,.0f} MB at most, {float(seconds):.0f} s"


def _link(path: Path, link: Path) -> None:
    try:
        os.symlink(path.resolve(), link)
    except OSError:  # Windows, without the right to make links
        link.write_bytes(path.read_bytes())


def table(times: dict[str, Times], count: int, reduced: str | None) -> str:
    """Pictures per second and CPU time, beside the plain loop and beside reduced decoding, as markdown."""
    lines = [
        "| what | pictures/s | CPU µs each | speed / plain | CPU / plain | CPU / decode at reduced scale |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, time_ in times.items():
        cells = [
            f"{count / statistics.median(time_.wall):,.0f}",
            f"{statistics.median(time_.cpu) / count * 1e6:.0f}",
            f"{_ratio(times[_PLAIN].wall, time_.wall):.2f}",
            f"{_ratio(time_.cpu, times[_PLAIN].cpu):.2f}",
            f"{_ratio(time_.cpu, times[reduced].cpu):.2f}" if reduced else "",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def _devices(wanted: list[str], source: Source, size: int) -> tuple[dict[str, Device], list[str]]:
    """The devices that are there, and a line for each that is not."""
    sample = [decode(source.data(picture), Framing(size, reduced=False)) for picture in source.pictures[:8]]
    devices, missing = {}, []
    for name in dict.fromkeys(["cpu", *wanted]):
        try:
            devices[name] = make_device(name, sample, size)
        except ValueError as error:
            missing.append(f"- {name}: not measured: {error}")
    return devices, missing


def _machine() -> str:
    model = processor()
    versions = f"OpenCV {cv2.__version__}, NumPy {np.__version__}, HDF5 {h5py.version.hdf5_version}"
    machine = f"{datetime.date.today()}, {model}, {usable_cores()} cores, {platform.system()}"
    return f"{machine}; Python {platform.python_version()}, {versions}"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; returns its exit code."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        drawn = folder / "drawn"
        if options.data is None:
            drawn.mkdir()
            draw_photographs(drawn, options.count)
        source = open_source(options.data or drawn)
        if not source.path.is_dir() or not source.pictures:
            raise ValueError(f"{source.path}: give a folder with pictures")
        report(source, options, folder)
    return DONE


def report(source: Source, options: argparse.Namespace, folder: Path) -> None:
    """Measure, and print what was found."""
    everything = source
    if len(source.pictures) > options.count:
        source = Source(folder / "some", source.pictures[: options.count])
        for picture in source.pictures:
            link = source.path / picture.name
            link.parent.mkdir(parents=True, exist_ok=True)
            _link(everything.path / picture.name, link)
    count = len(source.pictures)
    size_in = jpeg_size(source.data(source.pictures[0])) or ("?", "?")
    megabytes = sum(picture.size for picture in source.pictures) / 2**20
    kind = options.data.name if options.data else "drawn faces, seed 0"
    print(f"# Preparing pictures\n\n{_machine()}.\n")
    print(f"{kind}: {count:,} pictures of {size_in[1]}×{size_in[0]}, {megabytes:.1f} MB; {options.rounds} rounds.")
    if options.many:
        print(f"\nMemory, to {options.sizes[0]}×{options.sizes[0]}: ", end="", flush=True)
        print(peak_memory(everything, options.sizes[0], options.many, folder))
    for size in options.sizes:
        devices, missing = _devices(options.devices, source, size)
        methods = methods_for(source, size, devices, folder, options.workers)
        reduced = next((name for name in methods if name.startswith("decode alone at")), None)
        with quiet():
            times = alternate(methods, options.rounds)
        print(f"\n## To {size}×{size}\n\n{table(times, count, reduced)}\n")
        print("\n".join(missing))
        if reduced:
            values = psnr_of_reduced(source, size)
            lowest = f"1 in 100 below {np.percentile(values, 1):.1f} dB, least {values.min():.1f} dB"
            print(
                f"\n{reduced.split(',')[0]}, against decoding whole: mean {values.mean():.1f} dB, {lowest}", flush=True
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="JPEGs (default: faces drawn for this, 250×250)")
    parser.add_argument("--count", type=int, default=500, help="pictures, at most (default: 500)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[125, 64, 32], help="(default: 125 64 32)")
    parser.add_argument("--rounds", type=int, default=7, help="(default: 7)")
    parser.add_argument("--workers", type=int, default=usable_cores(), help="threads (default: all cores)")
    parser.add_argument("--many", type=int, default=5000, help="pictures for the peak memory; 0: none (default: 5000)")
    parser.add_argument("--devices", nargs="*", default=["opencl", "cuda"], help="besides the cpu (default: all)")
    parser.add_argument("--scratch", type=Path, help="folder for temporary files (default: the system's)")
    return parser


if __name__ == "__main__":
    run(main)
