"""The demo: the slide deck's improved pair, in minutes on any machine.

It times a real step here, and from that chooses size, channels and iterations so that training ends in time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_faces.runs.folder import RunConfig

SYSTEM, BATCH, COUNT, FEWEST = "slides-v2", 16, 2000, 4
SECONDS = 330.0  # for the training; with the choice before it and the pictures after it, six minutes
ITERATIONS = 1500  # until drawn faces have eyes and hair
GUESS = 1.5  # a form is timed if its guessed time is at most so many times too long
MOST, LEAST = 3000, 300  # iterations of a fast machine, and of one for which even the last form is too slow
READY = "sngan-drawn-64"


@dataclass(frozen=True)
class Form:
    """A size of the pair.

    Attributes
    ----------
    image_size : int
        Side in pixels.
    channels : int
        Of G's first map; the deck has 512.
    """

    image_size: int
    channels: int

    @property
    def options(self) -> dict[str, Any]:
        """The options of ``slides-v2``: narrower networks take larger learning rates."""
        rate = 1e-4 * 512 / self.channels
        filters = [self.channels // part for part in (1, 2, 4, 8)]
        return {"filters": filters, "d_learning_rate": rate, "g_learning_rate": rate / 2, "average": 0.98}

    @property
    def work(self) -> float:
        """Multiplications of a step, in those of the deck's channels at 64×64."""
        return (self.image_size / 64) ** 2 * (self.channels / 512) ** 2


# From the best picture to the quickest.
FORMS = (Form(64, 512), Form(64, 256), Form(48, 256), Form(32, 256), Form(32, 128))


@dataclass(frozen=True)
class Plan:
    """What the demo trains.

    Attributes
    ----------
    form : Form
        Size and channels.
    iterations : int
        How many.
    step : float
        Seconds of one, measured here.
    """

    form: Form
    iterations: int
    step: float


def plan(
    image_size: int | None = None,
    iterations: int | None = None,
    seconds: float = SECONDS,
    timed: Callable[[Form], float] | None = None,
) -> Plan:
    """Choose the largest form whose iterations end in time on this machine.

    Parameters
    ----------
    image_size : int, optional
        Only forms of this side.
    iterations : int, optional
        How many are asked for; by default what faces with eyes need.
    seconds : float
        How long training may take.
    timed : callable
        Gives the seconds of a form's step; :func:`step_seconds` by default.

    Returns
    -------
    Plan
    """
    timed = timed or step_seconds
    forms = FORMS if image_size is None else [Form(image_size, channels) for channels in (512, 256, 128)]
    wanted = iterations or ITERATIONS
    guess = forms[-2]
    step = timed(guess)
    measured = {guess: step}
    for form in forms:
        if form not in measured and step * form.work / guess.work * wanted <= GUESS * seconds:
            measured[form] = timed(form)
        if form in measured and measured[form] * wanted <= seconds:
            break
    else:
        form = forms[-1]
        measured.setdefault(form, step * form.work / guess.work)
    step = measured[form]
    if iterations is None:
        within = int(seconds / step)
        iterations = min(MOST, max(ITERATIONS, within // 2)) if within >= ITERATIONS else max(LEAST, within)
    return Plan(form, iterations, step)


def step_seconds(form: Form, steps: int = 8) -> float:
    """Return the seconds of a training step of the form, measured here: the median after two that compile."""
    import keras

    config = RunConfig(SYSTEM, image_size=form.image_size, batch_size=BATCH, options=form.options)
    config.precision = config.compiler = "auto"
    config.settle()
    model, times = config.build(), []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: times.append(time.perf_counter()))
    images = np.random.default_rng(0).integers(0, 256, (BATCH * (steps + 2), form.image_size, form.image_size, 3))
    model.fit(images.astype("uint8"), batch_size=BATCH, verbose=0, callbacks=[watch])
    return float(np.median(np.diff(times[1:])))


def demo(
    data: str = "drawn",
    image_size: int | None = None,
    epochs: int | None = None,
    out: str | Path | None = None,
    show: bool = False,
    backend: str | None = None,
) -> Path:
    """Show faces of a ready model, then train the improved slide pair until its faces have eyes.

    Parameters
    ----------
    data : str
        "drawn", a folder of photographs or a packed file.
    image_size, epochs : int, optional
        By default what this machine can train in six minutes.
    out : path, optional
        The run folder; ``runs/demo``, ``runs/demo-2``, ... by default.
    show : bool
        Show the faces in a window.
    backend : str, optional
        As in :func:`keras_faces.runs.train.train`.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    ValueError
        If there are fewer than four photographs.
    """
    from keras_faces.data import load
    from keras_faces.runs.backend import backend_name, use_backend
    from keras_faces.runs.train import train

    use_backend(backend)
    from keras_faces.fast import autotune
    from keras_faces.runs.end_time import at

    autotune.prepare(backend_name())
    folder = Path(out) if out else _next_folder()
    _show_ready(folder)
    print("Timing a step on this machine ...")
    chosen = plan(image_size, epochs and epochs * (COUNT // BATCH))
    form = chosen.form
    faces = load(data, form.image_size, count=COUNT)
    if len(faces) < FEWEST:
        raise ValueError(f"{data}: {len(faces)} photographs; the demo needs {FEWEST} or more, and 200 to show faces.")
    batch = min(BATCH, len(faces))
    in_epoch = len(faces) // batch
    epochs = epochs or math.ceil(chosen.iterations / in_epoch)
    iterations = epochs * in_epoch
    print(
        f"{SYSTEM} at {form.image_size}×{form.image_size} with {form.channels} channels (the deck has 512 at 64×64): "
        f"{iterations:,} iterations, {chosen.step:.2g} s each. Ends {at(iterations * chosen.step)}."
    )
    options = {**form.options, "batch_size": batch, "sample_every": max(1, iterations // 50)}
    train(SYSTEM, faces, epochs=epochs, out=folder, show=show, **options)
    return folder


def _next_folder() -> Path:
    number, folder = 1, Path("runs/demo")
    while folder.exists():
        number += 1
        folder = Path(f"runs/demo-{number}")
    return folder


def _show_ready(folder: Path) -> None:
    """Faces of a ready model, so that the first picture is there at once."""
    from keras_faces import models
    from keras_faces.figures import grids

    if READY in models.pretrained():
        file = folder.with_name(f"{folder.name}-ready.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        faces = models.pretrained(READY).sample(64, seed=1)
        grids.save(grids.grid(faces, title=f"{READY}: drawn faces, trained for hours"), file)
        print(f"Faces of a model that is trained already ({READY}): {file}")
