"""The step: who learns when, what stands still, and the same weights as the step written out in plain TensorFlow."""

import keras
import numpy as np
import pytest

from keras_faces.training import gan
from keras_faces.training.gan import GAN, up_to_the_sigmoid
from keras_faces.training.gradients import input_gradients

to_numpy = keras.ops.convert_to_numpy
SYSTEMS = ("slides-v1", "slides-v2")


@pytest.mark.parametrize("name", SYSTEMS)
def test_improving_d_moves_every_weight_of_d_and_none_of_g(narrow, photographs, values, name, moved):
    model = narrow(name)
    d_before, g_before = values(model.discriminator.trainable_variables), values(model.generator.variables)
    real = model.preprocess(photographs[:8])
    fake = model.generator(model.noise(8), training=False)
    model.train_discriminator(real, fake)
    assert all(moved(d_before, values(model.discriminator.trainable_variables)))
    assert not any(moved(g_before, values(model.generator.variables)))


@pytest.mark.parametrize("name", SYSTEMS)
def test_improving_g_changes_nothing_of_d_bit_for_bit(narrow, values, name, moved):
    model = narrow(name)
    d_before, g_before = values(model.discriminator.variables), values(model.generator.trainable_variables)
    model.train_generator(model.noise(8))
    assert not any(moved(d_before, values(model.discriminator.variables)))  # moving averages and random states too
    assert all(moved(g_before, values(model.generator.trainable_variables)))


@pytest.mark.parametrize("name", SYSTEMS)
def test_under_fit_d_ends_where_its_own_updates_leave_it(narrow, photographs, values, name):
    """Traced and compiled by fit, G's update still leaves D alone: with G's rate at 0, D learns the same."""
    model, ends = narrow(name), []
    model.compile(keras.optimizers.SGD(1e-2), keras.optimizers.SGD(0.0))
    start = values(model.variables)
    for g_rate in (0.0, 1e-12):
        for variable, value in zip(model.variables, start, strict=True):
            variable.assign(value)
        model.optimizer.generator.learning_rate = g_rate
        model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False)
        ends.append(values(model.discriminator.variables))
    for first, second in zip(*ends, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-7)


def test_g_learns_to_raise_its_score(narrow, values):
    model = narrow("slides-v1")
    losses = [float(model.train_generator(model.noise(16))["g_loss"]) for _ in range(15)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_d_learns_to_tell(narrow, photographs):
    model = narrow("slides-v1")
    model.compile(keras.optimizers.Adam(1e-2))
    fake = model.generator(model.noise(16), training=False)
    losses = [float(model.train_discriminator(model.preprocess(photographs[:16]), fake)["d_loss"]) for _ in range(15)]
    assert losses[-1] < losses[0] / 2


def test_the_fakes_are_those_of_the_generator_before_its_update(narrow, photographs):
    model, seen = narrow("slides-v1"), []
    improve = model.train_discriminator
    model.train_discriminator = lambda real, fake: seen.append(to_numpy(fake)) or improve(real, fake)
    twin = narrow("slides-v1")
    model.step(photographs[:8])
    np.testing.assert_allclose(seen[0], to_numpy(twin.generator(twin.noise(8), training=True)), atol=1e-6)


def test_d_reads_one_batch_the_fakes_first(narrow, photographs, monkeypatch):
    model, batches = narrow("slides-v2", separate_batches=False), []
    network = model.d_logits
    monkeypatch.setattr(type(network), "__call__", _recording(network, batches, type(network).__call__))
    real, fake = model.preprocess(photographs[:8]), model.preprocess(photographs[8:16])
    real_logits, fake_logits = model.discriminate(real, fake)
    assert [len(batch) for batch in batches] == [16]
    np.testing.assert_array_equal(batches[0], np.concatenate([to_numpy(fake), to_numpy(real)]))
    assert real_logits.shape == fake_logits.shape == (8, 1)


def test_separate_batches_are_read_apart(narrow, photographs, monkeypatch):
    model, batches = narrow("slides-v2", separate_batches=True), []
    network = model.d_logits
    monkeypatch.setattr(type(network), "__call__", _recording(network, batches, type(network).__call__))
    real, fake = model.preprocess(photographs[:8]), model.preprocess(photographs[8:16])
    model.discriminate(real, fake)
    for seen, shown in zip(batches, (fake, real), strict=True):
        np.testing.assert_array_equal(seen, to_numpy(shown))


def _recording(network, batches, call):
    def recorded(self, images, *args, **kwargs):
        if self is network:
            batches.append(to_numpy(images))
        return call(self, images, *args, **kwargs)

    return recorded


def test_k_steps_of_d_for_one_of_g(narrow, photographs, eager):
    model = narrow("slides-v1", d_steps=3)
    model.fit(photographs, batch_size=24, epochs=1, verbose=0)
    assert int(model.optimizer.discriminator.iterations.value) == 6
    assert int(model.optimizer.generator.iterations.value) == 2


def test_k_steps_take_different_photographs(narrow, photographs):
    model, seen = narrow("slides-v1", d_steps=2), []
    improve = model.train_discriminator
    model.train_discriminator = lambda real, fake: seen.append(to_numpy(real)) or improve(real, fake)
    model.step(photographs[:16])
    np.testing.assert_array_equal(np.concatenate(seen), to_numpy(model.preprocess(photographs[:16])))


def test_label_smoothing_reaches_the_loss(narrow, photographs):
    plain, smooth = narrow("slides-v1"), narrow("slides-v1", label_smoothing=0.2)
    fake = plain.preprocess(photographs[8:16])
    first = float(plain.train_discriminator(plain.preprocess(photographs[:8]), fake)["d_loss"])
    second = float(smooth.train_discriminator(smooth.preprocess(photographs[:8]), fake)["d_loss"])
    real_logits = to_numpy(narrow("slides-v1").discriminate(plain.preprocess(photographs[:8]), fake)[0])
    assert second - first == pytest.approx(0.5 * 0.2 * real_logits.mean(), abs=1e-5)  # BCE is linear in the label


def test_same_seed_same_weights_other_seed_other_weights(narrow, photographs, values, moved, eager):
    def trained(seed):
        model = narrow("slides-v2", seed=seed)
        model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False)
        return values(model.generator.trainable_variables)

    first, again, other = trained(7), trained(7), trained(8)
    assert not any(moved(first, again))
    assert any(moved(first, other))


