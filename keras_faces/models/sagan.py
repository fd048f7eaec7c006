"""sagan: attention in G and D, so that every place of the face sees every other.

Source: Zhang et al. 2019, "Self-Attention Generative Adversarial Networks"; the dissertation's section 2.2 and figure
2.7. Three things are new against ``sngan.py``:

- a layer of self-attention in both networks (section 3 and ``layers/attention.py``), here at the 16×16 map;
- spectral normalisation in G too (section 4.1), beside its BatchNormalization;
- two rates, 4e-4 for D and 1e-4 for G (section 4.2, TTUR), with one step of D for one of G; Adam's beta_1 is 0, its
  beta_2 0.9; the hinge loss (eq. 4). They stand as printed: 500 iterations make faces of 3,000 photographs at 32×32.

The paper has ResNets for 128×128 ImageNet. Here D is SNGAN's ladder of strides, and G climbs by doubling its map (each
pixel becomes four) before a 3×3 convolution, as the paper's blocks do. A side that is odd, 63 of 125, loses the last
row and column of the doubled map, before the convolution.

:func:`where_it_looks` and :func:`attention_picture` show what a place of a generated face attends to.

Read next: ``pggan.py``, which grows both networks under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces import plots
from keras_faces.layers.attention import SelfAttention
from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.ladder import channels, normal, sides
from keras_faces.layers.spectral import SpectralConv2D, SpectralDense
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam
from keras_faces.training.adversarial import AdversarialModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGE_SIZE = 32
PRINTED: dict = {}  # the dissertation prints no layers


def attention_side(image_size: int) -> int:
    """The map that attends: the largest of the ladder that is at most 16×16, below the image itself."""
    return max(side for side in sides(image_size)[1:] if side <= 16)


def generator(image_size: int = IMAGE_SIZE, latent_dim: int = 128, width: int = 64) -> keras.Sequential:
    """Noise (latent_dim,) to an image (image_size, image_size, 3) in [-1, 1]. Shapes in the comments: 32×32."""
    *between, base = sides(image_size)[1:]  # 16, 8; 4
    *narrower, widest = channels(image_size, width)  # 64, 128; 256
    stages = [
        layers.Input((latent_dim,)),
        SpectralDense(base * base * widest, use_bias=False, kernel_initializer=normal()),
        layers.Reshape((base, base, widest)),
        BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 4, 4, 256
    ]
    for side, filters in zip(reversed(between), reversed(narrower), strict=True):
        stages += [
            *doubled(side),
            SpectralConv2D(filters, kernel_size=3, use_bias=False, kernel_initializer=normal()),
            BatchNormalization(momentum=0.9),
            layers.ReLU(),  # 8, 8, 128 → 16, 16, 64
        ]
        if side == attention_side(image_size):
            stages.append(SelfAttention(kernel_initializer=normal()))  # 16, 16, 64
    stages += [
        *doubled(image_size),
        SpectralConv2D(width // 2, kernel_size=3, use_bias=False, kernel_initializer=normal()),
        BatchNormalization(momentum=0.9),
        layers.ReLU(),  # 32, 32, 32
        SpectralConv2D(3, kernel_size=3, kernel_initializer=normal()),
        layers.Activation("tanh", dtype="float32"),  # 32, 32, 3
    ]
    return keras.Sequential(stages, name="generator")


def doubled(side: int) -> list[layers.Layer]:
    """The layers that bring a map of ⌈side / 2⌉ to ``side``."""
    twice = [layers.UpSampling2D(interpolation="nearest")]
    return twice + [layers.Cropping2D(((0, 1), (0, 1)))] if side % 2 else twice


def discriminator(image_size: int = IMAGE_SIZE, width: int = 64) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to the score (1,)."""
    stages = [layers.Input((image_size, image_size, 3))]
    for side, filters in zip(sides(image_size)[1:], channels(image_size, width), strict=True):
        stages += [
            SpectralConv2D(filters, kernel_size=5, strides=2, kernel_initializer=normal()),
            layers.LeakyReLU(negative_slope=0.2),  # 16, 16, 64 → 8, 8, 128 → 4, 4, 256
        ]
        if side == attention_side(image_size):
            stages.append(SelfAttention(kernel_initializer=normal()))  # 16, 16, 64
    stages += [
        layers.Flatten(),  # 4096
        SpectralDense(1, kernel_initializer=normal(), dtype="float32"),  # 1
    ]
    return keras.Sequential(stages, name="discriminator")


