"""Two figures of an attribute table: how frequent each attribute is, and which come together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data_prep.engine.celeba_files import attributes_of
from data_prep.engine.script import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(table: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Draw the attributes' frequencies and correlations as PNG files.

    Parameters
    ----------
    table : DataFrame
        By `data_prep.engine.celeba_files.read_tables`.
    folder : str or Path
        Made if need be; gets frequencies.png and correlations.png.

    Returns
    -------
    list of Path
        The two files.

    Raises
    ------
    ValueError
        The table has no attributes.
    """
    from keras_faces.figures.grids import save

    attributes = attributes_of(table)
    if attributes.empty:
        raise ValueError("there are no attributes to draw; give list_attr_celeba.txt too")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    title = counted(len(table), "face")
    paths = [folder / "frequencies.png", folder / "correlations.png"]
    for path, figure in zip(paths, (frequencies(attributes, title), correlations(attributes, title)), strict=True):
        save(figure, path)
    return paths


def frequencies(attributes: pd.DataFrame, title: str = "") -> Figure:
    """Bars: the share of faces that have each attribute, the most frequent on top.

    Parameters
    ----------
    attributes : DataFrame
        One row a face, one column an attribute; values above 0 mean that it is present.
    title : str
        Above the bars.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    shares = (attributes > 0).mean().sort_values() * 100
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(shares)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(shares.index.astype(str), shares)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.set(xlim=(0, 108), ylim=(-0.8, len(shares) - 0.2), xlabel="% of the faces", title=title)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    return figure


def correlations(attributes: pd.DataFrame, title: str = "") -> Figure:
    """A matrix: the correlation of each two attributes, red where they come together, blue where they exclude.

    Attributes are ordered along the direction in which they vary most together, so that those which go together stand
    together: on CelebA, made-up women at one end and bearded men at the other. An attribute that all faces have, or
    none, has no correlation; it stands at the end, and its cells are grey. Parameters as in `frequencies`.
    """
    from matplotlib.figure import Figure

    matrix = ordered_correlations(attributes)
    side = 3 + 0.2 * len(matrix)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("lightgrey")
    image = axes.imshow(np.ma.masked_invalid(matrix.to_numpy()), cmap="RdBu_r", vmin=-1, vmax=1)
    names, places = matrix.columns.astype(str), range(len(matrix))
    axes.set_xticks(places, names, rotation=90, fontsize=8)
    axes.set_yticks(places, names, fontsize=8)
    figure.colorbar(image, ax=axes, shrink=0.6, label="correlation")
    axes.set_title(title)
    return figure


def ordered_correlations(attributes: pd.DataFrame) -> pd.DataFrame:
    """Pearson's correlations, rows and columns ordered by the first eigenvector; NaN for constant attributes."""
    matrix = attributes.astype(np.float64).corr()
    varies = matrix.columns[~np.isnan(np.diag(matrix))]
    first = pd.Series(np.inf, index=matrix.columns)
    if len(varies):
        direction = np.linalg.eigh(matrix.loc[varies, varies])[1][:, -1]
        first[varies] = direction * np.sign(direction[np.argmax(np.abs(direction))])
    names = matrix.columns[np.argsort(first.to_numpy(), kind="stable")]
    return matrix.loc[names, names]
