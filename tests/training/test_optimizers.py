"""Optimizers: one object for several networks, stages, float16's loss scale, Adam for weights that begin late."""

import keras
import numpy as np
import pytest

from keras_faces.training.gradients import value_and_grad
from keras_faces.training.optimizers import (
    LossScale,
    MultiOptimizer,
    PerVariableAdam,
    Stage,
    StagedOptimizer,
    inner,
    parse_stages,
)

to_numpy = keras.ops.convert_to_numpy
TEXT = "rmsprop:1e-3:2,momentum:1e-2:3,adam:2e-4"
BETAS = [{"beta_1": 0.0, "beta_2": 0.99}, {"beta_1": 0.5, "beta_2": 0.999}]


def both():
    optimizer = MultiOptimizer(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.SGD(0.1, momentum=0.9))
    d_weights, g_weights = [keras.Variable([1.0, 2.0])], [keras.Variable([[3.0]])]
    optimizer.build(d_weights, g_weights)
    return optimizer, d_weights, g_weights


def test_variables_are_the_union():
    optimizer, _, _ = both()
    assert len(optimizer.variables) == len(optimizer.discriminator.variables) + len(optimizer.generator.variables)
    assert len({id(variable) for variable in optimizer.variables}) == len(optimizer.variables)


def test_each_half_counts_its_own_steps():
    optimizer, d_weights, g_weights = both()
    for _ in range(3):
        optimizer.discriminator.apply([keras.ops.ones((2,))], d_weights)
    optimizer.generator.apply([keras.ops.ones((1, 1))], g_weights)
    assert int(optimizer.discriminator.iterations.value) == 3
    assert int(optimizer.iterations.value) == 1
    assert float(g_weights[0].value[0, 0]) == pytest.approx(2.9)


def test_the_learning_rate_is_the_generators():
    optimizer, _, _ = both()
    optimizer.learning_rate = 0.5
    assert float(optimizer.generator.learning_rate) == 0.5
    assert float(optimizer.discriminator.learning_rate) == pytest.approx(1e-3)


def test_config_round_trip():
    optimizer, _, _ = both()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert isinstance(again.discriminator, keras.optimizers.Adam) and again.discriminator.beta_1 == 0.5
    assert isinstance(again.generator, keras.optimizers.SGD) and again.generator.momentum == 0.9


def test_one_shared_optimizer_is_refused():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="each"):
        MultiOptimizer(adam, adam)


# -------------------------------------------------------------------------------------------------------------- stages


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
    assert [(optimizer.on_iteration(step), optimizer.stage) for step in range(7)] == [
        (False, 0),
        (False, 0),
        (True, 1),
        (False, 1),
        (False, 1),
        (True, 2),
        (False, 2),
    ]
    assert optimizer.on_iteration(0) and optimizer.stage == 0


def test_under_fit_each_optimizer_makes_its_own_steps(narrow, photographs):
    model = narrow("dcgan", stages=TEXT)
    model.fit(photographs[:32], batch_size=8, epochs=2, verbose=0)
    for half in (model.optimizer.discriminator, model.optimizer.generator):
        assert [int(part.iterations.value) for part in half.optimizers] == [2, 3, 3]
    assert model.optimizer.generator_iterations() == 8


def test_the_first_stage_is_the_plain_optimizer(narrow, photographs, values, eager):
    staged, plain = narrow("dcgan", stages="rmsprop:1e-3:9,adam:1e-3"), narrow("dcgan")
    plain.compile(keras.optimizers.RMSprop(1e-3), keras.optimizers.RMSprop(1e-3))
    for model in (staged, plain):
        model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False)
    for first, second in zip(values(staged.generator.variables), values(plain.generator.variables), strict=True):
        np.testing.assert_array_equal(first, second)


