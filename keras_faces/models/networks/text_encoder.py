"""A text encoder: sentences to vectors φ_t, trained on faces and captions of their attributes.

Source: the course's textbook, section 5.3.3: "the text encoder network encodes sentences as high-dimensional (such as
1024) text embeddings φ_t". Zhang et al. 2017 use the encoder of Reed et al. 2016, which is trained so that a sentence
and its image lie together. Here it is trained in a minute or two, on two tasks at once:

- *matching*: which faces and which sentences of a batch belong together? Both become vectors of the same space, and
  the cosines of right pairs should exceed those of wrong ones, by row and by column (Radford et al. 2021, figure 3).
  Reed's joint embedding has a hinge instead of the softmax;
- *naming*: from φ_t alone, the attributes of the face.

A sentence is a row of word vectors. Two convolutions read two neighbours on either side, enough to tell "without a hat"
from "a hat"; then the mean and the maximum over the sentence are taken. On two cores this is several times as fast as a
recurrent network.

See also: ``data/captions/captions.py``, the sentences; ``models/conditional/stackgan.py``, which reads φ_t.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_faces.data.captions import LANGUAGES, LENGTH, Captions, Vocabulary

DIM = 1024  # the textbook's length of φ_t
PICTURE_SIDE = 32  # the picture encoder reads images of at most this side
MAX_LOG_SCALE = 4.6  # of the cosines: a factor of 100


def text_network(words: int, dim: int = DIM, width: int = 128) -> keras.Model:
    """Return the network from word ids (LENGTH,) of a vocabulary of ``words`` to φ_t (dim,); float32 throughout."""
    word_ids = keras.Input((LENGTH,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.not_equal(word_ids, 0), "float32"), -1)  # 64, 1: 0 for padding
    x = layers.Embedding(words, width, dtype="float32")(word_ids)  # 64, 128
    for _ in range(2):
        change = layers.Conv1D(width, kernel_size=3, padding="same", activation="relu", dtype="float32")(x)
        x = layers.Add(dtype="float32")([x, change])  # 64, 128
    mean = ops.sum(x * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)  # 128: the whole sentence
    most = ops.max(x * mask, axis=1)  # 128: its strongest words, whatever its length
    text = layers.Dense(dim, dtype="float32")(layers.Concatenate(dtype="float32")([mean, most]))
    text = layers.LayerNormalization(dtype="float32")(text)  # deviation 1, as of noise
    return keras.Model(word_ids, text, name="text_network")


def picture_network(image_size: int, dim: int = DIM, width: int = 32) -> keras.Model:
    """Return the network from images (image_size, image_size, 3), 0..255, to vectors (dim,). Shapes: 32×32."""
    picture = keras.Input((image_size, image_size, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32")(picture)
    if image_size > PICTURE_SIDE:
        x = layers.AveragePooling2D(image_size // PICTURE_SIDE, dtype="float32")(x)  # 32, 32, 3
    for filters in (width, 2 * width, 4 * width):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False, dtype="float32")(x)
        x = layers.BatchNormalization(momentum=0.9, dtype="float32")(x)
        x = layers.ReLU(dtype="float32")(x)  # 16, 16, 32 → 8, 8, 64 → 4, 4, 128
    vector = layers.Dense(dim, dtype="float32")(layers.Flatten(dtype="float32")(x))
    return keras.Model(picture, vector, name="picture_network")


@keras.saving.register_keras_serializable("keras_faces")
class Cosines(layers.Layer):
    """``[images, sentences]``, vectors (batch, dim) both, to their scaled cosines (batch, batch): row i is image i's.

    A softmax needs more room than [-1, 1], so the cosines are multiplied by a trained scale, 14 at first.
    """

    def build(self, input_shape: Any) -> None:
        start = keras.initializers.Constant(float(np.log(1 / 0.07)))
        self.log_scale = self.add_weight(shape=(), initializer=start, dtype="float32", name="log_scale")

    def scale(self) -> Any:
        """Return the factor of the cosines, a scalar of at most 100."""
        return ops.exp(ops.minimum(self.log_scale, MAX_LOG_SCALE))

    def call(self, inputs: Any) -> Any:
        pictures, texts = (ops.normalize(ops.cast(vectors, "float32"), axis=-1) for vectors in inputs)
        return self.scale() * ops.matmul(pictures, ops.transpose(texts))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (input_shape[0][0], input_shape[1][0])


def matching_loss(indices: Any, cosines: Any) -> Any:
    """Return the mean of two cross-entropies, image to sentence and sentence to image, (batch,).

    ``indices`` (batch,) or (batch, 1) are the sentences of images 0, 1, 2, ...; ``cosines`` are of :class:`Cosines`.
    """
    indices = ops.reshape(ops.cast(indices, "int32"), (-1,))
    entropy = keras.losses.sparse_categorical_crossentropy
    rows = entropy(indices, cosines, from_logits=True)
    columns = entropy(indices, ops.transpose(cosines), from_logits=True)
    return 0.5 * (rows + columns)


@keras.saving.register_keras_serializable("keras_faces")
class TextEncoder(keras.Model):
    """Sentences to φ_t, with the networks that it is trained beside; its vocabulary is saved with it.

    Parameters
    ----------
    names : sequence of str
        The attributes that sentences describe.
    image_size : int
        Side of the images that it is trained with: up to 32, or a multiple of 32.
    dim : int
        Length of φ_t.
    width : int
        Length of a word vector; the picture encoder has a quarter as many channels.
    languages : sequence of str
        "english", "chinese" or both.
    words : sequence of str, optional
        The vocabulary; ``None`` for all words of the grammar about ``names``.
    name : str, optional
        Of the model.

    Raises
    ------
    ValueError
        For another ``image_size``.
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
        """Return φ_t (batch, dim) of word ids (batch, LENGTH)."""
        return self.text(words, training=training)

    def embed(self, sentences: Sequence[str]) -> np.ndarray:
        """Return φ_t of sentences, float32 (count, dim); an unknown word raises ``UnknownWords``."""
        return ops.convert_to_numpy(self(self.vocabulary.encode(sentences)))

    def named(self, sentences: Sequence[str]) -> np.ndarray:
        """Return the probability of each attribute of faces with these captions, float32 (count, n) in [0, 1]."""
        return ops.convert_to_numpy(ops.sigmoid(self.naming(self.embed(sentences))))

    def fit_of(self, images: np.ndarray, sentences: Sequence[str]) -> np.ndarray:
        """Return cosines of images uint8 (count, H, W, 3) and sentences, float32 (count, count): row i is image i."""
        vectors = [self.picture(images, training=False), self.embed(sentences)]
        return ops.convert_to_numpy(self.cosines(vectors) / self.cosines.scale())

    # --------------------------------------------------------------------------------------------------- learning

    def learn(
        self,
        images: Any,
        labels: np.ndarray,
        iterations: int = 400,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> dict[str, float]:
        """Train on faces and captions of them, which are written anew in each epoch.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, image_size, image_size, 3)
            Or anything that a :class:`Batches` takes.
        labels : ndarray of float32, shape (N, n)
            Attribute vectors.
        iterations, batch_size : int
            Adam's steps, and faces in each.
        learning_rate : float
            Adam's at first; it falls to 0 along a cosine.
        seed : int
            Of the order and the captions.

        Returns
        -------
        dict of float
            Means over the last tenth of the iterations: "loss"; "matching", the share of images whose sentence has the
            largest cosine in the batch; "naming", the share of right attributes.
        """
        from tqdm import trange

        from keras_faces.data.batches import Batches
        from keras_faces.data.captions import Captioned

        pairs = Captioned(Batches(images, min(batch_size, len(images)), seed, labels), self.captions, seed)
        schedule = keras.optimizers.schedules.CosineDecay(learning_rate, iterations)
        model = self._training_model(keras.optimizers.Adam(schedule))
        indices = np.arange(pairs.batches.batch_size)
        rows = []
        for iteration in trange(iterations, desc="learning to read", unit="batch"):
            pairs.batches.epoch, index = divmod(iteration, len(pairs))
            pictures, (faces, words, _) = pairs[index]
            logs = model.train_on_batch([pictures, words], [indices, faces], return_dict=True)
            model.reset_metrics()
            rows.append([logs["loss"], logs["cosines_matching"], logs["naming_naming"]])
        self.iterations_learnt.assign(iterations)
        means = np.mean(rows[-max(1, iterations // 10) :], axis=0)
        return dict(zip(("loss", "matching", "naming"), means.tolist(), strict=True))

    def _training_model(self, optimizer: keras.optimizers.Optimizer) -> keras.Model:
        """The two tasks as one model: [images, words] to [cosines, attributes], with their losses."""
        pictures, words = keras.Input((self.image_size, self.image_size, 3)), keras.Input((LENGTH,), dtype="int32")
        text = self.text(words)
        model = keras.Model([pictures, words], [self.cosines([self.picture(pictures), text]), self.naming(text)])
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="matching")
        naming = keras.metrics.BinaryAccuracy(name="naming", threshold=0.0)
        losses = [matching_loss, keras.losses.BinaryCrossentropy(from_logits=True)]
        model.compile(optimizer, loss=losses, loss_weights=[0.5, 4.0], metrics=[[accuracy], [naming]])
        return model

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("image_size", "dim", "width", "name")}
        return {
            "names": self.captions.names,
            "languages": self.captions.languages,
            "words": self.vocabulary.words,
            **own,
        }
