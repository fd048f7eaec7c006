"""Batches of faces with a sentence about each, written anew whenever a face comes by.

Read next: ``captions.py``, which writes them; ``models/stackgan.py``, which learns from them.
"""

from __future__ import annotations

import random
import zlib

import keras
import numpy as np

from keras_faces.data.batches import Batches
from keras_faces.data.captions import Captions


class Captioned(keras.utils.PyDataset):
    """The batches of a :class:`Batches` with attribute vectors, each a tuple ``(images, (labels, words, said))``.

    - ``images``, ``labels``: as they are, uint8 (batch, H, W, 3) and float32 (batch, n);
    - ``words``: numbers of the words of a sentence about each, int32 (batch, LENGTH);
    - ``said``: what the sentence says, float32 (batch, n): 1 for what the face has, −1 for what it has not, 0 for what
      is not spoken of.

    Chance follows from ``seed`` and the pictures of the batch, so a training that was stopped and goes on reads the
    same sentences as one that was not.
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
        """The words of a sentence about each face, and what it says."""
        dice = random.Random(f"{self.seed} {zlib.crc32(np.ascontiguousarray(images))}")
        written = [self.captions.compose(row, dice) for row in labels]
        words = self.captions.vocabulary.encode([sentence for sentence, _ in written])
        return words, np.stack([said for _, said in written])

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
