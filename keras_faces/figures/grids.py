"""Grids of faces, curves of losses and scores, animations; ``kf.plots`` in the lessons.

``grid``, ``evolution``, ``side_by_side``, ``losses`` and ``scores`` return a matplotlib ``Figure``: a notebook shows it
and :func:`save` writes it. The sample grids of a run folder are plain pixels from :func:`tile`, not interpolated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures.fonts import make_readable
from keras_faces.files import atomic_write
from keras_faces.outputs import SOFTWARE, png_note

if TYPE_CHECKING:
    import pandas

    from keras_faces.figures.figure import Figure

GAP = 2  # white pixels between the images of a tiled picture


# ---------------------------------------------------------------------------------------------- images in a grid


def tile(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Place images side by side, row by row, with a white gap of 2 pixels.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, H, W, 3)
    columns : int, optional
        Images per row; by default the number that makes the picture nearly square.

    Returns
    -------
    ndarray of uint8, shape (rows * (H + 2) + 2, columns * (W + 2) + 2, 3)
        Cells without an image are white.

    Raises
    ------
    ValueError
        If ``images`` is empty or has another dtype or shape.
    """
    if hasattr(images, "images"):
        raise ValueError(f"these are {len(images):,} Faces: give some of their images, such as faces[:64].")
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not len(images):
        raise ValueError(f"images must be uint8 (count, H, W, 3) with count > 0, got {images.dtype} {images.shape}.")
    count, height, width, _ = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    cells = np.full((rows * columns, height + GAP, width + GAP, 3), 255, "uint8")
    cells[:count, :height, :width] = images
    cells = cells.reshape(rows, columns, height + GAP, width + GAP, 3).swapaxes(1, 2)
    picture = cells.reshape(rows * (height + GAP), columns * (width + GAP), 3)
    return np.pad(picture, [(GAP, 0), (GAP, 0), (0, 0)], constant_values=255)


def untile(picture: np.ndarray, image_size: int) -> np.ndarray:
    """Cut a picture (h, w, 3) that :func:`tile` made into its images, uint8 (rows * columns, S, S, 3).

    White cells are included. Raises a ValueError if the picture is no grid of images with the side S = ``image_size``.
    """
    cell = image_size + GAP
    if (picture.shape[0] - GAP) % cell or (picture.shape[1] - GAP) % cell:
        raise ValueError(f"a picture of {picture.shape} is no grid of {image_size}×{image_size} images.")
    rows, columns = (picture.shape[0] - GAP) // cell, (picture.shape[1] - GAP) // cell
    cells = picture[GAP:, GAP:].reshape(rows, cell, columns, cell, 3)
    return cells.swapaxes(1, 2)[:, :, :image_size, :image_size].reshape(-1, image_size, image_size, 3)


