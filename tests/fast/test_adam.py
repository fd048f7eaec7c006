"""Adam in one operation: Keras's numbers and variables, in Keras's own class."""

import keras
import numpy as np
import pytest

from keras_faces.fast import adam
from keras_faces.training.optimizers import PerVariableAdam

SETTINGS = [
    {"learning_rate": 0.01, "beta_1": 0.5},
    {"learning_rate": 1e-3, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8},
    {"learning_rate": 0.01, "amsgrad": True},
    {"learning_rate": 0.01, "clipnorm": 0.5, "weight_decay": 0.01},
]


def fast(*settings, kind=keras.optimizers.Adam, **more):
    optimizer = kind(*settings, **more)
    adam.accelerate(optimizer)
    return optimizer


def weights():
    random = np.random.default_rng(0)
    return [keras.Variable(random.normal(size=shape).astype("float32")) for shape in ((5, 3), (3,))]


def gradients(step):
    random = np.random.default_rng(step)
    return [keras.ops.convert_to_tensor(random.normal(size=shape).astype("float32")) for shape in ((5, 3), (3,))]


def read(variables):
    return [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]


def trained(optimizer, steps=range(20)):
    moved = weights()
    optimizer.build(moved)
    for step in steps:
        optimizer.apply(gradients(step), moved)
    return moved


@pytest.mark.parametrize("settings", SETTINGS)
def test_its_weights_and_moments_are_those_of_keras(settings):
    ours, theirs = fast(**settings), keras.optimizers.Adam(**settings)
    for mine, other in zip(read(trained(ours)), read(trained(theirs)), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    for mine, other in zip(read(ours.variables), read(theirs.variables), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_the_first_step_is_as_long_as_the_rate_by_the_sign_of_the_gradient():
    """Algorithm 1 at t = 1: m / (1 - β1) = g and v / (1 - β2) = g²."""
    before, after = read(weights()), read(trained(fast(0.01, epsilon=1e-12), steps=[7]))
    for start, end, gradient in zip(before, after, gradients(7), strict=True):
        step = -0.01 * np.sign(keras.ops.convert_to_numpy(gradient))
        np.testing.assert_allclose(end - start, step, rtol=1e-3)


def test_a_schedule_sets_the_rate():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4], [0.1, 0.0])
    short, long = trained(fast(schedule), steps=range(5)), trained(fast(schedule), steps=range(9))
    for mine, other in zip(read(short), read(long), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_it_is_saved_as_keras_own():
    optimizer = fast(0.01, beta_1=0.5)
    config = keras.saving.serialize_keras_object(optimizer)
    assert config["module"] == "keras.optimizers" and config["registered_name"] is None
    assert config["config"] == keras.optimizers.Adam(0.01, beta_1=0.5, name=optimizer.name).get_config()
    loaded = keras.saving.deserialize_keras_object(config)
    assert type(loaded) is keras.optimizers.Adam and loaded.beta_1 == 0.5


def operations(optimizer):
    """The kinds of operations in the graph of an update."""
    import tensorflow as tf

    moved, grads = weights(), gradients(0)
    optimizer.build(moved)
    traced = tf.function(lambda: optimizer.apply(grads, moved)).get_concrete_function()
    return {node.op for node in traced.graph.as_graph_def().node}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's operation")
@pytest.mark.parametrize("kind", [keras.optimizers.Adam, PerVariableAdam, keras.optimizers.AdamW, keras.optimizers.SGD])
def test_one_operation_until_it_is_plain_again(kind):
    optimizer = fast(0.01, kind=kind)
    assert ("ResourceApplyAdam" in operations(optimizer)) == (kind in (keras.optimizers.Adam, PerVariableAdam))
    optimizer = fast(0.01, kind=kind)
    adam.plain(optimizer)
    assert "ResourceApplyAdam" not in operations(optimizer)
    assert "ResourceApplyAdam" not in operations(fast(0.01, kind=keras.optimizers.Adam, amsgrad=True))


def test_an_adam_with_counts_of_its_own_moves_as_before():
    found = [read(trained(optimizer)) for optimizer in (fast(0.01, kind=PerVariableAdam), PerVariableAdam(0.01))]
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's sparse gradients")
def test_a_gradient_of_a_few_rows_is_that_of_all():
    import tensorflow as tf

    table, twin = weights()[0], weights()[0]
    rows = tf.IndexedSlices(tf.ones((2, 3)), indices=[0, 3], dense_shape=(5, 3))
    for optimizer, variable in ((fast(0.01), table), (keras.optimizers.Adam(0.01), twin)):
        optimizer.build([variable])
        optimizer.apply([rows], [variable])
    np.testing.assert_allclose(*read([table, twin]), rtol=1e-5)
