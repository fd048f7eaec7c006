"""This package, as ``keras-faces train`` uses it: `kf.models.build`, `Faces.batches`, ``fit``."""

from __future__ import annotations

import keras
import numpy as np

import keras_faces as kf
from benchmarks.baselines import pictures
from benchmarks.baselines.keras_nets import parameters
from benchmarks.baselines.stopwatch import Stopwatch
from keras_faces.data import Faces
from keras_faces.fast import autotune


class Trainer:
    def __init__(self, system, image_size, batch_size, precision, options):
        autotune.prepare(keras.backend.backend())
        steps_per_call = options.pop("steps_per_call", 1)
        self.model = kf.models.build(system, image_size, precision=precision, **options)
        self.model.steps_per_execution = steps_per_call
        self.parameters = parameters(self.model.generator, self.model.discriminator)
        self.images, self.batch_size = pictures(image_size), batch_size

    def run(self, steps):
        batches = Faces(Again(self.images, steps * self.batch_size)).batches(self.batch_size)
        watch = Stopwatch()
        self.model.fit(batches, epochs=1, verbose=0, callbacks=[watch])
        return watch.times


class Again:
    """As many pictures as wanted: the same ones over and over."""

    dtype = np.dtype(np.uint8)

    def __init__(self, images, count):
        self.images, self.shape = images, (count, *images.shape[1:])

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, numbers):
        return self.images[numbers % len(self.images)]