def test_saved_and_loaded_it_goes_on_in_its_stage(narrow, photographs, tmp_path, eager):
    model = narrow("multistage", stages=TEXT)
    model.fit(photographs[:24], batch_size=8, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.fit(photographs[:24], batch_size=8, epochs=1, verbose=0)
    assert [int(part.iterations.value) for part in again.optimizer.generator.optimizers] == [2, 3, 1]


# ------------------------------------------------------------------------------------------------------------- float16


def scaled_adam(weight, **options):
    optimizer = LossScale(keras.optimizers.Adam(0.1), **options)
    optimizer.build([weight])
    return optimizer


def test_a_step_is_that_of_the_inner_optimizer_and_the_scale_doubles_after_good_steps():
    weight, twin = keras.Variable([1.0, -2.0]), keras.Variable([1.0, -2.0])
    optimizer, plain = scaled_adam(weight, initial_scale=8.0, dynamic_growth_steps=2), keras.optimizers.Adam(0.1)
    scales = []
    for gradient in ([0.5, 0.25], [1.0, -1.0], [0.1, 0.1]):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        plain.apply([keras.ops.convert_to_tensor(gradient)], [twin])
        scales.append(float(to_numpy(optimizer.dynamic_scale)))
    np.testing.assert_array_equal(to_numpy(weight), to_numpy(twin))
    assert scales == [8.0, 16.0, 16.0] and int(to_numpy(optimizer.iterations)) == 3


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_is_skipped_and_halves_the_scale(bad, values):
    weight = keras.Variable([1.0, -2.0])
    optimizer = scaled_adam(weight, initial_scale=8.0, dynamic_growth_steps=3)
    optimizer.apply([keras.ops.ones((2,))], [weight])
    before = values([weight, *(v for v in optimizer.inner_optimizer.variables if "float" in v.dtype)])
    optimizer.apply([keras.ops.convert_to_tensor(np.array([0.5, bad], "float32"))], [weight])
    after = values([weight, *(v for v in optimizer.inner_optimizer.variables if "float" in v.dtype)])
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert float(to_numpy(optimizer.dynamic_scale)) == 4.0 and int(to_numpy(optimizer.step_counter)) == 0
    assert int(to_numpy(optimizer.iterations)) == 2  # stages keep their place


def test_gradients_too_small_for_float16_come_through_and_loss_and_gradients_are_not_scaled():
    weight = keras.Variable([1.0])
    optimizer = scaled_adam(weight, initial_scale=2.0**12)

    def loss_fn():
        half = keras.ops.cast(weight.value, "float16")
        tiny = keras.ops.sum(half * 1e-4) * keras.ops.cast(1e-4, "float16")  # 1e-8: below float16's smallest number
        return keras.ops.cast(tiny, "float32"), None

    (_, _), (lost,) = value_and_grad(loss_fn, [weight], [weight])
    (_, _), (kept,) = value_and_grad(loss_fn, [weight], [weight], optimizer)
    assert float(to_numpy(lost)[0]) == 0.0
    assert float(to_numpy(kept)[0]) == pytest.approx(1e-8, rel=0.01)


def test_both_halves_get_a_scale_in_float16_and_only_then(narrow):
    model = narrow("dcgan", precision="float16")
    assert all(isinstance(part, LossScale) for part in (model.optimizer.discriminator, model.optimizer.generator))
    assert isinstance(model.optimizer, MultiOptimizer) and inner(model.optimizer.generator).beta_1 == 0.5
    assert not isinstance(narrow("dcgan", precision="bfloat16").optimizer.generator, LossScale)
    assert model.generator.layers[0].compute_dtype == "float16"
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("options", [{}, {"stages": "rmsprop:2e-4:2,adam:2e-4"}])
def test_float16_trains_under_fit_and_every_weight_moves(narrow, photographs, values, options):
    model = narrow("dcgan", precision="float16", **options)
    before = values(model.trainable_variables)
    log = model.fit(photographs, batch_size=16, epochs=1, verbose=0).history
    assert all(np.isfinite(value).all() for value in values(model.variables))
    assert all((old != new).any() for old, new in zip(before, values(model.trainable_variables), strict=True))
    assert 0 < log["d_gradient"][0] < 100  # not multiplied by the scale of 32768
    assert model.step_count() == 3


def test_saved_and_loaded_the_scale_is_kept(narrow, photographs, values, tmp_path, eager):
    model = narrow("dcgan", precision="float16")
    model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0)
    model.optimizer.generator.dynamic_scale.assign(64.0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer.generator, LossScale)
    assert float(to_numpy(again.optimizer.generator.dynamic_scale)) == 64.0
    for old, new in zip(values(model.optimizer.variables), values(again.optimizer.variables), strict=True):
        np.testing.assert_array_equal(old, new)


# -------------------------------------------------------------------------------------------------------- late weights


def variables():
    return [keras.Variable(np.ones(3, "float32")), keras.Variable(np.ones(2, "float32"))]


def gradients(step):
    random = np.random.default_rng(step)
    return [random.normal(size=3).astype("float32"), random.normal(size=2).astype("float32")]


@pytest.mark.parametrize("betas", BETAS)
def test_from_the_first_step_on_it_is_adam(betas):
    ours, theirs = variables(), variables()
    late, adam = PerVariableAdam(0.01, **betas), keras.optimizers.Adam(0.01, **betas)
    late.build(ours)
    adam.build(theirs)
    for step in range(5):
        late.apply(gradients(step), ours)
        adam.apply(gradients(step), theirs)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(to_numpy(mine), to_numpy(other), rtol=1e-6)


@pytest.mark.parametrize("betas", BETAS)
def test_a_weight_that_joins_late_moves_as_if_training_began_then(betas):
    (early, late_one), fresh = variables(), keras.Variable(np.ones(2, "float32"))
    late, adam = PerVariableAdam(0.01, **betas), keras.optimizers.Adam(0.01, **betas)
    late.build([early, late_one])
    adam.build([fresh])
    for step in range(20):
        late.apply(gradients(step)[:1], [early])
    for step in range(20, 25):
        late.apply(gradients(step), [early, late_one])
        adam.apply(gradients(step)[1:], [fresh])
    np.testing.assert_allclose(to_numpy(late_one), to_numpy(fresh), rtol=1e-5)


def test_keras_own_adam_would_make_ten_times_longer_steps():
    early, late_one = variables()
    adam = keras.optimizers.Adam(0.01, beta_1=0.0, beta_2=0.99)
    adam.build([early, late_one])
    for step in range(500):
        adam.iterations.assign(step)
    adam.apply([np.ones(2, "float32")], [late_one])
    np.testing.assert_allclose(1.0 - to_numpy(late_one), 0.1, rtol=0.01)


def test_the_configuration_comes_back():
    late = PerVariableAdam(0.01, beta_1=0.0, beta_2=0.99, epsilon=1e-8)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(late))
    assert type(again) is PerVariableAdam and again.get_config() == late.get_config()
