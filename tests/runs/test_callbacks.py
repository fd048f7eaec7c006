"""What a class sees: the right files with the right names, and a stop when training is lost."""

import builtins
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pandas
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.figures import grids
from keras_faces.runs import callbacks as watch
from keras_faces.training.gan import GAN
from keras_faces.training.sampling import latent_noise

METRICS = GAN.METRICS

GOOD = {"d_loss": 0.6, "g_loss": 0.9, "d_real": 0.6, "d_fake": 0.4, "d_accuracy": 0.7}
GOOD |= {"d_gradient": 1.0, "g_gradient": 2.0, "spread": 0.8}


def watching(patience=3, learns_from_score=True):
    callback = watch.Watch(watch.Progress(iterations=10, epoch=2, iteration=5), patience)
    callback.set_model(SimpleNamespace(learns_from_score=learns_from_score))
    return callback


def test_progress_counts_from_one_and_a_resumed_epoch_goes_on():
    progress = watch.Progress(iterations=10, epoch=2, iteration=4)
    count = watch.Count(progress)
    count.on_epoch_begin(1)
    count.on_train_batch_end(0)
    assert (progress.epoch, progress.iteration, progress.step) == (2, 5, 15)
    count.on_epoch_begin(2)
    assert (progress.epoch, progress.iteration) == (3, 0)
    count.on_train_batch_end(9)
    assert progress.epoch_is_over and progress.due(5) and not progress.due(4) and not progress.due(None)


