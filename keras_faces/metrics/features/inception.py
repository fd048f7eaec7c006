"""``inception``: Keras's Inception V3, trained on ImageNet: 2048 features and 1000 classes.

The weights are downloaded on first use (96 MB) into ``~/.keras/models``. They are not those of the original FID
(TensorFlow's graph of 2015), and FIDs by the two differ; so a score says "Inception-Keras". No class of ImageNet is a
face. See also ``classifier.py``.
"""

from __future__ import annotations

from pathlib import Path

from keras_faces.metrics.features.base import Box, NetworkFeatures

ADDRESS = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
)


class InceptionFeatures(NetworkFeatures):
    """The input of Inception V3's last layer, float32 (N, 2048).

    Parameters
    ----------
    weights : str or Path, optional
        A file with Keras's weights of the whole network; by default Keras finds or downloads them.
    box : str or (top, bottom, left, right), optional

    Raises
    ------
    RuntimeError
        If the weights are not there and cannot be downloaded; the message says where to get them.
    """

    title = "Inception-Keras"
    dimension = 2048
    label_kind = "classes"

    def __init__(self, weights: str | Path | None = None, box: str | Box | None = None) -> None:
        super().__init__(299, box)
        import keras

        network = _inception("imagenet" if weights is None else str(weights))
        self._network = keras.Model(network.inputs[0], [network.get_layer("avg_pool").output, network.outputs[0]])
        self.class_names = tuple(f"ImageNet {index}" for index in range(network.output_shape[-1]))


def _inception(weights: str):
    from keras.applications import InceptionV3

    if weights != "imagenet" and not Path(weights).is_file():
        raise FileNotFoundError(f"there is no file {weights} of Inception's weights.")
    try:
        return InceptionV3(weights=weights)
    except Exception as error:  # Keras raises a bare Exception if there is no connection
        if weights != "imagenet":
            raise ValueError(f"{weights} does not hold the weights of Keras's InceptionV3: {error}") from error
        raise RuntimeError(
            f"Inception's weights are not on this machine and could not be downloaded ({error}). Either fetch "
            f"{ADDRESS} on a machine with a network and put it into ~/.keras/models, or take other features: "
            "pixels, or classifier:RUN."
        ) from error
