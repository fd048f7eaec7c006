"""A text encoder: sentences to vectors φ_t, learnt from faces and the captions of their attributes.

Source: the course's textbook, section 5.3.3: "the text encoder network encodes sentences as high-dimensional (such as
1024) text embeddings φ_t". Zhang et al. 2017 take theirs ready from Reed et al. 2016, who trained it so that a sentence
and the picture that it describes come to lie together. Here it is trained in a minute or two, on two tasks at once:

- *matching*: of a batch of faces and a batch of their sentences, which belong together? Both are brought to vectors of
  the same space, and the cosines of right pairs are to stand out of those of wrong ones, row by row and column by
  column (Radford et al. 2021, figure 3). Reed's joint embedding has a hinge where this has a softmax;
- *naming*: from φ_t alone, the attributes of the face.

A sentence is a row of word vectors. Two convolutions let each see two neighbours on either side, enough to tell
"without a hat" from "a hat"; then the mean and the maximum over the sentence are taken. On two cores this is several
times as fast as a recurrent network, which would read word after word.

The vocabulary is part of the network: a saved encoder knows which words its numbers stand for.

Read next: ``data/captions.py``, where the sentences come from; ``stackgan.py``, which draws what φ_t says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.data.captions import LANGUAGES, Captions
from keras_faces.data.vocabulary import LENGTH, Vocabulary
from keras_faces.layers.batch_norm import BatchNormalization
from keras_faces.training.adam import Adam

DIM = 1024  # the textbook's length of φ_t
PICTURE_SIDE = 32  # the picture encoder reads small pictures: what sentences speak of is seen in them


def text_network(words: int, dim: int = DIM, width: int = 128) -> keras.Model:
    """Numbers of words (LENGTH,), of so many ``words``, to φ_t (dim,). float32 whatever the policy is."""
    numbers = keras.Input((LENGTH,), dtype="int32")
    there = ops.expand_dims(ops.cast(ops.not_equal(numbers, 0), "float32"), -1)  # 64, 1: 0 where the row is filled up
    known = layers.Embedding(words, width, dtype="float32")(numbers)  # 64, 128
    for _ in range(2):
        seen = layers.Conv1D(width, kernel_size=3, padding="same", activation="relu", dtype="float32")(known)
        known = layers.Add(dtype="float32")([known, seen])  # 64, 128
    mean = ops.sum(known * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1.0)  # 128: the sentence on the whole
    most = ops.max(known * there, axis=1)  # 128: its strongest words, which no length of it dilutes
    text = layers.Dense(dim, dtype="float32")(layers.Concatenate(dtype="float32")([mean, most]))
    text = layers.LayerNormalization(dtype="float32")(text)  # numbers about 1 large, as G and D like to read them
    return keras.Model(numbers, text, name="text_network")


def picture_network(image_size: int, dim: int = DIM, width: int = 32) -> keras.Model:
    """Pictures (image_size, image_size, 3), 0..255, to vectors (dim,) in the space of φ_t. In comments: 32×32."""
    picture = keras.Input((image_size, image_size, 3))
    maps = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(picture)
    if image_size > PICTURE_SIDE:
        maps = layers.AveragePooling2D(image_size // PICTURE_SIDE, dtype="float32")(maps)  # 32, 32, 3
    for filters in (width, 2 * width, 4 * width):
        maps = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False, dtype="float32")(maps)
        maps = BatchNormalization(momentum=0.9, dtype="float32")(maps)
        maps = layers.ReLU(dtype="float32")(maps)  # 16, 16, 32 → 8, 8, 64 → 4, 4, 128
    vector = layers.Dense(dim, dtype="float32")(layers.Flatten(dtype="float32")(maps))
    return keras.Model(picture, vector, name="picture_network")


@keras.saving.register_keras_serializable("keras_faces")
class Cosines(layers.Layer):
    """Vectors of pictures (batch, dim) and of sentences (batch, dim) to their cosines (batch, batch), stretched.

    Row i holds picture i beside each sentence. Cosines lie in [-1, 1]; a softmax needs more room, so they are
    multiplied by a learnt number, 14 at first.
    """

    def build(self, input_shape: Any) -> None:
        start = keras.initializers.Constant(float(np.log(1 / 0.07)))
        self.log_scale = self.add_weight(shape=(), initializer=start, dtype="float32", name="log_scale")

    def call(self, inputs: Any) -> Any:
        pictures, texts = (ops.normalize(ops.cast(vectors, "float32"), axis=-1) for vectors in inputs)
        return ops.exp(ops.minimum(self.log_scale, 4.6)) * ops.matmul(pictures, ops.transpose(texts))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0][0], input_shape[1][0])


def matching_loss(numbers: Any, cosines: Any) -> Any:
    """The mean of two cross-entropies: which sentence belongs to a picture, and which picture to a sentence.

    Parameters
    ----------
    numbers
        Which sentence is picture i's: 0, 1, 2, ..., (batch,) or (batch, 1).
    cosines
        (batch, batch), from :class:`Cosines`.
    """
    numbers = ops.reshape(ops.cast(numbers, "int32"), (-1,))
    entropy = keras.losses.sparse_categorical_crossentropy
    rows = entropy(numbers, cosines, from_logits=True)
    columns = entropy(numbers, ops.transpose(cosines), from_logits=True)
    return 0.5 * (rows + columns)


@keras.saving.register_keras_serializable("keras_faces")
class TextEncoder(keras.Model):
    """Sentences to φ_t, with the networks that it is trained beside.

    ``encoder.save("words.keras")`` and ``keras.saving.load_model`` keep the vocabulary with the weights.

    Parameters
    ----------
    names
        The attributes that sentences speak of.
    image_size
        Side of the pictures that it is trained with.
    dim
        Length of φ_t.
    width
        Length of a word's vector; the picture encoder has a quarter as many channels.
    languages
        "english", "chinese" or both.
    words
        The vocabulary; ``None`` for all words of the grammar that speak of ``names``.
    """

    def __init__(
        self,
        names: Sequence[str],
        image_size: int,
        dim: int = DIM,
        width: int = 128,
        languages: Sequence[str] = LANGUAGES,
        words: Sequence[str] | None = None,
        name: str | None = "text_encoder",
    ) -> None:
        super().__init__(name=name)
        if image_size > PICTURE_SIDE and image_size % PICTURE_SIDE:
            raise ValueError(f"image_size={image_size}: up to {PICTURE_SIDE}, or a multiple of it.")
        self.captions = Captions(names, languages)
        if words is not None:
            self.captions.vocabulary = Vocabulary(words)
        self.image_size, self.dim, self.width = image_size, dim, width
        self.text = text_network(len(self.captions.vocabulary), dim, width)
        self.picture = picture_network(image_size, dim, max(4, width // 4))
        self.naming = layers.Dense(len(self.captions.names), dtype="float32", name="naming")
        self.naming.build((None, dim))
        self.cosines = Cosines(dtype="float32", name="cosines")
        self.cosines.build([(None, dim), (None, dim)])
        self.iterations_learnt = self.add_weight(
            shape=(), initializer="zeros", trainable=False, dtype="float32", name="iterations_learnt"
        )
        self.built = True

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that it knows."""
        return self.captions.vocabulary

    @property
    def has_learnt(self) -> bool:
        """Whether it has been trained."""
        return bool(ops.convert_to_numpy(self.iterations_learnt.value) > 0)

    def call(self, words: Any, training: bool = False) -> Any:
        """Numbers of words (batch, LENGTH) to φ_t (batch, dim)."""
        return self.text(words, training=training)

    def embed(self, sentences: Sequence[str]) -> np.ndarray:
        """φ_t of sentences, float32 (count, dim).

        Raises
        ------
        UnknownWords
            For a word that is not in the vocabulary.
        """
        return ops.convert_to_numpy(self(self.vocabulary.encode(sentences)))

    def named(self, sentences: Sequence[str]) -> np.ndarray:
        """How likely a face so described has each attribute, float32 (count, n) in [0, 1]."""
        return ops.convert_to_numpy(ops.sigmoid(self.naming(self.embed(sentences))))

    def fit_of(self, images: np.ndarray, sentences: Sequence[str]) -> np.ndarray:
        """Cosines of pictures uint8 (count, H, W, 3) and sentences, float32 (count, count): row i is picture i."""
        vectors = [self.picture(images, training=False), self.embed(sentences)]
        return ops.convert_to_numpy(self.cosines(vectors) / ops.exp(ops.minimum(self.cosines.log_scale, 4.6)))

    # --------------------------------------------------------------------------------------------------- learning

    def learn(
        self,
        images: Any,
        labels: np.ndarray,
        iterations: int = 400,
        batch_size: int = 64,
        rate: float = 1e-3,
        seed: int = 0,
    ) -> dict[str, float]:
        """Train on faces and captions that are written of them, in a new order and new words each time.

        Parameters
        ----------
        images
            uint8 (N, image_size, image_size, 3), an array or anything that a :class:`Batches` takes.
        labels
            Attribute vectors, float32 (N, n).
        iterations, batch_size, rate
            Adam's steps, faces a step, learning rate (which falls to 0 along a cosine).

        Returns
        -------
        The means over the last tenth of the iterations: "loss", "matching" (how often a picture's sentence is found
        among those of the batch) and "naming" (how often an attribute is named rightly).
        """
        from tqdm import trange

        from keras_faces.data.batches import Batches
        from keras_faces.data.captioned import Captioned

        pairs = Captioned(Batches(images, min(batch_size, len(images)), seed, labels), self.captions, seed)
        model = self._pupil(Adam(keras.optimizers.schedules.CosineDecay(rate, iterations)))
        numbers = np.arange(pairs.batches.batch_size)
        rows = []
        for iteration in trange(iterations, desc="learning to read", unit="batch"):
            pairs.batches.epoch, index = divmod(iteration, len(pairs))
            pictures, (faces, words, _) = pairs[index]
            logs = model.train_on_batch([pictures, words], [numbers, faces], return_dict=True)
            model.reset_metrics()
            rows.append([logs["loss"], logs["cosines_matching"], logs["naming_naming"]])
        self.iterations_learnt.assign(iterations)
        means = np.mean(rows[-max(1, iterations // 10) :], axis=0)
        return dict(zip(("loss", "matching", "naming"), means.tolist(), strict=True))

    def _pupil(self, optimizer: keras.optimizers.Optimizer) -> keras.Model:
        """The two tasks as one model: [pictures, words] to [cosines, attributes], with their losses."""
        pictures, words = keras.Input((self.image_size, self.image_size, 3)), keras.Input((LENGTH,), dtype="int32")
        text = self.text(words)
        model = keras.Model([pictures, words], [self.cosines([self.picture(pictures), text]), self.naming(text)])
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="matching")
        naming = keras.metrics.BinaryAccuracy(name="naming", threshold=0.0)
        model.compile(
            optimizer,
            loss=[matching_loss, keras.losses.BinaryCrossentropy(from_logits=True)],
            loss_weights=[0.5, 4.0],
            metrics=[[accuracy], [naming]],
        )
        return model

    def get_config(self) -> dict[str, Any]:
        return {
            "names": self.captions.names,
            "image_size": self.image_size,
            "dim": self.dim,
            "width": self.width,
            "languages": self.captions.languages,
            "words": self.vocabulary.words,
            "name": self.name,
        }
