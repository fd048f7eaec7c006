"""The idiom of the widely used Keras GAN scripts: ``train_on_batch``, and ``trainable`` switched to and fro.

D is compiled, then frozen inside a second model, "combined", whose ``train_on_batch`` trains G. In Keras 3 the weights
to train are read when a model is first called to train, not when it is compiled, so ``trainable`` is switched at each
step: without that, D would never learn. Fakes come from ``predict`` and pass through NumPy, as in those scripts.
"""

from __future__ import annotations

import keras
import numpy as np

from benchmarks.baselines import LATENT_DIM, pictures
from benchmarks.baselines.keras_nets import networks, parameters


class Trainer:
    def __init__(self, system, image_size, batch_size, precision, options):
        keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
        self.generator, self.discriminator = networks(system, image_size, **options)
        self.parameters = parameters(self.generator, self.discriminator)
        loss = keras.losses.BinaryCrossentropy(from_logits=system == "dcgan")
        self.discriminator.compile(loss=loss, optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5))
        self.latent_dim = options.get("latent_dim", LATENT_DIM)
        noise = keras.Input((self.latent_dim,))
        self.combined = keras.Model(noise, self.discriminator(self.generator(noise)))
        self.combined.compile(loss=loss, optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5))
        self.images = pictures(image_size) / np.float32(127.5) - np.float32(1)
        self.batch_size = batch_size
        self.valid, self.fake = np.ones((batch_size, 1), "float32"), np.zeros((batch_size, 1), "float32")

    def run(self, steps):
        for _ in range(steps):
            real = self.images[np.random.randint(0, len(self.images), self.batch_size)]
            noise = np.random.normal(0, 1, (self.batch_size, self.latent_dim)).astype("float32")
            generated = self.generator.predict(noise, verbose=0)
            self.discriminator.trainable = True
            self.discriminator.train_on_batch(real, self.valid)
            self.discriminator.train_on_batch(generated, self.fake)

            noise = np.random.normal(0, 1, (self.batch_size, self.latent_dim)).astype("float32")
            self.discriminator.trainable = False
            self.combined.train_on_batch(noise, self.valid)
