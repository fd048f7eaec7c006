"""The count of changes of file: by hand on three calls, and on a training step."""

import keras
import pytest

from benchmarks import hops
from keras_faces.training import ema, losses, sampling


def test_calls_are_counted_by_file():
    def calls():
        losses.pair("hinge")
        losses.pair("wgan")
        sampling.latent_noise(1, 2)
        losses.pair("hinge")

    assert hops.hops(calls) == (2, 2)
    assert hops.hops(lambda: ema) == (0, 0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="on JAX a step is pure")
def test_fast_layers_cost_jumps_and_can_be_left_out(capsys):
    assert hops.main(["--systems", "slides-v1"]) == 0
    row = capsys.readouterr().out.splitlines()[-1].split("|")
    changes, files, plain_changes, plain_files = map(int, row[2:6])
    assert row[1].strip() == "slides-v1" and changes > plain_changes > 0 and files > plain_files > 1
