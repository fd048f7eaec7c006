"""The ring: points in the plane instead of faces, which show what three losses do.

Source: the dissertation, section 3.4.1, figures 3.4 and 3.5. The data are points of a ring around (100, 100); G and D
have dense layers of 32, 64, 64 and the output, noise has two dimensions, RMSprop's learning rate is 5e-5. "The only
difference between the three is the loss":

- ``gan``: the original, G minimises ``mean log(1 − D(G(z)))`` (eq. 3.3);
- ``wgan``: the critic with weights clipped to ±0.01 (eq. 2.8 and 2.9), one step per step of G, as in the others;
- ``fm-gan``: feature-centre matching (eq. 3.10), ``models/dissertation/fm_gan.py``.

The source does not print the ring's radii, the activation, the batch size and the decay of the centres; here these are
options, and the result depends on them (lesson 21). G begins at (0, 0), far from the ring: at first nothing overlaps.
Points are float32 (n, 2), not scaled. See also ``experiment.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.models.dissertation.fm_gan import FMGAN
from keras_faces.training.gan import GAN, RegularizedGAN

CENTRE = (100.0, 100.0)
RULES = ("gan", "wgan", "fm-gan")  # the rows of figure 3.5
UNITS = (32, 64, 64)
NOT_SCALED = (0.0, 255.0)  # this `value_range` leaves data as they are


@dataclass(frozen=True)
class Ring:
    """The ring around (100, 100), with its points evenly distributed over the area.

    Parameters
    ----------
    inner, outer : float
        Radii, 0 <= inner < outer.

    Raises
    ------
    ValueError
        For other radii.
    """

    inner: float = 20.0
    outer: float = 30.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.inner < self.outer < math.inf:
            raise ValueError(f"a ring from radius {self.inner} to {self.outer}: 0 <= inner < outer is needed.")

    def points(self, count: int, seed: int | keras.random.SeedGenerator) -> Any:
        """Draw points of the ring: a tensor float32 (count, 2)."""
        draws = keras.random.uniform((count, 2), seed=seed)
        angle = 2.0 * math.pi * draws[:, 0]
        radius = ops.sqrt(self.inner**2 + draws[:, 1] * (self.outer**2 - self.inner**2))  # evenly by area
        return ops.stack([CENTRE[0] + radius * ops.cos(angle), CENTRE[1] + radius * ops.sin(angle)], axis=1)

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Distance of each of ``points`` (n, 2) from the ring, float64 (n,); 0 on it."""
        radius = np.hypot(*(np.asarray(points, "float64") - CENTRE).T)
        return np.maximum(np.maximum(self.inner - radius, radius - self.outer), 0.0)

    def coverage(self, points: np.ndarray, sectors: int = 36) -> float:
        """Share of the ring's ``sectors`` that hold at least a quarter of an equal share of all ``points`` (n, 2).

        Points nearer to the ring than half its width count. Points all around the ring give 1, a quarter arc 0.25.
        """
        points = np.asarray(points, "float64")
        near = points[self.distances(points) <= 0.5 * (self.outer - self.inner)] - CENTRE
        angle = np.arctan2(near[:, 1], near[:, 0]) / (2.0 * np.pi) % 1.0
        held = np.bincount((angle * sectors).astype(int) % sectors, minlength=sectors)
        return float(np.mean(held >= 0.25 * len(points) / sectors))


def generator(activation: str = "leaky_relu") -> keras.Sequential:
    """Build G, from noise (2,) to a point (2,)."""
    return _four_layers(2, 2, activation, "generator")


def discriminator(activation: str = "leaky_relu", dimensions: int = 2) -> keras.Sequential:
    """Build D, from a point (dimensions,) to the logit (1,) that it is real."""
    return _four_layers(dimensions, 1, activation, "discriminator")


def _four_layers(inputs: int, outputs: int, activation: str, name: str) -> keras.Sequential:
    hidden = [layers.Dense(units, activation=activation) for units in UNITS]  # 32 → 64 → 64
    return keras.Sequential([layers.Input((inputs,)), *hidden, layers.Dense(outputs)], name=name)


def build(
    rule: str,
    learning_rate: float = 5e-5,
    activation: str = "leaky_relu",
    centre_decay: float = 0.9,
    d_steps: int = 1,
    seed: int = 0,
) -> GAN:
    """Build and compile one of the three. The same seed gives all three the same initial weights.

    Parameters
    ----------
    rule : {"gan", "wgan", "fm-gan"}
    learning_rate : float
        Of RMSprop, for both networks.
    activation : str
        Of the hidden layers, by Keras's name: "leaky_relu", "relu", "tanh", ...
    centre_decay : float
        Of fm-gan: share of a moving centre that stays at each iteration, in [0, 1).
    d_steps : int
        Steps of D per step of G; the source says the same for all three.
    seed : int

    Raises
    ------
    ValueError
        For another rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: choose from {', '.join(RULES)}.")
    keras.utils.set_random_seed(seed)
    networks = generator(activation), discriminator(activation)
    common = {"d_steps": d_steps, "value_range": NOT_SCALED, "seed": seed, "name": rule.replace("-", "_")}
    if rule == "fm-gan":
        model = FMGAN(*networks, centre_decay=centre_decay, **common)
    else:
        model = RegularizedGAN(*networks, loss="saturating" if rule == "gan" else "wgan", **common)
    model.compile(keras.optimizers.RMSprop(learning_rate), keras.optimizers.RMSprop(learning_rate))
    return model
