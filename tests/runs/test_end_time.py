"""The line that says when a training ends."""

from datetime import datetime

import pytest

from keras_faces.runs.callbacks import Progress
from keras_faces.runs.end_time import EndTime, at, duration


def told(iterations, epochs, seconds, resumed_at=0, steps_per_execution=1):
    """The lines of a training whose steps take so many seconds, the first 100 (it compiles)."""
    progress, lines, now = Progress(iterations), [], [0.0]
    watch = EndTime(progress, epochs, lines.append, lambda: now[0])
    watch.on_train_begin()
    for step in range(resumed_at + steps_per_execution, epochs * iterations + 1, steps_per_execution):
        now[0] += 100 if step == resumed_at + steps_per_execution else seconds * steps_per_execution
        progress.epoch, progress.iteration = (step - 1) // iterations + 1, (step - 1) % iterations + 1
        watch.on_train_batch_end(0)
    return lines


def test_told_once_after_twenty_iterations_without_the_first():
    (line,) = told(iterations=50, epochs=20, seconds=2.0)
    assert "in 33 minutes: 1,000 iterations, 2 s each" in line  # (1,000 - 21) * 2 s


def test_a_resumed_training_and_several_steps_a_call():
    (line,) = told(iterations=50, epochs=20, seconds=2.0, resumed_at=700)
    assert "in 9 minutes" in line
    (line,) = told(iterations=50, epochs=20, seconds=2.0, steps_per_execution=10)
    assert "in 32 minutes" in line


def test_a_short_training_says_nothing():
    assert told(iterations=50, epochs=1, seconds=0.1) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 second"), (50, "50 seconds"), (120, "2 minutes"), (2280, "38 minutes"), (12_000, "3 h 20 min")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_time_of_the_day_and_the_day():
    now = datetime(2026, 5, 4, 22, 50)
    assert at(1800, now) == "about 23:20, in 30 minutes"
    assert at(3600 * 3, now) == "about 01:50 on 2026-05-05, in 3 h 00 min"
