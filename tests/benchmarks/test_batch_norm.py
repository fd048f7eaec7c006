"""The comparison of the two layers: what it prints, and that both are called."""

import keras
import pytest

from benchmarks import batch_norm


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow has two")
def test_a_row_for_each_shape_and_precision(capsys, monkeypatch):
    monkeypatch.setattr(batch_norm, "SHAPES", ((4, 8), (2, 16)))
    assert batch_norm.main(["--batch-size", "2", "--rounds", "2"]) == 0
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert [(row[1].strip(), row[2].strip()) for row in rows] == [
        ("4×4×8", "float32"),
        ("4×4×8", "bfloat16"),
        ("2×2×16", "float32"),
        ("2×2×16", "bfloat16"),
    ]
    assert all(float(cell) >= 0 for row in rows for cell in row[3:6])
