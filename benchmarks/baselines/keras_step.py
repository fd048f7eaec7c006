"""Keras's own documented form: a ``keras.Model`` with an overridden ``train_step`` under ``fit``.

After "Customizing what happens in fit() with TensorFlow" and the example "DCGAN to generate face images" of keras.io:
D learns from fakes and real images laid end to end, G through D, each with a ``GradientTape`` and an optimizer of its
own. Images come as float32 from ``tf.data``, as there.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from benchmarks.baselines import LATENT_DIM, pictures
from benchmarks.baselines.keras_nets import networks, parameters
from benchmarks.baselines.stopwatch import Stopwatch


class GAN(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent_dim = latent_dim
        self.seed_generator = keras.random.SeedGenerator(1337)

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def train_step(self, real_images):
        batch_size = tf.shape(real_images)[0]
        random_latent_vectors = keras.random.normal((batch_size, self.latent_dim), seed=self.seed_generator)
        generated_images = self.generator(random_latent_vectors, training=True)
        combined_images = tf.concat([generated_images, real_images], axis=0)
        labels = tf.concat([tf.zeros((batch_size, 1)), tf.ones((batch_size, 1))], axis=0)
        with tf.GradientTape() as tape:
            predictions = self.discriminator(combined_images, training=True)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))

        random_latent_vectors = keras.random.normal((batch_size, self.latent_dim), seed=self.seed_generator)
        misleading_labels = tf.ones((batch_size, 1))
        with tf.GradientTape() as tape:
            predictions = self.discriminator(self.generator(random_latent_vectors, training=True), training=True)
            g_loss = self.loss_fn(misleading_labels, predictions)
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))

        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}


class Trainer:
    def __init__(self, system, image_size, batch_size, precision, options):
        keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
        generator, discriminator = networks(system, image_size, **options)
        self.parameters = parameters(generator, discriminator)
        self.gan = GAN(discriminator, generator, options.get("latent_dim", LATENT_DIM))
        self.gan.compile(
            d_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
            g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
            loss_fn=keras.losses.BinaryCrossentropy(from_logits=system == "dcgan"),
        )
        images = (
            tf.data.Dataset.from_tensor_slices(pictures(image_size)).repeat().batch(batch_size, drop_remainder=True)
        )
        self.batches = images.map(lambda x: tf.cast(x, "float32") / 127.5 - 1.0).prefetch(tf.data.AUTOTUNE)

    def run(self, steps):
        watch = Stopwatch()
        self.gan.fit(self.batches, epochs=1, steps_per_epoch=steps, verbose=0, callbacks=[watch])
        return watch.times
