"""Scores during training: ``score_every=500`` writes ``scores.csv`` and draws ``scores.png``.

Each score uses the same noise and the same training photographs, so that a change is a change of G. ``keras-faces
evaluate`` scores the trained model against photographs that were held out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import pandas

from keras_faces.figures import grids
from keras_faces.files import atomic_write
from keras_faces.runs.callbacks import Progress, rows_until

if TYPE_CHECKING:
    from keras_faces.metrics import Score


class ScoreCurve(keras.callbacks.Callback):
    """Scores the model every ``every`` iterations, counted since training began.

    It must come before the checkpoint, so that a score is there whenever the checkpoint is. A resumed training drops
    the rows after its checkpoint and makes them again. Scoring changes no weight and no random state.

    Parameters
    ----------
    folder : Path
        Where ``scores.csv`` and ``scores.png`` are written.
    progress : Progress
        Where training is.
    score : callable
        From faces, uint8 (COUNT, H, W, 3), to a list of ``Score``.
    every : int
        Iterations between scores.
    seed : int
        Of the noise of the COUNT faces.
    """

    COUNT = 1000  # faces

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        score: Callable[[np.ndarray], list[Score]],
        every: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.path, self.progress = Path(folder) / "scores.csv", progress
        self.score, self.every, self.seed = score, every, seed
        self.rows, self.told = pandas.DataFrame(), False
        if self.path.exists():
            self.rows = rows_until(self.path, progress.step, pandas.read_csv(self.path, nrows=0).columns)

    def on_train_batch_end(self, batch, logs=None):
        if self.progress.step // self.every == (self.progress.step - self.progress.latest) // self.every:
            return
        row = {"epoch": self.progress.epoch, "iteration": self.progress.iteration, "step": self.progress.step}
        scores = self.score(self.model.sample(self.COUNT, seed=self.seed))
        for score in scores:
            row |= {score.name: score.value, f"{score.name}_low": score.low, f"{score.name}_high": score.high}
        row |= {name: getattr(scores[0], name) for name in ("features", "n_real", "n_fake", "split")}
        self.rows = pandas.concat([self.rows, pandas.DataFrame([row])], ignore_index=True)
        try:
            with atomic_write(self.path) as beside:
                self.rows.to_csv(beside, index=False)
            grids.save(grids.scores(self.rows), self.path.with_suffix(".png"))
        except PermissionError as error:  # open in another program; the next score writes them all
            if not self.told:
                print(f"\n{self.path} is held by another program ({error.strerror}); close it there.")
            self.told = True
