"""Keras callbacks of a run folder: sample grids, the log, checkpoints, and a stop when training has failed.

They share one :class:`Progress`, which :class:`Count` updates. Epochs and iterations count from 1, and a resumed epoch
goes on counting where it stopped.
"""

from __future__ import annotations

import csv
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas

from keras_faces.figures import grids
from keras_faces.files import atomic_write
from keras_faces.training import checkpoint
from keras_faces.training.sampling import latent_noise


@dataclass
class Progress:
    """Where training is.

    Attributes
    ----------
    iterations : int
        Iterations in an epoch.
    epoch, iteration : int
        The latest epoch, and the latest iteration in it, counted from 1; 0 before the first.
    steps_per_execution : int
        Iterations per compiled call; callbacks run once per call.
    latest : int
        Iterations of the latest call: fewer than ``steps_per_execution`` at the end of an epoch.
    """

    iterations: int
    epoch: int = 0
    iteration: int = 0
    steps_per_execution: int = 1
    latest: int = 1

    @property
    def step(self) -> int:
        """Iterations since training began."""
        return max(0, self.epoch - 1) * self.iterations + self.iteration

    @property
    def epoch_is_over(self) -> bool:
        """Whether the latest iteration was the last of its epoch."""
        return self.iteration >= self.iterations

    def due(self, every: int | None) -> bool:
        """Return whether a multiple of ``every`` iterations in this epoch was reached in the latest call."""
        return bool(every) and self.iteration // every > (self.iteration - self.latest) // every


