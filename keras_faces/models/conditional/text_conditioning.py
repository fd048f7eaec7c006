"""Base class of the GANs that make faces from sentences.

A sentence is written from the attributes of each face (``data/captions/captions.py``). A text encoder, trained first,
turns it into a vector φ_t. G and D read φ_t, never the attributes, so a face can be asked for in any sentence of known
words.

See also: ``stackgan.py``, the system; ``models/networks/text_encoder.py``, the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_faces.training.conditional import ConditionalGAN
from keras_faces.training.sampling import generate, latent_noise

if TYPE_CHECKING:
    from keras_faces.data.batches import Batches


class TextConditionalGAN(ConditionalGAN):
    """A GAN whose G reads ``[noise (batch, latent_dim), φ_t (batch, dim)]``.

    A subclass has ``step(images, labels)``, where ``labels`` is ``(vectors, words, statements)`` of
    :class:`keras_faces.data.captions.Captioned`.

    Parameters
    ----------
    generator, discriminator : keras.Model
        As in :class:`ConditionalGAN`, with φ_t instead of labels.
    text_encoder : TextEncoder
        Of ``models/networks/text_encoder.py``; its attributes are the labels. It is saved with the model.
    text_iterations : int
        How long :meth:`fit` trains it, if it is not trained yet; at least 1.
    options
        See :class:`ConditionalGAN`.

    Raises
    ------
    ValueError
        For ``text_iterations`` below 1.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        text_encoder: keras.Model,
        text_iterations: int = 400,
        **options: Any,
    ) -> None:
        super().__init__(generator, discriminator, **options)
        if text_iterations < 1:
            raise ValueError(f"text_iterations={text_iterations}: the text encoder must learn for at least 1.")
        self.text_encoder = text_encoder
        self.text_iterations = text_iterations

    # --------------------------------------------------------------------------------------------- training

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any) -> Any:
        """Train the text encoder if it is not trained yet, then G and D by Keras's ``fit``.

        Parameters
        ----------
        x : Batches or ndarray of uint8, shape (N, H, W, 3)
            ``faces.labelled(...).batches(...)``, or photographs with their attributes y, float32 (N, n).
        y, batch_size, kwargs
            As of ``keras.Model.fit``.

        Raises
        ------
        ValueError
            If there are no labels, or not as many as the model has.
        """
        from keras_faces.data.batches import Batches
        from keras_faces.data.captions import Captioned

        batches = x if isinstance(x, Batches) else Batches(x, batch_size or 32, self.seed, y)
        if batches.labels is None:
            raise ValueError(f"{self.name} learns from labels: train it on faces.labelled(...).batches(...).")
        if batches.labels.shape[-1] != len(self.label_names):
            raise ValueError(
                f"{self.name} has {len(self.label_names)} labels, the data have {batches.labels.shape[-1]}."
            )
        if not self.text_encoder.has_learnt:
            scores = self._train_text_encoder(batches)
            print(
                f"The text encoder finds {scores['matching']:.0%} of the sentences by their faces, "
                f"and names {scores['naming']:.1%} of the attributes rightly."
            )
        return super().fit(Captioned(batches, self.text_encoder.captions, self.seed), **kwargs)

    def _train_text_encoder(self, batches: Batches) -> dict[str, float]:
        """Train a copy, on one device also where this model has several."""
        copy = type(self.text_encoder).from_config(self.text_encoder.get_config())
        copy.set_weights(self.text_encoder.get_weights())
        scores = copy.learn(batches.images, batches.labels, self.text_iterations, seed=self.seed)
        self.text_encoder.set_weights(copy.get_weights())
        return scores

    def _step_on(self, images: Any, labels: Any) -> dict[str, Any]:
        return self.step(images, labels)  # `fit` has checked the labels

    # ----------------------------------------------------------------------------------------------- images

    def sample(
        self,
        count: int,
        seed: int = 0,
        truncation: float | None = None,
        labels: Any = None,
        text: str | Sequence[str] | None = None,
        stage: int | None = None,
    ) -> np.ndarray:
        """Generate faces from sentences, uint8 (count, H, W, 3).

        Parameters
        ----------
        count, seed, truncation
            As of :meth:`FaceModel.sample`.
        labels
            Faces to write sentences about, see :meth:`label_vectors`; without labels and text, those of training
            photographs.
        text : str or sequence of str, optional
            A sentence, or one for each face, in English or Chinese.
        stage : int, optional
            See :meth:`network`.

        Raises
        ------
        UnknownWords
            For a word that the text encoder does not know.
        ValueError
            For ``labels`` and ``text`` at once, and another number of sentences than of faces.
        """
        if labels is not None and text is not None:
            raise ValueError(f"labels={labels!r} and text={text!r}: say it one way.")
        self.synchronise()
        if labels is None and text is None:
            labels = self.usual_labels(count)
        return self.render(latent_noise(count, self.latent_dim, seed, truncation), labels, text, stage)

    def render(
        self, noise: np.ndarray, labels: Any = None, text: str | Sequence[str] | None = None, stage: int | None = None
    ) -> np.ndarray:
        """Generate faces of given noise (count, latent_dim); the rest as of :meth:`sample` and :meth:`sentences`."""
        self.synchronise()
        embedded = self.text_encoder.embed(self.sentences(len(noise), labels, text))
        return generate(self.network(stage), [noise, embedded], self.sampling_state(), self.value_range)

    def network(self, stage: int | None = None) -> keras.Model:
        """Return the network that makes images: G, or that of a stage in a system with stages."""
        if stage is not None:
            raise ValueError(f"stage={stage}: {self.name} has no stages.")
        return self.generator

    def sentences(self, count: int, labels: Any = None, text: str | Sequence[str] | None = None) -> list[str]:
        """Return a sentence for each of ``count`` faces.

        Parameters
        ----------
        labels
            See :meth:`label_vectors`: the sentences name every attribute. Without labels and text each names one
            attribute, in turn.
        text : str or sequence of str, optional
            The sentence for all, or a sentence for each.
        """
        captions = self.text_encoder.captions
        if text is not None:
            sentences = [text] * count if isinstance(text, str) else list(text)
            if len(sentences) != count:
                raise ValueError(f"{len(sentences)} sentences for {count} faces.")
            return sentences
        if labels is not None:
            rows = self.label_vectors(labels, count)
        else:
            rows = np.where(np.eye(len(self.label_names)), 1.0, np.nan)[np.arange(count) % len(self.label_names)]
        return [captions.write(row, seed=0, language=captions.languages[0], thorough=True) for row in rows]

    def typical_inputs(self, count: int) -> Any:
        """Return noise, and φ_t of sentences about the latest photographs."""
        rows = self.usual_labels(count)
        sentences = [self.text_encoder.captions.write(row, seed) for seed, row in enumerate(rows)]
        return [latent_noise(count, self.latent_dim, seed=20_14), self.text_encoder.embed(sentences)]


def wrong_sentences(labels: Any, statements: Any, uniform: Any) -> Any:
    """Choose for each photograph a sentence of the batch that is not true of it; where all are true, any.

    Parameters
    ----------
    labels : tensor, shape (batch, n)
        Attributes of the photographs, 0 or 1.
    statements : tensor, shape (batch, n)
        What each sentence states of an attribute: 1 that it is there, −1 that it is not, 0 nothing.
    uniform : tensor, shape (batch, batch)
        Uniform noise in [0, 1), by which one of the wrong sentences is chosen.

    Returns
    -------
    tensor of int, shape (batch,)
        The index of the sentence.
    """
    agreement = ops.matmul(2.0 * labels - 1.0, ops.transpose(statements))  # true statements minus untrue ones
    untrue = 0.5 * (ops.sum(ops.abs(statements), axis=-1) - agreement)  # (photographs, sentences)
    return ops.argmax(ops.cast(untrue > 0.5, "float32") + uniform, axis=-1)
