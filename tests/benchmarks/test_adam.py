"""The comparison of the two Adams: what it prints, and that both make a step."""

import keras
import pytest

from benchmarks import adam


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow has two")
def test_a_row_for_each_system(capsys):
    assert adam.main(["--systems", "gan", "--image-size", "8", "--rounds", "2"]) == 0
    row = capsys.readouterr().out.splitlines()[-1].split("|")
    assert row[1].strip() == "gan" and int(row[2].replace(",", "")) > 1000
    assert all(float(cell) > 0 for cell in row[3:6])
