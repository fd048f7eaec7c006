"""Waiting for data is measured: next to nothing where pictures are at hand, most of the time where they are slow."""

import time

import numpy as np
import pytest

from keras_faces.data import Faces
from keras_faces.data.memory import KeptImages
from keras_faces.training.waiting import Waiting


def trained(narrow, images, epochs=2):
    model, batches = narrow("gan"), Faces(images).batches(8)
    waiting = Waiting(batches)
    model.fit(batches, epochs=epochs, verbose=0, callbacks=[waiting])
    return waiting


def test_slow_pictures_are_waited_for(narrow, photographs):
    def read(numbers):
        time.sleep(0.25)
        return photographs[numbers]

    waiting = trained(narrow, KeptImages(read, photographs.shape, memory_mb=0))
    assert waiting.total >= waiting.seconds > 8 * 0.1  # 12 batches, the first call is left out, one is read ahead
    assert waiting.share == waiting.seconds / waiting.total > 0.3


def test_what_callbacks_do_is_not_waiting():
    class Batches:
        delivered = [0.0]

    waiting = Waiting(Batches())
    waiting.on_train_begin()
    waiting.on_epoch_begin(0)
    for batch in range(3):
        waiting.on_train_batch_begin(batch)
        Batches.delivered = [time.perf_counter() - 1.0] * (batch + 1)  # long before
        waiting.on_train_batch_end(batch)
        time.sleep(0.01)
    assert waiting.seconds == 0.0 and waiting.total > 0.0 and waiting.share == 0.0


def test_the_share_of_a_training_without_a_counted_step_is_none():
    assert Waiting(None).share == 0.0


def test_each_pass_notes_when_its_batches_were_handed_over(photographs):
    batches = Faces(photographs).batches(16)
    batches.on_epoch_begin()
    for index in range(3):
        batches[index]
    assert len(batches.delivered) == 3 and np.all(np.diff(batches.delivered) >= 0)
    batches.on_epoch_end()
    batches.on_epoch_begin()
    assert batches.delivered == []


@pytest.mark.parametrize("steps_per_call, calls", [(1, 6), (4, 2)])
def test_with_several_steps_a_call_there_are_fewer_calls(narrow, photographs, steps_per_call, calls):
    model, batches = narrow("gan"), Faces(photographs).batches(8)
    model.steps_per_execution = steps_per_call
    seen = []

    class Calls(Waiting):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            seen.append(batch)

    model.fit(batches, epochs=1, verbose=0, callbacks=[Calls(batches)])
    assert len(seen) == calls and model.iterations() == 6
