"""GatedBlock: the gate, what each stack knows, and the block in parts."""

import keras
import numpy as np

from keras_faces.layers.gated_block import GatedBlock, gate

to_numpy = keras.ops.convert_to_numpy
VERTICAL, HORIZONTAL = np.random.default_rng(0).normal(size=(2, 1, 5, 6, 3)).astype("float32")


def test_the_gate_is_eq_2():
    a, b = VERTICAL, HORIZONTAL
    wanted = np.tanh(a) / (1 + np.exp(-b))
    np.testing.assert_allclose(to_numpy(gate(np.concatenate([a, b], axis=-1))), wanted, atol=1e-6)


def test_the_vertical_stack_never_reads_the_horizontal_one():
    block = GatedBlock(3)
    vertical, horizontal = (to_numpy(stack) for stack in block([VERTICAL, HORIZONTAL]))
    again, other = (to_numpy(stack) for stack in block([VERTICAL, HORIZONTAL + 1.0]))
    np.testing.assert_array_equal(vertical, again)
    assert (horizontal != other).any()
    moved, across = (to_numpy(stack) for stack in block([VERTICAL + np.eye(5)[2][:, None, None], HORIZONTAL]))
    assert not (moved != vertical)[0, :2].any() and (moved != vertical)[0, 2:4].any()
    assert not (across != horizontal)[0, :2].any() and (across != horizontal)[0, 2:4].any()


def test_in_parts_it_is_the_same():
    block = GatedBlock(3)
    vertical, horizontal = (to_numpy(stack) for stack in block([VERTICAL, HORIZONTAL]))
    row, linked = block.row(VERTICAL[:, 1:3])
    np.testing.assert_allclose(to_numpy(row), vertical[:, 2], atol=1e-5)
    pixel = block.pixel(HORIZONTAL[:, 2, 3:5], to_numpy(linked)[:, 4])
    np.testing.assert_allclose(to_numpy(pixel), horizontal[:, 2, 4], atol=1e-5)


def test_weights_and_config():
    block = GatedBlock(6)
    block.build([(None, 5, 6, 6), (None, 5, 6, 6)])
    assert len(block.weights) == 7
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(block))
    assert again.get_config() == block.get_config()
