"""Models that combine the identity of one image with the attributes of another.

A recogniser I gives the identity f_I (the input of its last layer), an encoder A the attributes f_A, and G makes a face
of ``[f_A, f_I]``: :meth:`IdentityMixin.transfer`.

See also: ``ip_gan.py``, how the three learn; ``keras_faces/applications``, what they are used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.training.encoder import EncoderMixin
from keras_faces.training.feature_centers import FeatureCenters
from keras_faces.training.sampling import generate, in_batches, latent_noise

BANK = 256  # identities and attributes of the latest photographs that a model keeps


class IdentityMixin(EncoderMixin):
    """An identity input for a :class:`FaceModel`, whose G reads ``[attributes, identity]``. List it before FaceModel.

    Parameters
    ----------
    networks, options
        Those of the class behind this one.
    encoder : keras.Model
        A, see :class:`EncoderMixin`.
    recogniser : keras.Model
        I, from images in ``value_range`` to one logit per person; its last layer reads the identity_dim features.
    label_names : sequence of str
        Names of the people in the training labels.

    Raises
    ------
    ValueError
        If the recogniser's features have another length than G's second input.
    """

    def __init__(
        self, *networks: keras.Model, recogniser: keras.Model, label_names: Sequence[str], **options: Any
    ) -> None:
        super().__init__(*networks, **options)
        self.label_names = tuple(label_names)
        self.recogniser = recogniser
        last = recogniser.layers[-1]
        self.recogniser_with_features = keras.Model(
            recogniser.inputs[0], [last.input, last.output], name="recogniser_with_features"
        )
        (self.identity_dim,) = self.generator.inputs[1].shape[1:]
        if tuple(last.input.shape[1:]) != (self.identity_dim,):
            raise ValueError(
                f"the recogniser's features are {last.input.shape[1:]}, the generator reads {self.identity_dim}."
            )
        self.people = FeatureCenters(self.identity_dim, len(self.label_names), name="people")
        random = np.random.default_rng(self.seed)  # until photographs have been seen
        self.attribute_bank = self._bank("attribute_bank", random.normal(size=(BANK, self.latent_dim)))
        self.identity_bank = self._bank("identity_bank", np.abs(random.normal(size=(BANK, self.identity_dim))))

    def _bank(self, name: str, value: np.ndarray) -> keras.Variable:
        bank = self.add_weight(value.shape, initializer="zeros", trainable=False, dtype="float32", name=name)
        bank.assign(value.astype("float32"))
        return bank

    # --------------------------------------------------------------------------------------------- in a step

    def recognise(self, faces: Any) -> tuple[Any, Any]:
        """Return f_I of images in ``value_range``, float32 (batch, identity_dim), and the logits (batch, people)."""
        features, logits = self.recogniser_with_features(faces, training=False)
        return ops.cast(features, "float32"), logits

    def remember(self, attributes: Any, identity: Any) -> None:
        """Keep G's latest inputs: the statistics of its layers are measured with them."""
        for bank, latest in ((self.attribute_bank, attributes), (self.identity_bank, identity)):
            bank.assign(ops.concatenate([latest[:BANK], bank])[:BANK])

    # ------------------------------------------------------------------------------------------------ pictures

    def identity(self, images: np.ndarray) -> np.ndarray:
        """Return f_I of photographs, uint8 (n, H, W, 3): float32 (n, identity_dim)."""
        self.synchronise()
        images = self._checked(images)
        parts = [ops.convert_to_numpy(self.recognise(self.preprocess(part))[0]) for part in in_batches(images, 64)]
        return np.concatenate(parts) if parts else np.zeros((0, self.identity_dim), "float32")

    def attributes(self, images: np.ndarray) -> np.ndarray:
        """Return the means μ of f_A of photographs, uint8 (n, H, W, 3): float32 (n, latent_dim)."""
        return self.encode(images)

    def combine(self, identity: np.ndarray, attributes: np.ndarray) -> np.ndarray:
        """Make faces x' of identities and attributes.

        Parameters
        ----------
        identity : ndarray, shape (n, identity_dim)
            As of :meth:`identity`.
        attributes : ndarray, shape (n, latent_dim)
            As of :meth:`attributes`.

        Returns
        -------
        ndarray of uint8, shape (n, H, W, 3)
            RGB.

        Raises
        ------
        ValueError
            For other shapes.
        """
        identity, attributes = np.asarray(identity, "float32"), np.asarray(attributes, "float32")
        if identity.shape != (len(attributes), self.identity_dim) or attributes.shape[1:] != (self.latent_dim,):
            raise ValueError(
                f"identities {identity.shape} and attributes {attributes.shape}: {self.name} reads "
                f"(n, {self.identity_dim}) and (n, {self.latent_dim})."
            )
        self.synchronise()
        return generate(self.generator, [attributes, identity], self.sampling_state(), self.value_range)

    def transfer(self, subjects: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """Make faces of each subject's person with the attributes of the picture beside it; all uint8 (n, H, W, 3)."""
        return self.combine(self.identity(subjects), self.attributes(pictures))

    def reconstruct(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Make photographs again of their own identity and attributes, uint8 (n, H, W, 3); no labels are read."""
        return self.transfer(images, images)

    def person(
        self, subject: str | np.ndarray, count: int, seed: int = 0, truncation: float | None = None
    ) -> np.ndarray:
        """Make faces of one person with attributes from N(0, 1) (section 5.4.2).

        Parameters
        ----------
        subject : str or ndarray of uint8
            One of ``label_names``, for the mean f_I of the training photographs; or an image (H, W, 3); or several
            images of the person (n, H, W, 3), whose f_I are averaged.
        count : int
            How many faces.
        seed, truncation
            As of :meth:`FaceModel.sample`.

        Returns
        -------
        ndarray of uint8, shape (count, H, W, 3)
            RGB.

        Raises
        ------
        ValueError
            For an unknown name.
        """
        identity = np.repeat(self.identity_of(subject)[None], count, axis=0)
        return self.combine(identity, latent_noise(count, self.latent_dim, seed, truncation))

    def identity_of(self, subject: str | np.ndarray) -> np.ndarray:
        """Return f_I of a person, float32 (identity_dim,); ``subject`` and errors as of :meth:`person`."""
        if not isinstance(subject, str):
            subject = np.asarray(subject)
            return self.identity(subject[None] if subject.ndim == 3 else subject).mean(axis=0)
        if subject not in self.label_names:
            raise ValueError(
                f"{self.name} learned nobody called {subject!r}: give a picture, or one of "
                f"{', '.join(self.label_names[:10])}."
            )
        self.synchronise()
        return ops.convert_to_numpy(self.people.means.value)[self.label_names.index(subject)]

    def sample(
        self, count: int, seed: int = 0, truncation: float | None = None, labels: str | Sequence[str] | None = None
    ) -> np.ndarray:
        """Make faces of random attributes, uint8 (count, H, W, 3): of the people in ``labels``, else all, in turn."""
        return self.render(latent_noise(count, self.latent_dim, seed, truncation), labels)

    def render(self, noise: np.ndarray, labels: str | Sequence[str] | None = None) -> np.ndarray:
        """Make faces of given attributes (count, latent_dim), of people in turn: uint8 (count, H, W, 3)."""
        named = [labels] if isinstance(labels, str) else list(labels or self.label_names)
        people = np.stack([self.identity_of(name) for name in named[: max(1, len(noise))]])
        return self.combine(people[np.arange(len(noise)) % len(people)], noise)

    def typical_inputs(self, count: int) -> Any:
        """Return G's latest inputs in training: ``[attributes, identity]``."""
        banks = [ops.convert_to_numpy(bank.value) for bank in (self.attribute_bank, self.identity_bank)]
        return [bank[np.arange(count) % BANK] for bank in banks]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the generator's images of ``[attributes, identity]``, in ``value_range``."""
        return self.generator(inputs, training=training)


def trained_recogniser(run: str | Path, image_size: int, people: int) -> keras.Model:
    """Load the recogniser of a ``keras-faces classify --labels identity`` run, or of "file:PATH".

    Parameters
    ----------
    run : str or Path
        The run's folder; or "file:PATH", see :func:`foreign_recogniser`.
    image_size, people : int
        Side of the images, and number of people in the labels.

    Returns
    -------
    keras.Model
        From images (batch, H, W, 3) in [-1, 1] to one logit per person.

    Raises
    ------
    ValueError
        If there is no such folder, or the run has another image size or another kind of labels.
    """
    from keras_faces.models.networks.trained_classifier import load_network, read_config

    if str(run).startswith("file:"):
        return foreign_recogniser(str(run), image_size, people)
    config = read_config(run)
    size, kind = config["image_size"], config["kind"]
    if size != image_size or kind != "classes":
        raise ValueError(
            f"recogniser={run} reads {size}×{size} and tells {kind} apart: ip-gan at {image_size}×{image_size} needs "
            f"`keras-faces classify --labels identity --image-size {image_size}`."
        )
    return load_network(run)


def foreign_recogniser(spec: str, image_size: int, people: int) -> keras.Model:
    """Load another recogniser by ``metrics.features.get("file:PATH")``: a Keras model, or dlib's.

    f_I is its vector, scaled to length √n: such networks compare people by angles, and at that length the mean square
    of f_I is 1, about as of a VGG-16. The last layer, one logit for each of ``people``, only completes the model.
    """
    from keras_faces.metrics.features import get

    model = get(spec).as_model(image_size)
    length = model.output_shape[-1] ** 0.5
    direction = layers.UnitNormalization(dtype="float32")(model.outputs[0])
    features = layers.Rescaling(length, dtype="float32", name="features")(direction)
    logits = layers.Dense(people, dtype="float32", name="logits")(features)
    return keras.Model(model.inputs[0], logits, name="recogniser")


# ------------------------------------------------------------------------------------------------ on batches


def softmax_loss(labels: Any, logits: Any) -> Any:
    """Return −E log P(c|x) over the faces that have a label (eq. 5.1), a scalar.

    ``labels`` and ``logits`` are (batch, people); labels are one-hot, a row of zeros does not count.
    """
    log_probability = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.sum(labels * log_probability) / ops.maximum(ops.sum(labels), 1.0)


def labelled_only(images: Any, labels: Any) -> tuple[Any, Any]:
    """Return the batch with its labelled faces, repeated, in the places of those whose row of labels is zeros."""
    known = ops.sum(labels, axis=-1)
    order, count = ops.argsort(-known), ops.cast(ops.maximum(ops.sum(known), 1.0), "int32")
    rows = ops.take(order, ops.arange(ops.shape(known)[0]) % count, axis=0)
    return ops.take(images, rows, axis=0), ops.take(labels, rows, axis=0)


def retrieval_accuracy(features: Any, wanted: Any) -> Any:
    """Return the share of rows of ``features`` (batch, n) whose cosine is largest with the same row of ``wanted``."""
    similar = ops.matmul(ops.normalize(features, axis=-1), ops.transpose(ops.normalize(wanted, axis=-1)))
    nearest = ops.cast(ops.argmax(similar, axis=-1), "int32")
    return ops.mean(ops.cast(nearest == ops.arange(ops.shape(nearest)[0], dtype="int32"), "float32"))
