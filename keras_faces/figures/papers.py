"""The figures of the course's two papers, drawn from runs of one's own (``keras-faces figure NAME RUN``).

First paper (DCGAN on Chinese faces, 32×32), section 4.2: figures 6 and 7 are the losses of G and D, which settle after
12,000 iterations; figures 8 and 9 are rows of seven faces after 300, 1200, 1800, 2100, 2400 and 3000 epochs. A shorter
run shows the same *shares* of its length. Second paper (LFW, 125×125), sections 2.2 to 2.2.2: from a sigmoid at the end
of G to a tanh and to convolutions.

A ``folder`` is a ``RunFolder``, see ``runs/train.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    import pandas

    from keras_faces.figures.figure import Figure

S0_EPOCHS = (300, 1200, 1800, 2100, 2400, 3000)
S0_SETTLED = {"g_loss": 0.74, "d_loss": 0.695}
S1_STAGES = (
    ("sigmoid at the end", ("linear",)),
    ("tanh at the end", ("linear-tanh",)),
    ("convolutions", ("conv", "multistage")),
)


# ------------------------------------------------------------------------------ the first paper's figures 6 and 7


def s0_losses(folder: Any) -> Figure:
    """Draw the losses of G and D with the value at which the paper's settle, the run's own, and ln 2.

    Raises
    ------
    ValueError
        If the run has no log, or was trained with another loss than the paper's cross-entropy.
    """
    import pandas

    from keras_faces.figures.figure import Figure

    config = folder.read()  # a folder without a run raises
    log = pandas.read_csv(folder.log) if folder.log.exists() else ()
    if not len(log):
        raise ValueError(f"{folder.path} has no row in log.csv yet: train it first.")
    scores = log.reindex(columns=["d_real", "d_fake"])  # a vae has none
    is_probability = bool(((scores >= 0.0) & (scores <= 1.0)).all(axis=None))
    if config.options.get("loss", "non-saturating") != "non-saturating" or not is_probability:
        raise ValueError(
            f"{folder.path} was not trained with the paper's loss, the cross-entropy (non-saturating): its numbers "
            f"cannot be laid beside the paper's. Its own curves are in {folder.path / 'losses.png'}."
        )
    figure = Figure(figsize=(8, 6.5), layout="constrained")
    titles = {"g_loss": "loss of G (the paper's figure 6)", "d_loss": "loss of D (the paper's figure 7)"}
    for axes, (column, title) in zip(figure.subplots(2, sharex=True), titles.items(), strict=True):
        axes.plot(log["step"], log[column], linewidth=0.9)
        own, paper = settled(log, column), S0_SETTLED[column]
        axes.axhline(own, color="C1", label=f"this run, mean of the last fifth: {own:.3f}")
        axes.axhline(paper, color="C2", linestyle="--", label=f"the paper, settled: {paper}")
        axes.axhline(np.log(2), color="grey", linestyle=":", label="ln 2 = 0.693: D cannot tell")
        axes.set_title(title, loc="left", fontsize="medium")
        axes.legend()
        axes.grid(alpha=0.3)
    axes.set_xlabel("iteration")
    return figure


def settled(log: pandas.DataFrame, column: str) -> float:
    """Mean of a column of ``log.csv`` over the last fifth of the iterations."""
    return mean_after(log, column, 0.8 * log["step"].iloc[-1])


def mean_after(log: pandas.DataFrame, column: str, step: float) -> float:
    """Mean of a column of ``log.csv`` after iteration ``step``.

    A row is the mean over the iterations since the row before, and is weighted by their number.
    """
    weights = log["step"].diff().fillna(log["step"])
    last = log["step"] > step
    return float(np.average(log[column][last], weights=weights[last]))


# ------------------------------------------------------------------------------ the first paper's figures 8 and 9


def s0_fresh_noise(folder: Any, faces: int = 7) -> Figure:
    """Draw figure 8: six moments of training, up to 8 faces of new noise each.

    Raises
    ------
    ValueError
        If the run has too few grids for six different moments, or too few faces in each.
    """
    return grids.evolution(_rows(folder, faces, fresh=True), "fresh noise in every cell", side=64)


def s0_same_noise(folder: Any, faces: int = 7) -> Figure:
    """Draw figure 9: six moments of training, up to 64 faces, the same noise down each column; errors as above."""
    return grids.evolution(_rows(folder, faces, fresh=False), "the same noise down each column", side=64)


def moments(grids: Sequence[tuple[int, int]], shares: Sequence[float]) -> list[int]:
    """Indices of the grids nearest to given shares of the training.

    Parameters
    ----------
    grids : sequence of (int, int)
        Epoch and iteration of each grid in the order of training, from 1. Every epoch ends with a grid, so that the
        largest iteration is the number of iterations per epoch.
    shares : sequence of float
        From 0 to 1.
    """
    epochs, iterations = np.array(grids).T
    steps = (epochs - 1) * iterations.max() + iterations
    return [int(np.abs(steps - share * steps[-1]).argmin()) for share in shares]


def _rows(folder: Any, faces: int, fresh: bool) -> list[tuple[str, np.ndarray]]:
    size, files = folder.read().image_size, folder.grids(fresh)
    if not files:
        where = folder.fresh if fresh else folder.samples
        raise ValueError(f"{where} holds no grids: train the run with this version first.")
    chosen = moments([file[:2] for file in files], [epoch / S0_EPOCHS[-1] for epoch in S0_EPOCHS])
    if len(set(chosen)) < len(S0_EPOCHS):
        raise ValueError(
            f"{folder.path} has {len(files)} grids, too few for six moments at 10, 40, 60, 70, 80 and 100 % of its "
            "length: train at least 10 epochs, or with a smaller --sample-every."
        )
    rows = []
    for index, paper in zip(chosen, S0_EPOCHS, strict=True):
        epoch, iteration, file = files[index]
        rows.append((f"epoch {epoch}\niteration {iteration}\n(paper: epoch {paper})", _faces(file, size, faces)))
    return rows


def _faces(file, size: int, count: int) -> np.ndarray:
    images = grids.untile(grids.read_picture(file), size)
    if count > len(images):
        raise ValueError(f"{file} holds {len(images)} faces, not {count}: take a smaller --faces.")
    return images[:count]


# ------------------------------------------------------------------------------ the second paper's sequence


def s1_sequence(sigmoid: Any, tanh: Any, conv: Any, faces: int = 9) -> Figure:
    """Draw the last grids of the three stages (linear, linear-tanh, conv) side by side.

    Raises
    ------
    ValueError
        If a run is of another system than its place asks for, has no grid, or another image size than the others.
    """
    columns, sizes = [], set()
    for folder, (stage, systems) in zip((sigmoid, tanh, conv), S1_STAGES, strict=True):
        config, files = folder.read(), folder.grids()
        if config.system not in systems:
            raise ValueError(
                f"{folder.path} is a run of {config.system}; {stage!r} asks for {' or '.join(systems)}. The order is "
                "RUN_SIGMOID RUN_TANH RUN_CONV."
            )
        if not files:
            raise ValueError(f"{folder.samples} holds no grids: train the run first.")
        epoch, iteration, file = files[-1]
        sizes.add(config.image_size)
        columns.append((f"{config.system}: {stage}\nepoch {epoch}, iteration {iteration}", file))
    if len(sizes) > 1:
        raise ValueError(f"the runs have different image sizes, {', '.join(map(str, sorted(sizes)))}: take one (125).")
    (size,) = sizes
    pictures = [(label, _faces(file, size, faces)) for label, file in columns]
    title = f"at {size}×{size}" + ("" if size == 125 else " (paper: 125×125)")
    return grids.side_by_side(pictures, int(np.ceil(np.sqrt(faces))), title)
