"""Inpainting: what may have stood in a hole of a photograph.

Source: the dissertation, section 4.4.1 and figure 4.10. E reads the damaged photograph x, G makes a whole face x' of
the code, and only the hole is taken from it:

    x_r = M ⊙ x' + (1 − M) ⊙ x                                                                        (eq. 4.6)

with M = 1 in the hole. The source damages 50×50 of 128×128 pixels and says not with what; here the hole has the mean
colour of what is left, which misleads E least. It fills the hole once. Two things can be tried beside that: E may read
the repaired photograph again (``rounds``), and z may be moved until G's face fits what can be seen of the photograph
(``z_steps``), as Yeh et al. 2017 do with a GAN that has no encoder.

Read next: ``retrieve.py``, another use of the code; ``training/encoding.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from keras_faces.applications.codes import label_rows
from keras_faces.encoding_pictures import check_encoder
from keras_faces.training.adam import Adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HOLE = 50 / 128  # of the side, figure 4.10


@dataclass
class Inpainted:
    """Photographs, what was taken from them, and what was put in its place; all uint8 (n, H, W, 3) but the mask."""

    original: np.ndarray
    damaged: np.ndarray
    made: np.ndarray  # x', G's whole faces
    repaired: np.ndarray  # x_r
    mask: np.ndarray  # M, float32 (H, W), 1 in the hole

    def psnr(self) -> tuple[float, float]:
        """Mean PSNR in dB inside the hole, of the repaired and of the damaged photographs beside the original."""
        inside = self.mask > 0
        return tuple(_psnr(self.original[:, inside], other[:, inside]) for other in (self.repaired, self.damaged))


def _psnr(images: np.ndarray, others: np.ndarray) -> float:
    error = np.mean((images.astype("float64") - others) ** 2, axis=(1, 2))
    return float(np.mean(10 * np.log10(255.0**2 / np.maximum(error, 1e-2))))


def hole(image_size: int, place: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """A rectangular mask, float32 (image_size, image_size), 1 in the hole.

    Parameters
    ----------
    place
        Top, left, height and width in pixels; ``None``: 50/128 of the side in the middle.

    Raises
    ------
    ValueError
        If it is empty or does not lie inside.
    """
    side = round(HOLE * image_size)
    top, left, height, width = place or ((image_size - side) // 2, (image_size - side) // 2, side, side)
    if min(height, width) < 1 or min(top, left) < 0 or top + height > image_size or left + width > image_size:
        raise ValueError(
            f"a hole of {height}×{width} at row {top}, column {left} does not lie in {image_size}×{image_size}."
        )
    mask = np.zeros((image_size, image_size), "float32")
    mask[top : top + height, left : left + width] = 1.0
    return mask


def blended(images: np.ndarray, made: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Eq. 4.6: ``M ⊙ made + (1 − M) ⊙ images``, uint8 (n, H, W, 3).

    Parameters
    ----------
    images, made
        uint8 (n, H, W, 3).
    mask
        M, (H, W), 1 where ``made`` is taken; between 0 and 1 the two are mixed.
    """
    share = np.asarray(mask, "float32")[..., None]
    return np.rint(share * made + (1.0 - share) * images).astype("uint8")


def inpaint(
    model: Any,
    images: np.ndarray,
    mask: np.ndarray | None = None,
    labels: Any = None,
    rounds: int = 1,
    z_steps: int = 0,
    rate: float = 0.05,
) -> Inpainted:
    """Fill a hole in photographs.

    Parameters
    ----------
    model
        Any system with ``encode`` and ``decode``.
    images
        uint8 (n, H, W, 3), of the model's size. What lies in the hole is not looked at.
    mask
        M, (H, W); ``None`` for :func:`hole`.
    labels
        Of the photographs, for a model that reads labels, see :func:`codes.label_rows`.
    rounds
        How often E reads, each time what was repaired before.
    z_steps
        Steps of Adam by which z then nears the photographs outside the hole; 0 for the source's way.
    rate
        Adam's learning rate for z.

    Raises
    ------
    ValueError
        For a model without an encoder, images or a mask of another size, a mask without a hole or without a rest.
    """
    check_encoder(model)
    images = np.asarray(images)
    mask = hole(images.shape[1]) if mask is None else np.asarray(mask, "float32")
    if mask.shape != images.shape[1:3]:
        raise ValueError(f"a mask of {mask.shape} for images of {images.shape[1:3]}: both need the same size.")
    if not 0 < mask.mean() < 1 or mask.min() < 0 or mask.max() > 1:
        raise ValueError("a mask is 1 in the hole and 0 elsewhere, and has some of both.")
    if rounds < 1 or z_steps < 0:
        raise ValueError(f"rounds={rounds}, z_steps={z_steps}: one round or more, no steps or more.")
    damaged = blended(images, _mean_colour(images, mask), mask)
    labels = label_rows(model, damaged, labels)
    repaired = damaged
    for _ in range(rounds):
        codes = model.encode(repaired, labels)
        made = model.decode(codes, labels)
        repaired = blended(images, made, mask)
    if z_steps:
        made = model.decode(nearer(model, codes, damaged, mask, labels, z_steps, rate), labels)
        repaired = blended(images, made, mask)
    return Inpainted(images, damaged, made, repaired, mask)


def _mean_colour(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean of what can be seen of each image, (n, 1, 1, 3)."""
    seen = images[:, mask == 0] if (mask == 0).any() else images.reshape(len(images), -1, 3)
    return seen.mean(axis=1)[:, None, None, :]


def nearer(
    model: Any,
    codes: np.ndarray,
    images: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray | None = None,
    steps: int = 100,
    rate: float = 0.05,
) -> np.ndarray:
    """Codes (n, latent_dim) moved by gradient until G's faces fit ``images`` where the mask is 0.

    Adam on ½ Σ ((1 − M) ⊙ (G(z) − x))² + ½ ‖z‖², the last so that z stays where faces are. G's averaged weights and its
    statistics are those that pictures are made with.
    """
    import keras
    from keras import ops

    from keras_faces.training.pullback import value_and_slope

    model.synchronise()
    state = model.sampling_state()
    target = ops.convert_to_tensor(model.scaled(images))
    seen = ops.convert_to_tensor((1.0 - np.asarray(mask, "float32"))[None, ..., None])
    told = [] if labels is None else [ops.convert_to_tensor(labels)]
    place = keras.Variable(np.asarray(codes, "float32"), name="codes")
    optimizer = Adam(rate)
    optimizer.build([place])

    def misfit(codes):
        with keras.StatelessScope(state_mapping=state):
            made = model.generator([codes, *told] if told else codes, training=False)
        return 0.5 * ops.sum((seen * (ops.cast(made, "float32") - target)) ** 2) + 0.5 * ops.sum(codes**2)

    for _ in tqdm(range(steps), desc="Moving z", unit=" steps", delay=2):
        _, slope = value_and_slope(misfit, ops.convert_to_tensor(place.value))
        optimizer.apply([slope], [place])
    return ops.convert_to_numpy(place)


def figure_of(inpainted: Inpainted, title: str = "") -> Figure:
    """Figure 4.10 with a photograph a column: (a) the original, (b) what was damaged, (c) the repaired one."""
    from keras_faces import plots

    rows = [("(a) photograph", inpainted.original), ("(b) damaged", inpainted.damaged)]
    rows += [("(c) repaired", inpainted.repaired), ("G's whole face", inpainted.made)]
    return plots.evolution([(name, plots.magnify(images, 96)) for name, images in rows], title)
