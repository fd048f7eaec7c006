"""The benchmark of data preparation runs, on a handful of pictures, and measures what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import data


def test_report_on_drawn_faces(tmp_path, capsys):
    arguments = ["--count", "6", "--rounds", "2", "--sizes", "125", "100", "--many", "12", "--workers", "2"]
    assert data.main([*arguments, "--devices", "cuda", "--scratch", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "6 pictures of 250×250" in printed and "OpenCV" in printed
    assert re.search(r"12 pictures: \d+ MB at most", printed)
    assert "decode alone at 1/2, against decoding whole: mean 4" in printed or "mean 5" in printed
    assert "to a packed file, 2 threads" in printed and "cuda: not measured: this OpenCV" in printed
    plain = re.findall(r"\| plain loop, 1 thread \| [\d,]+ \| [\d,]+ \| 1\.00 \| 1\.00 \|", printed)
    assert len(plain) == 2
    to_100 = printed.partition("## To 100×100")[2]
    assert "decode alone at" not in to_100 and "to pixels, cpu, 1 thread" in to_100
    assert list(tmp_path.iterdir()) == []


def test_rounds_alternate_after_one_to_warm_up():
    calls = []
    times = data.alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2)
    assert calls == ["a", "b"] * 3
    assert len(times["a"].wall) == len(times["b"].cpu) == 2


def test_table_gives_medians_and_ratios_within_a_round():
    times = {
        "plain loop, 1 thread": data.Times([1.0, 2.0, 4.0], [1.0, 2.0, 4.0]),
        "ours": data.Times([0.5, 1.0, 1.0], [0.25, 0.5, 4.0]),
    }
    row = data.table(times, 10, "ours").splitlines()[-1]
    assert row == "| ours | 10 | 50000 | 2.00 | 0.25 | 1.00 |"


def test_drawn_photographs_are_the_same_each_time(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        data.draw_photographs(tmp_path / name, 2)
    files = [sorted((tmp_path / name).iterdir()) for name in ("a", "b")]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]
    values = data.psnr_of_reduced(data.open_source(tmp_path / "a"), 125)
    assert len(values) == 2 and np.all(values > 40)


def test_archive_is_refused():
    with pytest.raises((ValueError, FileNotFoundError), match="is neither a folder|give a folder"):
        data.main(["--data", str(Path(__file__))])
