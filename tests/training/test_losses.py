"""The losses against NumPy, at ordinary logits and at logits where log(sigmoid) would be infinite."""

import keras
import numpy as np
import pytest

from keras_faces.training import losses

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


PAIRS = {
    "saturating": lambda real, fake: (None, -reference(0.0, fake)),
    "lsgan": lambda real, fake: (((real - 1) ** 2).mean() / 2 + ((fake + 1) ** 2).mean() / 2, (fake**2).mean() / 2),
    "wgan": lambda real, fake: (fake.mean() - real.mean(), -fake.mean()),
    "wgan-gp": lambda real, fake: (fake.mean() - real.mean(), -fake.mean()),
    "hinge": lambda real, fake: (
        np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
        -fake.mean(),
    ),
    "non-saturating": lambda real, fake: (None, reference(1.0, fake)),
}


@pytest.mark.parametrize("name", losses.PAIRS)
def test_each_pair_is_the_papers(name):
    pair, (d_side, g_side) = losses.pair(name), PAIRS[name](REAL, FAKE)
    if d_side is None:
        d_side = (reference(1.0, REAL) + reference(0.0, FAKE)) / 2
    assert float(pair.discriminator(REAL, FAKE)) == pytest.approx(d_side, rel=1e-5)
    assert float(pair.generator(FAKE)) == pytest.approx(g_side, rel=1e-5)


def test_what_the_pairs_need_to_work():
    assert losses.pair("wgan").clip == 0.01 and losses.pair("wgan").gradient_penalty == 0
    assert losses.pair("wgan-gp").gradient_penalty == 10.0 and losses.pair("wgan-gp").clip is None
    with pytest.raises(ValueError, match="hinge"):
        losses.pair("hinges")


def test_points_between_have_one_share_an_image():
    real, fake = np.ones((3, 2, 2, 3), "float32"), -np.ones((3, 2, 2, 3), "float32")
    share = np.array([0.0, 0.25, 1.0], "float32").reshape(3, 1, 1, 1)
    points = keras.ops.convert_to_numpy(losses.between(real, fake, share))
    assert [np.unique(point).tolist() for point in points] == [[-1.0], [-0.5], [1.0]]


def test_penalties_against_numpy():
    gradients = np.random.default_rng(0).normal(size=(5, 4, 4, 3)).astype("float32")
    squares = (gradients.reshape(5, -1) ** 2).sum(1)
    assert float(losses.gradient_penalty(gradients)) == pytest.approx(((squares**0.5 - 1) ** 2).mean(), rel=1e-5)
    assert float(losses.r1_penalty(gradients)) == pytest.approx(squares.mean() / 2, rel=1e-5)


def test_half_precision_logits_are_summed_in_float32():
    loss = losses.generator_loss(keras.ops.cast(FAKE, "bfloat16"))
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
