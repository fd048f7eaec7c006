"""GANs that are told in words which face to make: what they need beside their networks.

A face comes with attributes, a sentence is written of them (``data/captions.py``), and a text encoder, trained
beforehand, makes φ_t of it (``models/text_encoder.py``). G and D read φ_t and never the attributes, so afterwards
anybody can ask in words of their own, as long as the encoder knows the words.

:class:`SentenceModel` brings sentences to the step, and makes pictures of wanted ones.

Read next: ``models/stackgan.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_faces.training.conditional import ConditionalModel
from keras_faces.training.sampling import generate, latent_noise

if TYPE_CHECKING:
    from keras_faces.data.batches import Batches


class SentenceModel(ConditionalModel):
    """A GAN whose G reads ``[noise (batch, latent_dim), φ_t (batch, dim)]``.

    A system has ``step(images, labels)``, where ``labels`` is ``(vectors, words, said)`` of
    :class:`keras_faces.data.captioned.Captioned`.

    Parameters
    ----------
    generator, discriminator
        As in :class:`ConditionalModel`, with φ_t in the place of labels.
    text_encoder
        A :class:`keras_faces.models.text_encoder.TextEncoder`; its attributes are the labels. :meth:`fit` trains it
        first, if it has not learnt yet. It is saved with the model, words and all.
    text_iterations
        How long it is trained.
    rule
        See :class:`ConditionalModel`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        text_encoder: keras.Model,
        text_iterations: int = 400,
        **rule: Any,
    ) -> None:
        super().__init__(generator, discriminator, **rule)
        if text_iterations < 1:
            raise ValueError(f"text_iterations={text_iterations}: the text encoder must learn for at least 1.")
        self.text_encoder = text_encoder
        self.text_iterations = text_iterations

    # --------------------------------------------------------------------------------------------- training

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any) -> Any:
        """Keras's own ``fit``, on sentences that are written of the faces; the text encoder learns before.

        Parameters
        ----------
        x, y
            ``faces.labelled(...).batches(...)``; or the images, and their attribute vectors as ``y``.
        """
        from keras_faces.data.batches import Batches
        from keras_faces.data.captioned import Captioned

        batches = x if isinstance(x, Batches) else Batches(x, batch_size or 32, self.seed, y)
        if batches.labels is None:
            raise ValueError(f"{self.name} learns from labels: train it on faces.labelled(...).batches(...).")
        if batches.labels.shape[-1] != len(self.label_names):
            raise ValueError(
                f"{self.name} has {len(self.label_names)} labels, the data have {batches.labels.shape[-1]}."
            )
        if not self.text_encoder.has_learnt:
            learnt = self._teach(batches)
            print(
                f"The text encoder finds {learnt['matching']:.0%} of the sentences by their faces, "
                f"and names {learnt['naming']:.1%} of the attributes rightly."
            )
        return super().fit(Captioned(batches, self.text_encoder.captions, self.seed), **kwargs)

    def _teach(self, batches: Batches) -> dict[str, float]:
        """Train the text encoder as a copy of its own, which has one device also where this model has several."""
        pupil = type(self.text_encoder).from_config(self.text_encoder.get_config())
        pupil.set_weights(self.text_encoder.get_weights())
        learnt = pupil.learn(batches.images, batches.labels, self.text_iterations, seed=self.seed)
        self.text_encoder.set_weights(pupil.get_weights())
        return learnt

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        return self.step(images, labels)  # `fit` has looked at the labels

    # --------------------------------------------------------------------------------------------- pictures

    def sample(
        self,
        count: int,
        seed: int = 0,
        truncation: float | None = None,
        labels: Any = None,
        text: str | Sequence[str] | None = None,
        stage: int | None = None,
    ) -> np.ndarray:
        """Generated faces, uint8 (count, H, W, 3); the same seed gives the same noise, whatever the count.

        Parameters
        ----------
        truncation
            As in :class:`FaceModel`.
        labels
            Faces to describe, see :meth:`label_vectors`; without labels and text, those of training photographs.
        text
            A sentence, or one for each face, in English or Chinese.
        stage
            Of a system with stages, see :meth:`network`.

        Raises
        ------
        UnknownWords
            For a word that the text encoder has not learnt.
        ValueError
            For ``labels`` and ``text`` at once, and another number of sentences than of faces.
        """
        if labels is not None and text is not None:
            raise ValueError(f"labels={labels!r} and text={text!r}: say it one way.")
        self.synchronise()
        if labels is None and text is None:
            labels = self.bank(count)
        return self.render(latent_noise(count, self.latent_dim, seed, truncation), labels, text, stage)

    def render(
        self, noise: np.ndarray, labels: Any = None, text: str | Sequence[str] | None = None, stage: int | None = None
    ) -> np.ndarray:
        """Faces of the given noise (count, latent_dim), uint8 (count, H, W, 3); see :meth:`sample`.

        Without labels and text, each row speaks of one attribute and of nothing else.
        """
        self.synchronise()
        embedded = self.text_encoder.embed(self.sentences(len(noise), labels, text))
        return generate(self.network(stage), [noise, embedded], self.sampling_state(), self.value_range)

    def network(self, stage: int | None = None) -> keras.Model:
        """What draws: G."""
        if stage is not None:
            raise ValueError(f"stage={stage}: {self.name} has no stages.")
        return self.generator

    def sentences(self, count: int, labels: Any = None, text: str | Sequence[str] | None = None) -> list[str]:
        """A sentence for each of ``count`` faces: the given ones, or all that is to be said of the labels."""
        captions = self.text_encoder.captions
        if text is not None:
            sentences = [text] * count if isinstance(text, str) else list(text)
            if len(sentences) != count:
                raise ValueError(f"{len(sentences)} sentences for {count} faces.")
            return sentences
        if labels is not None:
            rows = self.label_vectors(labels, count)
        else:  # one attribute is there, of the others is no word
            rows = np.where(np.eye(len(self.label_names)), 1.0, np.nan)[np.arange(count) % len(self.label_names)]
        return [captions.write(row, seed=0, language=captions.languages[0], thorough=True) for row in rows]

    def bank(self, count: int) -> np.ndarray:
        """Labels of the latest photographs, float32 (count, n)."""
        bank = ops.convert_to_numpy(self.label_bank.value)
        return bank[np.arange(count) % len(bank)]

    def typical_inputs(self, count: int) -> Any:
        """Noise, and φ_t of sentences about the latest photographs."""
        sentences = [self.text_encoder.captions.write(row, seed) for seed, row in enumerate(self.bank(count))]
        return [latent_noise(count, self.latent_dim, seed=20_14), self.text_encoder.embed(sentences)]

    def get_config(self) -> dict[str, Any]:
        encoder = keras.saving.serialize_keras_object(self.text_encoder)
        return {**super().get_config(), "text_encoder": encoder, "text_iterations": self.text_iterations}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> SentenceModel:
        encoder = keras.saving.deserialize_keras_object(config["text_encoder"], custom_objects)
        return super().from_config({**config, "text_encoder": encoder}, custom_objects)


def wrong_sentences(labels: Any, said: Any, chance: Any) -> Any:
    """For each photograph, the number of a sentence of the batch that says something untrue of it, int (batch,).

    Parameters
    ----------
    labels
        What the photographs show, 0 or 1, (batch, n).
    said
        What the sentences say, −1, 0 or 1, (batch, n).
    chance
        Uniform in [0, 1), (batch, batch): which of the wrong ones. Where all are true, it picks any.
    """
    seen = 2.0 * labels - 1.0
    agreement = ops.matmul(seen, ops.transpose(said))  # statements that are true less those that are not
    untrue = 0.5 * (ops.sum(ops.abs(said), axis=-1) - agreement)  # (photographs, sentences): how many are not
    return ops.argmax(ops.cast(untrue > 0.5, "float32") + chance, axis=-1)
