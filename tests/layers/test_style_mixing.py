"""Style mixing: below the crossover the first w, from it on the second, for the share of images that was asked for."""

import keras
import numpy as np
import pytest

from keras_faces.layers.style_mixing import StyleMixing

to_numpy = keras.ops.convert_to_numpy
COUNT, BATCH, SIZE = 6, 400, 3
FIRST = np.random.default_rng(0).normal(size=(BATCH, SIZE)).astype("float32")
SECOND = FIRST + 100.0


def kept(styles):
    """How many layers of each image have the first w; the second must have the others, from coarse to fine."""
    first = np.isclose(styles, FIRST[:, None]).all(axis=2)
    second = np.isclose(styles, SECOND[:, None]).all(axis=2)
    assert (first ^ second).all() and (np.diff(first.astype(int), axis=1) <= 0).all()
    return first.sum(axis=1)


def test_crossover_0_is_the_second_and_all_the_first():
    layer = StyleMixing(COUNT)
    for crossover in (0, COUNT):
        styles = to_numpy(layer.mix(FIRST, SECOND, np.full(BATCH, crossover)))
        expected = FIRST if crossover else SECOND
        np.testing.assert_array_equal(styles, np.repeat(expected[:, None], COUNT, axis=1))


def test_each_image_has_its_own_crossover():
    crossovers = np.arange(BATCH) % (COUNT + 1)
    np.testing.assert_array_equal(kept(to_numpy(StyleMixing(COUNT).mix(FIRST, SECOND, crossovers))), crossovers)


def test_in_training_nine_of_ten_are_mixed_uniformly():
    places = np.bincount(kept(to_numpy(StyleMixing(COUNT, 0.9)(FIRST, SECOND, training=True))), minlength=COUNT + 1)
    assert places[0] == 0 and places.sum() == BATCH
    assert 20 <= places[COUNT] <= 62  # 40 of 400 are not mixed; beyond these limits one seed of a thousand lies
    assert (np.abs(places[1:COUNT] - 72) < 30).all()


def test_probability_0_mixes_none():
    assert (kept(to_numpy(StyleMixing(COUNT, 0.0)(FIRST, SECOND, training=True))) == COUNT).all()


def test_draws_follow_the_seed_and_go_on():
    one, two = (StyleMixing(COUNT, seed=3) for _ in range(2))
    first, again = to_numpy(one(FIRST, SECOND, training=True)), to_numpy(two(FIRST, SECOND, training=True))
    np.testing.assert_array_equal(first, again)
    assert (kept(to_numpy(one(FIRST, SECOND, training=True))) != kept(first)).any()


def test_outside_training_the_first_w_for_every_layer():
    styles = to_numpy(StyleMixing(COUNT)(FIRST, SECOND, training=False))
    np.testing.assert_array_equal(styles, np.repeat(FIRST[:, None], COUNT, axis=1))


def test_shape_config_and_impossible_arguments():
    layer = StyleMixing(COUNT, 0.5, seed=2)
    assert layer(keras.Input((SIZE,)), keras.Input((SIZE,))).shape == (None, COUNT, SIZE)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    for options in ({"probability": 1.1}, {"count": 1}):
        with pytest.raises(ValueError, match=next(iter(options))):
            StyleMixing(**({"count": COUNT} | options))
