"""What a system has that takes the person of one picture and all the rest of another.

A recogniser I says who it is (f_I, its last layer's input), an encoder A says all the rest (f_A), and G makes a face of
``[f_A, f_I]``. Whoever has the three can exchange people: :meth:`Identities.transfer`.

:class:`Identities` stands in front of a kind of :class:`FaceModel` in a class's bases, as :class:`EncodingModel` does.

Read next: ``models/ip_gan.py``, how the three learn; ``keras_faces/applications``, what they are good for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.training.centres import Centres
from keras_faces.training.encoding import EncodingModel
from keras_faces.training.sampling import generate, in_batches, latent_noise

BANK = 256  # identities and attributes of the latest photographs that a model remembers


class Identities(EncodingModel):
    """A :class:`FaceModel` whose G reads ``[attributes (batch, latent_dim), identity (batch, identity_dim)]``.

    Parameters
    ----------
    networks, rule
        Those of the kind of model behind this class.
    encoder
        A, see :class:`EncodingModel`.
    recogniser
        I: model from images in ``value_range`` to a logit a person, whose last layer reads the identity_dim features.
    label_names
        Names of the people whom the training photographs are labelled with.
    """

    def __init__(
        self, *networks: keras.Model, recogniser: keras.Model, label_names: Sequence[str], **rule: Any
    ) -> None:
        super().__init__(*networks, **rule)
        self.label_names = tuple(label_names)
        self.recogniser = recogniser
        last = recogniser.layers[-1]
        self.eyes = keras.Model(recogniser.inputs[0], [last.input, last.output], name="eyes")
        (self.identity_dim,) = self.generator.inputs[1].shape[1:]
        if tuple(last.input.shape[1:]) != (self.identity_dim,):
            raise ValueError(f"the recogniser sees {last.input.shape[1:]}, the generator reads {self.identity_dim}.")
        self.people = Centres(self.identity_dim, len(self.label_names), name="people")
        chance = np.random.default_rng(self.seed)  # until photographs have been seen
        self.attribute_bank = self._bank("attribute_bank", chance.normal(size=(BANK, self.latent_dim)))
        self.identity_bank = self._bank("identity_bank", np.abs(chance.normal(size=(BANK, self.identity_dim))))

    def _bank(self, name: str, value: np.ndarray) -> keras.Variable:
        bank = self.add_weight(value.shape, initializer="zeros", trainable=False, dtype="float32", name=name)
        bank.assign(value.astype("float32"))
        return bank

    # --------------------------------------------------------------------------------------------- in a step

    def recognise(self, faces: Any) -> tuple[Any, Any]:
        """f_I = f_C of scaled images, float32 (batch, identity_dim), and the logits of people."""
        features, logits = self.eyes(faces, training=False)
        return ops.cast(features, "float32"), logits

    def remember(self, attributes: Any, identity: Any) -> None:
        """Keep what G has read lately: the statistics of its layers are measured with it."""
        for bank, latest in ((self.attribute_bank, attributes), (self.identity_bank, identity)):
            bank.assign(ops.concatenate([latest[:BANK], bank])[:BANK])

    # ------------------------------------------------------------------------------------------------ pictures

    def identity(self, images: np.ndarray) -> np.ndarray:
        """f_I, who is on photographs uint8 (n, H, W, 3): float32 (n, identity_dim)."""
        self.synchronise()
        images = self._checked(images)
        parts = [ops.convert_to_numpy(self.recognise(self.scaled(part))[0]) for part in in_batches(images, 64)]
        return np.concatenate(parts) if parts else np.zeros((0, self.identity_dim), "float32")

    def attributes(self, images: np.ndarray) -> np.ndarray:
        """f_A without chance, the means μ, of photographs uint8 (n, H, W, 3): float32 (n, latent_dim)."""
        return self.encode(images)

    def combine(self, identity: np.ndarray, attributes: np.ndarray) -> np.ndarray:
        """Faces x' of identities (n, identity_dim) and attributes (n, latent_dim): uint8 (n, H, W, 3).

        Raises
        ------
        ValueError
            If the shapes are others, or there are not as many of one as of the other.
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
        """The person of each subject with the attributes of the picture beside it, all uint8 (n, H, W, 3)."""
        return self.combine(self.identity(subjects), self.attributes(pictures))

    def reconstruct(self, images: np.ndarray, labels: Any = None) -> np.ndarray:
        """Photographs made again of their own identity and attributes; no labels are read."""
        return self.transfer(images, images)

    def person(
        self, subject: str | np.ndarray, count: int, seed: int = 0, truncation: float | None = None
    ) -> np.ndarray:
        """One person with attributes from N(0, 1) (section 5.4.2): uint8 (count, H, W, 3).

        Parameters
        ----------
        subject
            A picture uint8 (H, W, 3), or several of the person (n, H, W, 3), whose features are averaged; or one of
            ``label_names``, for the average over the training's photographs.
        """
        identity = np.repeat(self.identity_of(subject)[None], count, axis=0)
        return self.combine(identity, latent_noise(count, self.latent_dim, seed, truncation))

    def identity_of(self, subject: str | np.ndarray) -> np.ndarray:
        """f_I of a person, float32 (identity_dim,); see :meth:`person`.

        Raises
        ------
        ValueError
            For a name that the training's labels do not have.
        """
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
        """Faces of random attributes, uint8 (count, H, W, 3): of the people named in ``labels``, else all, in turn."""
        return self.render(latent_noise(count, self.latent_dim, seed, truncation), labels)

    def render(self, noise: np.ndarray, labels: str | Sequence[str] | None = None) -> np.ndarray:
        """Faces of given attributes (count, latent_dim), of people in turn: uint8 (count, H, W, 3)."""
        named = [labels] if isinstance(labels, str) else list(labels or self.label_names)
        people = np.stack([self.identity_of(name) for name in named[: max(1, len(noise))]])
        return self.combine(people[np.arange(len(noise)) % len(people)], noise)

    def typical_inputs(self, count: int) -> Any:
        """What G has read lately in training."""
        banks = [ops.convert_to_numpy(bank.value) for bank in (self.attribute_bank, self.identity_bank)]
        return [bank[np.arange(count) % BANK] for bank in banks]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The generator's images of ``[attributes, identity]``, in ``value_range``."""
        return self.generator(inputs, training=training)

    # ---------------------------------------------------------------------------------------- saving and loading

    def get_config(self) -> dict[str, Any]:
        recogniser = keras.saving.serialize_keras_object(self.recogniser)
        return {**super().get_config(), "recogniser": recogniser, "label_names": self.label_names}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        recogniser = keras.saving.deserialize_keras_object(config["recogniser"], custom_objects)
        return super().from_config({**config, "recogniser": recogniser}, custom_objects)


