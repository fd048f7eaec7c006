"""How much of a training is spent waiting for photographs: it should be next to nothing.

Batches are read in the background while the step before them runs (``data/batches.py``). Where reading is slower than
training, as from a slow disk or for a very small network, the step waits. Every batch notes when it was handed over; a
step that was free to begin before that has waited for the difference.

Read next: ``data/batches.py``; ``docs/speed.md`` for numbers.
"""

from __future__ import annotations

import time

import keras


class Waiting(keras.callbacks.Callback):
    """Adds up the time of steps and how much of it was waiting; must be the last of the callbacks.

    The first call of each `fit` is left out: it compiles. Of several steps a call, the first one's wait is seen.

    Parameters
    ----------
    batches
        What `fit` trains on: ``Faces.batches(...)``.

    Attributes
    ----------
    seconds
        Time spent waiting.
    total
        Time of the steps, waiting included, and without what callbacks did in between.
    """

    def __init__(self, batches) -> None:
        super().__init__()
        self.batches = batches
        self.seconds, self.total = 0.0, 0.0
        self.free = 0.0  # since when nothing but data is missing for the next step
        self.first, self.is_first_call = 0, True

    @property
    def share(self) -> float:
        """Waiting as a share of the steps' time, 0 to 1."""
        return self.seconds / self.total if self.total else 0.0

    def on_train_begin(self, logs=None):
        self.is_first_call = True

    def on_epoch_begin(self, epoch, logs=None):
        self.free = time.perf_counter()

    def on_train_batch_begin(self, batch, logs=None):
        self.first = batch

    def on_train_batch_end(self, batch, logs=None):
        delivered = self.batches.delivered
        now = time.perf_counter()
        if not self.is_first_call and self.first < len(delivered):
            self.seconds += max(0.0, min(delivered[self.first], now) - self.free)
            self.total += now - self.free
        self.is_first_call, self.free = False, time.perf_counter()
