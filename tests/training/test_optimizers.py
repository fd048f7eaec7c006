"""Two optimizers in one: separate step counts, one list of variables, a round trip through Keras's config."""

import keras
import pytest

from keras_faces.training.optimizers import AdversarialOptimizer


def both():
    optimizer = AdversarialOptimizer(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.SGD(0.1, momentum=0.9))
    d_weights, g_weights = [keras.Variable([1.0, 2.0])], [keras.Variable([[3.0]])]
    optimizer.build(d_weights, g_weights)
    return optimizer, d_weights, g_weights


def test_variables_are_the_union():
    optimizer, _, _ = both()
    assert len(optimizer.variables) == len(optimizer.discriminator.variables) + len(optimizer.generator.variables)
    assert len({id(variable) for variable in optimizer.variables}) == len(optimizer.variables)


def test_each_half_counts_its_own_steps():
    optimizer, d_weights, g_weights = both()
    for _ in range(3):
        optimizer.discriminator.apply([keras.ops.ones((2,))], d_weights)
    optimizer.generator.apply([keras.ops.ones((1, 1))], g_weights)
    assert int(optimizer.discriminator.iterations.value) == 3
    assert int(optimizer.iterations.value) == 1
    assert float(g_weights[0].value[0, 0]) == pytest.approx(2.9)


def test_the_learning_rate_is_the_generators():
    optimizer, _, _ = both()
    optimizer.learning_rate = 0.5
    assert float(optimizer.generator.learning_rate) == 0.5
    assert float(optimizer.discriminator.learning_rate) == pytest.approx(1e-3)


def test_config_round_trip():
    optimizer, _, _ = both()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert isinstance(again.discriminator, keras.optimizers.Adam) and again.discriminator.beta_1 == 0.5
    assert isinstance(again.generator, keras.optimizers.SGD) and again.generator.momentum == 0.9


def test_one_shared_optimizer_is_refused():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="each"):
        AdversarialOptimizer(adam, adam)
