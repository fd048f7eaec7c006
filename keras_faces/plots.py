"""Pictures for a class: grids of faces, their evolution over training, loss curves, animations.

``grid``, ``evolution`` and ``losses`` return a matplotlib ``Figure`` (shown by a notebook, written by ``.savefig``).
The sample grids of a run folder are plain pixels, made by :func:`tile`, so that nothing is blurred.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from keras_faces.files import replacing

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

GAP = 2  # white pixels between the images of a tiled picture


def tile(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images (count, H, W, 3) side by side in one uint8 picture, row by row, with a white gap of 2 pixels.

    ``columns`` is chosen for a nearly square picture if it is not given; places without an image are white.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not len(images):
        raise ValueError(f"images must be uint8 (count, H, W, 3) with count > 0, got {images.dtype} {images.shape}.")
    count, height, width, _ = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    picture = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, "uint8")
    for index, image in enumerate(images):
        top = GAP + index // columns * (height + GAP)
        left = GAP + index % columns * (width + GAP)
        picture[top : top + height, left : left + width] = image
    return picture


def untile(picture: np.ndarray, image_size: int) -> np.ndarray:
    """The images of a picture that :func:`tile` made, white places included: uint8 (rows * columns, S, S, 3)."""
    cell = image_size + GAP
    if (picture.shape[0] - GAP) % cell or (picture.shape[1] - GAP) % cell:
        raise ValueError(f"a picture of {picture.shape} is no grid of {image_size}×{image_size} images.")
    rows, columns = (picture.shape[0] - GAP) // cell, (picture.shape[1] - GAP) // cell
    cells = picture[GAP:, GAP:].reshape(rows, cell, columns, cell, 3)
    return cells.swapaxes(1, 2)[:, :, :image_size, :image_size].reshape(-1, image_size, image_size, 3)


def magnify(images: np.ndarray, side: int) -> np.ndarray:
    """Pictures (..., H, W, 3) with every pixel drawn as a square, until they are at least ``side`` high."""
    factor = -(-side // images.shape[-3])
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def grid(images: np.ndarray, columns: int | None = None, title: str = "") -> Figure:
    """Images uint8 (count, H, W, 3) as one figure."""
    picture = tile(images, columns)
    figure, axes = _canvas(picture, title)
    axes.set_axis_off()
    return figure


def evolution(rows: Sequence[tuple[str, np.ndarray]], title: str = "") -> Figure:
    """One row a moment of training, one column a noise vector: how the same faces came to be.

    Parameters
    ----------
    rows
        Pairs of a label ("epoch 3") and images uint8 (columns, H, W, 3), the same noise in each column.
    """
    if not rows:
        raise ValueError("there is no row to draw: evolution needs at least one (label, images).")
    columns = len(rows[0][1])
    picture = tile(np.concatenate([images for _, images in rows]), columns)
    longest = max(len(line) for label, _ in rows for line in label.split("\n"))
    figure, axes = _canvas(picture, title, room=0.085 * longest + 0.15)
    cell = (picture.shape[0] - GAP) / len(rows)
    axes.set_yticks([GAP / 2 + cell * (row + 0.5) for row in range(len(rows))], [label for label, _ in rows])
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def side_by_side(columns: Sequence[tuple[str, np.ndarray]], across: int = 4, title: str = "") -> Figure:
    """Faces of several systems beside each other, the same count of each.

    Parameters
    ----------
    columns
        Pairs of a label and images uint8 (count, H, W, 3); sizes may differ from one to the next.
    across
        Faces across each column. More than five columns go into further lines.
    """
    from matplotlib.figure import Figure

    if not columns:
        raise ValueError("there is no column to draw: side_by_side needs at least one (label, images).")
    count = min(len(images) for _, images in columns)
    beside = min(5, len(columns))
    lines = -(-len(columns) // beside)
    ratio = -(-count // across) / across
    figure = Figure(figsize=(3.4 * beside, (3.4 * ratio + 0.7) * lines), layout="constrained")
    places = figure.subplots(lines, beside, squeeze=False).ravel()
    if title:
        figure.suptitle(title)
    for axes in places:
        axes.set_axis_off()
    for axes, (label, images) in zip(places, columns, strict=False):
        axes.imshow(magnify(tile(images[:count], across), 400), interpolation="antialiased")
        axes.set_title("\n".join(fill(line, 40) for line in label.splitlines()), fontsize="medium")
    return figure


def losses_of(logs: dict[str, pandas.DataFrame], unbounded: Collection[str] = ()) -> Figure:
    """The curves of several trainings, one colour each: losses, D(x) with D(G(z)), spread of the fakes, and what
    systems without a D minimise.

    Parameters
    ----------
    logs
        The ``log.csv`` of each, under the name for the legend.
    unbounded
        The names of those whose D gives no probability but a score without bounds; it gets axes of its own.
    """
    from matplotlib.figure import Figure

    if not logs:
        raise ValueError("there is no curve to draw: losses_of needs at least one log.")
    probable = [name for name in logs if name not in unbounded]
    others = [name for name in logs if name in unbounded]
    panels = [("D's loss", ["d_loss"], list(logs)), ("G's loss", ["g_loss"], list(logs))]
    panels += [("D(x), and dashed D(G(z))", ["d_real", "d_fake"], probable)] if probable else []
    panels += [("D's score of photographs, and dashed of fakes", ["d_real", "d_fake"], others)] if others else []
    panels += [("spread of the fakes", ["spread"], list(logs))]
    panels += [(name.replace("_", " "), [name], list(logs)) for name in ("reconstruction_loss", "kl_loss", "bits_loss")]
    panels = [
        (title, columns, [name for name in names if columns[0] in logs[name]]) for title, columns, names in panels
    ]
    panels = [panel for panel in panels if panel[2]]
    figure = Figure(figsize=(9, 2.3 * len(panels) + 0.3 * len(logs)), layout="constrained")
    places = figure.subplots(len(panels), sharex=True, squeeze=False).ravel()
    for axes, (title, columns, names) in zip(places, panels, strict=True):
        axes.set_title(title, loc="left", fontsize="medium")
        for name in names:
            for column, style in zip(columns, ("-", "--"), strict=False):
                colour = f"C{list(logs).index(name)}"
                axes.plot(logs[name]["step"], logs[name][column], style, color=colour, linewidth=1.1, label=name)
        if np.abs(np.concatenate([line.get_ydata() for line in axes.lines])).max() > 20:
            axes.set_yscale("symlog", linthresh=1.0)  # a critic's numbers are hundreds, those of the others a few
        axes.grid(alpha=0.3)
    axes.set_xlabel("iteration")
    lines = {line.get_label(): line for axes in reversed(figure.axes) for line in reversed(axes.lines)}  # solid ones
    handles = [lines[name] for name in logs if name in lines]
    figure.legend(
        handles,
        [line.get_label() for line in handles],
        loc="outside lower center",
        ncols=1 if max(map(len, logs)) > 30 else 3,
    )
    return figure


def losses(log: pandas.DataFrame, title: str = "") -> Figure:
    """The curves of a run's ``log.csv``: the losses, the scores, and the lengths of the gradients.

    Parameters
    ----------
    log
        Table with the columns step and, as far as the system has them, losses (all that end in "loss"), d_real,
        d_fake, d_accuracy, other accuracies, spread, d_gradient and g_gradient.
    """
    from matplotlib.figure import Figure

    known = {"d_loss": "D's loss", "g_loss": "G's loss"}
    losses = known | {name: name.replace("_", " ") for name in log if name.endswith("loss") and name not in known}
    known = {"d_real": "D(x), photographs", "d_fake": "D(G(z)), fakes", "d_accuracy": "D is right"}
    scores = known | {name: name.replace("_", " ") for name in log if name.endswith("accuracy") and name not in known}
    scores["spread"] = "spread of the fakes"
    lengths = {"d_gradient": "D's gradient", "e_gradient": "E's gradient", "g_gradient": "G's gradient"}
    known = set(log.dropna(axis="columns", how="all"))
    panels = [(names, height) for names, height in ((losses, 3), (scores, 3), (lengths, 2)) if names.keys() & known]
    panels = panels or [(losses, 3)]
    heights = [height for _, height in panels]
    figure = Figure(figsize=(8, 0.5 + sum(heights)), layout="constrained")
    places = figure.subplots(len(panels), sharex=True, height_ratios=heights, squeeze=False).ravel()
    places[0].set_title(title)
    places[-1].set_xlabel("iteration")
    for axes, (names, _) in zip(places, panels, strict=True):
        _curves(axes, log.assign(spread=log["spread"].clip(upper=2)) if "spread" in log else log, names)
        if names is losses and axes.lines and max(np.abs(line.get_ydata()).max() for line in axes.lines) > 20:
            axes.set_yscale("symlog", linthresh=1.0)  # squares summed over all pixels beside cross-entropies
        if names is losses and "d_loss" in log:
            axes.axhline(np.log(2), color="grey", linewidth=0.8, linestyle=":", label="ln 2: D cannot tell")
        if names is lengths and axes.lines:
            axes.set_yscale("log")
        if axes.lines:
            axes.legend(loc="upper right")
        axes.grid(alpha=0.3)
    return figure


def _curves(axes, log: pandas.DataFrame, names: dict[str, str]) -> None:
    for name, label in names.items():
        if name in log and log[name].notna().any():
            axes.plot(log["step"], log[name], label=label)


def scores(history: pandas.DataFrame, figure: Figure | None = None) -> Figure:
    """The scores of a training over its iterations, with their 95 % intervals where there are any.

    Parameters
    ----------
    history
        A run's ``scores.csv``: step, fid, kid, precision, ... and fid_low, fid_high, ...
    figure
        Where to draw; a new one if it is not given.
    """
    from matplotlib.figure import Figure

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


def animation(frames: Sequence[np.ndarray], path: str | Path, milliseconds: int = 250, hold: int = 8) -> None:
    """Write uint8 pictures (H, W, 3) of one size as a GIF that loops; the last one stays ``hold`` times as long."""
    from PIL import Image

    if not len(frames):
        raise ValueError("there is no frame to write.")
    pictures = [Image.fromarray(frame).quantize(256) for frame in frames]
    durations = [milliseconds] * (len(pictures) - 1) + [hold * milliseconds]
    with replacing(path) as beside:
        pictures[0].save(beside, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG; an older file stays until the new one is whole."""
    with replacing(path) as beside:
        figure.savefig(beside, format="png", dpi=110, bbox_inches="tight", pad_inches=0.1)  # no empty margins


def save_picture(picture: np.ndarray, path: str | Path) -> None:
    """Write a uint8 RGB picture (H, W, 3) as PNG; an older file stays until the new one is whole."""
    from PIL import Image

    with replacing(path) as beside:
        Image.fromarray(picture).save(beside, "PNG")


def read_picture(path: str | Path) -> np.ndarray:
    """A picture file as uint8 RGB (H, W, 3)."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _canvas(picture: np.ndarray, title: str, room: float = 0.0):
    """A figure of the picture's own proportions, each pixel drawn as it is; ``room``, in inches, for labels."""
    from matplotlib.figure import Figure

    height, width = picture.shape[:2]
    figure = Figure(figsize=(max(3.0, width / 80 + room), max(2.0, height / 80 + 0.4)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(picture, interpolation="nearest")
    axes.set_title(title)
    return figure, axes
