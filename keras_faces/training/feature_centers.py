"""Feature centers: moving averages of a network's features, one center for all images or one per class.

Source: the dissertation, sections 3.2.2 and 3.2.3. G moves the center of its images' features towards that of the
photographs' (eq. 3.10 and 3.12), and "moving averages give the centers of the real and of the generated data". One
batch would do for a single center, as algorithm 3.1 prints it; but a batch of 128 holds each of 530 classes only 0.24
times (errata S8).

See also: ``losses.center_matching``; ``models/dissertation/fm_cgan.py``, which uses both.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_faces")
class FeatureCenters(keras.layers.Layer):
    """Moving averages of features, one per class, float32; part of the model's state and checkpoints.

    The first batches count alike, ``min(decay, n / (n + 1))`` after n of them, so that the initial zeros have no
    weight. A class that a batch does not hold keeps its center.

    Parameters
    ----------
    features : int
        Length of f(x).
    classes : int
        K; 1 for a single center of all images.
    decay : float
        In [0, 1): how much of a center stays at each update; 0 for the centers of the batch.

    Raises
    ------
    ValueError
        For values out of these ranges.
    """

    def __init__(self, features: int, classes: int = 1, decay: float = 0.9, **kwargs: Any) -> None:
        super().__init__(dtype="float32", trainable=False, **kwargs)
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay={decay}: must be from 0 to below 1; 0.9 remembers about ten batches.")
        if features < 1 or classes < 1:
            raise ValueError(f"features={features}, classes={classes}: both must be 1 or more.")
        self.features, self.classes, self.decay = features, classes, decay
        self.means = self.add_weight(shape=(classes, features), initializer="zeros", trainable=False, name="means")
        self.batches = self.add_weight(shape=(classes, 1), initializer="zeros", trainable=False, name="batches")
        self.built = True

    def moved(self, features: Any, labels: Any = None) -> tuple[Any, Any]:
        """Return the centers after this batch, without changing them; gradients flow to ``features``.

        Parameters
        ----------
        features : tensor, shape (batch, features)
            Or any shape (batch, ...) with as many numbers.
        labels : tensor, shape (batch, classes), optional
            One-hot rows; ``None`` for a single center. A row of zeros counts for no class.

        Returns
        -------
        tuple
            ``(centers, present)``: float32 (classes, features), and (classes, 1) with 1 for the classes in this batch.

        Raises
        ------
        ValueError
            If there are several classes and no labels.
        """
        if labels is None and self.classes > 1:
            raise ValueError(f"there are {self.classes} centers: say by labels which image belongs to which.")
        features = ops.reshape(ops.cast(features, "float32"), (-1, self.features))
        labels = ops.ones_like(features[:, :1]) if labels is None else ops.cast(labels, "float32")
        counts = ops.sum(labels, axis=0)[:, None]  # classes, 1
        means = ops.matmul(ops.transpose(labels), features) / ops.maximum(counts, 1.0)  # classes, features
        present = ops.cast(counts > 0, "float32")
        decay = ops.minimum(self.decay, self.batches / (self.batches + 1.0))
        return self.means + present * (1.0 - decay) * (means - self.means), present

    def update(self, features: Any, labels: Any = None) -> Any:
        """Move the centers by a batch, as :meth:`moved`, and return them, (classes, features)."""
        centers, present = self.moved(features, labels)
        self.means.assign(ops.stop_gradient(centers))
        self.batches.assign(self.batches + present)
        return centers

    def get_config(self) -> dict[str, Any]:
        own = {"features": self.features, "classes": self.classes, "decay": self.decay}
        return {**own, "name": self.name}
