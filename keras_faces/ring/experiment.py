"""The ring experiment: three losses fit the same points (the dissertation's section 3.4.1, figure 3.5).

runs/ring/ring.json        the settings
          gan/ wgan/ fm-gan/   snapshots.npz: points of the same noise over training; state.h5: the checkpoint
          ring.png         figure 3.5: a loss per row, a moment of training per column
          ring.gif         the same as an animation
          coverage.csv     coverage of the ring and distance to it over the iterations
          coverage.png     their curves

Many iterations are one compiled call (``step_loop.py``). See also ``model.py`` for the networks and the three losses.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids
from keras_faces.files import atomic_write
from keras_faces.records import as_record, read_json

if TYPE_CHECKING:
    import pandas

    from keras_faces.figures.figure import Figure

NAMES = {"gan": "the original GAN", "wgan": "WGAN", "fm-gan": "FM-GAN"}
RULES = tuple(NAMES)
MOMENTS = (0.02, 0.06, 0.15, 0.35, 0.65, 1.0)  # the columns of the figure, as shares of the training
METRICS = ("coverage", "distance", "on_ring")


@dataclass
class Experiment:
    """The settings; ``ring.json`` holds them.

    Attributes
    ----------
    rules : list of {"gan", "wgan", "fm-gan"}
    iterations, every : int
        Iterations, and iterations between snapshots; the source trains 2,000,000.
    batch_size : int
        Points of the ring per step of D.
    learning_rate : float
        Of RMSprop; the source has 5e-5.
    activation, centre_decay, d_steps, seed
        See :func:`keras_faces.ring.model.build`.
    inner, outer : float
        Radii of the ring.
    points : int
        Points per snapshot.
    backend : str
        Keras's.
    """

    rules: list[str] = field(default_factory=lambda: list(RULES))
    iterations: int = 100_000
    every: int = 2000
    batch_size: int = 64
    learning_rate: float = 3e-4
    activation: str = "leaky_relu"
    centre_decay: float = 0.9
    d_steps: int = 1
    inner: float = 20.0
    outer: float = 30.0
    points: int = 1000
    seed: int = 0
    backend: str = "tensorflow"

    def __post_init__(self) -> None:
        if unknown := [rule for rule in self.rules if rule not in RULES] or not self.rules:
            raise ValueError(f"rules {unknown if self.rules else self.rules}: choose from {', '.join(RULES)}.")
        for name in ("iterations", "every", "batch_size", "d_steps", "points"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be 1 or more.")
        if not 0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate={self.learning_rate}: must be positive; the source has 5e-5.")
        if not 0.0 <= self.inner < self.outer < float("inf"):
            raise ValueError(f"a ring from radius {self.inner} to {self.outer}: 0 <= inner < outer is needed.")
        if self.iterations % self.every:
            whole = max(1, self.iterations // self.every) * self.every
            raise ValueError(f"{self.iterations} iterations are no multiple of {self.every}: take {whole}.")


# --------------------------------------------------------------------------------------------------- training


def train(asked: Experiment, folder: str | Path, resume: bool = False) -> None:
    """Train each rule in turn; with ``resume``, go on from what ``folder`` holds, bit for bit.

    Raises
    ------
    ValueError
        If ``folder`` holds other files, an experiment without ``resume``, or one with other settings than ``asked``
        (rules and iterations may differ).
    """
    folder = Path(folder)
    _claim(asked, folder, resume)
    for rule in asked.rules:
        _train_one(asked, rule, folder / rule)


def _claim(asked: Experiment, folder: Path, resume: bool) -> None:
    file = folder / "ring.json"
    if file.exists():
        if not resume:
            raise ValueError(f"{folder} holds an experiment already: go on with --resume, or choose another --out.")
        stored, wanted = asdict(read(folder)), asdict(asked)
        differ = [name for name in stored if stored[name] != wanted[name] and name not in ("iterations", "rules")]
        if differ:
            was = ", ".join(f"{name}={stored[name]}" for name in differ)
            raise ValueError(f"{folder} was made with {was}: go on with the same, or choose another --out.")
    elif folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty and holds no experiment: choose another --out.")
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as beside:
        beside.write_text(json.dumps(asdict(asked), indent=2) + "\n", encoding="utf-8")


def read(folder: str | Path) -> Experiment:
    """Read the settings of the experiment in ``folder``.

    Raises
    ------
    ValueError
        If there is none, or its ``ring.json`` is damaged.
    """
    file = Path(folder) / "ring.json"
    if not file.exists():
        raise ValueError(f"{folder} holds no experiment (no ring.json): make one with keras-faces ring --out {folder}.")
    try:
        stored = read_json(file)
        if "rate" in stored:  # written before it was renamed
            stored["learning_rate"] = stored.pop("rate")
        return as_record(Experiment, stored, file)
    except ValueError as error:
        raise ValueError(f"{error} Mend it, or choose another --out.") from None


def _train_one(asked: Experiment, rule: str, folder: Path) -> None:
    from tqdm import tqdm

    from keras_faces.ring import model as ring
    from keras_faces.ring.step_loop import scan_steps
    from keras_faces.training import checkpoint

    folder.mkdir(exist_ok=True)
    data = ring.Ring(asked.inner, asked.outer)
    model = ring.build(rule, asked.learning_rate, asked.activation, asked.centre_decay, asked.d_steps, asked.seed)
    state = folder / "state.h5"
    if not state.exists() and (folder / "snapshots.npz").exists() and len(_snapshots(folder)) > 2:
        raise ValueError(
            f"{state} is not there, from which the training would go on; {folder / 'snapshots.npz'} is, and was not "
            "changed. Put state.h5 back, or choose another --out."
        )
    done = checkpoint.load(state, model)[1] if state.exists() else 0
    snapshots = [snapshot for snapshot in (_snapshots(folder) if done else []) if snapshot[0] <= done]
    snapshots = snapshots or [(0, _snapshot(model, asked))]
    if done >= asked.iterations:
        return
    batch = asked.batch_size * asked.d_steps
    call = scan_steps(model, lambda: model.step(data.points(batch, model.noise_seed)), asked.every)
    with tqdm(total=asked.iterations, initial=done, desc=f"{NAMES[rule]:>16}", unit=" iterations") as bar:
        while done < asked.iterations:
            logs = call()
            done += asked.every
            snapshots.append((done, _snapshot(model, asked)))
            _save(folder, snapshots)  # first, so that a checkpoint never lacks its snapshot
            checkpoint.save(state, model, epoch=1, iteration=done)
            bar.update(asked.every)
            bar.set_postfix(d_loss=f"{logs['d_loss']:.3f}", coverage=f"{data.coverage(snapshots[-1][1]):.0%}")


def _snapshot(model: Any, asked: Experiment) -> np.ndarray:
    """G's points, float32 (points, 2), of noise that is the same at every moment and for every rule."""
    import keras

    from keras_faces.training.sampling import latent_noise

    noise = latent_noise(asked.points, 2, seed=asked.seed)
    return keras.ops.convert_to_numpy(model.generator(noise, training=False))


