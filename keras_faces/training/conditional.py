"""GANs that read labels: which face G is to make is part of its input.

A label is a vector: a 1 at the image's class, or a 1 for each attribute that it has (``data/labels.py``). Fakes get the
labels of the photographs of the batch, so that G is asked for each kind of face as often as it occurs.

:class:`LabelMixin` brings labels to any :class:`FaceModel`: list it before FaceModel in the bases.
:class:`ConditionalGAN` is the step with labels. How D uses the label is what the systems differ in:
``models/conditional/cgan.py`` reads it, ``models/conditional/acgan.py`` names it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_faces.data.labels import KINDS
from keras_faces.training.gan import GAN
from keras_faces.training.sampling import generate, latent_noise

BANK = 256  # labels of the latest photographs that a model remembers


class LabelMixin:
    """Labels for a model whose G reads ``[noise (batch, latent_dim), labels (batch, n)]``.

    Parameters
    ----------
    networks, options
        Those of the class behind this one.
    label_names : sequence of str
        Names of the n classes or attributes.
    label_kind : str
        "classes" (one of them is true of a face) or "attributes" (each by itself).

    Raises
    ------
    ValueError
        For another ``label_kind``.
    """

    def __init__(
        self, *networks: keras.Model, label_names: Sequence[str], label_kind: str = "classes", **options: Any
    ) -> None:
        super().__init__(*networks, **options)
        if label_kind not in KINDS:
            raise ValueError(f"label_kind={label_kind!r}: choose from {', '.join(KINDS)}.")
        self.label_names = tuple(label_names)
        self.label_kind = label_kind
        self.label_bank = self.add_weight(
            (BANK, len(self.label_names)), initializer="zeros", trainable=False, dtype="float32", name="label_bank"
        )
        self.label_bank.assign(self.patterns(BANK))

    def remember(self, labels: Any) -> None:
        """Keep the labels of the latest photographs: pictures ask for the kinds of faces that there are."""
        labels = ops.cast(labels, "float32")[:BANK]
        self.label_bank.assign(ops.concatenate([labels, self.label_bank])[:BANK])

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        if labels is None:
            raise ValueError(f"{self.name} learns from labels: train it on faces.labelled(...).batches(...).")
        if labels.shape[-1] != len(self.label_names):
            raise ValueError(f"{self.name} has {len(self.label_names)} labels, the data have {labels.shape[-1]}.")
        return self.step(images, labels)

    # ------------------------------------------------------------------------------------------------ pictures

    def sample(self, count: int, seed: int = 0, truncation: float | None = None, labels: Any = None) -> np.ndarray:
        """Generated faces, uint8 (count, H, W, 3); the same seed gives the same noise, whatever the count.

        Parameters
        ----------
        truncation
            As in :class:`FaceModel`.
        labels
            What faces to make, see :meth:`label_vectors`; ``None`` for labels of training photographs.
        """
        self.synchronise()
        labels = self.usual_labels(count) if labels is None else labels
        return self.render(latent_noise(count, self.latent_dim, seed, truncation), labels)

    def usual_labels(self, count: int) -> np.ndarray:
        """Labels of the latest training photographs, float32 (count, n)."""
        bank = ops.convert_to_numpy(self.label_bank.value)
        return bank[np.arange(count) % len(bank)]

    def render(self, noise: np.ndarray, labels: Any = None) -> np.ndarray:
        """Faces of the given noise (count, latent_dim), uint8 (count, H, W, 3).

        Parameters
        ----------
        labels
            See :meth:`label_vectors`; ``None``: :meth:`patterns`, a class after the other.
        """
        self.synchronise()
        wanted = self.patterns(len(noise)) if labels is None else self.label_vectors(labels, len(noise))
        return generate(self.generator, [noise, wanted], self.sampling_state(), self.value_range)

    def patterns(self, count: int) -> np.ndarray:
        """Labels to show, float32 (count, n): each class (or each attribute alone, then none) in turn."""
        rows = np.eye(len(self.label_names), dtype="float32")
        if self.label_kind == "attributes":
            rows = np.concatenate([rows, np.zeros_like(rows[:1])])
        return rows[np.arange(count) % len(rows)]

    def label_vectors(self, labels: Any, count: int) -> np.ndarray:
        """Label vectors, float32 (count, n).

        Parameters
        ----------
        labels
            A class ("Smiling"), or attributes that are there ("Smiling, Male"; "!Male" says that it is not, as do all
            that are not named); a list of ``count`` such texts; or an array (n,) or (count, n).

        Raises
        ------
        ValueError
            For an unknown name (the nearest ones are told), two classes at once, and an array of another shape.
        """
        if isinstance(labels, str):
            labels = [labels] * count
        if len(labels) and isinstance(labels[0], str):
            labels = np.stack([self._vector(text) for text in labels])
        vectors = np.asarray(labels, "float32")
        if vectors.shape == (len(self.label_names),):
            vectors = np.repeat(vectors[None], count, axis=0)
        if vectors.shape != (count, len(self.label_names)):
            raise ValueError(f"labels of shape {vectors.shape} for {count} faces and {len(self.label_names)} labels.")
        return vectors

    def _vector(self, text: str) -> np.ndarray:
        vector = np.zeros(len(self.label_names), "float32")
        if text in self.label_names:  # the name of a class may have a comma
            vector[self.label_names.index(text)] = 1.0
            return vector
        for word in filter(None, (word.strip() for word in text.split(","))):
            absent = word[0] in "!-" and word not in self.label_names
            name = word[1:].strip() if absent else word
            same = [known for known in self.label_names if name.casefold() == known.casefold()]
            if not same:
                near = difflib.get_close_matches(name, self.label_names, n=3) or self.label_names[:10]
                raise ValueError(f"{self.name} knows no label {name!r}. Did you mean {' or '.join(near)}?")
            vector[self.label_names.index(same[0])] = 0.0 if absent else 1.0
        if self.label_kind == "classes" and vector.sum() != 1:
            raise ValueError(f"label {text!r}: name one class of {', '.join(self.label_names[:10])}.")
        return vector

    def typical_inputs(self, count: int) -> Any:
        """Noise, and the labels of the latest photographs."""
        return [super().typical_inputs(count), self.usual_labels(count)]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the generator's images of ``[noise, labels]``, in ``value_range``."""
        return self.generator(inputs, training=training)


