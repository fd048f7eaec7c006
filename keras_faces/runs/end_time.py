"""When a training ends: told once its steps have been timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import keras

from keras_faces.runs.callbacks import Progress


class EndTime(keras.callbacks.Callback):
    """Says after twenty iterations when the training ends, from the time that they took on this machine.

    Parameters
    ----------
    progress : Progress
        Where training is.
    epochs : int
        Epochs in all.
    say : callable
        Given the sentence; ``print`` by default.
    clock : callable
        Seconds, as ``time.monotonic``.
    """

    AFTER = 20
    SHORT = 30  # seconds: a training that ends sooner needs no such line

    def __init__(
        self,
        progress: Progress,
        epochs: int,
        say: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.progress, self.epochs, self.say, self.clock = progress, epochs, say, clock

    def on_train_begin(self, logs=None):
        self.begun = None  # (step, time): the first call compiles and is not timed
        self.said = False

    def on_train_batch_end(self, batch, logs=None):
        if self.said:
            return
        step, now = self.progress.step, self.clock()
        if self.begun is None:
            self.begun = step, now
        elif step - self.begun[0] >= self.AFTER:
            self.said = True
            seconds = (now - self.begun[1]) / (step - self.begun[0])
            whole = self.epochs * self.progress.iterations
            if (left := (whole - step) * seconds) >= self.SHORT:
                self.say(f"\nEnds {at(left)}: {whole:,} iterations, {seconds:.2g} s each on this machine.")


def at(seconds: float, now: datetime | None = None) -> str:
    """Return when it will be so many seconds from now, and how long that is.

    Examples
    --------
    >>> at(2280, datetime(2026, 5, 4, 14, 2))
    'about 14:40, in 38 minutes'
    """
    now = now or datetime.now()
    end = now + timedelta(seconds=seconds)
    day = "" if end.date() == now.date() else f" on {end:%Y-%m-%d}"
    return f"about {end:%H:%M}{day}, in {duration(seconds)}"


def duration(seconds: float) -> str:
    """Return a duration as one says it: "50 seconds", "38 minutes", "3 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} second{'s' * (round(seconds) > 1)}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