def _save(folder: Path, snapshots: list[tuple[int, np.ndarray]]) -> None:
    iterations, points = zip(*snapshots, strict=True)
    with atomic_write(folder / "snapshots.npz") as beside, open(beside, "wb") as file:
        np.savez_compressed(file, iterations=iterations, points=np.stack(points))


def _snapshots(folder: Path) -> list[tuple[int, np.ndarray]]:
    """``(iteration, points)`` of each snapshot in a rule's folder."""
    file = folder / "snapshots.npz"
    if not file.exists():
        raise ValueError(f"{file} is not there: train it with keras-faces ring --resume, or anew in another folder.")
    with np.load(file) as stored:
        return list(zip((int(step) for step in stored["iterations"]), stored["points"], strict=True))


# --------------------------------------------------------------------------------------- metrics and figures


def table(folder: str | Path) -> pandas.DataFrame:
    """Measure how well each rule's points fit the ring at each snapshot.

    Returns
    -------
    DataFrame
        One row per rule and snapshot: ``rule``, ``iteration``, ``coverage`` (see ``Ring.coverage``), ``distance`` (mean
        distance to the ring) and ``on_ring`` (share of the points on it).
    """
    import pandas

    from keras_faces.ring.model import Ring

    asked, rows = read(folder), []
    data = Ring(asked.inner, asked.outer)
    for rule in asked.rules:
        for iteration, points in _snapshots(Path(folder) / rule):
            distances = data.distances(points)
            metrics = data.coverage(points), float(distances.mean()), float((distances == 0).mean())
            rows.append((rule, iteration, *metrics))
    return pandas.DataFrame(rows, columns=["rule", "iteration", *METRICS])


def settled(table: pandas.DataFrame, share: float = 0.2) -> pandas.DataFrame:
    """Means of the metrics over the last ``share`` of the iterations, one row per rule."""
    last = table[table["iteration"] >= (1.0 - share) * table["iteration"].max()]
    return last.groupby("rule", sort=False)[list(METRICS)].mean()


