"""ring: points in the plane instead of faces, so that one can see what three losses do.

Source: the dissertation, section 3.4.1, figures 3.4 and 3.5. The data are points of a ring around (100, 100); G and D
are four dense layers of 32, 64, 64 and the output, noise has two numbers, RMSprop has the rate 5e-5. "The only
difference between the three is the loss":

- ``gan``: the original, G minimises ``mean log(1 − D(G(z)))`` (eq. 3.3);
- ``wgan``: the critic with weights clipped to ±0.01 (eq. 2.8 and 2.9), one step for each of G, as the others;
- ``fm-gan``: feature-centre matching (eq. 3.10), ``training/matching.py``.

The source prints neither the ring's radii nor the activation, nor the batch, nor how fast the centres move; here these
are options, and much depends on them (lesson 21). G begins at (0, 0), far from the ring: at first nothing overlaps.

Points are float32 (count, 2) in their own coordinates; nothing is scaled.

Read next: ``keras_faces/ring.py``, the experiment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.matching import FeatureMatchingModel

CENTRE = (100.0, 100.0)
RULES = ("gan", "wgan", "fm-gan")  # the rows of figure 3.5
UNITS = (32, 64, 64)
PAPER = {"rate": 5e-5, "iterations": 2_000_000}
AS_IT_IS = (0.0, 255.0)  # this `value_range` leaves data as they are


@dataclass(frozen=True)
class Ring:
    """The ring around (100, 100) between two radii; points are spread evenly over its area.

    Raises
    ------
    ValueError
        Unless 0 <= inner < outer.
    """

    inner: float = 20.0
    outer: float = 30.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.inner < self.outer < math.inf:
            raise ValueError(f"a ring from radius {self.inner} to {self.outer}: 0 <= inner < outer is needed.")

    def points(self, count: int, seed: int | keras.random.SeedGenerator) -> Any:
        """Points of the ring, float32 (count, 2)."""
        draws = keras.random.uniform((count, 2), seed=seed)
        angle = 2.0 * math.pi * draws[:, 0]
        radius = ops.sqrt(self.inner**2 + draws[:, 1] * (self.outer**2 - self.inner**2))  # evenly by area
        return ops.stack([CENTRE[0] + radius * ops.cos(angle), CENTRE[1] + radius * ops.sin(angle)], axis=1)

    def distances(self, points: np.ndarray) -> np.ndarray:
        """How far each of ``points`` (count, 2) lies from the nearest point of the ring; 0 inside it."""
        radius = np.hypot(*(np.asarray(points, "float64") - CENTRE).T)
        return np.maximum(np.maximum(self.inner - radius, radius - self.outer), 0.0)

    def coverage(self, points: np.ndarray, sectors: int = 36) -> float:
        """The share of the ring's sectors, of equal area, that hold a quarter or more of what is due to each.

        Due to a sector is an equal share of all ``points``; only those on the ring count, or nearer to it than half
        its width. Points that cover the ring evenly give 1, an arc of a quarter of it 0.25.
        """
        points = np.asarray(points, "float64")
        near = points[self.distances(points) <= 0.5 * (self.outer - self.inner)] - CENTRE
        angle = np.arctan2(near[:, 1], near[:, 0]) / (2.0 * np.pi) % 1.0
        held = np.bincount((angle * sectors).astype(int) % sectors, minlength=sectors)
        return float(np.mean(held >= 0.25 * len(points) / sectors))


def generator(activation: str = "leaky_relu") -> keras.Sequential:
    """Noise (2,) to a point (2,)."""
    return _four_layers(2, 2, activation, "generator")


def discriminator(activation: str = "leaky_relu", dimensions: int = 2) -> keras.Sequential:
    """A point (dimensions,) to the logit (1,) of its being one of the ring."""
    return _four_layers(dimensions, 1, activation, "discriminator")


def _four_layers(read: int, made: int, activation: str, name: str) -> keras.Sequential:
    hidden = [layers.Dense(units, activation=activation) for units in UNITS]  # 32 → 64 → 64
    return keras.Sequential([layers.Input((read,)), *hidden, layers.Dense(made)], name=name)


def build(
    rule: str,
    rate: float = PAPER["rate"],
    activation: str = "leaky_relu",
    centre_decay: float = 0.9,
    d_steps: int = 1,
    seed: int = 0,
) -> AdversarialModel:
    """One of the three, compiled. The same seed gives all three the same weights to begin with.

    Parameters
    ----------
    rule
        "gan", "wgan" or "fm-gan".
    rate
        RMSprop's learning rate for both networks.
    activation
        Of the hidden layers, by Keras's name: "leaky_relu", "relu", "tanh", ...
    centre_decay
        Of fm-gan: how much of a moving centre stays at each iteration.
    d_steps
        Steps of D for each of G; the source says the same for all three.

    Raises
    ------
    ValueError
        For another rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: choose from {', '.join(RULES)}.")
    keras.utils.set_random_seed(seed)
    networks = generator(activation), discriminator(activation)
    common = {"d_steps": d_steps, "value_range": AS_IT_IS, "seed": seed, "name": rule.replace("-", "_")}
    if rule == "fm-gan":
        model = FeatureMatchingModel(*networks, centre_decay=centre_decay, **common)
    else:
        model = AdversarialModel(*networks, loss="saturating" if rule == "gan" else "wgan", **common)
    model.compile(keras.optimizers.RMSprop(rate), keras.optimizers.RMSprop(rate))
    return model
