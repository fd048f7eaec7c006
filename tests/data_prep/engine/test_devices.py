"""Every device gives what the CPU gives, within one grey level; and "auto" takes the fastest."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from data_prep.engine import devices
from data_prep.engine.devices import Cpu, Cuda, OpenCL, disagreement, fastest_device, make_device
from keras_faces.data.pictures import single_step, to_square

SHAPES = [(250, 250), (178, 178), (125, 125), (64, 64), (90, 200), (7, 300), (33, 20), (1, 1)]
SIZES = (125, 64, 32, 37)


def pictures(seed=0):
    random = np.random.default_rng(seed)
    noise = [random.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]
    smooth = [cv2.resize(image[:4, :4], (96, 96), interpolation=cv2.INTER_LINEAR) for image in noise]
    return noise + smooth


@pytest.mark.parametrize("size", SIZES)
def test_single_step_is_that_of_to_square(size):
    steps = set()
    for image in pictures():
        interpolation = single_step(image, size)
        steps.add(interpolation)
        if interpolation is not None:
            result = cv2.resize(image, (size, size), interpolation=interpolation)
            np.testing.assert_array_equal(result, to_square(image, size, "none"))
    assert steps == {None, cv2.INTER_AREA, cv2.INTER_CUBIC}


OPENCL_PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:]
import cv2
from test_devices import SIZES, pictures
from data_prep.engine.devices import disagreement, make_device
try:
    device = make_device("opencl", pictures(), 64)
except ValueError as error:
    sys.exit(f"none: {error}")
assert cv2.ocl.useOpenCL()
print(device.label, *(disagreement(device, pictures(), size) for size in SIZES), sep=";")
"""


def test_opencl_within_one_grey_level():
    """In a process of its own: which device OpenCL takes is settled when OpenCV first asks."""
    here = Path(__file__).resolve()
    ended = subprocess.run(
        [sys.executable, "-c", OPENCL_PROGRAM, str(here.parent), str(here.parents[3])],
        env={**os.environ, "OPENCV_OPENCL_DEVICE": os.environ.get("OPENCV_OPENCL_DEVICE", ":CPU:")},
        capture_output=True,
        text=True,
    )
    if "none: there is no OpenCL device" in ended.stderr:
        pytest.skip("no OpenCL device here; on Debian, `apt install pocl-opencl-icd` brings one")
    assert ended.returncode == 0, ended.stderr
    label, *worst = ended.stdout.strip().split(";")
    assert label.startswith("opencl (") and len(worst) == len(SIZES) and max(map(int, worst)) <= 1


def test_without_opencl_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(cv2.ocl, "haveOpenCL", lambda: False)
    with pytest.raises(ValueError, match=r"no OpenCL device.*pocl-opencl-icd.*--device cpu"):
        OpenCL()


class _Matrix:
    """What `cv2.cuda_GpuMat` does, on the CPU."""

    def upload(self, image):
        self.image = image

    def download(self):
        return self.image


def test_cuda_path_with_a_stand_in(monkeypatch):
    class Module:
        devices = 1

        @classmethod
        def getCudaEnabledDeviceCount(cls):
            return cls.devices

        @staticmethod
        def getDevice():
            return 0

        @staticmethod
        def resize(pixels, width_height, interpolation):
            assert interpolation == cv2.INTER_AREA  # its other curves are not the CPU's
            result = _Matrix()
            result.upload(cv2.resize(pixels.image, width_height, interpolation=interpolation))
            return result

    monkeypatch.setattr(cv2, "cuda", Module, raising=False)
    monkeypatch.setattr(cv2, "cuda_GpuMat", _Matrix, raising=False)
    device = make_device("cuda", pictures(), 64)
    assert device.label == "cuda (device 0)"
    assert max(disagreement(device, pictures(), size) for size in SIZES) == 0
    Module.devices = 0
    with pytest.raises(ValueError, match="sees no NVIDIA GPU"):
        Cuda()


def test_without_cuda_the_way_out_is_named(monkeypatch):
    monkeypatch.delattr(cv2, "cuda_GpuMat", raising=False)
    with pytest.raises(ValueError, match=r"built without CUDA.*--device opencl or cpu"):
        Cuda()


class Slow(Cpu):
    name = label = "slow"

    def __init__(self, off=0):
        self.off = off

    def resize(self, image, size):
        return super().resize(image, size) + np.uint8(self.off)


def test_device_that_disagrees_is_refused(monkeypatch):
    images = [np.full((64, 64, 3), 100, np.uint8)]
    monkeypatch.setitem(devices._MAKERS, "opencl", lambda: Slow(off=1))
    assert make_device("opencl", images, 32).label == "slow"
    monkeypatch.setitem(devices._MAKERS, "opencl", lambda: Slow(off=2))
    with pytest.raises(ValueError, match="slow is off by 2 grey levels"):
        make_device("opencl", images, 32)
    for gone in ("gpu", "accelerator"):
        with pytest.raises(ValueError, match=f"'{gone}' is unknown; choose one of cpu, opencl, cuda, auto"):
            make_device(gone, images, 32)


def test_auto_takes_the_fastest_and_says_why(monkeypatch):
    speeds = {"cpu": 100.0, "slow": 300.0}
    monkeypatch.setattr(devices, "_speed", lambda device, *_: speeds[device.name])
    monkeypatch.setitem(devices._MAKERS, "opencl", Slow)
    images = [np.zeros((64, 64, 3), np.uint8)]
    device, measured = fastest_device(images, 32, count=10_000, workers=2)
    assert device.name == "slow" and measured["opencl"] == 300.0
    assert "built without CUDA" in measured["cuda"]
    speeds["slow"] = 50.0
    assert fastest_device(images, 32, count=10_000, workers=2)[0].name == "cpu"
    device, measured = fastest_device(images, 32, count=100, workers=2)
    assert device.name == "cpu" and "not tried" in measured["opencl"]


def test_auto_measures_only_where_something_is_left_to_resize():
    images = [np.zeros((32, 32, 3), np.uint8)]
    assert "nothing is left" in fastest_device(images, 32, count=10**6, workers=2)[1]["cpu"]
    assert fastest_device([], 32, count=10**6, workers=2)[0].name == "cpu"
    measured = fastest_device([np.zeros((64, 64, 3), np.uint8)], 32, count=10, workers=2)[1]
    assert measured["cpu"] > 100
