"""Inpainting: fill a hole in a photograph with an encoder and a generator.

Source: the dissertation, section 4.4.1 and figure 4.10. E reads the damaged photograph x, G makes a whole face x' from
the code, and only the hole is taken from it:

    x_r = M ⊙ x' + (1 − M) ⊙ x                                                                        (eq. 4.6)

with M = 1 in the hole. The source damages 50×50 of 128×128 pixels and does not print with what; here the hole has the
mean colour of the rest. Two options go beyond the source: E reads the repaired photograph again (``rounds``), and z is
fitted to the visible pixels (``z_steps``), as Yeh et al. 2017 do for a GAN without an encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from keras_faces.applications.codes import label_rows
from keras_faces.figures import grids
from keras_faces.figures.encoding import check_encoder

if TYPE_CHECKING:
    from keras_faces.figures.figure import Figure

HOLE = 50 / 128  # of the side, figure 4.10


@dataclass
class Inpainted:
    """Photographs before and after.

    Attributes
    ----------
    original, damaged, generated, repaired : ndarray of uint8, shape (n, H, W, 3)
        ``generated`` is x', ``repaired`` is x_r.
    mask : ndarray of float32, shape (H, W)
        M, 1 in the hole.
    """

    original: np.ndarray
    damaged: np.ndarray
    generated: np.ndarray
    repaired: np.ndarray
    mask: np.ndarray

    def psnr(self) -> tuple[float, float]:
        """Mean PSNR in dB inside the hole, of the repaired and of the damaged photographs."""
        hole = self.mask > 0
        original = self.original[:, hole].astype("float64")
        errors = [np.mean((original - other[:, hole]) ** 2, axis=(1, 2)) for other in (self.repaired, self.damaged)]
        return tuple(float(np.mean(10 * np.log10(255.0**2 / np.maximum(error, 1e-2)))) for error in errors)


def hole(image_size: int, place: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Make a rectangular mask.

    Parameters
    ----------
    image_size : int
    place : (top, left, height, width), optional
        In pixels; by default 50/128 of the side in the middle.

    Returns
    -------
    ndarray of float32, shape (image_size, image_size)
        1 in the hole.

    Raises
    ------
    ValueError
        If the hole is empty or does not lie inside.
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


def blended(images: np.ndarray, generated: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blend images by eq. 4.6, ``M ⊙ generated + (1 − M) ⊙ images``: uint8 (n, H, W, 3), M (H, W) in [0, 1]."""
    share = np.asarray(mask, "float32")[..., None]
    return np.rint(share * generated + (1.0 - share) * images).astype("uint8")


def inpaint(
    model: Any,
    images: np.ndarray,
    mask: np.ndarray | None = None,
    labels: Any = None,
    rounds: int = 1,
    z_steps: int = 0,
    learning_rate: float = 0.05,
) -> Inpainted:
    """Fill a hole in photographs.

    Parameters
    ----------
    model : EncoderMixin
    images : ndarray of uint8, shape (n, H, W, 3)
        Of the model's size. The pixels in the hole are ignored.
    mask : ndarray, shape (H, W), optional
        M; by default :func:`hole`.
    labels : optional
        Of the photographs, see :func:`codes.label_rows`.
    rounds : int
        How often E reads, each time the repaired photograph of the round before.
    z_steps : int
        Steps of Adam that fit z to the visible pixels; 0 as in the source.
    learning_rate : float
        Of Adam.

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
    visible = images[:, mask == 0] if (mask == 0).any() else images.reshape(len(images), -1, 3)
    damaged = blended(images, visible.mean(axis=1)[:, None, None, :], mask)
    labels = label_rows(model, damaged, labels)
    repaired = damaged
    for _ in range(rounds):
        codes = model.encode(repaired, labels)
        generated = model.decode(codes, labels)
        repaired = blended(images, generated, mask)
    if z_steps:
        generated = model.decode(_fitted(model, codes, damaged, mask, labels, z_steps, learning_rate), labels)
        repaired = blended(images, generated, mask)
    return Inpainted(images, damaged, generated, repaired, mask)


def _fitted(
    model: Any,
    codes: np.ndarray,
    images: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray | None,
    steps: int,
    learning_rate: float,
) -> np.ndarray:
    """Codes (n, latent_dim) fitted to the visible pixels by Adam on ``½ Σ ((1 − M) ⊙ (G(z) − x))² + ½ ‖z‖²``.

    G's averaged weights and BatchNorm statistics are those of ``model.sample``.
    """
    import keras
    from keras import ops

    from keras_faces.training.gradients import value_and_input_grad

    model.synchronise()
    state = model.sampling_state()
    target = ops.convert_to_tensor(model.preprocess(images))
    visible = ops.convert_to_tensor((1.0 - mask)[None, ..., None])
    label_inputs = [] if labels is None else [ops.convert_to_tensor(labels)]
    z = keras.Variable(np.asarray(codes, "float32"), name="codes")
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build([z])

    def loss(codes):
        with keras.StatelessScope(state_mapping=state):
            faces = model.generator([codes, *label_inputs] if label_inputs else codes, training=False)
        return 0.5 * ops.sum((visible * (ops.cast(faces, "float32") - target)) ** 2) + 0.5 * ops.sum(codes**2)

    for _ in tqdm(range(steps), desc="Moving z", unit=" steps", delay=2):
        _, gradient = value_and_input_grad(loss, ops.convert_to_tensor(z.value))
        optimizer.apply([gradient], [z])
    return ops.convert_to_numpy(z)


def figure_of(inpainted: Inpainted, title: str = "") -> Figure:
    """Draw figure 4.10, one photograph per column: (a) original, (b) damaged, (c) repaired, and G's whole face."""
    rows = [("(a) photograph", inpainted.original), ("(b) damaged", inpainted.damaged)]
    rows += [("(c) repaired", inpainted.repaired), ("G's whole face", inpainted.generated)]
    return grids.evolution(rows, title, side=96)
