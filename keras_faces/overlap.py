"""Two distributions that do not overlap: what each loss of G says then (the dissertation's figures 3.1 and 3.3).

The photographs are spread evenly over [0, 1], the fakes over [d, d + 1]: for |d| >= 1 nothing overlaps. G has one thing
to learn, d.

- The original loss at its best D (eq. 3.6 to 3.9) is ``2 JS − 2 ln 2``. With ``s = max(0, 1 − |d|)``, the share of each
  that overlaps, JS = (1 − s) ln 2, so the loss is ``−2 s ln 2``: a tent over the overlap, and 0 everywhere else. It has
  no gradient there. (The source says that JS is 0 there; JS is ln 2, its height, and the *loss* is 0: errata S6.)
- Feature-centre matching asks a D that has learnt to tell the two. :func:`measured` trains the ring's D at each
  distance and takes from the same D what each loss pays, and its gradient by d: that of ``log(1 − D)`` dies out as D
  becomes sure, that of ``½ ‖E f_D(x) − E f_D(G(z))‖²`` does not.

Read next: ``ring.py``, the same three losses in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from keras_faces import losses
from keras_faces.models.ring import discriminator
from keras_faces.training.gradients import value_and_grad
from keras_faces.training.repeated import repeated

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

LOSSES = {
    "saturating": "log(1 − D), eq. 3.3",
    "non_saturating": "−log D",
    "matching": "feature centres, eq. 3.10",
}


def overlap(distance: np.ndarray) -> np.ndarray:
    """The share of [0, 1] that [d, d + 1] covers."""
    return np.maximum(0.0, 1.0 - np.abs(np.asarray(distance, "float64")))


def jensen_shannon(distance: np.ndarray) -> np.ndarray:
    """JS of the two (eq. 3.8) in nats: ``(1 − overlap) ln 2``, from 0 to ln 2."""
    return (1.0 - overlap(distance)) * np.log(2.0)


def original_loss(distance: np.ndarray) -> np.ndarray:
    """``L'_GAN(G)`` at the best D, ``2 JS − 2 ln 2`` (eq. 3.9, figure 3.1): −2 ln 2 at d = 0, 0 without overlap."""
    return 2.0 * jensen_shannon(distance) - 2.0 * np.log(2.0)


def original_gradient(distance: np.ndarray) -> np.ndarray:
    """Its derivative by d: ``± 2 ln 2`` where they overlap, 0 where they do not (and, by symmetry, at d = 0)."""
    distance = np.asarray(distance, "float64")
    return np.where(np.abs(distance) < 1.0, 2.0 * np.log(2.0) * np.sign(distance), 0.0)


def measured(
    distances: np.ndarray, steps: int = 600, batch: int = 128, rate: float = 1e-3, seed: int = 0
) -> pandas.DataFrame:
    """Train a D at each distance; what each loss of G is then, and its gradient by d.

    Parameters
    ----------
    distances
        Values of d, any sign.
    steps, batch, rate
        Of D's training, by RMSprop, from the same weights at each distance. D is the ring's: 32, 64, 64, 1.
    seed
        Of D's weights and of the points.

    Returns
    -------
    A row a distance: ``distance``, ``d_loss``, and for each of :data:`LOSSES` its value under its name and its
    derivative under the name and ``_gradient``.
    """
    import pandas
    from tqdm import tqdm

    keras.utils.set_random_seed(seed)
    judge = Judge(discriminator("leaky_relu", dimensions=1), rate, batch, seed)
    start = [keras.ops.convert_to_numpy(variable) for variable in judge.state()]
    train, rows = repeated(judge, judge.improve, steps), []
    for distance in tqdm(np.asarray(distances, "float64"), desc="a D for each distance", unit=" D"):
        for variable, value in zip(judge.state(), start, strict=True):
            variable.assign(value)
        judge.distance.assign(distance)
        train()
        rows.append({"distance": float(distance), **judge.losses_of_g()})
    return pandas.DataFrame(rows)


