"""Latent traversals: faces of the same noise in which one code of an InfoGAN changes.

Source: Chen et al. 2016, "InfoGAN", figures 2 to 6. One row per code: a continuous code runs from −2 to 2 (it was in
[−1, 1] during training), a category through its values. :func:`effects` measures how far a factor of the image, such as
the brightness of the background, depends on each code. See also ``models/conditional/infogan.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    import pandas

    from keras_faces.figures.figure import Figure


def code_names(model: Any) -> list[str]:
    """Names of the codes of an InfoGAN in their order: "category 1", ..., "number 1", ..."""
    return list(_codes(model))


def _codes(model: Any) -> dict[str, slice]:
    """The columns of each code in G's input: one per value of a category, one per continuous code."""
    lengths = {f"category {index + 1}": length for index, length in enumerate(model.categories)}
    lengths |= {f"number {index + 1}": 1 for index in range(model.continuous_dim)}
    ends = model.latent_dim - model.code_dim + np.cumsum(list(lengths.values()))
    return {name: slice(end - length, end) for (name, length), end in zip(lengths.items(), ends, strict=True)}


def traversals(
    model: Any, steps: int = 9, reach: float = 2.0, faces: int = 1, seed: int = 0
) -> list[tuple[str, np.ndarray]]:
    """Make rows of faces, in each of which only one code changes.

    Parameters
    ----------
    model : InfoGAN
    steps : int
        Faces per row, at least 2. A category's row has one face per value, then white cells.
    reach : float
        Continuous codes run from −reach to reach; the other continuous codes are 0.
    faces : int
        Rows per code, each with other noise.
    seed : int
        Of the noise, which is the same for every code.

    Returns
    -------
    list of (str, ndarray of uint8, shape (columns, H, W, 3))
        A label and the images of each row, in the order of :func:`code_names`.

    Raises
    ------
    ValueError
        If the model has no codes, for fewer than 2 ``steps``, ``reach`` <= 0, or no faces.
    """
    from keras_faces.training.sampling import latent_noise

    if not hasattr(model, "code_dim"):
        raise ValueError(f"{model.name} has no codes to move: traversals are pictures of infogan.")
    if steps < 2 or not reach > 0 or faces < 1:
        raise ValueError(f"steps={steps}, reach={reach}, faces={faces}: two steps, a reach above 0, one face at least.")
    columns = max(steps, *model.categories, 0)
    starts = np.array(model.vector(latent_noise(faces, model.latent_dim, seed)))
    starts[:, starts.shape[1] - model.continuous_dim :] = 0.0
    labels, lengths, vectors = [], [], []
    for name, part in _codes(model).items():
        count = part.stop - part.start
        if count > 1:
            values, text = np.eye(count, dtype="float32"), f"1 to {count}"
        else:
            values, text = np.linspace(-reach, reach, steps, dtype="float32")[:, None], f"−{reach:g} to {reach:g}"
        for start in starts:
            row = np.repeat(start[None], columns, axis=0)
            row[: len(values), part] = values
            labels.append(f"{name}\n{text}")
            lengths.append(len(values))
            vectors.append(row)
    images = model.faces_of(np.concatenate(vectors)).reshape(len(labels), columns, *model.generator.output_shape[1:])
    for row, length in zip(images, lengths, strict=True):
        row[length:] = 255
    return list(zip(labels, images, strict=True))


def picture(rows: list[tuple[str, np.ndarray]], title: str = "", side: int = 64) -> Figure:
    """Draw the rows of :func:`traversals`, faces at least ``side`` pixels high."""
    return grids.evolution(rows, title, side)


def effects(
    model: Any, measure: Callable[[np.ndarray], Mapping[str, np.ndarray]], count: int = 1000, seed: int = 0
) -> pandas.DataFrame:
    """Measure how strongly each factor of the image depends on each code; noise and all codes are random.

    Parameters
    ----------
    model : InfoGAN
    measure : callable
        From images, ndarray of uint8, shape (count, H, W, 3), to a dict: the values (count,) of each factor.
    count : int
        Faces.
    seed : int
        Of their noise and codes.

    Returns
    -------
    DataFrame
        One row per factor, one column per code. For a continuous code the correlation, −1 to 1; for a category the
        correlation ratio η, 0 to 1 (η² is the share of the variance between the values).

    Raises
    ------
    ValueError
        If a factor is not one number per image.
    """
    import pandas

    from keras_faces.training.sampling import latent_noise

    vectors = np.array(model.vector(latent_noise(count, model.latent_dim, seed)))
    factors = {name: np.asarray(values, "float64") for name, values in measure(model.faces_of(vectors)).items()}
    for name, values in factors.items():
        if values.shape != (count,):
            raise ValueError(f"factor {name!r} has the shape {values.shape}, not one number for each of {count} faces.")
    table = {
        code: [_correlation(values, vectors[:, part]) for values in factors.values()]
        for code, part in _codes(model).items()
    }
    return pandas.DataFrame(table, index=list(factors))


def _correlation(values: np.ndarray, code: np.ndarray) -> float:
    """Correlation with a continuous code (n, 1), correlation ratio with a one-hot code (n, K); 0 for constants."""
    if values.std() == 0 or code.std(axis=0).max() == 0:
        return 0.0
    if code.shape[1] == 1:
        return float(np.corrcoef(values, code[:, 0])[0, 1])
    shares = code.mean(axis=0)
    means = np.divide(code.T @ values / len(values), shares, out=np.full(len(shares), values.mean()), where=shares > 0)
    return float(np.sqrt((shares * (means - values.mean()) ** 2).sum() / values.var()))
