"""The classifier C: which class a face belongs to, or which attributes it has.

Source: the dissertation, table 3.3 (C of FM-CGAN and CVAE-GAN): convolutions with stride 1, each with
BatchNormalization and ReLU and, but for the last, max pooling; then two dense layers, 1024 and the classes, and a
softmax with cross-entropy (eq. 3.11). The table is for 128×128; at other sizes the map is halved until its side is at
most 4. G learns from C's features f_C, "the input of the last dense layer" (section 3.2.3), and C counts how many
generated faces have the wanted label (table 3.4).

Not printed there: the dense layer of 1024 has a ReLU here, and attributes, of which a face has several, have a sigmoid
each instead of one softmax for all.

See also: ``runs/classifier.py``, the training; ``metrics/consistency.py``, scores of conditional systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.data.labels import KINDS
from keras_faces.layers.dcgan_blocks import feature_channels, feature_sizes
from keras_faces.models import check_image_size
from keras_faces.models.networks.vgg import conv_bn_relu

IMAGE_SIZE = 128


def classifier(
    image_size: int = IMAGE_SIZE, classes: int | Sequence[str] = 2, width: int = 64, kind: str = "classes"
) -> keras.Sequential:
    """Return C, from images (image_size, image_size, 3) in [-1, 1] to one logit per class or attribute.

    Shapes in the comments: 128×128, as in table 3.3.

    Parameters
    ----------
    image_size : int
        Any from 16 on.
    classes : int or sequence of str
        Number of classes (or attributes), or their names.
    width : int
        Channels of the first convolution; the others, and the dense layer, are in proportion to it.
    kind : str
        "classes": a face belongs to one of two or more. "attributes": it has each or not.

    Raises
    ------
    ValueError
        For a smaller ``image_size``, an unknown ``kind``, a single class, or a ``width`` below 1.
    """
    count = classes if isinstance(classes, int) else len(classes)
    check_image_size("the classifier", image_size, multiple=1, smallest=16)
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: choose from {', '.join(KINDS)}.")
    if count < (2 if kind == "classes" else 1):
        raise ValueError(f"{count} {kind}: a classifier needs {'two classes' if kind == 'classes' else 'one'} or more.")
    if width < 1:
        raise ValueError(f"width={width}: the first convolution needs at least one channel.")
    stages = [layers.Input((image_size, image_size, 3))]
    for stage, filters in enumerate(feature_channels(image_size, width)):
        stages += [
            *conv_bn_relu(filters, kernel_size=3 if stage else 7),  # 128, 128, 64
            # 64, 64, 64 → 32, 32, 128 → 16, 16, 256 → 8, 8, 512 → 4, 4, 512
            layers.MaxPooling2D(2, padding="same", name=f"pool{stage + 1}"),
        ]
    stages += [
        *conv_bn_relu(width * min(8, 2 ** len(feature_sizes(image_size)[1:])), kernel_size=3),  # 4, 4, 512
        layers.Flatten(name="flatten"),  # 8192
        layers.Dense(16 * width, activation="relu", name="features"),  # 1024
        layers.Dense(count, dtype="float32", name="logits"),
    ]
    return keras.Sequential(stages, name="classifier")


def features(network: keras.Model, names: Sequence[str] = ("features",)) -> keras.Model:
    """Return the model of f_C, with the same weights.

    Parameters
    ----------
    network : keras.Model
        From :func:`classifier`.
    names : sequence of str
        Layers whose outputs are f_C: "pool1", "pool2", ..., "flatten", "features" (the input of the last layer),
        "logits".

    Returns
    -------
    keras.Model
        From images to one output, or to a list if there are several names.

    Raises
    ------
    ValueError
        If there is no layer of that name.
    """
    outputs = [network.get_layer(name).output for name in names]
    return keras.Model(network.inputs[0], outputs[0] if len(outputs) == 1 else outputs, name="features")


def probabilities(logits: Any, kind: str) -> Any:
    """Return P(y|x) of logits (batch, n) (eq. 3.11), float32: a softmax over "classes", a sigmoid per attribute."""
    logits = ops.cast(logits, "float32")
    return ops.softmax(logits, axis=-1) if kind == "classes" else ops.sigmoid(logits)


def build(
    image_size: int = IMAGE_SIZE,
    classes: int | Sequence[str] = 2,
    width: int = 64,
    kind: str = "classes",
    learning_rate: Any = 1e-3,
    seed: int = 0,
    shift: float = 0.05,
) -> keras.Sequential:
    """Return C with its preprocessing, compiled for ``fit(images uint8, labels float32 (batch, n))``.

    In training half of the photographs are mirrored and all are shifted a little. The last layer is C itself.

    Parameters
    ----------
    image_size, classes, width, kind
        See :func:`classifier`.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
        Adam's.
    seed : int
        Of the mirroring and shifting. Initial weights come from ``keras.utils.set_random_seed``.
    shift : float
        The largest shift, as a share of the side.
    """
    network = classifier(image_size, classes, width, kind)
    stages = [
        layers.Input((image_size, image_size, 3)),
        layers.RandomFlip("horizontal", seed=seed, dtype="float32"),
        layers.RandomTranslation(shift, shift, "nearest", seed=seed + 1, dtype="float32"),
        layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32"),
        network,
    ]
    model = keras.Sequential(stages, name="learner")
    if kind == "classes":
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    else:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    model.compile(keras.optimizers.Adam(learning_rate), loss, metrics=[accuracy])
    model.optimizer.build(model.trainable_variables)  # so that a checkpoint finds all that it holds
    return model
