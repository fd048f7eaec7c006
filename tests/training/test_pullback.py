"""A derivative in two parts is the derivative in one; and the step that makes its fakes once."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_faces.models.pggan import PGGAN
from keras_faces.models.stylegan import StyleGAN
from keras_faces.training.adversarial import AdversarialModel
from keras_faces.training.conditional import ConditionalModel
from keras_faces.training.gradients import value_and_grad
from keras_faces.training.loss_scale import LossScale
from keras_faces.training.pullback import value_and_slope, with_pullback

to_numpy = ops.convert_to_numpy


def moved(before, after):
    return [bool((old != new).any()) for old, new in zip(before, after, strict=True)]


def small_network():
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Dense(2),
        ]
    )
    network.layers[0].kernel.assign(np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4))
    network.layers[-1].kernel.assign(np.linspace(1, -1, 8, dtype="float32").reshape(4, 2))
    return network


def test_the_way_back_of_a_product():
    x = keras.Variable([1.0, -2.0, 3.0])
    outputs, pullback = with_pullback(lambda: x * x, [x], [x])
    np.testing.assert_array_equal(to_numpy(outputs), [1.0, 4.0, 9.0])
    (gradient,) = pullback(ops.convert_to_tensor([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(to_numpy(gradient), [2.0, -40.0, 600.0])


def test_the_slope_of_a_loss():
    images = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
    loss, slope = value_and_slope(lambda images: ops.sum(images**2), images)
    assert float(loss) == 30.0
    np.testing.assert_array_equal(to_numpy(slope), [[2.0, 4.0], [6.0, 8.0]])


def test_in_two_parts_as_in_one_and_the_state_moves_alike(values):
    noise = np.arange(24, dtype="float32").reshape(8, 3) / 24

    def judged(images):
        return ops.mean(ops.tanh(images) ** 2)

    one, two = small_network(), small_network()
    (loss, _), gradients = value_and_grad(
        lambda: (judged(one(noise, training=True)), None), one.trainable_variables, one.variables
    )
    images, pullback = with_pullback(lambda: two(noise, training=True), two.trainable_variables, two.variables)
    loss_2, slope = value_and_slope(judged, ops.stop_gradient(images))
    assert float(loss) == pytest.approx(float(loss_2), rel=1e-6)
    for first, second in zip(gradients, pullback(slope), strict=True):
        np.testing.assert_allclose(to_numpy(first), to_numpy(second), rtol=1e-5, atol=1e-7)
    for first, second in zip(values(one.variables), values(two.variables), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-6)  # moving averages; Dropout's state
    assert any(moved(values(small_network().variables), values(two.variables)))


def test_a_loss_scale_changes_no_number():
    x = keras.Variable([1.0, -2.0])
    optimizer = LossScale(keras.optimizers.SGD(0.1), initial_scale=1024.0)
    optimizer.build([x])
    outputs, pullback = with_pullback(lambda: 3.0 * x, [x], [x], optimizer)
    loss, slope = value_and_slope(lambda images: ops.sum(images**2), outputs, optimizer)
    assert float(loss) == 45.0
    np.testing.assert_allclose(to_numpy(slope), [6.0, -12.0])
    np.testing.assert_allclose(to_numpy(pullback(slope)[0]), [18.0, -36.0])


def test_a_loss_scale_carries_slopes_that_float16_does_not_know():
    x = keras.Variable([1.0])
    optimizer = LossScale(keras.optimizers.SGD(0.1), initial_scale=1024.0)
    optimizer.build([x])
    small = ops.convert_to_tensor([1e-8])  # below float16's smallest number

    def half(scaled_by):
        return with_pullback(lambda: ops.cast(ops.cast(x, "float16") * 2, "float32"), [x], [x], scaled_by)[1]

    assert float(half(None)(small)[0][0]) == 0.0
    assert float(half(optimizer)(small)[0][0]) == pytest.approx(2e-8, rel=0.05)


# -------------------------------------------------------------------------------------------- shared fakes


@pytest.mark.parametrize("name", ["slides-v1", "slides-v2", "dcgan"])
@pytest.mark.parametrize("average", [0.0, 0.5])
def test_the_shared_step_is_the_common_one_with_the_noise_given_twice(narrow, photographs, values, name, average):
    ours, twin = narrow(name, shared_fakes=True, average=average), narrow(name, average=average)
    noise = np.random.default_rng(0).standard_normal((8, 5), "float32")
    ours.noise = twin.noise = lambda batch: noise
    for model in (ours, twin):
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    before = values(ours.trainable_variables)
    numbers, expected = ours.step(photographs[:8]), twin.step(photographs[:8])
    assert numbers.keys() == expected.keys()
    for key in numbers:
        assert float(numbers[key]) == pytest.approx(float(expected[key]), rel=1e-4, abs=1e-6), key
    assert all(moved(before, values(ours.trainable_variables)))
    statistics = {id(variable) for variable in twin.generator.non_trainable_variables}  # these move twice in the twin
    for first, second in zip(ours.variables, twin.variables, strict=True):
        if id(second) not in statistics:
            np.testing.assert_allclose(*values([first, second]), rtol=1e-4, atol=1e-6, err_msg=first.path)


def test_g_runs_forward_once_and_its_statistics_move_once(narrow, photographs, monkeypatch):
    runs = {}
    for shared in (False, True):
        model, calls = narrow("slides-v2", shared_fakes=shared, d_steps=2), []
        make = type(model.generator).__call__

        def counted(self, *args, generator=model.generator, calls=calls, make=make, **kwargs):
            if self is generator:
                calls.append(1)
            return make(self, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(type(model.generator), "__call__", counted)
            model.step(photographs[:16])
        runs[shared] = len(calls)
    assert runs == {False: 3, True: 2}


def test_shared_fakes_change_nothing_of_d_in_gs_update(narrow, values):
    model = narrow("slides-v2", shared_fakes=True)
    fake, pullback = model.fakes(8)
    d_before, g_before = values(model.discriminator.variables), values(model.generator.trainable_variables)
    model.improve_generator_on(fake, pullback)
    assert not any(moved(d_before, values(model.discriminator.variables)))
    assert all(moved(g_before, values(model.generator.trainable_variables)))


def test_shared_fakes_under_fit_saved_and_loaded(narrow, photographs, tmp_path):
    model = narrow("slides-v2", shared_fakes=True, precision="bfloat16")
    history = model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False).history
    assert all(np.isfinite(numbers).all() for numbers in history.values())
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.shared_fakes is True and narrow("slides-v2").shared_fakes is False
    np.testing.assert_array_equal(model.sample(2, seed=1), again.sample(2, seed=1))


@pytest.mark.parametrize("rule", [PGGAN, StyleGAN, ConditionalModel])
def test_a_system_with_a_step_of_its_own_refuses(narrow, rule):
    model = narrow("slides-v2")
    with pytest.raises(ValueError, match=f"shared_fakes=True: {rule.__name__} has a .* of its own"):
        AdversarialModel.__init__(rule.__new__(rule), model.generator, model.discriminator, shared_fakes=True)
