"""Figures 3 and 8 of Karras et al. 2019, drawn from a StyleGAN: style mixing, and truncation in w."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_faces.figures import grids
from keras_faces.training.sampling import latent_noise

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure
    from keras_faces.models.gans.stylegan import StyleGAN

PSI = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)  # the rows of figure 8


def style_mixing_figure(model: StyleGAN, rows: int = 4, columns: int = 6, crossover: int = 6, seed: int = 0) -> Figure:
    """Draw figure 3: each face has the coarse styles of its row and the fine styles of its column.

    Parameters
    ----------
    model : StyleGAN
    rows, columns : int
        How many faces give coarse and fine styles; they are drawn left of the rows and above the columns.
    crossover : int
        How many layers, from 4×4 on, have the coarse styles.
    seed : int
        Of the noise.
    """
    w = model.styles(latent_noise(rows + columns, model.latent_dim, seed))
    faces = model.synthesize(w)
    corner = np.full_like(faces[:1], 255)
    lines = [("fine\nstyles of", np.concatenate([corner, faces[rows:]]))]
    for row in range(rows):
        mixed = model.mixed(np.repeat(w[row : row + 1], columns, axis=0), w[rows:], crossover)
        lines.append(("coarse\nstyles of", np.concatenate([faces[row : row + 1], mixed])))
    return grids.evolution(lines, title=f"style mixing, {crossover} layers coarse")


def truncation_figure(model: StyleGAN, count: int = 6, seed: int = 0) -> Figure:
    """Draw figure 8: ``count`` faces with ψ from 1 over 0, the mean face, to −1."""
    w = model.styles(latent_noise(count, model.latent_dim, seed))
    lines = [(f"ψ = {psi:g}", model.synthesize(model.truncated(w, psi))) for psi in PSI]
    return grids.evolution(lines, title="truncation in w")
