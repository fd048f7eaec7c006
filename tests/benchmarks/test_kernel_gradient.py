"""The comparison of the two forms: what it prints, and that both give the same gradient."""

import keras
import numpy as np
import pytest

from benchmarks import kernel_gradient

SMALL = [(4, 3, 8, 5, 2, "a net"), (5, 4, 2, 3, 1, "another")]
tensorflow_alone = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow has two")


@tensorflow_alone
def test_a_row_for_each_shape(capsys, monkeypatch):
    monkeypatch.setattr(kernel_gradient, "SHAPES", SMALL)
    assert kernel_gradient.main(["--batch-size", "2", "--rounds", "2"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert [row[:4] for row in rows] == [
        ["| 4×4", "3 → 8", "5×5, 2", "a net"],
        ["| 5×5", "4 → 2", "3×3, 1", "another"],
    ]
    assert all(float(cell) >= 0 for row in rows for cell in row[4:7])


@tensorflow_alone
@pytest.mark.parametrize("shape", SMALL)
def test_both_forms_give_the_same_gradient(shape):
    theirs, ours = (form().astype("float32") for form in kernel_gradient.forms(shape, 2))
    np.testing.assert_allclose(theirs, ours, rtol=0.02, atol=0.05)