class Count(keras.callbacks.Callback):
    """Updates ``progress``; must be the first of the callbacks."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress
        self.offset = 0

    def on_epoch_begin(self, epoch, logs=None):
        same_epoch = self.progress.epoch == epoch + 1 and not self.progress.epoch_is_over
        self.offset = self.progress.iteration if same_epoch else 0
        self.progress.epoch, self.progress.iteration = epoch + 1, self.offset

    def on_train_batch_end(self, batch, logs=None):
        reached = min(self.offset + batch + 1, self.progress.iterations)  # Keras counts a shorter last call as whole
        self.progress.latest = min(reached - self.progress.iteration, self.progress.steps_per_execution)
        self.progress.iteration = reached


class TrainingStopped(RuntimeError):
    """Training has failed and more of it would not help; the message says how, and what to try."""


class Watch(keras.callbacks.Callback):
    """Stops a training that has failed: a loss that is not finite, a perfect D, or a G that makes one image only.

    A perfect D stops nothing where G matches D's features instead of its score (``model.learns_from_score``).

    It warns of mode collapse when the fakes of a batch differ less than half as much as photographs do, on average
    over 100 iterations: again only after a recovery, and never in the first 300 iterations, when faces are alike in
    healthy trainings too.

    Parameters
    ----------
    progress : Progress
        Where training is.
    patience : int
        For how many iterations in a row D must be perfect, or the fakes alike, before training stops.
    """

    ALIKE, WARNING, RECOVERED, BEGINNING = 0.02, 0.5, 0.7, 300

    def __init__(self, progress: Progress, patience: int = 300) -> None:
        super().__init__()
        self.progress = progress
        self.patience = patience
        self.d_won = 0
        self.alike = 0
        self.spread, self.warned = 1.0, False

    def on_train_batch_end(self, batch, logs=None):
        for name in [name for name in logs if name.endswith("loss")]:
            if not np.isfinite(logs[name]):
                self._stop(
                    f"{name} is {logs[name]}: a weight has grown without bound.",
                    "a smaller learning rate, --precision float32, or another seed",
                )
        if "spread" in logs:
            self._watch_spread(logs["spread"])
        if "d_real" in logs and self.model.learns_from_score:
            self._watch_discriminator(logs)

    def _watch_discriminator(self, logs) -> None:
        perfect = 0.999 < logs["d_real"] <= 1.0 and 0.0 <= logs["d_fake"] < 0.001
        self.d_won = self.d_won + self.progress.latest if perfect else 0
        if self.d_won >= self.patience:
            self._stop(
                f"D has been perfect for {self.patience} iterations (D(x) = {logs['d_real']:.4f}, D(G(z)) = "
                f"{logs['d_fake']:.4f}): it has collapsed to certainty, and G learns nothing from it any more.",
                "--label-smoothing 0.1, more photographs, or another seed",
            )

    def _watch_spread(self, spread: float) -> None:
        self._warn_of_collapse(spread)
        self.alike = self.alike + self.progress.latest if spread < self.ALIKE else 0
        if self.alike >= self.patience:
            self._stop(
                f"the fakes of a batch have been all alike for {self.patience} iterations "
                f"(spread {spread:.4f}): G has collapsed to one picture.",
                "a smaller learning rate for G, --separate-batches, a larger --batch-size, or another seed",
            )

    def _warn_of_collapse(self, spread: float) -> None:
        self.spread += 0.01 * (spread - self.spread)  # an average over about 100 iterations
        if self.spread > self.RECOVERED:
            self.warned = False
        elif self.spread < self.WARNING and not self.warned and self.progress.step > self.BEGINNING:
            self.warned = True
            print(
                f"\nEpoch {self.progress.epoch}, iteration {self.progress.iteration}: the faces of a batch have become "
                f"alike (they differ {self.spread:.2f} times as much as photographs do). This may be the beginning of "
                "mode collapse; see docs/diagnosis.md."
            )

    def _stop(self, finding: str, remedy: str) -> None:
        raise TrainingStopped(
            f"stopped in epoch {self.progress.epoch}, iteration {self.progress.iteration}: {finding} "
            f"Try {remedy}. Pictures, log and the last checkpoint are kept."
        )


class TrainingLog(keras.callbacks.Callback):
    """Writes ``log.csv``: a row every ``every`` iterations and at each epoch's end, with the means since the last row.

    A resumed training drops the rows after its checkpoint, and writes them again; ``window``, the iterations since the
    last row, is in the checkpoint. While another program holds the file, as Excel does on Windows, the rows are kept in
    a second file beside it, and moved as soon as the first one can be written.

    Parameters
    ----------
    path : Path
        The file.
    progress : Progress
        Where training is.
    names : tuple of str
        Which of an iteration's logs to write.
    every : int
        Iterations between rows.
    """

    def __init__(self, path: Path, progress: Progress, names: tuple[str, ...], every: int = 20) -> None:
        super().__init__()
        self.path, self.progress, self.every = Path(path), progress, every
        self.names = tuple(names)
        self.columns = ["epoch", "iteration", "step", *self.names, "seconds"]
        self.window: list[list[float]] = []
        self.beside = beside_log(self.path)
        self.kept: list[list] = []  # rows that are only in the file beside
        rows = rows_until(self.path, progress.step, self.columns)
        self.seconds = float(rows["seconds"].iloc[-1]) if len(rows) else 0.0
        self.since = time.monotonic()

    def on_train_begin(self, logs=None):
        self.since = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.window.append([float(logs[name]) for name in self.names])
        if self.progress.due(self.every) or self.progress.epoch_is_over:
            self._write_row()

    def on_train_end(self, logs=None):
        self.seconds += time.monotonic() - self.since

    def _write_row(self) -> None:
        seconds = self.seconds + time.monotonic() - self.since
        place = [self.progress.epoch, self.progress.iteration, self.progress.step]
        means = [f"{value:.5f}" for value in np.mean(self.window, axis=0)]
        rows = [*self.kept, [*place, *means, f"{seconds:.1f}"]]
        self.window = []
        try:
            _append(self.path, rows)
        except PermissionError as error:
            if not self.kept:
                print(f"\n{self.path} is held by another program ({error.strerror}); close it there. ", end="")
                print(f"Until then its rows are kept in {self.beside}.")
            self.kept = rows
            _append(self.beside, rows[-1:])
        else:
            if self.kept:
                self.kept = []
                self.beside.unlink(missing_ok=True)


def beside_log(path: Path) -> Path:
    """Return the file that takes the rows of a log while another program holds it."""
    return path.with_name(f"{path.stem}-more{path.suffix}")


def _append(path: Path, rows: list[list], tries: int = 3) -> None:
    """Append rows to a table; where another program holds the file, try again for half a second."""
    for left in reversed(range(tries)):
        try:
            with open(path, "a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(0.25)


def rows_until(path: Path, step: int, columns: Sequence[str]) -> pandas.DataFrame:
    """Cut a log after iteration ``step``, give it these columns, write it, and return it."""
    try:
        rows = pandas.read_csv(path) if path.exists() else pandas.DataFrame(columns=list(columns))
    except ValueError as error:
        raise ValueError(f"{path} is no table any more ({error}): remove it, and go on without its rows.") from error
    if "step" not in rows:
        raise ValueError(f"{path} has no column step: remove it, and go on without its rows.")
    if (more := beside_log(path)).exists():
        rows = pandas.concat([rows, pandas.read_csv(more, names=list(columns))], ignore_index=True)
    rows = rows.reindex(columns=list(columns))[rows["step"] <= step]
    with atomic_write(path) as beside:
        rows.to_csv(beside, index=False)
    more.unlink(missing_ok=True)
    return rows


class SampleGrids(keras.callbacks.Callback):
    """Writes grids of the same noise during training: ``epoch0001-000400.png`` is epoch 1, iteration 400.

    Parameters
    ----------
    folder : Path
        Where the grids go.
    progress : Progress
        Where training is.
    noise : ndarray, shape (count, latent_dim)
        The noise of every grid.
    every : int, optional
        Iterations between grids in an epoch (the deck has 200); each epoch ends with one as well.
    fresh_seed : int, optional
        Write also a row of 8 faces of new noise into the subfolder ``fresh``, under the same name. The noise depends
        on this seed and the iteration alone.
    """

    FRESH = 8

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        noise: np.ndarray,
        every: int | None = 200,
        fresh_seed: int | None = None,
    ) -> None:
        super().__init__()
        self.folder, self.progress, self.noise, self.every = Path(folder), progress, noise, every
        self.fresh_seed = fresh_seed
        self.latest: np.ndarray | None = None

    def on_train_batch_end(self, batch, logs=None):
        if not (self.progress.due(self.every) or self.progress.epoch_is_over):
            return
        name = f"epoch{self.progress.epoch:04d}-{self.progress.iteration:06d}.png"
        faces = self.model.render(np.concatenate([self.noise, self._fresh_noise()]))
        self.latest = grids.tile(faces[: len(self.noise)])
        if self.fresh_seed is not None:
            (self.folder / "fresh").mkdir(exist_ok=True)
            grids.save_picture(grids.tile(faces[len(self.noise) :], columns=self.FRESH), self.folder / "fresh" / name)
        grids.save_picture(self.latest, self.folder / name)

    def _fresh_noise(self) -> np.ndarray:
        if self.fresh_seed is None:
            return self.noise[:0]
        seed = np.random.SeedSequence([self.fresh_seed, self.progress.step]).generate_state(1)[0]
        return latent_noise(self.FRESH, self.noise.shape[1], int(seed))


class Checkpoint(keras.callbacks.Callback):
    """Writes the whole state at each epoch's end and every ``every`` iterations; see ``training/checkpoint.py``.

    Parameters
    ----------
    path : Path
        The file.
    progress : Progress
        Where training is.
    every : int, optional
        Iterations between checkpoints in an epoch.
    log : TrainingLog, optional
        Its values since its last row are kept as well.
    """

    def __init__(
        self, path: Path, progress: Progress, every: int | None = None, log: TrainingLog | None = None
    ) -> None:
        super().__init__()
        self.path, self.progress, self.every, self.log = Path(path), progress, every, log

    def on_train_batch_end(self, batch, logs=None):
        if self.progress.due(self.every) or self.progress.epoch_is_over:
            self.save()

    def save(self) -> None:
        """Write the state at the latest iteration."""
        window = self.log.window if self.log is not None else ()
        checkpoint.save(self.path, self.model, self.progress.epoch, self.progress.iteration, window)


class Interruption(keras.callbacks.Callback):
    """Lets Ctrl-C wait for the end of the iteration, so that the state can be kept; a second Ctrl-C does not wait.

    It must come after what writes the state. ``with`` it, Python's own handling of Ctrl-C is replaced; where a program
    handles Ctrl-C itself, or in a thread, it stays.
    """

    def __init__(self) -> None:
        super().__init__()
        self.within, self.asked, self.before = False, False, None

    def __enter__(self) -> Interruption:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self.before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *error) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _on_signal(self, number, frame) -> None:
        if not self.within or self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def on_train_batch_begin(self, batch, logs=None):
        self.within = True

    def on_train_batch_end(self, batch, logs=None):
        self.within = False
        if self.asked:
            raise KeyboardInterrupt


class LiveWindow(keras.callbacks.Callback):
    """Shows each new grid in a window (``--show``). Without a screen it says so once and training goes on."""

    def __init__(self, grids: SampleGrids) -> None:
        super().__init__()
        self.grids = grids
        self.window = None
        self.shown: np.ndarray | None = None

    def on_train_begin(self, logs=None):
        import matplotlib
        import matplotlib.pyplot as pyplot

        if matplotlib.get_backend().lower() == "agg":
            print("--show: there is no screen here; the grids are in", self.grids.folder)
            return
        pyplot.ion()
        self.window = pyplot.figure("keras_faces", figsize=(7, 7))

    def on_train_batch_end(self, batch, logs=None):
        if self.window is None:
            return
        if self.grids.latest is not self.shown:
            self.shown = self.grids.latest
            self.window.clear()
            axes = self.window.add_axes((0, 0, 1, 0.94))
            axes.imshow(self.shown)
            axes.set_axis_off()
            progress = self.grids.progress
            axes.set_title(f"epoch {progress.epoch}, iteration {progress.iteration}")
            self.window.canvas.draw_idle()
        self.window.canvas.flush_events()


class Pause(keras.callbacks.Callback):
    """Waits after each epoch until the teacher presses Enter (``--pause``)."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress

    def on_epoch_end(self, epoch, logs=None):
        if not self.progress.epoch_is_over:
            return
        if sys.stdin is None or not sys.stdin.isatty():
            print("\n--pause: nobody can press a key here (standard input is no terminal); going on.")
            return
        input(f"\nEpoch {self.progress.epoch} is over. Press Enter for the next one. ")
