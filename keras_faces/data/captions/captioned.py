"""Batches of faces with a sentence about each, written again whenever a face is served. ``stackgan.py`` uses them."""

from __future__ import annotations

import random
import zlib

import keras
import numpy as np

from keras_faces.data.batches import Batches

from .captions import Captions


class Captioned(keras.utils.PyDataset):
    """Batches with attribute vectors, with sentences added: each a tuple ``(images, (labels, words, facts))``.

    - ``images``, ``labels``: unchanged, uint8 (batch, H, W, 3) and float32 (batch, n);
    - ``words``: word indices of a sentence about each face, int32 (batch, LENGTH);
    - ``facts``: what the sentence says, float32 (batch, n): 1 for present, −1 for missing, 0 for not mentioned.

    The sentences depend only on `seed` and the images of the batch, so a resumed training reads the same ones.

    Parameters
    ----------
    batches : Batches
        With attribute vectors as labels.
    captions : Captions
        Of the same attributes.
    seed : int
        Choice of facts and words.
    """

    def __init__(self, batches: Batches, captions: Captions, seed: int = 0) -> None:
        super().__init__(workers=1)
        self.batches, self.captions, self.seed = batches, captions, seed

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple:
        images, labels = self.batches[index]
        return images, (labels, *self.sentences(images, labels))

    def sentences(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the word indices of a sentence about each face, and its facts."""
        rng = random.Random(f"{self.seed} {zlib.crc32(np.ascontiguousarray(images))}")
        written = [self.captions.compose(row, rng) for row in labels]
        words = self.captions.vocabulary.encode([sentence for sentence, _ in written])
        return words, np.stack([facts for _, facts in written])

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
