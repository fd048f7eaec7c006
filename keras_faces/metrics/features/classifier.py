"""``classifier:RUN``: features of a classifier of one's own faces, a folder of `keras-faces classify`.

The dissertation scores so (table 3.4). The features are f_C, the input of C's last dense layer. They see what the
labels name, and not the background, for example. See also ``consistency.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

from keras_faces.metrics.features.base import Box, NetworkFeatures


class ClassifierFeatures(NetworkFeatures):
    """f_C of a trained classifier, float32 (N, 16 * width), and the probabilities of its classes or attributes.

    Parameters
    ----------
    run : str or Path
        The classifier's folder.
    box : str or (top, bottom, left, right), optional

    Raises
    ------
    ValueError
        If it is no such folder, or no epoch of its training was finished.
    """

    def __init__(self, run: str | Path, box: str | Box | None = None) -> None:
        from keras_faces.models.networks.trained_classifier import load_network, read_config

        run = Path(run).expanduser()
        config = read_config(run)
        super().__init__(config["image_size"], box)
        import keras

        from keras_faces.models.networks.classifier import probabilities

        network = load_network(run)
        self.class_names, self.label_kind = tuple(config["names"]), config["kind"]
        features = network.get_layer("features").output
        self._network = keras.Model(network.inputs[0], [features, probabilities(network.outputs[0], self.label_kind)])
        self.dimension = features.shape[-1]
        try:
            self.accuracy = float(json.loads((run / "report.json").read_text(encoding="utf-8"))["accuracy"])
        except (OSError, ValueError, KeyError, TypeError):  # the training was stopped before its report
            self.accuracy = None
        names = ", ".join(self.class_names)
        if len(self.class_names) > 4:
            names = f"{len(self.class_names)} labels such as {self.class_names[0]}"
        right = f", {self.accuracy:.1%} right on held-out faces" if self.accuracy is not None else ""
        self.title = f"classifier of {names} ({run.name}{right})"
