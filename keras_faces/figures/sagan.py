"""What the places of a generated face attend to, in a SAGAN's G.

Source: Zhang et al. 2019, figures 1 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_faces.figures import grids

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure

SIDE = 128  # of each picture in the figure, at least


def attention_maps(model: Any, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Generate faces, and return the attention of G with them.

    Parameters
    ----------
    model : RegularizedGAN
        A "sagan", trained or loaded.
    noise : ndarray of float32, shape (count, latent_dim)
        z.

    Returns
    -------
    faces : ndarray of uint8, shape (count, H, W, 3)
    maps : ndarray of float32, shape (count, rows, columns, rows, columns)
        ``maps[i, row, column]`` is what that place of face i attends to; it sums to 1.
    """
    import keras

    from keras_faces.layers.attention import SelfAttention

    attention = next(layer for layer in model.generator.layers if isinstance(layer, SelfAttention))
    before = keras.Model(model.generator.inputs[0], attention.input)
    faces = model.render(noise)
    with keras.StatelessScope(state_mapping=model.sampling_state()):
        features = before(noise, training=False)
        maps = attention.attention_map(features, training=False)
    side = features.shape[1]
    return faces, np.reshape(keras.ops.convert_to_numpy(maps), (-1, side, side, side, side))


def attention_figure(
    model: Any, noise: np.ndarray, places: Sequence[tuple[float, float]] = ((0.4, 0.3), (0.75, 0.5))
) -> Figure:
    """Draw a row for each face: the face, then what each place (red) attends to (yellow).

    Parameters
    ----------
    model : RegularizedGAN
        A "sagan".
    noise : ndarray of float32, shape (count, latent_dim)
        z.
    places : sequence of (float, float)
        (down, across) of each place, as shares of the face in [0, 1]: an eye is about (0.4, 0.3).

    Raises
    ------
    ValueError
        If there is no place, or one outside the face.
    """
    if not places or not all(0.0 <= share <= 1.0 for place in places for share in place):
        raise ValueError(f"places={places}: give (down, across) pairs, each number from 0 to 1.")
    rows = []
    for index, (face, maps) in enumerate(zip(*attention_maps(model, noise), strict=True), start=1):
        face, last = grids.magnify(face, SIDE), len(maps) - 1
        queries = [tuple(min(int(share * len(maps)), last) for share in place) for place in places]
        rows.append((f"face {index}", np.stack([face, *(_highlighted(face, maps[query], query) for query in queries)])))
    return grids.evolution(rows, title="left: the face; then: what the red place attends to")


def _highlighted(face: np.ndarray, shares: np.ndarray, query: tuple[int, int]) -> np.ndarray:
    """The face in dark grey, yellow by the root of ``shares`` (rows, columns), the place ``query`` in red."""
    from PIL import Image

    size = face.shape[:2]
    light = Image.fromarray((np.sqrt(shares / shares.max()) * 255).astype("uint8"))
    light = np.asarray(light.resize(size[::-1], Image.Resampling.BILINEAR))[..., None] / 255
    grey = face.mean(axis=-1, keepdims=True)
    picture = (0.4 * grey * (1 - light) + np.array([255, 220, 60]) * light).astype("uint8")
    step = size[0] / len(shares)
    top, left = (round(index * step) for index in query)
    picture[top : round(top + step), left : round(left + step)] = (255, 0, 0)
    return picture