def picture(folder: str | Path, moments: tuple[float, ...] = MOMENTS) -> Figure:
    """Draw figure 3.5: a rule per row, a moment of training per column; blue the ring, red the points of G.

    Parameters
    ----------
    folder : str or Path
    moments : tuple of float
        Shares of the training, 0 to 1.
    """
    from keras_faces.figures.figure import Figure

    asked, rows = _rows(folder)
    figure = Figure(figsize=(2.2 * len(moments), 2.35 * len(rows)), layout="constrained")
    for line, (rule, snapshots) in zip(
        figure.subplots(len(rows), len(moments), squeeze=False), rows.items(), strict=True
    ):
        steps = np.array([iteration for iteration, _ in snapshots])
        for axes, share in zip(line, moments, strict=True):
            iteration, points = snapshots[int(np.abs(steps - share * steps[-1]).argmin())]
            _draw(axes, asked, points)
            axes.set_title(f"{iteration:,}", fontsize="small")
        line[0].set_ylabel(NAMES[rule])
    figure.supxlabel("iterations; blue: the ring, red: G's points", fontsize="small")
    return figure


def frames(folder: str | Path, limit: int = 60) -> list[np.ndarray]:
    """Draw the rules side by side at up to ``limit`` moments: pictures uint8 (H, W, 3) for ``grids.animation``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from keras_faces.figures.figure import Figure

    asked, rows = _rows(folder)
    count = min(map(len, rows.values()))
    pictures = []
    for index in np.unique(np.linspace(0, count - 1, min(limit, count)).round().astype(int)):
        figure = Figure(figsize=(2.6 * len(rows), 3.4), dpi=90, layout="constrained")
        for axes, (rule, snapshots) in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows.items(), strict=True):
            iteration, points = snapshots[index]
            _draw(axes, asked, points)
            axes.set_title(NAMES[rule], fontsize="medium")
        figure.supxlabel(f"iteration {iteration:,}", fontsize="medium")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pictures.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    return pictures


def curves(table: pandas.DataFrame) -> Figure:
    """Draw the metrics of :func:`table` over the iterations."""
    from keras_faces.figures.figure import Figure

    titles = {
        "coverage": "coverage: sectors of the ring that hold their points",
        "on_ring": "points that lie on the ring",
        "distance": "mean distance to the ring",
    }
    figure = Figure(figsize=(8, 7.5), layout="constrained")
    for axes, (name, title) in zip(figure.subplots(3, sharex=True), titles.items(), strict=True):
        for rule, rows in table.groupby("rule", sort=False):
            axes.plot(rows["iteration"], rows[name], label=NAMES[rule], linewidth=1.2)
        axes.set_title(title, loc="left", fontsize="medium")
        axes.grid(alpha=0.3)
        if name == "distance":
            axes.set_yscale("symlog", linthresh=1.0)
        else:
            axes.set_ylim(-0.03, 1.03)
    axes.legend()
    axes.set_xlabel("iteration")
    return figure


def write(folder: str | Path) -> pandas.DataFrame:
    """Write the table and the figures into the experiment's folder, and return the table."""
    folder = Path(folder)
    rows = table(folder)
    with atomic_write(folder / "coverage.csv") as beside:
        rows.to_csv(beside, index=False, float_format="%.5g")
    grids.save(picture(folder), folder / "ring.png")
    grids.save(curves(rows), folder / "coverage.png")
    grids.animation(frames(folder), folder / "ring.gif", milliseconds=150, hold=15)
    return rows


def _rows(folder: str | Path) -> tuple[Experiment, dict[str, list[tuple[int, np.ndarray]]]]:
    asked = read(folder)
    return asked, {rule: _snapshots(Path(folder) / rule) for rule in asked.rules}


def _draw(axes, asked: Experiment, points: np.ndarray) -> None:
    """Draw the ring and G's points, in a window of twice the ring; a text says how many lie outside."""
    import keras

    from keras_faces.ring.model import CENTRE, Ring

    ring = keras.ops.convert_to_numpy(Ring(asked.inner, asked.outer).points(700, seed=1))
    axes.plot(*ring.T, ".", color="C0", markersize=1.2)
    axes.plot(*points.T, ".", color="C3", markersize=1.2)
    reach = 2.0 * asked.outer
    axes.set(xlim=(CENTRE[0] - reach, CENTRE[0] + reach), ylim=(CENTRE[1] - reach, CENTRE[1] + reach))
    axes.set(xticks=[], yticks=[], aspect="equal")
    outside = int((np.abs(points - CENTRE) > reach).any(axis=1).sum())
    if outside:
        axes.text(0.03, 0.03, f"{outside} of {len(points)} outside", transform=axes.transAxes, fontsize="x-small")