def trained_recogniser(run: str | Path, image_size: int, people: int) -> keras.Model:
    """The network of a classifier's run, if it tells people apart at this image size; or of "file:PATH"."""
    from keras_faces.training.classifying import ClassifierFolder

    if str(run).startswith("file:"):
        return foreign_recogniser(str(run), image_size, people)
    folder = ClassifierFolder(run)
    config = folder.read()
    if config.image_size != image_size or config.kind != "classes":
        raise ValueError(
            f"recogniser={run} reads {config.image_size}×{config.image_size} and tells {config.kind} apart: ip-gan at "
            f"{image_size}×{image_size} needs `keras-faces classify --labels identity --image-size {image_size}`."
        )
    return folder.load()


def foreign_recogniser(spec: str, image_size: int, people: int) -> keras.Model:
    """Somebody else's recogniser, as ``metrics.features.get("file:PATH")`` finds it: f_I is its vector at length √n.

    Networks of this kind tell people apart by angles or by distances on a sphere. At that length a number is 1 in the
    mean of squares, as those of a VGG-16 are about. It knows no names: the last layer, a logit for each of the
    ``people``, is there for the form and does not learn.
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
    """−E log P(c|x) over the faces that have a label (eq. 5.1); rows of zeros count for nothing."""
    log_probability = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.sum(labels * log_probability) / ops.maximum(ops.sum(labels), 1.0)


def labelled_only(images: Any, labels: Any) -> tuple[Any, Any]:
    """The batch with its labelled faces in the places of the others, over and over."""
    known = ops.sum(labels, axis=-1)
    order, count = ops.argsort(-known), ops.cast(ops.maximum(ops.sum(known), 1.0), "int32")
    rows = ops.take(order, ops.arange(ops.shape(known)[0]) % count, axis=0)
    return ops.take(images, rows, axis=0), ops.take(labels, rows, axis=0)


def found_again(features: Any, wanted: Any) -> Any:
    """The share of rows of ``features`` (batch, n) whose cosine is largest with the same row of ``wanted``."""
    similar = ops.matmul(ops.normalize(features, axis=-1), ops.transpose(ops.normalize(wanted, axis=-1)))
    nearest = ops.cast(ops.argmax(similar, axis=-1), "int32")
    return ops.mean(ops.cast(nearest == ops.arange(ops.shape(nearest)[0], dtype="int32"), "float32"))
