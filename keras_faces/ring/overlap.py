"""Losses of G for two distributions that do not overlap (the dissertation's figures 3.1 and 3.3).

Real points are uniform on [0, 1], fakes on [d, d + 1]: for |d| >= 1 nothing overlaps. G learns only d.

- The original loss at the optimal D (eq. 3.6 to 3.9) is ``2 JS − 2 ln 2``. With ``s = max(0, 1 − |d|)``, the overlap,
  JS = (1 − s) ln 2, so the loss is ``−2 s ln 2``: 0 without overlap, and without a gradient there. (The source says
  that JS is 0 there; JS is ln 2, and the *loss* is 0: errata S6.)
- Feature-centre matching uses a trained D. :func:`measured` trains the ring's D at each distance, and takes from it
  each loss of G and its gradient by d: that of ``log(1 − D)`` vanishes as D becomes certain, that of
  ``½ ‖E f_D(x) − E f_D(G(z))‖²`` does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from keras_faces.ring.model import discriminator
from keras_faces.ring.step_loop import scan_steps
from keras_faces.training import losses
from keras_faces.training.gradients import value_and_grad

if TYPE_CHECKING:
    import pandas

    from keras_faces.figures.figure import Figure

LOSSES = {
    "saturating": "log(1 − D), eq. 3.3",
    "non_saturating": "−log D",
    "matching": "feature centres, eq. 3.10",
}


def overlap(distance: np.ndarray) -> np.ndarray:
    """Share of [0, 1] that [d, d + 1] covers."""
    return np.maximum(0.0, 1.0 - np.abs(np.asarray(distance, "float64")))


def jensen_shannon(distance: np.ndarray) -> np.ndarray:
    """JS of the two (eq. 3.8) in nats: ``(1 − overlap) ln 2``, from 0 to ln 2."""
    return (1.0 - overlap(distance)) * np.log(2.0)


def original_loss(distance: np.ndarray) -> np.ndarray:
    """``L'_GAN(G)`` at the optimal D, ``2 JS − 2 ln 2`` (eq. 3.9, figure 3.1): −2 ln 2 at d = 0, 0 without overlap."""
    return 2.0 * jensen_shannon(distance) - 2.0 * np.log(2.0)


def original_gradient(distance: np.ndarray) -> np.ndarray:
    """Its derivative by d: ``± 2 ln 2`` with overlap, 0 without it (and, by symmetry, at d = 0)."""
    distance = np.asarray(distance, "float64")
    return np.where(np.abs(distance) < 1.0, 2.0 * np.log(2.0) * np.sign(distance), 0.0)


def measured(
    distances: np.ndarray, steps: int = 600, batch: int = 128, learning_rate: float = 1e-3, seed: int = 0
) -> pandas.DataFrame:
    """Train a D at each distance, and measure each loss of G and its gradient by d.

    Parameters
    ----------
    distances : ndarray of float
        Values of d, any sign.
    steps, batch, learning_rate : int, int, float
        Of D's training by RMSprop, from the same weights at each distance. D is the ring's: 32, 64, 64, 1.
    seed : int
        Of D's weights and of the points.

    Returns
    -------
    DataFrame
        One row per distance: ``distance``, ``d_loss``, and each loss of :data:`LOSSES` with its derivative, such as
        ``matching`` and ``matching_gradient``.
    """
    import pandas
    from tqdm import tqdm

    keras.utils.set_random_seed(seed)
    critic = LineDiscriminator(discriminator("leaky_relu", dimensions=1), learning_rate, batch, seed)
    state = [*critic.variables, *critic.optimizer.variables]
    start = [ops.convert_to_numpy(variable) for variable in state]
    train, rows = scan_steps(critic, critic.train_once, steps), []
    for distance in tqdm(np.asarray(distances, "float64"), desc="a D for each distance", unit=" D"):
        for variable, value in zip(state, start, strict=True):
            variable.assign(value)
        critic.distance.assign(distance)
        train()
        rows.append({"distance": float(distance), **critic.losses_of_g()})
    return pandas.DataFrame(rows)


