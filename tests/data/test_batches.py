"""Batches: each picture at most once an epoch, an order that seed and epoch decide, and what `fit` really takes."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_faces.data import Batches, Faces


def numbered(count):
    """Pictures which carry their number in every pixel."""
    images = np.zeros((count, 2, 2, 3), np.uint8)
    images[:] = np.arange(count)[:, None, None, None]
    return images


def numbers(batch):
    return batch[0][:, 0, 0, 0].tolist()


def expected(count, batch_size, seed, epoch, start=0):
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return [order[i * batch_size : (i + 1) * batch_size].tolist() for i in range(start, count // batch_size)]


class Taken(Batches):
    """Batches that note what is taken from them while an epoch runs: (epoch, picture numbers)."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.taken = {}

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        if self.running:
            self.taken.setdefault(self.epoch, []).append(numbers(batch))
        return batch


def model():
    class Nothing(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def build(self, shape):
            self.dense.build(shape)
            self.built = True

        def call(self, x):
            return self.dense(keras.ops.cast(x, "float32"))

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean(y_pred)

    network = Nothing()
    network.build((None, 2, 2, 3))
    network.compile("sgd")
    return network


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 60), batch_size=st.integers(1, 60), seed=st.integers(0, 2**40), epoch=st.integers(0, 10**6))
def test_each_picture_at_most_once_and_reproducible(count, batch_size, seed, epoch):
    if batch_size > count:
        with pytest.raises(ValueError, match=f"{count} faces do not fill one batch of {batch_size}"):
            Batches(numbered(count), batch_size, seed)
        return
    batches = Batches(numbered(count), batch_size, seed)
    batches.epoch = epoch
    assert len(batches) == count // batch_size
    got = [numbers(batch) for batch in batches]
    assert got == expected(count, batch_size, seed, epoch)
    flat = [number for batch in got for number in batch]
    assert len(flat) == len(set(flat)) == len(batches) * batch_size
    batches.start = len(batches) - 1
    assert [numbers(batch) for batch in batches] == got[-1:]


def test_epochs_and_seeds_differ_and_batches_are_uint8():
    batches = Faces(numbered(40)).batches(8, seed=1)
    (images,) = batches[0]
    assert images.shape == (8, 2, 2, 3) and images.dtype == np.uint8
    orders = [tuple(batches.order(epoch)) for epoch in range(3)] + [tuple(Batches(numbered(40), 8, 2).order(0))]
    assert len(set(orders)) == 4


@pytest.mark.parametrize("shuffle", [True, False])
def test_fit_takes_each_epoch_once_in_its_order(shuffle):
    batches = Taken(numbered(26), 4, seed=3)
    model().fit(batches, epochs=3, verbose=0, shuffle=shuffle)
    assert batches.epoch == 3
    for epoch in range(3):
        assert batches.taken[epoch][-6:] == expected(26, 4, 3, epoch)
        assert len(batches.taken[epoch]) == 6


def test_fit_goes_on_in_the_middle_of_an_epoch():
    whole = Taken(numbered(26), 4, seed=3)
    model().fit(whole, epochs=4, verbose=0)
    rest = Taken(numbered(26), 4, seed=3)
    rest.epoch, rest.start = 1, 4
    assert len(rest) == 2
    network = model()
    network.fit(rest, initial_epoch=1, epochs=2, verbose=0)
    assert (rest.epoch, rest.start, len(rest)) == (2, 0, 6)
    network.fit(rest, initial_epoch=2, epochs=4, verbose=0)
    assert rest.taken == {1: whole.taken[1][4:], 2: whole.taken[2], 3: whole.taken[3]}


def test_fit_of_a_part_and_more_is_refused():
    batches = Batches(numbered(26), 4)
    batches.start = 4
    with pytest.raises(RuntimeError, match="fit of its own"):
        model().fit(batches, epochs=2, verbose=0)
    network = model()
    batches.epoch = 1
    network.fit(batches, initial_epoch=1, epochs=3, verbose=0)  # and the next fit is not disturbed
    assert batches.epoch == 3


def test_stopped_epoch_is_not_counted_and_begins_again():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    batches = Taken(numbered(240), 2, seed=3)
    network = model()
    network.fit(batches, epochs=1, verbose=0, callbacks=[Stop()])
    assert batches.epoch == 0
    batches.taken.clear()
    network.fit(batches, epochs=1, verbose=0)
    assert batches.taken[0][-120:] == expected(240, 2, 3, 0)
    assert batches.epoch == 1


def test_epoch_set_by_a_callback_is_the_one_that_runs():
    batches = Taken(numbered(26), 4, seed=3)

    class Set(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            batches.epoch = 10 * epoch

    model().fit(batches, epochs=3, verbose=0, callbacks=[Set()])
    assert sorted(batches.taken) == [0, 10, 20] and batches.taken[20] == expected(26, 4, 3, 20)


def test_number_asked_for_twice_gives_the_same_batch():
    batches = Batches(numbered(26), 4, seed=3)
    batches.on_epoch_end()
    batches.on_epoch_begin()
    asked = [5, 2, 5, 0, 2]
    order = expected(26, 4, 3, 0)
    assert [numbers(batches[i]) for i in asked] == [order[0], order[1], order[0], order[2], order[1]]
    with pytest.raises(IndexError, match="batch 6 does not exist"):
        batches[6]
    batches.on_epoch_end()
    assert not batches._ahead  # what was read ahead for an epoch that broke off is not kept


def test_failure_while_reading_ahead_reaches_the_caller():
    class Broken:
        shape = (8, 2, 2, 3)

        def __len__(self):
            return 8

        def __getitem__(self, key):
            raise FileNotFoundError("x.jpg was there when the folder was loaded")

    batches = Batches(Broken(), 2)
    batches.on_epoch_begin()
    for index in (0, 1):
        with pytest.raises(FileNotFoundError, match="x.jpg"):
            batches[index]


@pytest.mark.parametrize(("name", "value"), [("epoch", -1), ("start", -1), ("start", 6)])
def test_positions_out_of_range_are_refused(name, value):
    batches = Batches(numbered(26), 4)
    with pytest.raises(ValueError, match=f"{name}={value}"):
        setattr(batches, name, value)


def test_batch_size_below_one_is_refused():
    with pytest.raises(ValueError, match="batch_size=0"):
        Batches(numbered(3), 0)
