"""LateAdam: Keras's Adam from the first step on, and the same gentle start for a weight that joins late."""

import keras
import numpy as np
import pytest

from keras_faces.training.late_adam import LateAdam

BETAS = [{"beta_1": 0.0, "beta_2": 0.99}, {"beta_1": 0.5, "beta_2": 0.999}]


def variables():
    return [keras.Variable(np.ones(3, "float32")), keras.Variable(np.ones(2, "float32"))]


def gradients(step):
    random = np.random.default_rng(step)
    return [random.normal(size=3).astype("float32"), random.normal(size=2).astype("float32")]


def read(variable):
    return np.array(keras.ops.convert_to_numpy(variable.value))


@pytest.mark.parametrize("betas", BETAS)
def test_from_the_first_step_on_it_is_adam(betas):
    ours, theirs = variables(), variables()
    late, adam = LateAdam(0.01, **betas), keras.optimizers.Adam(0.01, **betas)
    late.build(ours)
    adam.build(theirs)
    for step in range(5):
        late.apply(gradients(step), ours)
        adam.apply(gradients(step), theirs)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(read(mine), read(other), rtol=1e-6)


@pytest.mark.parametrize("betas", BETAS)
def test_a_weight_that_joins_late_moves_as_if_training_began_then(betas):
    (early, late_one), fresh = variables(), keras.Variable(np.ones(2, "float32"))
    late, adam = LateAdam(0.01, **betas), keras.optimizers.Adam(0.01, **betas)
    late.build([early, late_one])
    adam.build([fresh])
    for step in range(20):
        late.apply(gradients(step)[:1], [early])
    for step in range(20, 25):
        late.apply(gradients(step), [early, late_one])
        adam.apply(gradients(step)[1:], [fresh])
    np.testing.assert_allclose(read(late_one), read(fresh), rtol=1e-5)


def test_keras_own_adam_would_make_ten_times_longer_steps():
    early, late_one = variables()
    adam = keras.optimizers.Adam(0.01, beta_1=0.0, beta_2=0.99)
    adam.build([early, late_one])
    for step in range(500):
        adam.iterations.assign(step)
    adam.apply([np.ones(2, "float32")], [late_one])
    np.testing.assert_allclose(1.0 - read(late_one), 0.1, rtol=0.01)


def test_the_configuration_comes_back():
    late = LateAdam(0.01, beta_1=0.0, beta_2=0.99, epsilon=1e-8)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(late))
    assert type(again) is LateAdam and again.get_config() == late.get_config()