class LineDiscriminator(keras.Model):
    """The ring's D on a line, with the distance of the fakes, by which the losses of G are differentiated."""

    METRICS = ("d_loss",)

    def __init__(self, network: keras.Model, learning_rate: float, batch: int, seed: int) -> None:
        super().__init__()
        self.network, self.batch = network, batch
        self.features = keras.Model(network.inputs[0], network.layers[-1].input)
        self.draws = keras.random.SeedGenerator(seed)
        self.distance = self.add_weight(shape=(), name="distance", trainable=False)
        self.built = True
        self.compile(keras.optimizers.RMSprop(learning_rate))
        self.optimizer.build(network.trainable_variables)

    def train_once(self) -> dict:
        """Train D for one step on new points."""
        real = keras.random.uniform((self.batch, 1), seed=self.draws)
        fake = keras.random.uniform((self.batch, 1), seed=self.draws) + self.distance

        def loss():
            return losses.discriminator_loss(self.network(real), self.network(fake)), None

        weights = self.network.trainable_variables
        (value, _), gradients = value_and_grad(loss, weights, self.variables)
        self.optimizer.apply(gradients, weights)
        return {"d_loss": value}

    def losses_of_g(self, count: int = 4096) -> dict[str, float]:
        """Measure each loss of G and its derivative by the distance, at ``count`` evenly spaced points."""
        points = ops.convert_to_tensor((np.arange(count, dtype="float32")[:, None] + 0.5) / count)
        centre = ops.mean(self.features(points), axis=0)

        def loss(name):
            fake = points + self.distance
            if name == "matching":
                return losses.center_matching(centre, ops.mean(self.features(fake), axis=0))
            kind = losses.generator_loss if name == "non_saturating" else losses.saturating_generator_loss
            return kind(self.network(fake))

        fakes = self.network(points + self.distance)
        row = {"d_loss": float(losses.discriminator_loss(self.network(points), fakes))}
        for name in LOSSES:
            (value, _), (grad,) = value_and_grad(lambda name=name: (loss(name), None), [self.distance], self.variables)
            row |= {name: float(value), f"{name}_gradient": float(grad)}
        return row


def figure(table: pandas.DataFrame) -> Figure:
    """Draw figures 3.1 and 3.3 from the table of :func:`measured`: the distributions, the losses, their gradients."""
    from keras_faces.figures.figure import Figure

    reach = float(np.abs(table["distance"]).max())
    fine, d = np.linspace(-reach, reach, 801), table["distance"]
    figure = Figure(figsize=(11, 6), layout="constrained")
    (left, above, above_right), (below_left, below, below_right) = figure.subplots(2, 3, sharex="col")
    for axes, shift, title in ((left, 0.5, "overlap: d = 0.5"), (below_left, 2.0, "none: d = 2")):
        axes.fill_between([0, 1], 1, color="C0", alpha=0.6, label="photographs")
        axes.fill_between([shift, shift + 1], 1, color="C3", alpha=0.5, label="fakes")
        axes.set(title=title, ylim=(0, 1.4), yticks=[], xlim=(-0.5, 3.5))
    left.legend(loc="upper right")
    above.plot(fine, original_loss(fine), color="black")
    above.set(title="3.1: the original loss of G, best D", ylabel="loss")
    below.plot(fine, original_gradient(fine), color="black", label="at the best D")
    below.plot(d, table["saturating_gradient"], ".-", color="C1", label="at a trained D")
    below.set(ylabel="its derivative by d")
    above_right.plot(d, table["matching"], ".-", color="C2")
    above_right.set_title("3.3: feature-centre matching")
    for (name, label), colour in zip(LOSSES.items(), ("C1", "C4", "C2"), strict=True):
        below_right.plot(d, table[f"{name}_gradient"].abs(), ".-", color=colour, label=label)
    below_right.set(yscale="log", ylabel="size of the derivative, trained D")
    for axes in (above, below, above_right, below_right):
        axes.axvspan(-1, 1, color="grey", alpha=0.15)
        axes.grid(alpha=0.3)
    below.legend(loc="upper left")
    below_right.legend(loc="lower left", fontsize="small")
    for axes in (below, below_right):
        axes.set_xlabel("d (grey: they overlap)")
    return figure
