"""The classifier C: which class a face belongs to, or which attributes it has.

Source: table 3.3 of the dissertation on conditional face synthesis (FM-CGAN; C of CVAE-GAN is the same): convolutions
with stride 1, each followed by BatchNormalization and ReLU and, but for the last, by max pooling that halves the
side; then two dense layers, 1024 and the classes, and a softmax with cross-entropy (equation 3.11). The table is for
128×128; at other sizes the map is halved until its side is at most 4, so 64×64 has one stage less. The dissertation
trains C first and then lets G learn from its features f_C, "the input of the last dense layer" (section 3.2.3), and it
counts how often C finds in a generated face the label that was asked for (table 3.4).

Two things are not printed there: the dense layer of 1024 has a ReLU here, and attributes, of which a face has several,
have a sigmoid each instead of one softmax for all.

Read next: ``training/classifying.py`` (how it learns), ``metrics/consistency.py`` (how it scores a conditional system).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_faces.data.labels import KINDS
from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.layers.bias import Dense
from keras_faces.layers.ladder import channels, sides
from keras_faces.models import check_image_size
from keras_faces.training.adam import Adam

IMAGE_SIZE = 128


def classifier(
    image_size: int = IMAGE_SIZE, classes: int | Sequence[str] = 2, width: int = 64, kind: str = "classes"
) -> keras.Sequential:
    """Image (image_size, image_size, 3) in [-1, 1] to one logit for each class or attribute.

    Shapes in the comments: 128×128, as in table 3.3. :func:`features` gives f_C, :func:`probabilities` what the logits
    mean.

    Parameters
    ----------
    image_size
        Any from 16 on.
    classes
        How many classes (or attributes), or their names.
    width
        Channels of the first convolution; the others, and the dense layer, are in proportion to it.
    kind
        "classes": a face belongs to one of them, and there are two or more. "attributes": it has each or not.

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
    for rung, filters in enumerate(channels(image_size, width)):
        stages += [
            *_convolution(filters, kernel_size=7 if rung == 0 else 3),  # 128, 128, 64
            # 64, 64, 64 → 32, 32, 128 → 16, 16, 256 → 8, 8, 512 → 4, 4, 512
            layers.MaxPooling2D(2, padding="same", name=f"pool{rung + 1}"),
        ]
    stages += [
        *_convolution(width * min(8, 2 ** len(sides(image_size)[1:])), kernel_size=3),  # 4, 4, 512
        layers.Flatten(name="flatten"),  # 8192
        Dense(16 * width, activation="relu", name="features"),  # 1024
        Dense(count, dtype="float32", name="logits"),
    ]
    return keras.Sequential(stages, name="classifier")


def _convolution(filters: int, kernel_size: int) -> list[layers.Layer]:
    return [
        layers.Conv2D(filters, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal"),
        BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def features(network: keras.Model, names: Sequence[str] = ("features",)) -> keras.Model:
    """A model of the same weights that gives f_C, the input of C's last dense layer: (batch, 16 * width).

    Parameters
    ----------
    network
        What :func:`classifier` made.
    names
        Layers whose outputs are wanted; a list of outputs if they are several ("using several layers of C is better
        still", section 3.2.3): "pool1", "pool2", ..., "flatten", "features", "logits".

    Raises
    ------
    ValueError
        If there is no layer of that name.
    """
    outputs = [network.get_layer(name).output for name in names]
    return keras.Model(network.inputs[0], outputs[0] if len(outputs) == 1 else outputs, name="features")


def probabilities(logits: Any, kind: str) -> Any:
    """P(y|x) of equation 3.11, float32: a softmax over classes, a sigmoid for each attribute."""
    logits = ops.cast(logits, "float32")
    return ops.softmax(logits, axis=-1) if kind == "classes" else ops.sigmoid(logits)


def build(
    image_size: int = IMAGE_SIZE,
    classes: int | Sequence[str] = 2,
    width: int = 64,
    kind: str = "classes",
    rate: Any = 1e-3,
    seed: int = 0,
    shift: float = 0.05,
) -> keras.Sequential:
    """C behind what prepares photographs for it, compiled for ``fit(images uint8, labels float32 (batch, n))``.

    In training, half of the photographs are mirrored and all are moved a little, so that a few thousand suffice. The
    last layer is C itself; it is what is kept afterwards, and what other systems take.

    Parameters
    ----------
    image_size, classes, width, kind
        See :func:`classifier`.
    rate
        Adam's learning rate, or a schedule of Keras.
    seed
        Of the mirroring and moving. Initial weights come from ``keras.utils.set_random_seed``.
    shift
        Photographs are moved by at most this share of their side.
    """
    network = classifier(image_size, classes, width, kind)
    model = keras.Sequential(
        [
            layers.Input((image_size, image_size, 3)),
            layers.RandomFlip("horizontal", seed=seed, dtype="float32"),
            layers.RandomTranslation(shift, shift, "nearest", seed=seed + 1, dtype="float32"),
            layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32"),
            network,
        ],
        name="learner",
    )
    if kind == "classes":
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    else:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        accuracy = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    model.compile(Adam(rate), loss, metrics=[accuracy])
    model.optimizer.build(model.trainable_variables)  # so that a checkpoint finds all that it holds
    return model
