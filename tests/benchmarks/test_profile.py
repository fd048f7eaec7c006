"""The profile of a step: every kind of operation once, and shares that add up."""

from collections import Counter

import keras
import pytest

from benchmarks import profile


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's profiler")
def test_a_step_is_profiled(capsys):
    profile.main(["--systems", "gan", "--image-size", "8", "--batch-size", "4", "--steps", "2", "--top", "4"])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split("|")[1:5] for line in lines if line.startswith("| ")][1:]
    assert len(rows) == 5 and rows[-1][0].strip().endswith("others")
    assert sum(float(share.strip(" %")) for *_, share in rows) == pytest.approx(100, abs=0.5)
    assert "MatMul" in " ".join(kind for kind, *_ in rows)


def test_what_multiplies_is_counted_and_the_rest_is_summed():
    times = Counter({"Conv2D": 2, "AddV2": 30, "Mul": 10})
    seconds = Counter({"Conv2D": 0.06, "AddV2": 0.03, "Mul": 0.01})
    lines = profile.table(0.08, times, seconds, top=1).splitlines()
    assert lines[2:4] == ["| Conv2D | 2 | 60.0 | 60.0% |", "| 2 others | 40 | 40.0 | 40.0% |"]
    assert lines[-1].startswith("A step takes 80 ms; 60% of the operations' time")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("generator/dense/MatMul:_MklMatMul", "MatMul"),
        (
            "gradient_tape/d_1/conv2d_3_1/convolution/Conv2DBackpropFilter:_MklNativeConv2DBackpropFilter",
            "Conv2DBackpropFilter",
        ),
        ("add:AddV2", "AddV2"),
        ("fused:_FusedMatMul", "FusedMatMul"),
    ],
)
def test_kinds_are_read_from_the_events_names(event, kind):
    assert profile.OPERATION.fullmatch(event)["kind"] == kind
    assert not profile.OPERATION.fullmatch("EagerLocalExecute: __inference_one_step_on_data_3142")
