"""Several steps per execution are the same training: the same weights, grids and checkpoints, resumed bit for bit."""

import keras
import numpy as np
import pandas
import pytest

from keras_faces.data import Faces
from keras_faces.runs.callbacks import Count, Progress
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run


def asked(system="dcgan", **changes):
    given = {"epochs": 2, "batch_size": 8, "sample_every": 4, "checkpoint_every": 2, "image_size": 16, "seed": 5}
    return RunConfig(system, options={"latent_dim": 5, "width": 4}, **(given | changes))


def weights(model):
    return [keras.ops.convert_to_numpy(variable) for variable in (*model.variables, *model.optimizer.variables)]


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """The run and the weights of a training with one step a call."""
    random = np.random.default_rng(0)
    faces = Faces(random.integers(0, 256, (48, 16, 16, 3), dtype=np.uint8))
    folder = tmp_path_factory.mktemp("one") / "run"
    return faces, folder, weights(train_run(RunFolder(folder), asked(), faces))


class StopAfter(keras.callbacks.Callback):
    def __init__(self, calls):
        super().__init__()
        self.left = calls

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_the_weights_are_the_same_and_what_is_due_is_made_at_the_calls_end(tmp_path, one_by_one):
    faces, folder, expected = one_by_one
    model = train_run(RunFolder(tmp_path / "run"), asked(steps_per_execution=4), faces)  # an epoch of 6: 4 and 2
    for first, second in zip(expected, weights(model), strict=True):
        np.testing.assert_array_equal(first, second)
    names = [sorted(file.name for file in (place / "samples").glob("*.png")) for place in (folder, tmp_path / "run")]
    assert names[0] == names[1] == [f"epoch000{epoch}-00000{i}.png" for epoch in (1, 2) for i in (4, 6)]
    for name in names[0]:
        assert (folder / "samples" / name).read_bytes() == (tmp_path / "run/samples" / name).read_bytes()
    assert list(pandas.read_csv(tmp_path / "run/log.csv")["step"]) == [6, 12]


def test_resumed_from_a_call_that_was_not_the_last_of_its_epoch(tmp_path, one_by_one):
    faces, _, expected = one_by_one
    with pytest.raises(KeyboardInterrupt):
        train_run(RunFolder(tmp_path / "run"), asked(steps_per_execution=4), faces, callbacks=[StopAfter(3)])
    model = train_run(RunFolder(tmp_path / "run"), asked(steps_per_execution=4), faces, resume=True)
    for first, second in zip(expected, weights(model), strict=True):
        np.testing.assert_array_equal(first, second)


def test_stages_are_counted_by_iterations(tmp_path, one_by_one):
    faces, _, _ = one_by_one
    config = asked(steps_per_execution=3)
    config.options["stages"] = "sgd:1e-2:6,adam:2e-4"
    model = train_run(RunFolder(tmp_path / "run"), config, faces)
    counts = [int(keras.ops.convert_to_numpy(part.iterations)) for part in model.optimizer.generator.optimizers]
    assert counts == [6, 6]


def test_what_is_due_within_a_call_is_due_at_its_end():
    progress = Progress(iterations=10, epoch=1, steps_per_execution=4)
    count = Count(progress)
    count.on_epoch_begin(0)
    due = []
    for last in (3, 7, 11):  # Keras counts a shorter last call as a whole one
        count.on_train_batch_end(last)
        due.append([every for every in (2, 4, 5, 8, 9, 20) if progress.due(every)])
    assert due == [[2, 4], [2, 4, 5, 8], [2, 5, 9]] and progress.iteration == 10 and progress.epoch_is_over
