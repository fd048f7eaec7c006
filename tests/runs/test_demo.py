"""The demo fits the machine: a form is chosen by the time of its step, and training ends in time."""

import numpy as np
import pytest

from keras_faces.cli import main as cli
from keras_faces.figures import grids
from keras_faces.runs import demo
from keras_faces.runs.demo import FORMS, ITERATIONS, LEAST, MOST, SECONDS, Form, plan
from keras_faces.runs.folder import RunFolder


def machine(speed, overhead=0.0):
    """The seconds of a form's step on a machine that makes so many of the deck's steps a second."""
    return lambda form: form.work / speed + overhead


@pytest.mark.parametrize(
    ("speed", "form"),
    [(1000, FORMS[0]), (5, FORMS[0]), (1.5, FORMS[1]), (0.8, FORMS[2]), (0.3, FORMS[3]), (0.08, FORMS[4])],
)
def test_the_largest_form_that_ends_in_time(speed, form):
    chosen = plan(timed=machine(speed))
    assert chosen.form == form and ITERATIONS <= chosen.iterations <= MOST
    assert chosen.iterations * chosen.step <= SECONDS


def test_a_machine_that_is_too_slow_for_all_gets_fewer_iterations():
    chosen = plan(timed=machine(0.02))
    assert chosen.form == FORMS[-1] and LEAST < chosen.iterations < ITERATIONS
    assert chosen.iterations * chosen.step <= SECONDS
    assert plan(timed=machine(1e-6)).iterations == LEAST


def test_a_step_that_was_guessed_wrongly_is_measured_before_it_is_chosen():
    """Where small maps are no quicker, the guess for the larger form is too high; where they are, too low."""
    measured = []

    def timed(form):
        measured.append(form)
        return 0.1 if form.image_size < 64 else 0.5

    assert plan(timed=timed).form == Form(48, 256) and measured[0] == FORMS[-2]


def test_size_and_iterations_that_are_asked_for():
    assert plan(image_size=96, timed=machine(1000)).form == Form(96, 512)
    assert plan(iterations=7, timed=machine(0.05)).iterations == 7


def test_the_demo_shows_ready_faces_and_trains(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "FORMS", (Form(16, 32), Form(16, 32)))
    monkeypatch.setattr(demo, "COUNT", 32)
    monkeypatch.setattr(demo, "ITERATIONS", 3)
    monkeypatch.setattr(demo, "step_seconds", lambda form: 100.0)
    monkeypatch.setattr(demo, "LEAST", 3)
    for name in ("demo", "demo-2"):
        assert cli.main(["demo"]) == 0
        assert RunFolder(tmp_path / "runs" / name).read().epochs == 2  # 2 iterations each
    said = capsys.readouterr().out
    assert "slides-v2 at 16×16 with 32 channels" in said and "Ends about" in said
    ready = grids.read_picture(tmp_path / "runs/demo-2-ready.png")
    assert ready.std() > 20 and ready.shape[0] > 500


def test_few_photographs_are_taken_as_they_are_or_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "step_seconds", lambda form: 0.1)
    for count, code in ((3, 1), (5, 0)):
        folder = tmp_path / f"{count}"
        folder.mkdir()
        for index in range(count):
            picture = np.random.default_rng(index).integers(0, 256, (20, 20, 3)).astype("uint8")
            grids.save_picture(picture, folder / f"{index}.png")
        assert cli.main(["demo", "--data", str(folder), "--image-size", "16", "--epochs", "1"]) == code
    assert "3 photographs; the demo needs 4" in capsys.readouterr().err
    assert RunFolder(tmp_path / "runs/demo").read().batch_size == 5


def test_a_step_is_timed():
    assert 0 < demo.step_seconds(Form(16, 16), steps=3) < 60