class Judge(keras.Model):
    """The ring's D, on a line, and the distance of the fakes, by which the losses of G are differentiated."""

    NUMBERS = ("d_loss",)

    def __init__(self, network, rate, batch, seed):
        super().__init__()
        self.network, self.batch = network, batch
        self.features = keras.Model(network.inputs[0], network.layers[-1].input)
        self.draws = keras.random.SeedGenerator(seed)
        self.distance = self.add_weight(shape=(), name="distance", trainable=False)
        self.built = True
        self.compile(keras.optimizers.RMSprop(rate))
        self.optimizer.build(network.trainable_variables)

    def state(self):
        return [*self.variables, *self.optimizer.variables]

    def improve(self):
        real = keras.random.uniform((self.batch, 1), seed=self.draws)
        fake = keras.random.uniform((self.batch, 1), seed=self.draws) + self.distance

        def loss():
            return losses.discriminator_loss(self.network(real), self.network(fake)), None

        weights = self.network.trainable_variables
        (value, _), gradients = value_and_grad(loss, weights, self.variables)
        self.optimizer.apply(gradients, weights)
        return {"d_loss": value}

    def losses_of_g(self, count: int = 4096):
        """Each loss and its derivative by the distance, at evenly spaced points; as D stands."""
        points = ops.convert_to_tensor((np.arange(count, dtype="float32")[:, None] + 0.5) / count)
        centre = ops.mean(self.features(points), axis=0)

        def of(name):
            fake = points + self.distance
            if name == "matching":
                return losses.centre_matching(centre, ops.mean(self.features(fake), axis=0))
            kind = losses.generator_loss if name == "non_saturating" else losses.saturating_generator_loss
            return kind(self.network(fake))

        fakes = self.network(points + self.distance)
        numbers = {"d_loss": float(losses.discriminator_loss(self.network(points), fakes))}
        for name in LOSSES:
            (value, _), (slope,) = value_and_grad(lambda name=name: (of(name), None), [self.distance], self.variables)
            numbers |= {name: float(value), f"{name}_gradient": float(slope)}
        return numbers


def figure(numbers: pandas.DataFrame) -> Figure:
    """Figures 3.1 and 3.3 side by side, each loss above its gradient, with the two distributions on the left."""
    from matplotlib.figure import Figure

    reach = float(np.abs(numbers["distance"]).max())
    fine, d = np.linspace(-reach, reach, 801), numbers["distance"]
    drawn = Figure(figsize=(11, 6), layout="constrained")
    (left, above, above_right), (empty, below, below_right) = drawn.subplots(2, 3, sharex="col")
    for axes, shift, title in ((left, 0.5, "overlap: d = 0.5"), (empty, 2.0, "none: d = 2")):
        axes.fill_between([0, 1], 1, color="C0", alpha=0.6, label="photographs")
        axes.fill_between([shift, shift + 1], 1, color="C3", alpha=0.5, label="fakes")
        axes.set(title=title, ylim=(0, 1.4), yticks=[], xlim=(-0.5, 3.5))
    left.legend(loc="upper right")
    above.plot(fine, original_loss(fine), color="black")
    above.set_title("3.1: the original loss of G, best D")
    below.plot(fine, original_gradient(fine), color="black", label="at the best D")
    below.plot(d, numbers["saturating_gradient"], ".-", color="C1", label="at a trained D")
    above_right.plot(d, numbers["matching"], ".-", color="C2")
    above_right.set_title("3.3: feature-centre matching")
    for (name, label), colour in zip(LOSSES.items(), ("C1", "C4", "C2"), strict=True):
        below_right.plot(d, numbers[f"{name}_gradient"].abs(), ".-", color=colour, label=label)
    below_right.set_yscale("log")
    for axes in (above, below, above_right, below_right):
        axes.axvspan(-1, 1, color="grey", alpha=0.15)
        axes.grid(alpha=0.3)
    below.legend(loc="upper left")
    below_right.legend(loc="lower left", fontsize="small")
    above.set_ylabel("loss")
    below.set_ylabel("its derivative by d")
    below_right.set_ylabel("size of the derivative, trained D")
    for axes in (below, below_right):
        axes.set_xlabel("d (grey: they overlap)")
    return drawn
