"""``classifier:RUN``: a network that learned the user's own faces. The dissertation scores so (table 3.4).

The run is a folder of `keras-faces classify`. The features are f_C, the input of C's last dense layer; the
probabilities are those of its classes or attributes. They see what tells these faces apart, and are blind to what the
labels do not ask for, a background for example.

Read next: ``consistency.py``, which counts C's answers.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from keras_faces.metrics.features.base import Box, Features


class ClassifierFeatures(Features):
    """f_C of a trained classifier, float32 (N, 16 * width).

    Parameters
    ----------
    run
        The classifier's folder.

    Raises
    ------
    RunError
        If it is no such folder, or its training did not get to the end of an epoch.
    """

    def __init__(self, run: str | Path, box: str | Box | None = None) -> None:
        from keras_faces.training.classifying import ClassifierFolder

        folder = ClassifierFolder(Path(run).expanduser())
        config = folder.read()
        super().__init__(config.image_size, box)
        from keras import Model

        network = folder.load()
        self._network = Model(network.inputs[0], [network.get_layer("features").output, network.outputs[0]])
        self.dimension = network.get_layer("features").output.shape[-1]
        self.class_names, self.label_kind = tuple(config.names), config.kind
        self.accuracy = _accuracy(folder)
        right = f", {self.accuracy:.1%} right on held-out faces" if self.accuracy is not None else ""
        self.title = f"classifier of {_few(self.class_names)} ({folder.path.name}{right})"

    def describe(self, images: np.ndarray) -> np.ndarray:
        return self._outputs(images)[0]

    def probabilities(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        return self._in_batches(self._probabilities, images, batch_size, len(self.class_names))

    def _probabilities(self, images: np.ndarray) -> np.ndarray:
        from keras import ops

        from keras_faces.models.classifier import probabilities

        return ops.convert_to_numpy(probabilities(self._outputs(images)[1], self.label_kind))

    def _outputs(self, images: np.ndarray) -> list[np.ndarray]:
        return self._network.predict_on_batch(images / np.float32(127.5) - 1)


def _accuracy(folder) -> float | None:
    """The held-out accuracy of the run's report; None where an interrupted training left none."""
    try:
        return float(json.loads(folder.report.read_text(encoding="utf-8"))["accuracy"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{len(names)} labels such as {names[0]}"
