"""What does a code do? A face again and again, the same noise, one code moved.

InfoGAN (``models/infogan.py``) learns codes without a name. :func:`traversals` shows them as the paper's figures 2 to 6
do: a row a code, a number from −2 to 2 (in training it was between −1 and 1: the rest is G's own idea of more), a
category value by value. :func:`effects` counts: how far a factor that can be measured in a face, such as the light of
the backdrop, goes with each code over many faces.

Read next: ``examples/19_infogan.py``, ``keras-faces traverse RUN`` (``commands/traversing.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.training.sampling import latent_noise

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


def code_names(model: Any) -> list[str]:
    """The codes of an InfoGAN in their order: "category 1", ..., "number 1", ..."""
    categories = [f"category {index + 1}" for index in range(len(model.categories))]
    return categories + [f"number {index + 1}" for index in range(model.numbers)]


def code_columns(model: Any) -> list[slice]:
    """Where each code stands in what G reads: a slice of the vector's columns, as long as its values or 1."""
    first = model.latent_dim - model.code_dim
    found = []
    for length in (*model.categories, *[1] * model.numbers):
        found.append(slice(first, first + length))
        first += length
    return found


def traversals(
    model: Any, steps: int = 9, reach: float = 2.0, faces: int = 1, seed: int = 0
) -> list[tuple[str, np.ndarray]]:
    """Rows of faces in each of which one code alone changes.

    Parameters
    ----------
    model
        An InfoGAN.
    steps
        Faces a row; a category's row has as many as it has values, and white places after them if these are fewer.
    reach
        Numbers run from −reach to reach; the other numbers are 0 meanwhile.
    faces
        Rows for each code, each of another noise.
    seed
        Of the noise, which is the same for every code.

    Returns
    -------
    Pairs of a label and images uint8 (columns, H, W, 3), the codes in the order of :func:`code_names`.

    Raises
    ------
    ValueError
        If the model has no codes, or for fewer than 2 ``steps``, a ``reach`` that is not positive, or no faces.
    """
    if not hasattr(model, "code_dim"):
        raise ValueError(f"{model.name} has no codes to move: traversals are pictures of infogan.")
    if steps < 2 or not reach > 0 or faces < 1:
        raise ValueError(f"steps={steps}, reach={reach}, faces={faces}: two steps, a reach above 0, one face at least.")
    columns = max(steps, *model.categories, 0)
    starts = np.array(model.vector(latent_noise(faces, model.latent_dim, seed)))
    starts[:, starts.shape[1] - model.numbers :] = 0.0
    labels, vectors = [], []
    for name, place in zip(code_names(model), code_columns(model), strict=True):
        values, what = _values(place, steps, reach)
        for start in starts:
            row = np.repeat(start[None], columns, axis=0)
            row[: len(values), place] = values
            labels.append((f"{name}\n{what}", len(values)))
            vectors.append(row)
    images = model.faces_of(np.concatenate(vectors)).reshape(len(labels), columns, *model.generator.output_shape[1:])
    for row, (_, shown) in zip(images, labels, strict=True):
        row[shown:] = 255
    return [(label, row) for (label, _), row in zip(labels, images, strict=True)]


def _values(place: slice, steps: int, reach: float) -> tuple[np.ndarray, str]:
    """What a code goes through, (values, its columns), and in words."""
    length = place.stop - place.start
    if length > 1:
        return np.eye(length, dtype="float32"), f"1 to {length}"
    return np.linspace(-reach, reach, steps, dtype="float32")[:, None], f"−{reach:g} to {reach:g}"


def picture(rows: list[tuple[str, np.ndarray]], title: str = "", side: int = 64) -> Figure:
    """The rows of :func:`traversals` as a figure, faces at least ``side`` pixels high."""
    from keras_faces import plots

    return plots.evolution([(label, plots.magnify(images, side)) for label, images in rows], title)


def effects(
    model: Any, measure: Callable[[np.ndarray], Mapping[str, np.ndarray]], count: int = 1000, seed: int = 0
) -> pandas.DataFrame:
    """How far each measured factor goes with each code, all other codes and the noise being drawn anew for every face.

    Parameters
    ----------
    measure
        Takes images uint8 (count, H, W, 3); gives for each factor's name its value in each image, (count,).
    count
        How many faces.
    seed
        Of their noise and codes.

    Returns
    -------
    A table, one row a factor, one column a code. Of a number: the correlation, from −1 to 1. Of a category: the
    correlation ratio η from 0 to 1, the root of the share of the factor's variance that lies between the values.
    Squared, both are the share of the factor that the code decides.

    Raises
    ------
    ValueError
        If a factor is not one number an image.
    """
    import pandas

    vectors = np.array(model.vector(latent_noise(count, model.latent_dim, seed)))
    factors = {name: np.asarray(values, "float64") for name, values in measure(model.faces_of(vectors)).items()}
    for name, values in factors.items():
        if values.shape != (count,):
            raise ValueError(f"factor {name!r} has the shape {values.shape}, not one number for each of {count} faces.")
    table = {
        code: [_goes_with(values, vectors[:, place]) for values in factors.values()]
        for code, place in zip(code_names(model), code_columns(model), strict=True)
    }
    return pandas.DataFrame(table, index=list(factors))


def _goes_with(values: np.ndarray, code: np.ndarray) -> float:
    """Correlation with a number (count, 1), correlation ratio with a one-hot (count, K); 0 for values all alike."""
    if values.std() == 0 or code.std(axis=0).max() == 0:
        return 0.0
    if code.shape[1] == 1:
        return float(np.corrcoef(values, code[:, 0])[0, 1])
    shares = code.mean(axis=0)
    means = np.divide(code.T @ values / len(values), shares, out=np.full(len(shares), values.mean()), where=shares > 0)
    return float(np.sqrt((shares * (means - values.mean()) ** 2).sum() / values.var()))
