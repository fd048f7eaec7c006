"""Portions: in order, bounded, and errors that end the run or only a picture."""

import threading

import cv2
import numpy as np
import pytest

from data_prep.engine import pipeline
from data_prep.engine.decode import Framing
from data_prep.engine.devices import Cpu
from data_prep.engine.pipeline import choose_device, run_portions
from data_prep.engine.sources import open_source
from keras_faces.data.pictures import PictureError

COUNT = 30


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "_PORTION", 4)
    for number in range(COUNT):
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), np.full((8, 8 + number % 3, 3), number, np.uint8))
    return open_source(tmp_path)


@pytest.mark.parametrize("workers", [1, 5])
def test_results_come_in_order(source, workers):
    (source.path / "07.png").write_bytes(b"text")
    results = []
    finish = lambda picture, image: int(image[0, 0, 0])  # noqa: E731
    for portion in run_portions(source, source.pictures, Framing(4), Cpu(), finish, workers):
        assert 1 <= len(portion) <= 4
        results += portion
    assert [picture.name for picture, _ in results] == [picture.name for picture in source.pictures]
    assert isinstance(results[7][1], PictureError)
    assert [made for number, (_, made) in enumerate(results) if number != 7] == [*range(7), *range(8, COUNT)]


def test_no_more_is_begun_than_is_taken(source):
    begun, lock = [], threading.Lock()

    def finish(picture, image):
        with lock:
            begun.append(picture.name)

    portions = run_portions(source, source.pictures, Framing(4), Cpu(), finish, 1)
    next(portions)
    assert len(begun) <= 4 * 3
    portions.close()
    assert len(begun) <= 4 * 3


def test_error_of_finish_ends_the_run(source):
    def finish(picture, image):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        list(run_portions(source, source.pictures, Framing(4), Cpu(), finish, 2))


def test_settings_of_opencv_are_put_back(source):
    before = cv2.getNumThreads()
    with pytest.raises(ZeroDivisionError), pipeline.quiet():
        assert cv2.getNumThreads() == 1
        raise ZeroDivisionError
    assert cv2.getNumThreads() == before


def test_device_is_tried_on_the_pictures(source, monkeypatch):
    seen = {}

    def fastest(sample, size, count, workers):
        seen.update(shapes={image.shape for image in sample}, size=size, count=count, workers=workers)
        return Cpu(), {"cpu": 1.0}

    monkeypatch.setattr(pipeline, "fastest_device", fastest)
    (source.path / "00.png").write_bytes(b"text")
    device, measured = choose_device("auto", source, source.pictures, Framing(4, "none"), 3)
    assert device.name == "cpu" and measured == {"cpu": 1.0}
    assert seen == {"shapes": {(8, 8, 3), (8, 9, 3), (8, 10, 3)}, "size": 4, "count": COUNT, "workers": 3}
