"""Where pictures are resized: on the CPU, or through OpenCV's OpenCL or CUDA.

All give what the CPU gives, to within one grey level, which each device must show before it is used: areas are averaged
where a picture shrinks, and a bicubic curve is laid through the pixels where it grows (`keras_faces.data.to_square`).
``auto`` measures which is fastest for the pictures at hand. Decoding stays on the CPU and takes most of the time, and a
picture must travel to a device and back, so the CPU often wins.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import cv2
import numpy as np

from keras_faces.data.pictures import single_step, to_square

DEVICES = ("cpu", "opencl", "cuda", "auto")

_START_SECONDS = 2.0  # to start a device and compile its kernels
_MEASURE_SECONDS = 0.3


class Device(Protocol):
    """What `pipeline.py` needs of a device: a `name`, a `label` for people, and `resize`."""

    name: str
    label: str

    def resize(self, image: np.ndarray, size: int) -> np.ndarray:
        """Resize a uint8 image (height, width, 3) to (size, size, 3). Called from several threads."""
        ...


class Cpu:
    """OpenCV on the CPU."""

    name = label = "cpu"

    def resize(self, image: np.ndarray, size: int) -> np.ndarray:
        """As in `Device`."""
        return to_square(image, size, "none")


class OpenCL:
    """OpenCV's OpenCL path: the same calls on `cv2.UMat`, whose pixels are the device's.

    Raises
    ------
    ValueError
        There is no OpenCL device.
    """

    name = "opencl"

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

    def resize(self, image: np.ndarray, size: int) -> np.ndarray:
        """As in `Device`."""
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

    name = "cuda"

    def __init__(self) -> None:
        cuda = getattr(cv2, "cuda", None)
        if not hasattr(cuda, "resize") or not hasattr(cv2, "cuda_GpuMat"):
            raise ValueError(
                f"this OpenCV ({cv2.__version__}) was built without CUDA, as the wheels on PyPI are. Build it with "
                "WITH_CUDA and opencv_contrib, or use --device opencl or cpu"
            )
        if cuda.getCudaEnabledDeviceCount() < 1:
            raise ValueError("OpenCV was built with CUDA but sees no NVIDIA GPU; use --device cpu")
        self.label = f"cuda (device {cuda.getDevice()})"

    def resize(self, image: np.ndarray, size: int) -> np.ndarray:
        """As in `Device`."""
        if single_step(image, size) != cv2.INTER_AREA:  # CUDA's bicubic curve is another one than the CPU's
            return to_square(image, size, "none")
        pixels = cv2.cuda_GpuMat()
        pixels.upload(image)
        return cv2.cuda.resize(pixels, (size, size), interpolation=cv2.INTER_AREA).download()


_MAKERS = {"cpu": Cpu, "opencl": OpenCL, "cuda": Cuda}


def make_device(name: str, sample: list[np.ndarray], size: int | None) -> Device:
    """Make a device and let it show, on a few pictures, that it agrees with the CPU.

    Parameters
    ----------
    name : str
        "cpu", "opencl" or "cuda".
    sample : list of ndarray
        Decoded pictures, uint8 (height, width, 3).
    size : int or None
        The size wanted; with None nothing is compared.

    Returns
    -------
    Device

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
    """The largest difference, in grey levels, between a device's results and the CPU's."""
    cpu = Cpu()
    pairs = ((device.resize(image, size).astype(np.int16), cpu.resize(image, size)) for image in images)
    return max(int(np.abs(one - other).max()) for one, other in pairs)


def fastest_device(
    sample: list[np.ndarray], size: int | None, count: int, workers: int
) -> tuple[Device, dict[str, float | str]]:
    """Measure the devices on a sample of the pictures and take the fastest.

    A device that takes seconds to start is tried only where the CPU would spend longer than that on all pictures.

    Parameters
    ----------
    sample : list of ndarray
        Some decoded pictures, uint8 (height, width, 3).
    size : int or None
        The size wanted.
    count : int
        How many pictures there are in all.
    workers : int
        How many threads will resize at a time.

    Returns
    -------
    device : Device
    measured : dict of str to float or str
        For each device, pictures per second, or why it was not measured.
    """
    cpu = Cpu()
    if size is None or not sample or all(image.shape[:2] == (size, size) for image in sample):
        return cpu, {"cpu": "nothing is left to resize once a picture is decoded"}
    measured: dict[str, float | str] = {"cpu": _speed(cpu, sample, size, workers)}
    devices: dict[str, Device] = {"cpu": cpu}
    seconds = count / measured["cpu"]
    for name in ("opencl", "cuda"):
        if seconds < _START_SECONDS:
            measured[name] = f"not tried: starting it takes as long as all on the cpu ({seconds:.1f} s)"
            continue
        try:
            devices[name] = make_device(name, sample, size)
            measured[name] = _speed(devices[name], sample, size, workers)
        except (ValueError, cv2.error) as error:
            devices.pop(name, None)
            measured[name] = f"not there: {str(error).split('. ')[0]}"
    return devices[max(devices, key=lambda name: measured[name])], measured


def _speed(device: Device, sample: list[np.ndarray], size: int, workers: int) -> float:
    """Pictures per second, all workers at work."""
    with ThreadPoolExecutor(workers) as pool:

        def resize_all() -> None:
            list(pool.map(lambda _: [device.resize(image, size) for image in sample], range(workers)))

        resize_all()  # the first one compiles kernels
        rounds, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < _MEASURE_SECONDS:
            resize_all()
            rounds += 1
    return rounds * workers * len(sample) / passed
