"""The time of the steps inside a ``fit``, without what ``fit`` sets up and takes down around them."""

from __future__ import annotations

import time

import keras


class Stopwatch(keras.callbacks.Callback):
    """Runs from the first step's beginning until the device has finished the last one: a number of it is read."""

    times = (0.0, 0.0)  # seconds on the clock, and of all threads together

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.since = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        float(next(iter(logs.values())))
        self.times = time.perf_counter() - self.since[0], time.process_time() - self.since[1]
