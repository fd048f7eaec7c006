"""RowLSTM: eq. 3 in NumPy, row by row, and the triangle above a pixel that it knows."""

import keras
import numpy as np

from keras_faces.layers.row_lstm import RowLSTM

to_numpy = keras.ops.convert_to_numpy
MAPS = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_it_is_eq_3():
    layer = RowLSTM(3)
    hidden = to_numpy(layer(MAPS))
    gates_of_input = to_numpy(layer.input_to_state(MAPS))
    kernel = to_numpy(layer.state_to_state.kernel.value)  # 3 places, 3, 12
    h = c = np.zeros((2, 5, 3))
    for row in range(4):
        wide = np.pad(h, [(0, 0), (1, 1), (0, 0)])
        from_above = sum(wide[:, place : place + 5] @ kernel[place] for place in range(3))
        out, forget, take, new = np.split(gates_of_input[:, row] + from_above, 4, axis=-1)
        c = sigmoid(forget) * c + sigmoid(take) * np.tanh(new)
        h = sigmoid(out) * np.tanh(c)
        np.testing.assert_allclose(hidden[:, row], h, atol=1e-5)


def test_it_knows_a_triangle_above_and_what_is_left():
    layer = RowLSTM(3)
    layer.build(MAPS.shape)
    other = MAPS.copy()
    other[:, 0, 2, 0] += 1.0
    moved = to_numpy(layer(MAPS) != layer(other)).any(axis=(0, 3))
    wanted = np.array([[0, 0, 1, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
    np.testing.assert_array_equal(moved, wanted)


def test_weights_and_config():
    layer = RowLSTM(6)
    layer.build((None, 4, 5, 3))
    assert {tuple(weight.shape) for weight in layer.weights} == {(1, 3, 3, 24), (24,), (3, 6, 24)}
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