def build(
    image_size: int = IMAGE_SIZE,
    latent_dim: int = 128,
    width: int = 64,
    d_rate: float = 4e-4,
    g_rate: float = 1e-4,
    loss: str = "hinge",
    seed: int = 0,
    **rule: Any,
) -> AdversarialModel:
    """SAGAN, compiled.

    Parameters
    ----------
    image_size
        Any from 16 on.
    latent_dim
        Length of the noise vector.
    width
        Channels of the largest map of D, and of the map before G's last doubling.
    d_rate, g_rate
        Adam's learning rates.
    loss
        Any pair of ``losses.PAIRS``.
    rule
        ``d_steps``, ``r1``, ``average``, ...: see :class:`AdversarialModel`.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, and for an unknown ``loss``.
    """
    check_image_size("sagan", image_size, multiple=1, smallest=16)
    model = AdversarialModel(
        generator(image_size, latent_dim, width),
        discriminator(image_size, width),
        loss=loss,
        seed=seed,
        name="sagan",
        **rule,
    )
    model.compile(*(Adam(rate, beta_1=0.0, beta_2=0.9) for rate in (d_rate, g_rate)))
    return model


# ------------------------------------------------------------------------------------------- where a face looks


def where_it_looks(model: AdversarialModel, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Generated faces and the attention maps of G that made them.

    Parameters
    ----------
    model
        A ``sagan``, trained or loaded.
    noise
        (count, latent_dim).

    Returns
    -------
    The faces, uint8 (count, H, W, 3), and the maps, float32 (count, rows, columns, rows, columns): of a face,
    ``maps[row, column]`` is where that place of the attending map looks, and sums to 1.
    """
    attention = next(layer for layer in model.generator.layers if isinstance(layer, SelfAttention))
    below = keras.Model(model.generator.inputs[0], attention.input)
    faces = model.render(noise)
    with keras.StatelessScope(state_mapping=model.sampling_state()):
        features = below(noise, training=False)
        maps = attention.attention_map(features, training=False)
    side = features.shape[1]
    return faces, np.reshape(ops.convert_to_numpy(maps), (-1, side, side, side, side))


def attention_picture(
    model: AdversarialModel, noise: np.ndarray, places: tuple[tuple[float, float], ...] = ((0.4, 0.3), (0.75, 0.5))
) -> Figure:
    """A row a face: the face, then where each asking place (red) looks: yellow.

    Parameters
    ----------
    noise
        (count, latent_dim).
    places
        (down, across) of each asking place as shares of the face, 0 to 1: an eye is about (0.4, 0.3).

    Raises
    ------
    ValueError
        If there is no place, or one outside the face.
    """
    if not places or not all(0.0 <= share <= 1.0 for place in places for share in place):
        raise ValueError(f"places={places}: give (down, across) pairs, each number from 0 to 1.")
    faces, maps = where_it_looks(model, noise)
    rows = []
    for index, (face, looks) in enumerate(zip(faces, maps, strict=True), start=1):
        asking = [tuple(min(int(share * len(looks)), len(looks) - 1) for share in place) for place in places]
        pictures = [_lit(face, looks[place], place) for place in asking]
        rows.append((f"face {index}", np.stack([_enlarged(face), *pictures])))
    return plots.evolution(rows, title="left: the face; then: where the red place looks")


def _lit(face: np.ndarray, share: np.ndarray, asking: tuple[int, int], size: int = 128) -> np.ndarray:
    """The face in dark grey, yellow where ``share`` (rows, columns) is large, the asking place in red.

    The light is the root of the share, so that a place with a quarter of the largest share is half as bright.
    """
    from PIL import Image

    light = Image.fromarray((np.sqrt(share / share.max()) * 255).astype("uint8"))
    light = np.asarray(light.resize((size, size), Image.Resampling.BILINEAR))[..., None] / 255
    grey = _enlarged(face, size).mean(axis=-1, keepdims=True)
    lit = (0.4 * grey * (1 - light) + np.array([255, 220, 60]) * light).astype("uint8")
    step = size / len(share)
    top, left = (round(number * step) for number in asking)
    lit[top : round(top + step), left : round(left + step)] = (255, 0, 0)
    return lit


def _enlarged(face: np.ndarray, size: int = 128) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(face).resize((size, size), Image.Resampling.NEAREST))
