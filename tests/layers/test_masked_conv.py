"""MaskedConv2D: which outputs move when one colour of one pixel does, the blind spot, and the layer in parts."""

import keras
import numpy as np
import pytest

from keras_faces.layers.masked_conv import MASKS, MaskedConv2D

to_numpy = keras.ops.convert_to_numpy
MAPS = np.random.default_rng(0).normal(size=(1, 5, 6, 3)).astype("float32")
PLACE = (2, 3)


def built(mask, size=5, filters=6, channels=3):
    layer = MaskedConv2D(filters, size, mask)
    layer.build((None, None, None, channels))
    layer.bias.assign(np.arange(filters, dtype="float32"))
    return layer


def moved_by(network, row, column, colour, maps=MAPS):
    """True where an output moves when one number of the input does: (H, W, filters)."""
    other = maps.copy()
    other[0, row, column, colour] += 1.0
    return to_numpy(network(maps) != network(other))[0]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("colour", [0, 1, 2])
def test_what_moves_is_exactly_what_the_mask_lets_see(mask, colour):
    moved = moved_by(built(mask), *PLACE, colour)
    row, column = PLACE
    wanted = np.zeros((5, 6, 6), bool)
    wanted[row + 1 :, column - 2 : column + 3] = True  # rows below, within the reach of a 5×5 kernel
    if mask == "rows":
        wanted[row, column - 2 : column + 3] = True
    if mask in ("A", "B"):
        wanted[row, column + 1 : column + 3] = True
        later = np.arange(6) % 3 > colour if mask == "A" else np.arange(6) % 3 >= colour
        wanted[row, column] = later
    np.testing.assert_array_equal(moved, wanted)


def test_masks_on_top_of_each_other_have_a_blind_spot():
    """Above and to the right is before the pixel, and 3×3 masks never get there (2016b, figure 1)."""
    network = keras.Sequential([built("A", 3), *(built("B", 3, channels=6) for _ in range(3))])
    image = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype("float32")
    assert moved_by(network, 3, 4, 0, image)[4, 3].any()
    assert not moved_by(network, 3, 6, 0, image)[4, 3].any()


@pytest.mark.parametrize("mask, size", [("A", 7), ("A", (1, 7)), ("B", 3), ("B", (1, 3)), ("above", 7), ("rows", 3)])
def test_in_parts_it_is_the_same(mask, size):
    layer = built(mask, size)
    height, width = (side // 2 for side in layer.kernel_size)
    whole = to_numpy(layer(MAPS))
    row, column = PLACE
    padded = np.pad(MAPS, [(0, 0), (height, 0), (0, 0), (0, 0)])
    rows = padded[:, row : row + height + (mask == "rows")]
    parts = to_numpy(layer.row(rows))[:, column] if height else 0.0
    if mask in ("A", "B"):
        parts = parts + to_numpy(
            layer.pixel(np.pad(MAPS, [(0, 0), (0, 0), (width, 0), (0, 0)])[:, row, column : column + width + 1])
        )
    else:
        parts = parts + to_numpy(layer.bias.value)
    np.testing.assert_allclose(parts, whole[:, row, column], atol=1e-5)


def test_weights_config_and_half_precision():
    layer = built("B", (1, 3))
    assert [tuple(weight.shape) for weight in layer.weights] == [(1, 3, 3, 6), (6,)]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    half = MaskedConv2D(3, 3, "A", dtype="mixed_bfloat16")
    assert half(MAPS).dtype == "bfloat16" and half.kernel.dtype == "float32"


@pytest.mark.parametrize(
    "asked, message",
    [((4, 3, "A"), "filters=4"), ((3, 4, "A"), "must be odd"), ((3, 3, "C"), "choose from A, B")],
)
def test_what_three_colours_cannot_share(asked, message):
    with pytest.raises(ValueError, match=message):
        MaskedConv2D(*asked)
    with pytest.raises(ValueError, match="maps of 4 channels"):
        built("A", channels=4)