def test_history_holds_the_epochs_means(narrow, photographs, eager):
    model = narrow("slides-v1")
    rows = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: rows.append(dict(logs)))
    history = model.fit(photographs, batch_size=16, epochs=1, verbose=0, callbacks=[watch]).history
    for name in ("d_loss", "g_loss", "d_real", "d_fake", "spread"):
        assert history[name][0] == pytest.approx(np.mean([row[name] for row in rows]), rel=1e-4)


def test_saved_and_loaded_by_keras_it_goes_on_the_same(narrow, photographs, values, tmp_path, eager):
    model = narrow("slides-v2")
    model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.sample(4, seed=1), again.sample(4, seed=1))
    for old, new in zip(values(model.optimizer.variables), values(again.optimizer.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    assert again.get_config()["d_steps"] == 1 and again.optimizer.generator.beta_1 == 0.5


def test_losses_come_from_the_logit_and_share_ds_layers(narrow):
    discriminator = narrow("slides-v2").discriminator
    logits = up_to_the_sigmoid(discriminator)
    assert logits.layers == discriminator.layers[:-1]  # all but the sigmoid
    images = np.random.default_rng(0).normal(size=(4, 16, 16, 3)).astype("float32")
    probability = to_numpy(discriminator(images, training=False))
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-to_numpy(logits(images, training=False)))), rtol=1e-5)


def test_networks_that_do_not_fit_are_refused(narrow):
    big, small = narrow("slides-v1", image_size=24), narrow("slides-v1", image_size=16)
    with pytest.raises(ValueError, match="same image size"):
        GAN(big.generator, small.discriminator)


@pytest.mark.parametrize("rule", [{"d_steps": 0}, {"label_smoothing": 1.0}, {"label_smoothing": -0.1}])
def test_impossible_rules_are_refused(narrow, rule):
    with pytest.raises(ValueError, match=next(iter(rule))):
        narrow("slides-v1", **rule)


