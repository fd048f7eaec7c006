"""One GAN step in plain TensorFlow, to lay beside ``GAN.step``.

What it teaches: that nothing is hidden. The step of ``keras_faces/training/gan.py`` runs on three backends;
this is the same step for TensorFlow alone, with the two tapes in sight. A test trains with both and finds the same
weights, bit for bit. ``docs/the-step.md`` explains the lines.

Command: python examples/plain_step.py (a minute on two cores). What one should see: two losses near 0.7, wandering.
"""

import keras
import tensorflow as tf

import keras_faces as kf

bce = tf.nn.sigmoid_cross_entropy_with_logits


def plain_step(model, images):
    """First D on fakes and photographs, then G through D."""
    generator, d_logits = model.generator, model.d_logits
    batch = tf.shape(images)[0]
    real = tf.cast(images, tf.float32) * (2.0 / 255.0) - 1.0

    # D: the fakes of the present G have the label 0, the photographs 1; read as one batch or one after the other
    noise = keras.random.normal((batch, model.latent_dim), seed=model.noise_seed)
    fake = generator(noise, training=True)
    y = tf.concat([tf.zeros((batch, 1)), tf.ones((batch, 1))], axis=0)
    weights = model.discriminator.trainable_variables
    with tf.GradientTape() as tape:
        if model.separate_batches:
            logits = tf.concat([d_logits(fake, training=True), d_logits(real, training=True)], axis=0)
        else:
            logits = d_logits(tf.concat([fake, real], axis=0), training=True)
        d_loss = tf.reduce_mean(bce(labels=y, logits=logits))
    gradients = tape.gradient(d_loss, [variable.value for variable in weights])
    model.optimizer.discriminator.apply(gradients, weights)

    # G: D_on_G is asked for the score 1; only G's weights are in the list, and D's averages are put back
    noise = keras.random.normal((batch, model.latent_dim), seed=model.noise_seed)
    weights = generator.trainable_variables
    averages = [(variable, tf.identity(variable.value)) for variable in model.discriminator.non_trainable_variables]
    with tf.GradientTape() as tape:
        score = d_logits(generator(noise, training=True), training=True)
        g_loss = tf.reduce_mean(bce(labels=tf.ones_like(score), logits=score))
    gradients = tape.gradient(g_loss, [variable.value for variable in weights])
    model.optimizer.generator.apply(gradients, weights)
    for variable, value in averages:
        variable.assign(value)
    return d_loss, g_loss


if __name__ == "__main__":
    faces = kf.data.load("drawn", image_size=32, count=640)
    model = kf.models.build("slides-v1", image_size=32, seed=0)
    step = tf.function(plain_step)
    for iteration, (images,) in enumerate(faces.batches(32), start=1):
        d_loss, g_loss = step(model, images)
        print(f"iteration {iteration}: D {float(d_loss):.3f}  G {float(g_loss):.3f}")
