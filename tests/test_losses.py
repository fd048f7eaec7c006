"""The losses against NumPy, at ordinary logits and at logits where log(sigmoid) would be infinite."""

import keras
import numpy as np
import pytest

from keras_faces import losses

REAL = np.array([[2.0], [-1.0], [0.5]], "float32")
FAKE = np.array([[-3.0], [0.25], [1.5]], "float32")


def reference(target, logits):
    p = 1 / (1 + np.exp(-logits.astype("float64")))
    return float(-(target * np.log(p) + (1 - target) * np.log(1 - p)).mean())


@pytest.mark.parametrize("target", [0.0, 0.3, 0.9, 1.0])
def test_binary_crossentropy(target):
    assert float(losses.binary_crossentropy(target, REAL)) == pytest.approx(reference(target, REAL), rel=1e-6)


def test_binary_crossentropy_stays_exact_where_the_sigmoid_is_0_or_1():
    assert float(losses.binary_crossentropy(1.0, np.array([[-200.0]], "float32"))) == 200.0
    assert float(losses.binary_crossentropy(0.0, np.array([[-200.0]], "float32"))) == 0.0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_discriminator_loss_is_the_mean_over_both_halves(smoothing):
    loss = float(losses.discriminator_loss(REAL, FAKE, smoothing))
    assert loss == pytest.approx((reference(1 - smoothing, REAL) + reference(0.0, FAKE)) / 2, rel=1e-6)


def test_a_discriminator_that_cannot_tell_pays_ln_2():
    undecided = np.zeros((4, 1), "float32")
    assert float(losses.discriminator_loss(undecided, undecided)) == pytest.approx(np.log(2))


def test_generator_loss_does_not_saturate():
    assert float(losses.generator_loss(FAKE)) == pytest.approx(reference(1.0, FAKE), rel=1e-6)
    assert float(losses.generator_loss(np.array([[-50.0]], "float32"))) == pytest.approx(50.0)


def test_half_precision_logits_are_summed_in_float32():
    loss = losses.generator_loss(keras.ops.cast(FAKE, "bfloat16"))
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
