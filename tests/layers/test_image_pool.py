"""ImagePool: what D is shown while the pool fills, and afterwards."""

import keras
import numpy as np
import pytest

from keras_faces.layers.image_pool import ImagePool

to_numpy = keras.ops.convert_to_numpy


def numbered(*numbers):
    """An image of each number."""
    return np.asarray(numbers, "float32")[:, None, None, None] * np.ones((2, 2, 3), "float32")


def told(images):
    return to_numpy(images)[:, 0, 0, 0].tolist()


def test_while_there_is_room_new_ones_are_kept_and_shown():
    pool = ImagePool(5, (2, 2, 3))
    assert told(pool.exchange(numbered(1, 2))) == [1, 2]
    assert told(pool.exchange(numbered(3, 4))) == [3, 4]
    assert told(pool.exchange(numbered(5, 6))) == [5, 6]  # for the sixth there is no room
    assert told(pool.images.value) == [1, 2, 3, 4, 5] and int(pool.count.value) == 5


def test_afterwards_a_coin_decides_between_a_new_and_an_old_one():
    pool = ImagePool(4, (2, 2, 3), seed=3)
    pool.exchange(numbered(0, 0, 0, 0))
    swapped = 0
    for round_ in range(1, 26):
        before = told(pool.images.value)
        new = [10 * round_, 10 * round_ + 1, 10 * round_ + 2]
        shown, after = told(pool.exchange(numbered(*new))), told(pool.images.value)
        olds = [one for one, asked in zip(shown, new, strict=True) if one != asked]
        swapped += len(olds)
        assert sorted(olds + after) == sorted(
            before + [asked for asked in new if asked not in shown]
        )  # nothing is lost
    assert 20 < swapped < 55  # of 75


def test_none_a_small_one_and_a_wrong_size():
    assert told(ImagePool(0, (2, 2, 3)).exchange(numbered(1, 2))) == [1, 2]
    pool = ImagePool(2, (2, 2, 3))
    assert told(pool.exchange(numbered(1, 2, 3))) == [1, 2, 3] and told(pool.images.value) == [1, 2]
    with pytest.raises(ValueError, match="pool=-1"):
        ImagePool(-1, (2, 2, 3))


def test_its_state_is_all_that_the_next_exchange_depends_on():
    pool = ImagePool(3, (2, 2, 3), seed=1)
    pool.exchange(numbered(1, 2, 3))
    state = [np.array(to_numpy(variable.value)) for variable in pool.variables]
    first = told(pool.exchange(numbered(4, 5, 6)))
    for variable, value in zip(pool.variables, state, strict=True):
        variable.assign(value)
    assert told(pool.exchange(numbered(4, 5, 6))) == first


def test_the_configuration_comes_back():
    pool = ImagePool(3, (2, 2, 3), seed=1, name="mine")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(pool))
    assert isinstance(again, ImagePool) and again.get_config() == pool.get_config()
