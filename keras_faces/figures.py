"""The figures of the course's two papers, drawn from runs of one's own.

The first paper (DCGAN on Chinese faces, 32×32), section 4.2: figures 6 and 7 are the losses of G and of D, which jump
at first, grow calmer after 8,000 iterations and settle after 12,000; figures 8 and 9 are six rows of faces after 300,
1200, 1800, 2100, 2400 and 3000 epochs, seven in each row. The second paper (LFW, 125×125), sections 2.2 to 2.2.2, goes
from a sigmoid at the end of G to a tanh and on to convolutions.

A run in class is shorter than 3000 epochs; its rows are those at the same *shares* of its own length.

``keras-faces figure NAME RUN`` draws them; read next: ``runs.py`` for the files they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_faces import plots
from keras_faces.runs import RunError, RunFolder

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

S0_EPOCHS = (300, 1200, 1800, 2100, 2400, 3000)
S0_SETTLED = {"g_loss": 0.74, "d_loss": 0.695}
S1_STAGES = (
    ("sigmoid at the end", ("linear",)),
    ("tanh at the end", ("linear-tanh",)),
    ("convolutions", ("conv", "multistage")),
)


# ------------------------------------------------------------------------------ the first paper's figures 6 and 7


def s0_losses(folder: RunFolder) -> Figure:
    """G's loss and D's, each with the value at which the paper's settles, the run's own and ln 2.

    Raises
    ------
    RunError
        If the run has no log yet, or was trained with another loss than the paper's cross-entropy.
    """
    from matplotlib.figure import Figure

    log = _log(folder)
    _check_crossentropy(folder, log)
    figure = Figure(figsize=(8, 6.5), layout="constrained")
    names = {"g_loss": "loss of G (the paper's figure 6)", "d_loss": "loss of D (the paper's figure 7)"}
    for axes, (column, title) in zip(figure.subplots(2, sharex=True), names.items(), strict=True):
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
    """The mean of ``column`` over the last fifth of the iterations."""
    return mean_after(log, column, 0.8 * log["step"].iloc[-1])


def mean_after(log: pandas.DataFrame, column: str, step: float) -> float:
    """The mean of ``column`` in the rows of the log after iteration ``step``.

    A row of the log is the mean since the row before it, so each counts for as many iterations as it stands for.
    """
    weights = log["step"].diff().fillna(log["step"])
    last = log["step"] > step
    return float(np.average(log[column][last], weights=weights[last]))


def _log(folder: RunFolder) -> pandas.DataFrame:
    import pandas

    folder.read()  # a folder that is no run says so
    log = pandas.read_csv(folder.log) if folder.log.exists() else ()
    if not len(log):
        raise RunError(f"{folder.path} has no row in log.csv yet: train it first.")
    return log


def _check_crossentropy(folder: RunFolder, log: pandas.DataFrame) -> None:
    loss = folder.read().options.get("loss", "non-saturating")
    probabilities = log[["d_real", "d_fake"]].stack().between(0.0, 1.0).all()
    if loss != "non-saturating" or not probabilities:
        raise RunError(
            f"{folder.path} was not trained with the paper's loss, the cross-entropy (non-saturating): its numbers "
            f"cannot be laid beside the paper's. Its own curves are in {folder.path / 'losses.png'}."
        )


# ------------------------------------------------------------------------------ the first paper's figures 8 and 9


def s0_fresh_noise(folder: RunFolder, faces: int = 7) -> Figure:
    """Figure 8: six moments of training, every face from noise of its own. ``faces`` is at most 8.

    Raises
    ------
    RunError
        If the run has too few grids to tell the six moments apart, or too few faces in each.
    """
    return plots.evolution(_rows(folder, faces, fresh=True), title="fresh noise in every cell")


def s0_same_noise(folder: RunFolder, faces: int = 7) -> Figure:
    """Figure 9: six moments of training, the same noise down each column. ``faces`` is at most 64; errors as above."""
    return plots.evolution(_rows(folder, faces, fresh=False), title="the same noise down each column")


def moments(grids: Sequence[tuple[int, int]], shares: Sequence[float]) -> list[int]:
    """Which of the grids lie nearest to these shares of the run: indices, one a share.

    Parameters
    ----------
    grids
        ``(epoch, iteration)`` of each grid, in the order of training, both counted from 1. Every epoch ends with one,
        so that the largest iteration is the number of iterations an epoch.
    """
    iterations = max(iteration for _, iteration in grids)
    steps = np.array([(epoch - 1) * iterations + iteration for epoch, iteration in grids])
    return [int(np.abs(steps - share * steps[-1]).argmin()) for share in shares]


def _rows(folder: RunFolder, faces: int, fresh: bool) -> list[tuple[str, np.ndarray]]:
    size, grids = folder.read().image_size, folder.grids(fresh)
    if not grids:
        where = folder.fresh if fresh else folder.samples
        raise RunError(f"{where} holds no grids: train the run with this version first.")
    chosen = moments([grid[:2] for grid in grids], [epoch / S0_EPOCHS[-1] for epoch in S0_EPOCHS])
    if len(set(chosen)) < len(S0_EPOCHS):
        raise RunError(
            f"{folder.path} has {len(grids)} grids, too few for six moments at 10, 40, 60, 70, 80 and 100 % of its "
            "length: train at least 10 epochs, or with a smaller --sample-every."
        )
    rows = []
    for index, paper in zip(chosen, S0_EPOCHS, strict=True):
        epoch, iteration, file = grids[index]
        images = _faces(file, size, faces)
        rows.append((f"epoch {epoch}\niteration {iteration}\n(paper: epoch {paper})", plots.magnify(images, 64)))
    return rows


def _faces(file, size: int, count: int) -> np.ndarray:
    images = plots.untile(plots.read_picture(file), size)
    if count > len(images):
        raise RunError(f"{file} holds {len(images)} faces, not {count}: take a smaller --faces.")
    return images[:count]


# ------------------------------------------------------------------------------ the second paper's sequence


def s1_sequence(sigmoid: RunFolder, tanh: RunFolder, conv: RunFolder, faces: int = 9) -> Figure:
    """The last grids of the three stages side by side: linear, linear-tanh, conv.

    Raises
    ------
    RunError
        If a run is of another system than its place asks for, has no grid, or another image size than the others.
    """
    columns, sizes = [], set()
    for folder, (stage, systems) in zip((sigmoid, tanh, conv), S1_STAGES, strict=True):
        config, grids = folder.read(), folder.grids()
        if config.system not in systems:
            raise RunError(
                f"{folder.path} is a run of {config.system}; {stage!r} asks for {' or '.join(systems)}. The order is "
                "RUN_SIGMOID RUN_TANH RUN_CONV."
            )
        if not grids:
            raise RunError(f"{folder.samples} holds no grids: train the run first.")
        epoch, iteration, file = grids[-1]
        sizes.add(config.image_size)
        columns.append((f"{config.system}: {stage}\nepoch {epoch}, iteration {iteration}", file))
    if len(sizes) > 1:
        raise RunError(f"the runs have different image sizes, {', '.join(map(str, sorted(sizes)))}: take one (125).")
    (size,) = sizes
    across = int(np.ceil(np.sqrt(faces)))
    pictures = [(label, _faces(file, size, faces)) for label, file in columns]
    title = f"at {size}×{size}" + ("" if size == 125 else " (paper: 125×125)")
    return plots.side_by_side(pictures, across, title)
