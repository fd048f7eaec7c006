"""The ring's experiment: files, resuming bit for bit, the command and its mistakes; and losses without overlap."""

import json
from dataclasses import replace

import keras
import numpy as np
import pandas
import pytest

from keras_faces.cli import main as cli
from keras_faces.ring import experiment as ring

SMALL = ["--iterations", "6", "--every", "2", "--batch-size", "4", "--rate", "1e-3"]


def run(out, *more):
    return cli.main(["ring", *SMALL, "--out", str(out), *more])


def points(out, rule):
    return np.load(out / rule / "snapshots.npz")["points"]


@pytest.fixture
def one_by_one(monkeypatch):
    """Steps by themselves: to compile so few takes longer than to make them (see test_model.py)."""
    from keras_faces.ring import step_loop

    def plain(model, step, steps):
        return lambda: [{name: float(number) for name, number in step().items()} for _ in range(steps)][-1]

    monkeypatch.setattr(step_loop, "scan_steps", plain)


def test_the_command_makes_tables_and_pictures_and_goes_on_bit_for_bit(tmp_path, capsys, one_by_one):
    assert run(tmp_path / "whole", "--rule", "fm-gan") == 0
    assert "ring.gif" in capsys.readouterr().out
    numbers = pandas.read_csv(tmp_path / "whole/coverage.csv")
    assert list(numbers["iteration"]) == [0, 2, 4, 6] and set(numbers["rule"]) == {"fm-gan"}
    for name in ("ring.png", "ring.gif", "coverage.png"):
        assert (tmp_path / "whole" / name).stat().st_size > 1000
    assert points(tmp_path / "whole", "fm-gan").shape == (4, 1000, 2)

    asked = ring.read(tmp_path / "whole")
    for iterations, resume in ((4, False), (6, True), (6, True)):  # the third time nothing is left to do
        ring.train(replace(asked, iterations=iterations), tmp_path / "parts", resume)
        np.testing.assert_array_equal(
            points(tmp_path / "parts", "fm-gan"), points(tmp_path / "whole", "fm-gan")[: iterations // 2 + 1]
        )
    (tmp_path / "parts/fm-gan/state.h5").unlink()
    with pytest.raises(ValueError, match=r"state\.h5 is not there.*Put state\.h5 back"):  # and nothing begins anew
        ring.train(asked, tmp_path / "parts", resume=True)
    assert points(tmp_path / "parts", "fm-gan").shape == (4, 1000, 2)


def test_an_experiment_is_not_written_over(tmp_path, capsys):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/ring.json").write_text(
        json.dumps({"iterations": 6, "every": 2, "rate": 1e-3, "backend": keras.backend.backend()})
    )
    for more, said in (
        ([], "go on with --resume"),
        (["--resume", "--seed", "4"], "made with seed=0"),
        (["--resume", "--every", "3"], "made with every=2"),
    ):
        assert run(tmp_path / "old", "--batch-size", "64", *more) == 1
        assert said in capsys.readouterr().err
    (tmp_path / "old/ring.json").write_text("{")
    assert run(tmp_path / "old", "--resume") == 1
    assert "ring.json is damaged" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "old").iterdir()] == ["ring.json"]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").write_text("kept")
    assert run(tmp_path / "notes") == 1
    assert "holds no experiment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--iterations", "7"], "no multiple of 2: take 6"),
        (["--rate", "-1"], "must be positive"),
        (["--rate", "nan"], "must be positive"),
        (["--inner", "30"], "0 <= inner < outer"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path, capsys, more, said):
    assert run(tmp_path / "new", *more) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_what_is_asked_for():
    with pytest.raises(ValueError, match="choose from gan, wgan, fm-gan"):
        ring.Experiment(rules=["lsgan"])
    with pytest.raises(ValueError, match="must be 1 or more"):
        ring.Experiment(points=0)


def test_settled_is_the_mean_of_the_end():
    rows = [("gan", step, step / 100, 1.0, 0.5) for step in range(0, 101, 10)]
    numbers = pandas.DataFrame(rows, columns=["rule", "iteration", "coverage", "distance", "on_ring"])
    assert ring.settled(numbers).loc["gan", "coverage"] == pytest.approx((0.8 + 0.9 + 1.0) / 3)


def test_the_original_loss_without_overlap_by_numerical_integration():
    from keras_faces.ring import overlap

    x = np.linspace(-4, 5, 90_001)
    for distance in (-2.0, -1.0, -0.4, 0.0, 0.3, 0.9, 1.5):
        real, fake = ((x >= 0) & (x < 1)).astype(float), ((x >= distance) & (x < distance + 1)).astype(float)
        middle = 0.5 * (real + fake)
        with np.errstate(all="ignore"):
            parts = [np.nan_to_num(each * np.log(each / middle)).sum() * 1e-4 for each in (real, fake)]
        assert overlap.jensen_shannon(distance) == pytest.approx(0.5 * sum(parts), abs=1e-3)
    np.testing.assert_allclose(overlap.original_loss([0.0, 1.0, 7.0]), [-2 * np.log(2), 0.0, 0.0], atol=1e-12)
    d = np.array([-3.0, -0.5, 0.2, 0.8, 2.0])
    slope = (overlap.original_loss(d + 1e-6) - overlap.original_loss(d - 1e-6)) / 2e-6
    np.testing.assert_allclose(overlap.original_gradient(d), slope, atol=1e-6)


def test_a_trained_d_pays_the_original_nothing_where_matching_still_has_a_gradient():
    from keras_faces.ring import overlap

    numbers = overlap.measured([-2.0, 0.0, 2.0], steps=400, batch=64).set_index("distance")
    assert numbers.loc[0.0, "d_loss"] == pytest.approx(np.log(2), abs=0.05) and numbers.loc[0.0, "matching"] < 0.01
    for distance in (-2.0, 2.0):
        one = numbers.loc[distance]
        assert one["d_loss"] < 0.01 and abs(one["saturating_gradient"]) < 0.02
        assert np.sign(distance) * one["matching_gradient"] > 1.0  # towards the photographs
    assert overlap.figure(numbers.reset_index()).axes