def magnify(images: np.ndarray, side: int) -> np.ndarray:
    """Repeat the pixels of images (..., H, W, 3) a whole number of times, until they are at least ``side`` high."""
    factor = -(-side // images.shape[-3])
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


# ----------------------------------------------------------------------------------------------- figures of faces


def grid(images: np.ndarray, columns: int | None = None, title: str = "") -> Figure:
    """Draw images as one grid; parameters as in :func:`tile`."""
    figure, axes = _canvas(tile(images, columns), title)
    axes.set_axis_off()
    return figure


def evolution(rows: Sequence[tuple[str, np.ndarray]], title: str = "", side: int = 1) -> Figure:
    """Draw labelled rows of images: the same noise down each column, a moment of training or a label per row.

    Parameters
    ----------
    rows : sequence of (str, ndarray of uint8, shape (columns, H, W, 3))
        The label of each row, such as "epoch 3", and its images.
    side : int
        Smaller images are magnified until they are this many pixels high.

    Raises
    ------
    ValueError
        If there is no row.
    """
    if not rows:
        raise ValueError("there is no row to draw: evolution needs at least one (label, images).")
    picture = tile(np.concatenate([magnify(images, side) for _, images in rows]), len(rows[0][1]))
    longest = max(len(line) for label, _ in rows for line in label.split("\n"))
    figure, axes = _canvas(picture, title, room=0.085 * longest + 0.15)
    cell = (picture.shape[0] - GAP) / len(rows)
    axes.set_yticks([GAP / 2 + cell * (row + 0.5) for row in range(len(rows))], [label for label, _ in rows])
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return make_readable(figure)


def side_by_side(columns: Sequence[tuple[str, np.ndarray]], across: int = 4, title: str = "") -> Figure:
    """Draw the faces of several systems beside each other, five systems per line, the same number of faces of each.

    Parameters
    ----------
    columns : sequence of (str, ndarray of uint8, shape (n, H, W, 3))
        The label and the faces of each system; n, H and W may differ.
    across : int
        Faces across each column.

    Raises
    ------
    ValueError
        If there is no column.
    """
    from keras_faces.figures.figure import Figure

    if not columns:
        raise ValueError("there is no column to draw: side_by_side needs at least one (label, images).")
    count = min(len(images) for _, images in columns)
    beside = min(5, len(columns))
    lines = -(-len(columns) // beside)
    ratio = -(-count // across) / across
    figure = Figure(figsize=(3.4 * beside, (3.4 * ratio + 0.7) * lines), layout="constrained")
    if title:
        figure.suptitle(title)
    panels = figure.subplots(lines, beside, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (label, images) in zip(panels, columns, strict=False):
        label = "\n".join(fill(line, 40) for line in label.splitlines())
        show(axes, tile(images[:count], across), label, side=400)
    return make_readable(figure)


def show(axes: Any, picture: np.ndarray, title: str = "", side: int = 500) -> None:
    """Draw one uint8 picture (H, W, 3) into matplotlib axes without ticks, magnified to ``side`` pixels or more."""
    axes.imshow(magnify(picture, side), interpolation="antialiased")
    axes.set_title(title, fontsize="medium")
    axes.set_axis_off()


def _canvas(picture: np.ndarray, title: str, room: float = 0.0):
    """A figure in the picture's own proportions, 80 pixels per inch, with ``room`` inches for labels."""
    from keras_faces.figures.figure import Figure

    height, width = picture.shape[:2]
    figure = Figure(figsize=(max(3.0, width / 80 + room), max(2.0, height / 80 + 0.4)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(picture, interpolation="nearest")
    axes.set_title(title)
    return figure, axes


# ------------------------------------------------------------------------------------------------------- curves


def losses_of(logs: dict[str, pandas.DataFrame], unbounded: Collection[str] = ()) -> Figure:
    """Draw the curves of several runs, one colour per run.

    Parameters
    ----------
    logs : dict of str to DataFrame
        The ``log.csv`` of each run, by its name in the legend; columns as in :func:`losses`.
    unbounded : collection of str
        Names of the runs whose D returns an unbounded score, not a probability; they get axes of their own.

    Raises
    ------
    ValueError
        If there is no log.
    """
    from keras_faces.figures.figure import Figure

    if not logs:
        raise ValueError("there is no curve to draw: losses_of needs at least one log.")
    panels = [
        ("D's loss", ["d_loss"], logs),
        ("G's loss", ["g_loss"], logs),
        ("D(x), and dashed D(G(z))", ["d_real", "d_fake"], [name for name in logs if name not in unbounded]),
        ("D's score of photographs, and dashed of fakes", ["d_real", "d_fake"], [n for n in logs if n in unbounded]),
        ("spread of the fakes", ["spread"], logs),
        *((loss.replace("_", " "), [loss], logs) for loss in ("reconstruction_loss", "kl_loss", "bits_loss")),
    ]
    panels = [
        (title, columns, [name for name in names if columns[0] in logs[name]]) for title, columns, names in panels
    ]
    panels = [panel for panel in panels if panel[2]]
    figure = Figure(figsize=(9, 2.3 * len(panels) + 0.3 * len(logs)), layout="constrained")
    colours, lines = {name: f"C{index}" for index, name in enumerate(logs)}, {}
    for axes, (title, columns, names) in zip(_stacked(figure, len(panels)), panels, strict=True):
        axes.set_title(title, loc="left", fontsize="medium")
        for name in names:
            for column, style in zip(columns, ("-", "--"), strict=False):
                style = {"linestyle": style, "color": colours[name], "linewidth": 1.1, "label": name}
                (line,) = axes.plot(logs[name]["step"], logs[name][column], **style)
                lines.setdefault(name, line)
        _symlog(axes)  # a critic's loss may be in the hundreds, the others' are a few
    figure.legend(
        [lines[name] for name in logs if name in lines],
        [name for name in logs if name in lines],
        loc="outside lower center",
        ncols=1 if max(map(len, logs)) > 30 else 3,
    )
    return figure


def losses(log: pandas.DataFrame, title: str = "") -> Figure:
    """Draw the curves of one run: losses, scores of D, and gradient norms.

    Parameters
    ----------
    log : DataFrame
        A run's ``log.csv``: ``step``, and as far as the system has them ``d_loss``, ``g_loss`` and other columns that
        end in "loss", ``d_real``, ``d_fake``, columns that end in "accuracy", ``spread``, ``d_gradient``,
        ``e_gradient``, ``g_gradient``.
    title : str
    """
    from keras_faces.figures.figure import Figure

    log = log.dropna(axis="columns", how="all")
    losses = {"d_loss": "D's loss", "g_loss": "G's loss"}
    scores = {"d_real": "D(x), photographs", "d_fake": "D(G(z)), fakes", "d_accuracy": "D is right"}
    for names, ending in ((losses, "loss"), (scores, "accuracy")):
        names |= {name: name.replace("_", " ") for name in log if name.endswith(ending) and name not in names}
    scores["spread"] = "spread of the fakes"
    lengths = {"d_gradient": "D's gradient", "e_gradient": "E's gradient", "g_gradient": "G's gradient"}
    panels = [(names, height) for names, height in ((losses, 3), (scores, 3), (lengths, 2)) if names.keys() & set(log)]
    panels = panels or [(losses, 3)]
    heights = [height for _, height in panels]
    figure = Figure(figsize=(8, 0.5 + sum(heights)), layout="constrained")
    if "spread" in log:
        log = log.assign(spread=log["spread"].clip(upper=2))
    stacked = _stacked(figure, len(panels), height_ratios=heights)
    stacked[0].set_title(title)
    for axes, (names, _) in zip(stacked, panels, strict=True):
        for name in names:
            if name in log:
                axes.plot(log["step"], log[name], label=names[name])
        if names is losses:
            _symlog(axes)  # squares summed over all pixels beside cross-entropies
            if "d_loss" in log:
                axes.axhline(np.log(2), color="grey", linewidth=0.8, linestyle=":", label="ln 2: D cannot tell")
        if names is lengths:
            axes.set_yscale("log")
        if axes.lines:
            axes.legend(loc="upper right")
    return figure


def _stacked(figure: Figure, count: int, **options: Any) -> np.ndarray:
    """Axes (count,) above each other with one axis of iterations."""
    stacked = figure.subplots(count, sharex=True, squeeze=False, **options).ravel()
    for axes in stacked:
        axes.grid(alpha=0.3)
    stacked[-1].set_xlabel("iteration")
    return stacked


def _symlog(axes: Any) -> None:
    if max((np.abs(line.get_ydata()).max() for line in axes.lines), default=0) > 20:
        axes.set_yscale("symlog", linthresh=1.0)


def scores(history: pandas.DataFrame, figure: Figure | None = None) -> Figure:
    """Draw FID, KID, precision, recall, density and coverage over the iterations, with their 95 % intervals.

    Parameters
    ----------
    history : DataFrame
        A run's ``scores.csv``: ``step``, ``fid``, ``fid_low``, ``fid_high``, ``kid``, ...
    figure : Figure, optional
        Where to draw; by default a new one.
    """
    from keras_faces.figures.figure import Figure

    figure = figure or Figure(figsize=(9, 6), layout="constrained")
    kinds = {
        "FID, lower is better": ["fid"],
        "KID, lower is better": ["kid"],
        "precision, density: are they faces?": ["precision", "density"],
        "recall, coverage: are they various?": ["recall", "coverage"],
    }
    for axes, (title, names) in zip(figure.subplots(2, 2, sharex=True).ravel(), kinds.items(), strict=True):
        for name in names:
            axes.plot(history["step"], history[name], marker=".", label=name)
            if history[f"{name}_low"].notna().any():
                axes.fill_between(history["step"], history[f"{name}_low"], history[f"{name}_high"], alpha=0.2)
        axes.set_title(title, loc="left", fontsize="medium")
        axes.grid(alpha=0.3)
        if len(names) > 1:
            axes.legend()
        else:
            axes.set_ylim(bottom=min(0.0, history[names[0]].min()))
    figure.supxlabel("iteration", fontsize="medium")
    return figure


# -------------------------------------------------------------------------------------------------------- files


def animation(frames: Sequence[np.ndarray], path: str | Path, milliseconds: int = 250, hold: int = 8) -> None:
    """Write frames uint8 (H, W, 3) as a GIF that loops; an older file stays until the new one is complete.

    A frame lasts ``milliseconds``, the last one ``hold`` times as long. Raises a ValueError if there is no frame.
    """
    from PIL import Image

    if not len(frames):
        raise ValueError("there is no frame to write.")
    pictures = [Image.fromarray(frame).quantize(256) for frame in frames]
    durations = [milliseconds] * (len(pictures) - 1) + [hold * milliseconds]
    with atomic_write(path) as beside:
        pictures[0].save(beside, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def save(figure: Figure, path: str | Path, signed: bool = False) -> None:
    """Write a figure as PNG; an older file stays until the new one is complete. ``signed`` ones name this package."""
    make_readable(figure)
    more = {"metadata": {"Software": SOFTWARE}} if signed else {}
    with atomic_write(path) as beside:
        figure.savefig(beside, format="png", dpi=110, bbox_inches="tight", pad_inches=0.1, **more)  # no empty margins


def save_picture(picture: np.ndarray, path: str | Path, signed: bool = False) -> None:
    """Write a uint8 RGB picture (H, W, 3) as PNG, as :func:`save` writes a figure."""
    from PIL import Image

    with atomic_write(path) as beside:
        Image.fromarray(picture).save(beside, "PNG", pnginfo=png_note() if signed else None)


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture file as uint8 RGB (H, W, 3)."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))
