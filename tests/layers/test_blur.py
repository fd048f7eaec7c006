"""The binomial filter: its weights, its borders, and that it is bilinear on the way up and skips nothing downwards."""

import keras
import numpy as np
import pytest

from keras_faces.layers.blur import Blur
from keras_faces.training.gradients import input_gradients

to_numpy = keras.ops.convert_to_numpy
KERNELS = {"same": [1 / 4, 2 / 4, 1 / 4], "up": [1 / 4, 3 / 4, 3 / 4, 1 / 4], "down": [1 / 8, 3 / 8, 3 / 8, 1 / 8]}
SIDES = {"same": 8, "up": 16, "down": 4}


def maps(seed=0, channels=3):
    return np.random.default_rng(seed).normal(size=(2, 8, 8, channels)).astype("float32")


def single_pixel(row, column):
    picture = np.zeros((1, 8, 8, 1), "float32")
    picture[0, row, column] = 1.0
    return picture


def test_one_pixel_becomes_1_2_1():
    expected = np.zeros((8, 8))
    expected[2:5, 3:6] = np.outer(KERNELS["same"], KERNELS["same"])
    np.testing.assert_allclose(to_numpy(Blur()(single_pixel(3, 4)))[0, :, :, 0], expected, atol=1e-7)


def test_going_up_one_pixel_becomes_1_3_3_1():
    expected = np.zeros((16, 16))
    expected[5:9, 7:11] = np.outer(KERNELS["up"], KERNELS["up"])
    np.testing.assert_allclose(to_numpy(Blur("up")(single_pixel(3, 4)))[0, :, :, 0], expected, atol=1e-7)


def test_going_down_a_pixel_sees_four_by_four():
    seen = np.array([[to_numpy(Blur("down")(single_pixel(i, j)))[0, 1, 2, 0] for j in range(8)] for i in range(8)])
    expected = np.zeros((8, 8))
    expected[1:5, 3:7] = np.outer(KERNELS["down"], KERNELS["down"])
    np.testing.assert_allclose(seen, expected, atol=1e-7)


@pytest.mark.parametrize("sampling", KERNELS)
def test_the_weights_sum_to_one_at_the_borders_too(sampling):
    assert sum(KERNELS[sampling]) == (2.0 if sampling == "up" else 1.0)  # up: each pixel makes two
    constant = np.full((2, 8, 8, 3), 0.7, "float32")
    blurred = to_numpy(Blur(sampling)(constant))
    np.testing.assert_allclose(blurred, np.full((2, SIDES[sampling], SIDES[sampling], 3), 0.7), rtol=1e-6)


def test_at_the_borders_it_is_the_weighted_mean_of_what_is_there():
    picture = maps(channels=1)
    corner = np.outer([2 / 3, 1 / 3], [2 / 3, 1 / 3])
    edge = np.outer([2 / 3, 1 / 3], KERNELS["same"])
    blurred = to_numpy(Blur()(picture))[0, :, :, 0]
    assert blurred[0, 0] == pytest.approx((corner * picture[0, :2, :2, 0]).sum(), rel=1e-5)
    assert blurred[0, 4] == pytest.approx((edge * picture[0, :2, 3:6, 0]).sum(), rel=1e-5)


def test_up_is_bilinear_interpolation_and_repeated_pixels_blurred():
    up = to_numpy(Blur("up")(maps()))
    np.testing.assert_allclose(up, to_numpy(keras.ops.image.resize(maps(), (16, 16), "bilinear")), atol=1e-6)
    np.testing.assert_allclose(up, to_numpy(Blur()(keras.layers.UpSampling2D()(maps()))), atol=1e-6)


def test_down_is_the_blur_then_the_mean_of_every_two_by_two():
    mean = keras.layers.AveragePooling2D(2)(Blur()(maps()))
    np.testing.assert_allclose(to_numpy(Blur("down")(maps())), to_numpy(mean), atol=1e-6)


def test_stripes_too_fine_for_the_small_map_do_not_return_as_something_else():
    stripes = np.tile(np.array([1.0, -1.0], "float32"), 4)[None, :, None, None] * np.ones((1, 8, 8, 1), "float32")
    assert np.abs(to_numpy(Blur("down")(stripes))[:, 1:-1]).max() < 1e-6  # every second pixel alone: all 1
    assert np.abs(stripes[:, ::2, ::2]).min() == 1.0


def test_its_gradient_is_its_own_weights():
    """Blur is linear: the gradient of the sum of its outputs by a pixel inside is the share that it has in them."""
    network = keras.Sequential([keras.Input((8, 8, 1)), Blur("down")])
    gradients = to_numpy(input_gradients(network, keras.ops.convert_to_tensor(maps(channels=1))))
    np.testing.assert_allclose(gradients[:, 2:-2, 2:-2], 0.25, atol=1e-6)  # four pixels make one


@pytest.mark.parametrize("sampling", KERNELS)
def test_shapes_weights_precision_and_config(sampling):
    layer = Blur(sampling, dtype="mixed_bfloat16")
    shape = (None, SIDES[sampling], SIDES[sampling], 3)
    assert layer(keras.Input((8, 8, 3))).shape == shape and layer.weights == []
    assert layer.compute_output_shape((None, 8, 8, 3)) == shape
    assert keras.backend.standardize_dtype(layer(maps()).dtype) == "bfloat16"
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert isinstance(again, Blur) and again.get_config() == layer.get_config()


def test_odd_sides_and_unknown_ways_are_refused():
    with pytest.raises(ValueError, match="8×7 cannot be halved"):
        Blur("down")(np.zeros((1, 8, 7, 1), "float32"))
    with pytest.raises(ValueError, match="known size"):
        Blur()(keras.Input((None, 8, 1)))
    with pytest.raises(ValueError, match='choose from "same", "up", "down"'):
        Blur("sideways")
