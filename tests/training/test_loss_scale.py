"""float16 with a loss scale for each network: it learns, it skips steps that are not finite, the scale finds itself."""

import keras
import numpy as np
import pytest

from keras_faces.training.gradients import value_and_grad
from keras_faces.training.loss_scale import LossScale, inner
from keras_faces.training.optimizers import AdversarialOptimizer

to_numpy = keras.ops.convert_to_numpy


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
    assert isinstance(model.optimizer, AdversarialOptimizer) and inner(model.optimizer.generator).beta_1 == 0.5
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
    assert model.iterations() == 3


def test_saved_and_loaded_the_scale_is_kept(narrow, photographs, values, tmp_path):
    model = narrow("dcgan", precision="float16")
    model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0)
    model.optimizer.generator.dynamic_scale.assign(64.0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer.generator, LossScale)
    assert float(to_numpy(again.optimizer.generator.dynamic_scale)) == 64.0
    for old, new in zip(values(model.optimizer.variables), values(again.optimizer.variables), strict=True):
        np.testing.assert_array_equal(old, new)
