"""The ring: three losses fit the same points, side by side (the dissertation's section 3.4.1, figure 3.5).

runs/ring/ring.json        what was asked for
          gan/ wgan/ fm-gan/   snapshots.npz: points of the same noise at many moments; state.h5: to go on from
          ring.png         figure 3.5: a row a loss, a column a moment
          ring.gif         the same as it moves
          coverage.csv     coverage of the ring and distance to it over the iterations
          coverage.png     their curves

Many iterations are one compiled call (``training/repeated.py``), or the source's two million would take hours of calls
for minutes of arithmetic.

Read next: ``models/ring.py`` for the networks and the three rules, ``commands/ring.py`` for the command.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces import plots
from keras_faces.files import replacing

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

RULES = ("gan", "wgan", "fm-gan")
NAMES = {"gan": "the original GAN", "wgan": "WGAN", "fm-gan": "FM-GAN"}
MOMENTS = (0.02, 0.06, 0.15, 0.35, 0.65, 1.0)  # the columns of the figure, as shares of the training
NUMBERS = ("coverage", "distance", "on_ring")


@dataclass
class Experiment:
    """What is asked for; ``ring.json`` holds it.

    Attributes
    ----------
    rules
        Which of "gan", "wgan", "fm-gan" are trained.
    iterations, every
        How many, and how many from one snapshot to the next; the source has 2,000,000.
    batch_size
        Points of the ring for each step of D.
    rate
        RMSprop's; the source has 5e-5.
    activation, centre_decay, d_steps, seed
        See :func:`keras_faces.models.ring.build`.
    inner, outer
        Radii of the ring.
    points
        How many points a snapshot has.
    backend
        What Keras runs on.
    """

    rules: list[str] = field(default_factory=lambda: list(RULES))
    iterations: int = 100_000
    every: int = 2000
    batch_size: int = 64
    rate: float = 3e-4
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
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"rate={self.rate}: must be positive; the source has 5e-5.")
        if not 0.0 <= self.inner < self.outer < float("inf"):
            raise ValueError(f"a ring from radius {self.inner} to {self.outer}: 0 <= inner < outer is needed.")
        if self.iterations % self.every:
            whole = max(1, self.iterations // self.every) * self.every
            raise ValueError(f"{self.iterations} iterations are no multiple of {self.every}: take {whole}.")


# --------------------------------------------------------------------------------------------------- training


def train(asked: Experiment, folder: str | Path, resume: bool = False) -> None:
    """Train each rule in turn; what a folder holds already is gone on from, bit for bit, with ``resume``.

    Raises
    ------
    ValueError
        If there is an experiment in ``folder`` and ``resume`` is not set, or if it was made with other settings than
        ``asked`` (more iterations are no other setting).
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
    with replacing(file) as beside:
        beside.write_text(json.dumps(asdict(asked), indent=2) + "\n", encoding="utf-8")


def read(folder: str | Path) -> Experiment:
    """What the experiment in ``folder`` was asked for."""
    file = Path(folder) / "ring.json"
    if not file.exists():
        raise ValueError(f"{folder} holds no experiment (no ring.json): make one with keras-faces ring --out {folder}.")
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        known = {each.name for each in fields(Experiment)}
        if not isinstance(stored, dict) or stored.keys() - known:
            raise ValueError("it has unknown entries")
        return Experiment(**stored)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file} cannot be used ({error}): choose another --out.") from None


def _train_one(asked: Experiment, rule: str, folder: Path) -> None:
    from tqdm import tqdm

    from keras_faces.models import ring
    from keras_faces.training import checkpoint
    from keras_faces.training.repeated import repeated

    folder.mkdir(exist_ok=True)
    data = ring.Ring(asked.inner, asked.outer)
    model = ring.build(rule, asked.rate, asked.activation, asked.centre_decay, asked.d_steps, asked.seed)
    state = folder / "state.h5"
    done = checkpoint.load(state, model)[1] if state.exists() else 0
    kept = [snapshot for snapshot in (_snapshots(folder) if done else []) if snapshot[0] <= done]
    if not kept:
        kept = [(0, snapshot(model, asked))]
    if done >= asked.iterations:
        return
    batch = asked.batch_size * asked.d_steps
    call = repeated(model, lambda: model.step(data.points(batch, model.noise_seed)), asked.every)
    with tqdm(total=asked.iterations, initial=done, desc=f"{NAMES[rule]:>16}", unit=" iterations") as bar:
        while done < asked.iterations:
            numbers = call()
            done += asked.every
            kept.append((done, snapshot(model, asked)))
            _keep(folder, kept)  # first, so that a checkpoint never lacks its snapshot
            checkpoint.save(state, model, epoch=1, iteration=done)
            bar.update(asked.every)
            bar.set_postfix(d_loss=f"{numbers['d_loss']:.3f}", coverage=f"{data.coverage(kept[-1][1]):.0%}")


def snapshot(model: Any, asked: Experiment) -> np.ndarray:
    """G's points of the same noise at every moment and for every rule: float32 (points, 2)."""
    import keras

    from keras_faces.training.sampling import latent_noise

    noise = latent_noise(asked.points, 2, seed=asked.seed)
    return keras.ops.convert_to_numpy(model.generator(noise, training=False))


def _keep(folder: Path, kept: list[tuple[int, np.ndarray]]) -> None:
    with replacing(folder / "snapshots.npz") as beside, open(beside, "wb") as file:
        np.savez_compressed(file, iterations=[step for step, _ in kept], points=np.stack([part for _, part in kept]))


