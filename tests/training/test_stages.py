"""Optimizers by stage: who works when, what a switch leaves alone, and resuming in any stage."""

import keras
import numpy as np
import pytest

from keras_faces.training.stages import Stage, StagedOptimizer, parse_stages

TEXT = "rmsprop:1e-3:2,momentum:1e-2:3,adam:2e-4"


def test_stages_are_read_from_text():
    assert parse_stages(TEXT) == [Stage("rmsprop", 1e-3, 2), Stage("momentum", 1e-2, 3), Stage("adam", 2e-4)]


@pytest.mark.parametrize(
    "text, finding",
    [
        ("adamw:1e-3", "adamw.*choose from adam"),
        ("adam", "OPTIMIZER:RATE"),
        ("adam:-1", "OPTIMIZER:RATE"),
        ("adam:1e-3:0,sgd:1", "OPTIMIZER:RATE"),
        ("adam:1e-3:2:2", "OPTIMIZER:RATE"),
        ("adam:1e-3,sgd:1e-3", "for how many iterations"),
        ("adam:1e-3:5", "leave its length out"),
    ],
)
def test_impossible_stages_are_refused(text, finding):
    with pytest.raises(ValueError, match=finding):
        parse_stages(text)


def test_each_iteration_has_its_stage():
    optimizer = StagedOptimizer(parse_stages(TEXT))
    assert [(optimizer.enter(step), optimizer.stage) for step in range(7)] == [
        (False, 0),
        (False, 0),
        (True, 1),
        (False, 1),
        (False, 1),
        (True, 2),
        (False, 2),
    ]
    assert optimizer.enter(0) and optimizer.stage == 0


def test_under_fit_each_optimizer_makes_its_own_steps(narrow, photographs):
    model = narrow("dcgan", stages=TEXT)
    model.fit(photographs[:32], batch_size=8, epochs=2, verbose=0)
    for half in (model.optimizer.discriminator, model.optimizer.generator):
        assert [int(part.iterations.value) for part in half.optimizers] == [2, 3, 3]
    assert model.optimizer.generator_iterations() == 8


def test_the_first_stage_is_the_plain_optimizer(narrow, photographs, values):
    staged, plain = narrow("dcgan", stages="rmsprop:1e-3:9,adam:1e-3"), narrow("dcgan")
    plain.compile(keras.optimizers.RMSprop(1e-3), keras.optimizers.RMSprop(1e-3))
    for model in (staged, plain):
        model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False)
    for first, second in zip(values(staged.generator.variables), values(plain.generator.variables), strict=True):
        np.testing.assert_array_equal(first, second)


def test_saved_and_loaded_it_goes_on_in_its_stage(narrow, photographs, tmp_path):
    model = narrow("multistage", stages=TEXT)
    model.fit(photographs[:24], batch_size=8, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.fit(photographs[:24], batch_size=8, epochs=1, verbose=0)
    assert [int(part.iterations.value) for part in again.optimizer.generator.optimizers] == [2, 3, 1]
