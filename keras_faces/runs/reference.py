"""The photographs that a run is scored against: those it was trained on, and others that were held out.

A score uses held-out photographs where there are some: those of the same folder behind the run's ``count``, or drawings
of another seed. A generator that returned its training photographs would have a perfect distance to them. The training
photographs are needed for the memorisation rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from keras_faces.runs.folder import RunConfig, RunError

if TYPE_CHECKING:
    from keras_faces.data import Faces
    from keras_faces.data.labels import Labels
    from keras_faces.metrics import Features, Score

COUNT = 2000  # images of each side
SPLITS = ("held-out", "training")
_AT_ONCE = 256  # images


@dataclass
class Photographs:
    """The photographs that a run was trained on, and others of the same kind.

    Attributes
    ----------
    training : Faces
        What it was trained on.
    held_out : Faces or None
        What it was not trained on.
    note : str
        Where the held-out ones come from, or why there are none.
    """

    training: Faces
    held_out: Faces | None
    note: str

    def split(self, against: str | None) -> tuple[str, Faces]:
        """Return the name and the photographs of the real side.

        Parameters
        ----------
        against : {"held-out", "training"}, optional
            Held-out ones by default, if there are any.

        Raises
        ------
        RunError
            If held-out photographs are asked for and there are none.
        """
        if against == "training" or (against is None and self.held_out is None):
            return "training", self.training
        if self.held_out is None:
            raise RunError(f"{self.note}. Give some by --held-out FOLDER, or score --against training.")
        return "held-out", self.held_out


def photographs(
    config: RunConfig, data: str | None = None, held_out: str | None = None, count: int = COUNT
) -> Photographs:
    """Load the photographs of a run.

    Parameters
    ----------
    config : RunConfig
        Of the run.
    data : str, optional
        Where the run's photographs are now (where they were).
    held_out : str, optional
        A source of photographs that it was not trained on. By default those of ``data`` behind the run's ``count``, or
        for drawn faces drawings of another seed: other people.
    count : int
        How many held-out photographs, at most.

    Returns
    -------
    Photographs

    Raises
    ------
    RunError
        If ``data`` does not hold the photographs that the run was trained on.
    """
    from keras_faces.data import load

    where = replace(config, data=data or config.data)
    training = where.faces()
    if config.fingerprint not in ("", training.fingerprint()):
        raise RunError(
            f"{where.data} does not hold the images that the run was trained on. Say by --data where they are now; "
            "photographs to score against besides are given by --held-out."
        )

    if held_out is None and where.data != "drawn":
        return Photographs(training, *_behind(where, count))
    source = held_out or "drawn"
    some_drawn = count if source == "drawn" else None  # of a folder all: it may be sorted by person
    found = load(source, config.image_size, count=some_drawn, seed=config.seed + 1, crop=config.crop)
    found = found.select(config.select) if config.select else found
    return Photographs(training, found, f"held out: {found.source}" + ("" if held_out else ", other people"))


def _behind(config: RunConfig, count: int) -> tuple[Faces | None, str]:
    """The photographs of the folder that follow those of the training, at most ``count``, and a note on them."""
    from keras_faces.data import load

    trained = config.count
    whole = load(config.data, config.image_size, count=trained + count, crop=config.crop) if trained else ()
    if len(whole) <= (trained or 0):
        return None, f"no photograph is held out: the run was trained on all of {config.data}"
    rest = whole.take(np.arange(trained, len(whole)))
    rest = rest.select(config.select) if config.select else rest
    return rest, f"held out: photographs {trained + 1:,} to {len(whole):,} of {whole.source}"


class Reference:
    """The photographs' features, computed once for all systems that are scored against them.

    Parameters
    ----------
    photographs : Photographs
        What was trained on and what not.
    features : str or Features
        As ``metrics.features.get`` takes it. It is fitted on the training photographs.
    count : int
        Images of the real side, at most; all training photographs enter the memorisation rate.
    seed : int
        Which photographs where there are more, and every random draw of the scores.
    against : {"held-out", "training"}, optional
        The real side; held-out photographs by default, if there are any.
    """

    def __init__(
        self,
        photographs: Photographs,
        features: str | Features = "pixels",
        count: int = COUNT,
        seed: int = 0,
        against: str | None = None,
    ) -> None:
        from keras_faces.metrics import features_of
        from keras_faces.metrics.features import get

        self.seed = seed
        self.features = get(features)
        self.split, real = photographs.split(against)
        chosen = some(len(real), count, seed)
        self.real, self.train = real.images[chosen], photographs.training.images
        self.train_features = features_of(self.train, self.features, side="real", seed=seed)
        self.held_out_features = None
        if photographs.held_out is not None:
            held_out = photographs.held_out.images
            held_out = held_out[some(len(held_out), count, seed)]
            self.held_out_features = features_of(held_out, self.features, side="held-out")
        self.real_features = self.held_out_features if self.split == "held-out" else self.train_features[chosen]

    def describe(self, fakes: np.ndarray) -> np.ndarray:
        """Return the features, float32 (N, D), of generated faces, uint8 (N, H, W, 3)."""
        from keras_faces.metrics import features_of

        return features_of(fakes, self.features, side="fake")

    def scores(self, fakes: np.ndarray, labels: Labels | None = None) -> list[Score]:
        """Score generated faces.

        Parameters
        ----------
        fakes : ndarray of uint8, shape (N, H, W, 3)
            The faces.
        labels : Labels, optional
            What they were asked to show.

        Returns
        -------
        list of Score
            FID, KID, precision, recall, density, coverage, memorisation (if photographs are held out) and spread. With
            features that know classes also the Inception Score, and with those that know ``labels`` the label
            consistency.
        """
        from keras_faces import metrics
        from keras_faces.metrics.neighbours import memorisation_from_features

        fake, named = self.describe(fakes), (self.features,)
        known = {"seed": self.seed, "split": self.split}
        found = [
            metrics.fid_from_features(self.real_features, fake, *named, **known),
            metrics.kid_from_features(self.real_features, fake, *named, **known),
            *metrics.precision_recall_from_features(self.real_features, fake, *named, **known).values(),
        ]
        if self.held_out_features is not None:
            sides = (fake, self.train_features, self.held_out_features)
            found.append(memorisation_from_features(*sides, *named, seed=self.seed))
        if getattr(self.features, "label_kind", "") == "classes" and len(fakes) >= 20:
            found.append(metrics.inception_score(fakes, self.features, seed=self.seed))
        if labels is not None and self._knows(labels):
            found.append(metrics.label_consistency(fakes, labels, self.features, seed=self.seed))
        return [*found, spread(self.real, fakes, self.split)]

    def _knows(self, labels: Labels) -> bool:
        kind, names = (getattr(self.features, name, None) for name in ("label_kind", "class_names"))
        return kind == labels.kind and set(labels.names) <= set(names or ())


def spread(real: np.ndarray, fake: np.ndarray, split: str = "training") -> Score:
    """Measure how much fakes differ from each other, as a share of how much photographs do; near 0: all alike.

    It is the mean over all pixels of the standard deviation over the images. ``log.csv`` has it for one batch.

    Parameters
    ----------
    real, fake : ndarray of uint8, shape (n, H, W, 3)
        Photographs and generated faces.
    split : str
        Which photographs these are.
    """
    from keras_faces.metrics import Score

    value = _deviation(fake) / (_deviation(real) + 1e-6)
    return Score("spread", value, n_real=len(real), n_fake=len(fake), split=split, features="pixels")


def _deviation(images: np.ndarray) -> float:
    """Mean over the pixels of their standard deviation over the images, in parts so that it needs little memory."""
    total, squares = 0.0, 0.0
    for start in range(0, len(images), _AT_ONCE):
        part = np.asarray(images[start : start + _AT_ONCE], "float64")
        total, squares = total + part.sum(axis=0), squares + (part**2).sum(axis=0)
    mean = total / len(images)
    return float(np.sqrt(np.maximum(squares / len(images) - mean**2, 0.0)).mean())


def some(length: int, count: int, seed: int = 0) -> np.ndarray:
    """Choose at most ``count`` of ``length`` images at random; return their indices in rising order."""
    if length <= count:
        return np.arange(length)
    return np.sort(np.random.default_rng(seed).permutation(length)[:count])