@pytest.mark.parametrize("name", ["d_loss", "g_loss"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_at_once(name, value):
    with pytest.raises(watch.TrainingStopped, match=f"epoch 2, iteration 5: {name} is {value}"):
        watching().on_train_batch_end(0, GOOD | {name: value})


@pytest.mark.parametrize(
    "sign, finding",
    [
        ({"d_real": 0.9999, "d_fake": 1e-5}, "D has been perfect"),
        ({"spread": 0.001}, "fakes of a batch have been all alike"),
    ],
)
def test_a_collapse_stops_after_patience_and_says_what_to_try(sign, finding):
    callback = watching(patience=3)
    for batch in range(2):
        callback.on_train_batch_end(batch, GOOD | sign)
    callback.on_train_batch_end(2, GOOD)  # it recovered: the count begins again
    for batch in range(2):
        callback.on_train_batch_end(batch, GOOD | sign)
    with pytest.raises(watch.TrainingStopped, match=f"{finding}.*Try "):
        callback.on_train_batch_end(5, GOOD | sign)


def test_a_certain_d_whose_features_teach_is_let_alone():
    callback = watching(patience=3, learns_from_score=False)
    for batch in range(9):
        callback.on_train_batch_end(batch, GOOD | {"d_real": 0.9999, "d_fake": 1e-5})
    assert [kf.models.build(name, 32, width=2).learns_from_score for name in ("fm-cgan", "cvae-gan")] == [False, False]
    assert not kf.models.build("ip-gan", 32, width=2).learns_from_score and kf.models.build("dcgan").learns_from_score


def test_faces_that_become_alike_are_warned_of_once_until_they_recover(capsys):
    callback = watching()
    callback.progress.epoch = 40

    def warnings(spread, times):
        for batch in range(times):
            callback.on_train_batch_end(batch, GOOD | {"spread": spread})
        return capsys.readouterr().out.count("mode collapse")

    assert [warnings(0.3, 50), warnings(0.3, 200), warnings(0.3, 50)] == [0, 1, 0]
    assert [warnings(1.0, 300), warnings(0.3, 300)] == [0, 1]
    callback.progress.epoch = 2  # iteration 15: faces begin alike
    assert [warnings(1.0, 300), warnings(0.3, 300)] == [0, 0]


def test_the_log_holds_means_of_windows_and_ends_each_epoch(tmp_path):
    progress = watch.Progress(iterations=5, epoch=1)
    log = watch.TrainingLog(tmp_path / "log.csv", progress, METRICS, every=2)
    log.on_train_begin()
    for iteration in range(1, 6):
        progress.iteration = iteration
        log.on_train_batch_end(iteration - 1, GOOD | {"d_loss": float(iteration)})
    table = pandas.read_csv(tmp_path / "log.csv")
    assert list(table["iteration"]) == [2, 4, 5] and list(table["d_loss"]) == [1.5, 3.5, 5.0]
    assert (table["seconds"].diff().dropna() >= 0).all()


def test_a_resumed_log_drops_the_rows_that_are_made_again(tmp_path):
    rows = [[1, i, i, *([0.5] * 8), 10.0 * i] for i in (2, 4, 6)]
    pandas.DataFrame(rows, columns=["epoch", "iteration", "step", *METRICS, "seconds"]).to_csv(
        tmp_path / "log.csv", index=False
    )
    log = watch.TrainingLog(tmp_path / "log.csv", watch.Progress(iterations=10, epoch=1, iteration=4), METRICS)
    assert list(pandas.read_csv(tmp_path / "log.csv")["step"]) == [2, 4] and log.seconds == 40.0


def test_a_log_of_fewer_columns_goes_on(tmp_path):
    pandas.DataFrame([[1, 2, 2, 0.5, 9.0]], columns=["epoch", "iteration", "step", "d_loss", "seconds"]).to_csv(
        tmp_path / "log.csv", index=False
    )
    progress = watch.Progress(iterations=10, epoch=1, iteration=3)
    log = watch.TrainingLog(tmp_path / "log.csv", progress, METRICS, every=1)
    log.on_train_batch_end(3, GOOD)
    table = pandas.read_csv(tmp_path / "log.csv")
    assert list(table["d_loss"]) == [0.5, 0.6] and np.isnan(table["d_accuracy"][0]) and table["spread"][1] == 0.8


def test_a_log_that_excel_holds_stops_nothing(tmp_path, monkeypatch, capsys):
    """On Windows a table that is open in Excel cannot be written."""
    held = True

    def opened(path, *args, **kwargs):
        if held and path == tmp_path / "log.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return open(path, *args, **kwargs)

    progress = watch.Progress(iterations=10, epoch=1)
    log = watch.TrainingLog(tmp_path / "log.csv", progress, METRICS, every=1)
    monkeypatch.setattr(watch, "open", opened, raising=False)
    monkeypatch.setattr(watch.time, "sleep", lambda seconds: None)
    for progress.iteration in (1, 2):
        log.on_train_batch_end(0, GOOD)
    assert capsys.readouterr().out.count("log.csv is held by another program") == 1
    assert len(pandas.read_csv(tmp_path / "log.csv")) == 0
    again = watch.rows_until(tmp_path / "log.csv", 1, log.columns)  # broken off now, and resumed after iteration 1
    assert list(again["step"]) == [1] and not (tmp_path / "log-more.csv").exists()

    log = watch.TrainingLog(tmp_path / "log.csv", watch.Progress(iterations=10, epoch=1, iteration=1), METRICS, every=1)
    log.progress.iteration = 2
    log.on_train_batch_end(0, GOOD)
    assert (tmp_path / "log-more.csv").exists()
    held, log.progress.iteration = False, 3
    log.on_train_batch_end(0, GOOD)
    assert list(pandas.read_csv(tmp_path / "log.csv")["step"]) == [1, 2, 3]
    assert not (tmp_path / "log-more.csv").exists()


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", 'step\n"1'])
def test_a_log_that_is_no_table_is_named(tmp_path, content):
    (tmp_path / "log.csv").write_text(content)
    with pytest.raises(ValueError, match=r"log\.csv .*remove it"):
        watch.TrainingLog(tmp_path / "log.csv", watch.Progress(iterations=10), METRICS)


def test_grids_show_the_same_noise_at_the_named_moments(narrow, photographs, tmp_path):
    model, progress = narrow("slides-v2"), watch.Progress(iterations=3)
    noise = latent_noise(4, model.latent_dim)
    writer = watch.SampleGrids(tmp_path, progress, noise, every=2)
    model.fit(photographs, batch_size=16, epochs=2, verbose=0, callbacks=[watch.Count(progress), writer])
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [f"epoch000{epoch}-00000{iteration}.png" for epoch in (1, 2) for iteration in (2, 3)]
    np.testing.assert_array_equal(grids.read_picture(tmp_path / names[-1]), grids.tile(model.render(noise)))


def test_pause_waits_for_the_key_only_where_there_is_a_keyboard(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(builtins, "input", lambda prompt: asked.append(prompt))
    pause = watch.Pause(watch.Progress(iterations=1, epoch=4, iteration=1))
    monkeypatch.setattr(sys, "stdin", None)
    pause.on_epoch_end(3)
    assert not asked and "nobody can press a key" in capsys.readouterr().out

    class Keyboard:
        @staticmethod
        def isatty():
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard)
    pause.on_epoch_end(3)
    assert asked and "Epoch 4" in asked[0]


def test_show_without_a_screen_says_so_and_goes_on(narrow, photographs, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    import matplotlib

    matplotlib.use("agg")
    progress = watch.Progress(iterations=1)
    grids = watch.SampleGrids(tmp_path, progress, latent_noise(1, 5))
    window = [watch.Count(progress), grids, watch.LiveWindow(grids)]
    narrow("slides-v1").fit(photographs[:8], batch_size=8, epochs=1, verbose=0, callbacks=window)
    assert "no screen" in capsys.readouterr().out and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("steps_per_execution, calls", [(1, 6), (4, 2)])
def test_callbacks_run_once_per_compiled_call(narrow, photographs, steps_per_execution, calls):
    model, batches = narrow("gan"), Faces(photographs).batches(8)
    model.steps_per_execution = steps_per_execution
    seen = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(batches, epochs=1, verbose=0, callbacks=[count])
    assert len(seen) == calls and model.step_count() == 6
