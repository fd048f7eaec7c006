"""Eigenfaces of a trained pca: mean face, components, and reconstruction error against their number.

    kf.plots.save(figure(model), "eigenfaces.png")
    table = curve(model, photographs)                 # components, error, share
    kf.plots.save(figure_of_errors(model, photographs, table), "errors.png")

Source: Turk and Pentland 1991, "Eigenfaces for Recognition". See also ``models/autoencoders/pca.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    import pandas

    from keras_faces.figures.figure import Figure


def check_pca(model: Any, what: str = "this") -> None:
    """Raise a ValueError if a model has no eigenfaces; ``what`` names its run in the message."""
    if not hasattr(model, "components"):
        raise ValueError(f"{what} is a run of {model.name}, which has no eigenfaces: they are pictures of pca.")


def eigenface_pictures(model: Any, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Draw the mean face and the first ``count`` eigenfaces; 0 is grey, each one's largest value black or white.

    Returns
    -------
    mean : ndarray of uint8, shape (H, W, 3)
    eigenfaces : ndarray of uint8, shape (count, H, W, 3)
    """
    check_pca(model)
    mean = model.decode(np.zeros((1, model.latent_dim)))[0]
    components = model.components()[1][:count]
    largest = np.abs(components).max(axis=(1, 2, 3), keepdims=True)
    return mean, (127.5 + 127.5 * components / np.maximum(largest, 1e-12)).round().astype("uint8")


def figure(model: Any, count: int = 24, along: int = 6) -> Figure:
    """Draw the mean face with ``count`` eigenfaces, and faces along the first ``along`` of them.

    The faces lie at −2 to 2 standard deviations of the component, one component per row.
    """
    from keras_faces.figures.figure import Figure

    mean, components = eigenface_pictures(model, count)
    along, deviations = min(along, model.latent_dim), np.linspace(-2.0, 2.0, 7)
    codes = deviations[:, None] * np.eye(model.latent_dim, dtype="float32")[:along, None]
    faces = model.decode(codes.reshape(-1, model.latent_dim).astype("float32"))
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    title = f"the mean face, and the first {len(components)} eigenfaces"
    grids.show(left, grids.tile(np.concatenate([mean[None], components])), title)
    title = f"along the first {along}, a row each: −2 to 2 standard deviations"
    grids.show(right, grids.tile(faces, len(deviations)), title)
    return figure


def curve(model: Any, photographs: np.ndarray) -> pandas.DataFrame:
    """Measure the reconstruction error with 0, 1, ..., k components.

    Parameters
    ----------
    model : PCA
    photographs : ndarray of uint8, shape (n, H, W, 3)
        The error of those that the model was fitted to is a little smaller than that of others.

    Returns
    -------
    DataFrame
        ``components``, ``error`` (mean of ‖x − x̂‖², pixels in [0, 1]) and ``share`` (of the error with none).
    """
    import pandas

    check_pca(model)
    errors = model.errors(photographs)
    return pandas.DataFrame({"components": np.arange(len(errors)), "error": errors, "share": errors / errors[0]})


def figure_of_errors(model: Any, photographs: np.ndarray, table: pandas.DataFrame, faces: int = 4) -> Figure:
    """Draw the :func:`curve`, and the first ``faces`` photographs rebuilt from 1, 2, 4, ..., k components."""
    from keras_faces.figures.figure import Figure

    counts = [2**power for power in range(20) if 2**power < model.latent_dim] + [model.latent_dim]
    photographs = photographs[:faces]
    codes = model.encode(photographs)
    rebuilt = [model.decode(np.where(np.arange(model.latent_dim) < count, codes, 0.0)) for count in counts]
    rows = np.stack([*rebuilt, photographs], axis=1)
    figure = Figure(figsize=(11, 1.4 + 1.1 * len(photographs) + 3.2), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(3, 1.2 * len(photographs)))
    above.plot(table["components"], table["share"])
    above.set(xlabel="components", ylabel="share of the error that is left", ylim=(0, 1.02))
    above.grid(alpha=0.3)
    picture = grids.magnify(grids.tile(rows.reshape(-1, *rows.shape[2:]), rows.shape[1]), 400)
    below.imshow(picture, interpolation="antialiased")
    centres = picture.shape[1] / rows.shape[1] * (np.arange(rows.shape[1]) + 0.5)
    below.set_xticks(centres, [*map(str, counts), "photograph"])
    below.set_yticks([])
    below.tick_params(length=0)
    below.spines[:].set_visible(False)
    return figure