class ConditionalGAN(LabelMixin, GAN):
    """A GAN whose G reads ``[noise (batch, latent_dim), labels (batch, n)]``, and whose D may read the labels too.

    Parameters
    ----------
    generator : keras.Model
        From ``[noise, labels]`` to images (batch, H, W, 3) in ``value_range``.
    discriminator : keras.Model
        From ``[images, labels]`` to a logit, or as the system wants it.
    label_names, label_kind
        See :class:`LabelMixin`.
    options
        See :class:`GAN`.
    """

    def step(self, images: Any, labels: Any) -> dict[str, Any]:
        """Make one iteration: D learns on photographs and on fakes of the same labels, then G.

        Parameters
        ----------
        images : tensor of uint8, shape (d_steps * batch, H, W, 3)
            Photographs.
        labels : tensor, shape (d_steps * batch, n)
            Their label vectors.

        Returns
        -------
        dict of scalar tensors
            The logs, see :meth:`GAN.step`.
        """
        batch = ops.shape(images)[0] // self.d_steps
        self.remember(labels)

        for k in range(self.d_steps):
            part = slice(k * batch, (k + 1) * batch)
            real, wanted = self.preprocess(images[part]), ops.cast(labels[part], "float32")
            fake = ops.stop_gradient(self.generator([self.noise(batch), wanted], training=True))
            d_logs = self.train_discriminator(real, fake, wanted)

        g_logs = self.train_generator(self.noise(batch), wanted)

        return {**d_logs, **g_logs, "spread": self.spread(fake, real)}
