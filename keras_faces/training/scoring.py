"""Scores while a GAN trains: ``--score-every 500`` writes ``scores.csv`` and draws ``scores.png``.

A loss says who is ahead, a score how near the faces are to photographs. Here it is measured every so many iterations,
always on faces of the same noise and against the same photographs, so that a change is a change of G. The photographs
are training ones: the curve says whether it is still getting better; how good it is in the end, and whether it has
learnt by heart, says ``keras-faces evaluate`` on photographs that were held out.

Read next: ``metrics/frechet.py`` for the first of the scores, ``evaluate.py`` for the end of the training.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import pandas

from keras_faces import plots
from keras_faces.files import replacing
from keras_faces.training.callbacks import Progress

if TYPE_CHECKING:
    from keras_faces.metrics import Score


class ScoreCurve(keras.callbacks.Callback):
    """Scores every ``every`` iterations, counted from the beginning of the training.

    It must come before the checkpoint, so that a score is there whenever the checkpoint is; a resumed training drops
    the rows that lie after its checkpoint and makes them again. Scoring draws nothing from the model's random state:
    the weights are those of a training without it.

    Parameters
    ----------
    folder
        Where ``scores.csv`` and ``scores.png`` are written.
    score
        From faces uint8 (count, H, W, 3) to scores.
    every
        Iterations between scores.
    seed
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
        self._keep_rows_until(progress.step)

    def _keep_rows_until(self, step: int) -> None:
        if self.path.exists():
            rows = pandas.read_csv(self.path)
            self._write(rows[rows["step"] <= step])

    def on_train_batch_end(self, batch, logs=None):
        if self.progress.step // self.every == (self.progress.step - self.progress.made) // self.every:
            return  # not due; with --steps-per-call several iterations have been made since the last look
        row = {"epoch": self.progress.epoch, "iteration": self.progress.iteration, "step": self.progress.step}
        scores = self.score(self.model.sample(self.COUNT, seed=self.seed))
        for score in scores:
            row |= {score.name: score.value, f"{score.name}_low": score.low, f"{score.name}_high": score.high}
        row |= {name: getattr(scores[0], name) for name in ("features", "n_real", "n_fake", "split")}
        rows = pandas.read_csv(self.path) if self.path.exists() else pandas.DataFrame()
        rows = pandas.concat([rows, pandas.DataFrame([row])], ignore_index=True)
        self._write(rows)
        plots.save(plots.scores(rows), self.path.with_suffix(".png"))

    def _write(self, rows: pandas.DataFrame) -> None:
        with replacing(self.path) as beside:
            rows.to_csv(beside, index=False)
