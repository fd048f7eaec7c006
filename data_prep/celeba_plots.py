"""Two pictures of an attribute table: how frequent each attribute is, and which come together.

What to read next: ``celeba.py``, which draws them with ``--plots``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def frequencies(attributes: pd.DataFrame, title: str = "") -> Figure:
    """Bars: the share of faces that have each attribute, the most frequent on top.

    Parameters
    ----------
    attributes : DataFrame
        One row a face, one column an attribute; values above 0 mean that it is present.
    """
    from matplotlib.figure import Figure

    shares = (attributes > 0).mean().sort_values() * 100
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(shares)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(shares.index.astype(str), shares)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.set_xlim(0, 108)
    axes.set_ylim(-0.8, len(shares) - 0.2)
    axes.set_xlabel("% of the faces")
    axes.set_title(title)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    return figure


def correlations(attributes: pd.DataFrame, title: str = "") -> Figure:
    """A matrix: the correlation of each two attributes, red where they come together and blue where they exclude.

    Attributes are ordered along the direction in which they vary most together, so that those which go together stand
    together: on CelebA, made-up women at one end and bearded men at the other. An attribute that all faces have, or
    none, has no correlation; it stands at the end, and its cells are grey.
    """
    from matplotlib.figure import Figure

    matrix = ordered_correlations(attributes)
    side = 3 + 0.2 * len(matrix)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    axes.set_facecolor("lightgrey")
    picture = axes.imshow(np.ma.masked_invalid(matrix.to_numpy()), cmap="RdBu_r", vmin=-1, vmax=1)
    names, places = matrix.columns.astype(str), range(len(matrix))
    axes.set_xticks(places, names, rotation=90, fontsize=8)
    axes.set_yticks(places, names, fontsize=8)
    figure.colorbar(picture, ax=axes, shrink=0.6, label="correlation")
    axes.set_title(title)
    return figure


def ordered_correlations(attributes: pd.DataFrame) -> pd.DataFrame:
    """Pearson's correlations, rows and columns ordered by the first eigenvector; NaN for constant attributes."""
    values = attributes.to_numpy(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = (
            np.atleast_2d(np.corrcoef(values, rowvar=False))
            if len(values) > 1
            else np.full((values.shape[1],) * 2, np.nan)
        )
    varies = ~np.isnan(np.diag(matrix))
    first = np.full(len(matrix), np.inf)
    if varies.any():
        direction = np.linalg.eigh(matrix[np.ix_(varies, varies)])[1][:, -1]
        first[varies] = direction * np.sign(direction[np.argmax(np.abs(direction))])
    order = np.argsort(first, kind="stable")
    names = attributes.columns[order]
    return pd.DataFrame(matrix[np.ix_(order, order)], index=names, columns=names)
