"""Pairs made of photographs: what is taken away, and that the outlines are those of OpenCV's Canny."""

import cv2
import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.models.translation import degradations

to_numpy = keras.ops.convert_to_numpy


@pytest.fixture(scope="module")
def faces():
    images = kf.data.load("drawn", image_size=32, count=4).images[:]
    return images, (images / 127.5 - 1).astype("float32")


def test_grey_is_the_brightness_of_opencv(faces):
    images, scaled = faces
    grey = to_numpy(degradations.grey(scaled))
    assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 0] == grey[..., 2]).all()
    for image, made in zip(images, grey, strict=True):
        np.testing.assert_allclose((made[..., 0] + 1) * 127.5, cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), atol=1)


@pytest.mark.parametrize("side", [32, 30])
def test_low_is_the_mean_of_each_square(faces, side):
    scaled = faces[1][:, :side, :side]
    low = to_numpy(degradations.low(scaled))
    assert low.shape == scaled.shape
    np.testing.assert_allclose(
        low[:, 4:8, 8:12], np.broadcast_to(scaled[:, 4:8, 8:12].mean((1, 2))[:, None, None], (4, 4, 4, 3)), atol=1e-5
    )


def test_hole_is_grey_in_the_middle_and_the_photograph_around(faces):
    made = to_numpy(degradations.hole(faces[1]))
    assert (made[:, 8:24, 8:24] == 0).all()
    around = np.ones((32, 32), bool)
    around[8:24, 8:24] = False
    np.testing.assert_array_equal(made[:, around], faces[1][:, around])


def test_edges_of_a_square_are_its_outline():
    image = np.full((1, 16, 16, 3), -1, "float32")
    image[:, 4:12, 5:13] = 1
    lines = to_numpy(degradations.edges(image))[0, ..., 0] < 0
    assert set(np.flatnonzero(lines[8])) <= {4, 5, 12, 13} and len(np.flatnonzero(lines[8])) == 2
    assert set(np.flatnonzero(lines[:, 9])) <= {3, 4, 11, 12} and len(np.flatnonzero(lines[:, 9])) == 2
    assert not lines[6:10, 7:11].any() and not lines[:2].any()
    assert (to_numpy(degradations.edges(np.zeros((1, 16, 16, 3), "float32"))) == 1).all()  # nothing to see, white


def test_edges_of_faces_are_those_that_opencv_finds(faces):
    """Canny without its fourth step: nearly all of our lines are its lines, to within a pixel."""
    images, scaled = faces
    for image, made in zip(images, to_numpy(degradations.edges(scaled)), strict=True):
        smooth = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (5, 5), 1.0)
        theirs = cv2.dilate(cv2.Canny(smooth, 40, 80, L2gradient=True), np.ones((3, 3), np.uint8)) > 0
        ours = made[..., 0] < 0
        assert ours.any() and theirs[ours].mean() > 0.9


def test_every_task_keeps_shape_and_range_and_an_unknown_one_is_told(faces):
    for name in degradations.TASKS:
        made = to_numpy(degradations.task(name)(faces[1]))
        assert made.shape == faces[1].shape and made.dtype == np.float32 and np.abs(made).max() <= 1 + 1e-6
    with pytest.raises(ValueError, match="task='night': choose from edges, grey"):
        degradations.task("night")