def test_bfloat16_layers_keep_float32_weights_losses_and_images(narrow, photographs):
    model = narrow("slides-v2", precision="bfloat16")
    logs = model.step(photographs[:8])
    dtype = keras.backend.standardize_dtype
    assert {dtype(variable.dtype) for variable in model.trainable_variables} == {"float32"}
    assert dtype(logs["d_loss"].dtype) == dtype(logs["g_loss"].dtype) == "float32"
    assert model.generator.layers[-1].compute_dtype == model.discriminator.layers[-1].compute_dtype == "float32"
    assert model.generator.layers[0].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"  # the caller's policy is as it was


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the plain step is written in TensorFlow")
@pytest.mark.parametrize("name, separate", [("slides-v1", False), ("slides-v2", False), ("slides-v2", True)])
def test_equal_weights_to_the_step_in_plain_gradient_tape(narrow, photographs, values, name, separate):
    """docs/the-step.md names this function; both steps must give the same weights."""
    from examples.plain_step import plain_step

    ours, plain = (narrow(name, separate_batches=separate) for _ in range(2))
    for start in (0, 8, 16):
        ours.step(photographs[start : start + 8])
        plain_step(plain, photographs[start : start + 8])
    for first, second in zip(values(ours.variables), values(plain.variables), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("loss", ["saturating", "lsgan", "wgan", "wgan-gp", "hinge"])
def test_every_loss_is_an_option_of_a_system(narrow, photographs, values, loss, moved):
    model = narrow("wgan-gp", loss=loss)
    before = values(model.trainable_variables)
    logs = model.step(photographs[:16])
    assert all(np.isfinite(float(value)) for value in logs.values())
    flags = dict(zip(map(id, model.trainable_variables), moved(before, values(model.trainable_variables)), strict=True))
    if loss in ("wgan", "wgan-gp", "hinge"):  # a difference of means: D's last bias cancels
        assert not flags.pop(id(model.discriminator.trainable_variables[-1]))
    assert all(flags.values())


def test_wgan_weights_stay_in_the_clip(narrow, photographs, values, eager):
    model = narrow("wgan")
    model.fit(photographs, batch_size=16, epochs=1, verbose=0)
    assert max(np.abs(value).max() for value in values(model.discriminator.trainable_variables)) <= np.float32(0.01)
    assert max(np.abs(value).max() for value in values(model.generator.trainable_variables)) > 0.01


def test_the_penalty_is_added_at_one_uniform_point_an_image(narrow, photographs, monkeypatch):
    model, seen = narrow("wgan-gp"), []
    between = gan.losses.between

    def recorded(real, fake, share):
        seen.append(to_numpy(share))
        return between(real, fake, share)

    monkeypatch.setattr(gan.losses, "between", recorded)
    real, fake = model.preprocess(photographs[:8]), model.preprocess(photographs[8:16])
    twin = narrow("wgan-gp", gradient_penalty=0.0)
    d_loss = float(model.train_discriminator(real, fake)["d_loss"])
    without = float(twin.train_discriminator(real, fake)["d_loss"])
    (share,) = seen
    assert share.shape == (8, 1, 1, 1) and len(np.unique(share)) == 8 and 0 <= share.min() and share.max() < 1
    untrained = narrow("wgan-gp").d_logits
    gradients = input_gradients(untrained, between(real, fake, keras.ops.convert_to_tensor(share)))
    penalty = float(gan.losses.gradient_penalty(gradients))
    assert d_loss - without == pytest.approx(10 * penalty, rel=1e-3)


def test_r1_adds_the_gradient_at_photographs(narrow, photographs):
    real, fake = (narrow("gan").preprocess(photographs[part]) for part in (slice(8), slice(8, 16)))
    with_r1, without = narrow("gan", r1=4.0, dropout=0.0), narrow("gan", dropout=0.0)
    penalty = float(gan.losses.r1_penalty(input_gradients(without.d_logits, real)))
    difference = float(with_r1.train_discriminator(real, fake)["d_loss"]) - float(
        without.train_discriminator(real, fake)["d_loss"]
    )
    assert difference == pytest.approx(4.0 * penalty, rel=1e-3)


def test_ds_accuracy_counts_both_sides(narrow):
    real, fake = np.array([[2.0], [-1.0]], "float32"), np.array([[-3.0], [-1.0]], "float32")
    scores = narrow("slides-v1").scores(real, fake)
    assert float(scores["d_accuracy"]) == 0.75
    assert float(scores["d_real"]) == pytest.approx((1 / (1 + np.exp(-2)) + 1 / (1 + np.exp(1))) / 2)
    critic = narrow("wgan").scores(real + 10, fake + 10)
    assert float(critic["d_real"]) == pytest.approx(10.5) and float(critic["d_accuracy"]) == 0.75


def test_smoothed_labels_need_a_loss_that_has_labels(narrow):
    with pytest.raises(ValueError, match="has no labels"):
        narrow("dcgan", loss="hinge", label_smoothing=0.1)
    with pytest.raises(ValueError, match="choose from non-saturating"):
        narrow("dcgan", loss="hinges")
