"""Where pictures are resized: on the CPU, through OpenCL or CUDA, or on the deep-learning backend's device.

All give what the CPU gives, to within one grey level, which each device must show before it is used: areas are averaged
where a picture shrinks, and a bicubic curve is laid through the pixels where it grows (`keras_faces.data.to_square`).
``auto`` measures which is fastest for the pictures at hand. What to read next: ``accelerator.py``.

Decoding stays on the CPU and takes most of the time, and a picture must travel to a device and back, so the CPU wins
more often than one thinks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import cv2
import numpy as np

from keras_faces.data.pictures import single_step, to_square

DEVICES = ("cpu", "opencl", "cuda", "accelerator", "auto")

_START_SECONDS = {"opencl": 2.0, "cuda": 2.0, "accelerator": 20.0}  # to compile kernels, to import a framework
_MEASURE_SECONDS = 0.3


class Device(Protocol):
    """What `pipeline.py` needs of a device.

    Attributes
    ----------
    name : str
    label : str
        What it is, for people.
    batch_bytes : int
        How many bytes of pictures it wants at a time; 0 takes them one by one.
    """

    name: str
    label: str
    batch_bytes: int

    def resize(self, images: list[np.ndarray], size: int) -> list[np.ndarray]:
        """Resize uint8 pictures (height, width, 3), of any shapes, to size×size. Called from several threads."""
        ...


class Cpu:
    """OpenCV on the CPU."""

    name, label, batch_bytes = "cpu", "cpu", 0

    def resize(self, images: list[np.ndarray], size: int) -> list[np.ndarray]:
        return [to_square(image, size, "none") for image in images]


class OpenCL:
    """OpenCV's OpenCL path: the same calls on `cv2.UMat`, whose pixels are the device's.

    Raises
    ------
    ValueError
        There is no OpenCL device.
    """

    name, batch_bytes = "opencl", 0

    def __init__(self) -> None:
        device = cv2.ocl.Device.getDefault() if cv2.ocl.haveOpenCL() else None
        if device is None or not device.available():
            raise ValueError(
                "there is no OpenCL device. A GPU's driver brings one; on Debian and Ubuntu, `apt install "
                "pocl-opencl-icd` and OPENCV_OPENCL_DEVICE=:CPU: in the environment make one of the CPU. "
                "Or use --device cpu"
            )
        cv2.ocl.setUseOpenCL(True)
        self.label = f"opencl ({device.name()})"

    def resize(self, images: list[np.ndarray], size: int) -> list[np.ndarray]:
        return [self._resize(image, size) for image in images]

    def _resize(self, image: np.ndarray, size: int) -> np.ndarray:
        interpolation = single_step(image, size)
        if interpolation is None:
            return to_square(image, size, "none")
        return cv2.resize(cv2.UMat(image), (size, size), interpolation=interpolation).get()


class Cuda:
    """OpenCV's CUDA path, which only builds of one's own have: the wheels on PyPI are made without it.

    Raises
    ------
    ValueError
        This OpenCV was built without CUDA's resize, or sees no NVIDIA GPU.
    """

    name, batch_bytes = "cuda", 0

    def __init__(self) -> None:
        cuda = getattr(cv2, "cuda", None)
        if not hasattr(cuda, "resize") or not hasattr(cv2, "cuda_GpuMat"):
            raise ValueError(
                f"this OpenCV ({cv2.__version__}) was built without CUDA, as the wheels on PyPI are. Build it with "
                "WITH_CUDA and opencv_contrib, or use --device accelerator or cpu"
            )
        if cuda.getCudaEnabledDeviceCount() < 1:
            raise ValueError("OpenCV was built with CUDA but sees no NVIDIA GPU; use --device cpu")
        self.label = f"cuda (device {cuda.getDevice()})"

    def resize(self, images: list[np.ndarray], size: int) -> list[np.ndarray]:
        return [self._resize(image, size) for image in images]

    def _resize(self, image: np.ndarray, size: int) -> np.ndarray:
        if single_step(image, size) != cv2.INTER_AREA:  # CUDA's bicubic curve is another one than the CPU's
            return to_square(image, size, "none")
        pixels = cv2.cuda_GpuMat()
        pixels.upload(image)
        return cv2.cuda.resize(pixels, (size, size), interpolation=cv2.INTER_AREA).download()


def _accelerator() -> Device:
    from data_prep.accelerator import Accelerator

    return Accelerator()


_MAKERS = {"cpu": Cpu, "opencl": OpenCL, "cuda": Cuda, "accelerator": _accelerator}


def make_device(name: str, sample: list[np.ndarray], size: int | None) -> Device:
    """Make a device and let it show, on a few pictures, that it agrees with the CPU.

    Raises
    ------
    ValueError
        An unknown name, no such device here, or one that disagrees.
    """
    if name not in _MAKERS:
        raise ValueError(f"device {name!r} is unknown; choose one of {', '.join(DEVICES)}")
    device = _MAKERS[name]()
    if name != "cpu" and size is not None and sample:
        worst = disagreement(device, sample[:8], size)
        if worst > 1:
            raise ValueError(f"{device.label} is off by {worst} grey levels of the CPU's result; use --device cpu")
    return device


def disagreement(device: Device, images: list[np.ndarray], size: int) -> int:
    """The largest difference, in grey levels, between a device's result and the CPU's."""
    pairs = zip(device.resize(images, size), Cpu().resize(images, size), strict=True)
    return max(int(np.abs(one.astype(np.int16) - other).max()) for one, other in pairs)


def fastest_device(
    sample: list[np.ndarray], size: int | None, count: int, workers: int
) -> tuple[Device, dict[str, float | str]]:
    """Measure the devices on a sample of the pictures and take the fastest.

    A device that takes seconds to start is tried only where the CPU would spend longer than that on all pictures; the
    deep-learning backend's only where there is an NVIDIA GPU besides.

    Parameters
    ----------
    sample : list of ndarray
        Some decoded pictures.
    size : int or None
        The size wanted.
    count : int
        How many pictures there are in all.
    workers : int
        How many threads will resize at a time.

    Returns
    -------
    device : Device
    measured : dict
        For each device, pictures per second, or why it was not measured.
    """
    cpu = Cpu()
    if size is None or not sample or all(image.shape[:2] == (size, size) for image in sample):
        return cpu, {"cpu": "nothing is left to resize once a picture is decoded"}
    measured: dict[str, float | str] = {"cpu": _speed(cpu, sample, size, workers)}
    devices: dict[str, Device] = {"cpu": cpu}
    seconds = count / measured["cpu"]
    for name, start in _START_SECONDS.items():
        if seconds < start:
            measured[name] = f"not tried: starting it takes as long as all on the cpu ({seconds:.1f} s)"
        elif name == "accelerator" and not _nvidia_gpu():
            measured[name] = "not tried: no NVIDIA GPU is visible"
        else:
            try:
                devices[name] = make_device(name, sample, size)
                measured[name] = _speed(devices[name], sample, size, workers)
            except (ValueError, ImportError, cv2.error) as error:
                measured[name] = f"not there: {str(error).split('. ')[0]}"
    return devices[max(devices, key=lambda name: measured[name])], measured


def _speed(device: Device, sample: list[np.ndarray], size: int, workers: int) -> float:
    """Pictures per second, all workers at work."""
    with ThreadPoolExecutor(workers) as pool:

        def round_() -> None:
            list(pool.map(lambda _: device.resize(sample, size), range(workers)))

        round_()  # the first one compiles kernels
        rounds, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < _MEASURE_SECONDS:
            round_()
            rounds += 1
    return rounds * workers * len(sample) / passed


def _nvidia_gpu() -> bool:
    program = shutil.which("nvidia-smi")
    if program is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    try:
        return b"GPU" in subprocess.run([program, "-L"], capture_output=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