def _snapshots(folder: Path) -> list[tuple[int, np.ndarray]]:
    """``(iteration, points)`` of each snapshot that a rule's folder holds."""
    file = folder / "snapshots.npz"
    if not file.exists():
        raise ValueError(f"{file} is not there: train it with keras-faces ring --resume, or anew in another folder.")
    with np.load(file) as stored:
        return list(zip((int(step) for step in stored["iterations"]), stored["points"], strict=True))


# --------------------------------------------------------------------------------------- numbers and pictures


def table(folder: str | Path) -> pandas.DataFrame:
    """How well each rule's points fit the ring at each snapshot.

    Returns
    -------
    A row a rule and snapshot: rule, iteration, ``coverage`` (the share of the ring's 36 sectors that hold their
    points), ``distance`` (mean distance to the ring, in the units of the plane) and ``on_ring`` (the share of points on
    it).
    """
    import pandas

    from keras_faces.models.ring import Ring

    asked = read(folder)
    data, rows = Ring(asked.inner, asked.outer), []
    for rule in asked.rules:
        for iteration, points in _snapshots(Path(folder) / rule):
            away = data.distances(points)
            rows.append((rule, iteration, data.coverage(points), float(away.mean()), float((away == 0).mean())))
    return pandas.DataFrame(rows, columns=["rule", "iteration", *NUMBERS])


def settled(numbers: pandas.DataFrame, share: float = 0.2) -> pandas.DataFrame:
    """The means over the last ``share`` of the snapshots, a row a rule: one moment may be a lucky one."""
    last = numbers[numbers["iteration"] >= (1.0 - share) * numbers["iteration"].max()]
    return last.groupby("rule", sort=False)[list(NUMBERS)].mean()


def picture(folder: str | Path, moments: tuple[float, ...] = MOMENTS) -> Figure:
    """Figure 3.5: a row a rule, a column a moment of training; blue the ring, red what G makes of the same noise."""
    from matplotlib.figure import Figure

    asked, rows = _rows(folder)
    figure = Figure(figsize=(2.2 * len(moments), 2.35 * len(rows)), layout="constrained")
    for line, (rule, kept) in zip(figure.subplots(len(rows), len(moments), squeeze=False), rows.items(), strict=True):
        steps = np.array([iteration for iteration, _ in kept])
        for axes, share in zip(line, moments, strict=True):
            iteration, points = kept[int(np.abs(steps - share * steps[-1]).argmin())]
            _draw(axes, asked, points)
            axes.set_title(f"{iteration:,}", fontsize="small")
        line[0].set_ylabel(NAMES[rule])
    figure.supxlabel("iterations; blue: the ring, red: G's points", fontsize="small")
    return figure


def frames(folder: str | Path, most: int = 60) -> list[np.ndarray]:
    """The rules beside each other, moment by moment, uint8 (H, W, 3): for ``plots.animation``. At most ``most``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    asked, rows = _rows(folder)
    count = min(len(kept) for kept in rows.values())
    drawn = []
    for index in np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)):
        figure = Figure(figsize=(2.6 * len(rows), 3.4), dpi=90, layout="constrained")
        for axes, (rule, kept) in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows.items(), strict=True):
            _draw(axes, asked, kept[index][1])
            axes.set_title(NAMES[rule], fontsize="medium")
        figure.supxlabel(f"iteration {next(iter(rows.values()))[index][0]:,}", fontsize="medium")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    return drawn


def curves(numbers: pandas.DataFrame) -> Figure:
    """Coverage, share of the points on the ring and distance to it, over the iterations."""
    from matplotlib.figure import Figure

    titles = {
        "coverage": "coverage: sectors of the ring that hold their points",
        "on_ring": "points that lie on the ring",
        "distance": "mean distance to the ring",
    }
    figure = Figure(figsize=(8, 7.5), layout="constrained")
    for axes, (name, title) in zip(figure.subplots(3, sharex=True), titles.items(), strict=True):
        for rule, one in numbers.groupby("rule", sort=False):
            axes.plot(one["iteration"], one[name], label=NAMES[rule], linewidth=1.2)
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
    """Write the table and the pictures into the experiment's folder; returns the table."""
    folder = Path(folder)
    numbers = table(folder)
    with replacing(folder / "coverage.csv") as beside:
        numbers.to_csv(beside, index=False, float_format="%.5g")
    plots.save(picture(folder), folder / "ring.png")
    plots.save(curves(numbers), folder / "coverage.png")
    plots.animation(frames(folder), folder / "ring.gif", milliseconds=150, hold=15)
    return numbers


def _rows(folder: str | Path) -> tuple[Experiment, dict[str, list[tuple[int, np.ndarray]]]]:
    asked = read(folder)
    return asked, {rule: _snapshots(Path(folder) / rule) for rule in asked.rules}


def _draw(axes, asked: Experiment, points: np.ndarray) -> None:
    """The ring and G's points, in a window of twice the ring; how many are outside it is written into the corner."""
    import keras

    from keras_faces.models.ring import CENTRE, Ring

    ring = keras.ops.convert_to_numpy(Ring(asked.inner, asked.outer).points(700, seed=1))
    axes.plot(*ring.T, ".", color="C0", markersize=1.2)
    axes.plot(*points.T, ".", color="C3", markersize=1.2)
    reach = 2.0 * asked.outer
    axes.set(xlim=(CENTRE[0] - reach, CENTRE[0] + reach), ylim=(CENTRE[1] - reach, CENTRE[1] + reach))
    axes.set(xticks=[], yticks=[], aspect="equal")
    outside = int((np.abs(points - CENTRE) > reach).any(axis=1).sum())
    if outside:
        axes.text(0.03, 0.03, f"{outside} of {len(points)} outside", transform=axes.transAxes, fontsize="x-small")
