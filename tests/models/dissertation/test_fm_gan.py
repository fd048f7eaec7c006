"""Feature-centre matching: what G learns from, and what stands still."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.training import checkpoint

to_numpy = keras.ops.convert_to_numpy


def test_f_d_is_the_input_of_ds_last_layer(narrow):
    model = narrow("fm-gan")
    last = model.discriminator.layers[-1]
    assert model.d_features.output_shape[1:] == (last.kernel.shape[0],)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)).astype("float32")
    features = to_numpy(model.d_features(images, training=False))
    logits = features @ to_numpy(last.kernel) + to_numpy(last.bias)
    np.testing.assert_allclose(logits, to_numpy(model.discriminator(images, training=False)), atol=1e-5)


def test_ds_update_moves_the_centre_of_photographs_and_gs_that_of_fakes(narrow, photographs, values, moved):
    model = narrow("fm-gan", centre_decay=0.5)
    real, fake = model.preprocess(photographs[:8]), model.generator(model.noise(8), training=False)
    for _ in range(2):
        before, fakes = to_numpy(model.real_centre.means).copy(), values(model.fake_centre.variables)
        model.train_discriminator(real, fake)
        present = to_numpy(model.d_features(real, training=True)).mean(0)
        keep = 0.0 if _ == 0 else 0.5
        np.testing.assert_allclose(
            to_numpy(model.real_centre.means)[0], keep * before[0] + (1 - keep) * present, atol=1e-5
        )
        assert not any(moved(fakes, values(model.fake_centre.variables)))
    reals, d_before = values(model.real_centre.variables), values(model.discriminator.variables)
    g_before = values(model.generator.trainable_variables)
    numbers = model.train_generator(model.noise(8))
    assert not any(moved(reals, values(model.real_centre.variables)))
    assert not any(moved(d_before, values(model.discriminator.variables)))  # moving averages too
    assert all(moved(fakes, values(model.fake_centre.variables)))
    assert all(moved(g_before, values(model.generator.trainable_variables)))
    apart = to_numpy(model.real_centre.means) - to_numpy(model.fake_centre.means)
    assert float(numbers["g_loss"]) == pytest.approx(0.5 * float((apart**2).sum()), rel=1e-4)


def test_ds_last_layer_has_no_part_in_gs_lesson(narrow, photographs, values):
    ends = []
    for shift in (0.0, 5.0):
        model = narrow("fm-gan")
        model.real_centre.update(model.d_features(model.preprocess(photographs[:8]), training=False))
        model.discriminator.layers[-1].bias.assign([shift])
        model.train_generator(model.noise(8))
        ends.append(values(model.generator.trainable_variables))
    for first, second in zip(*ends, strict=True):
        np.testing.assert_array_equal(first, second)


def test_g_comes_nearer(narrow, photographs):
    model = narrow("fm-gan", learning_rate=2e-3)
    model.real_centre.update(model.d_features(model.preprocess(photographs[:32]), training=True))
    losses = [float(model.train_generator(model.noise(32))["g_loss"]) for _ in range(20)]
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])


def test_from_a_checkpoint_it_goes_on_bit_for_bit(narrow, photographs, values, tmp_path):
    model, again = narrow("fm-gan"), narrow("fm-gan")
    for part in (photographs[:8], photographs[8:16]):
        model.step(part)
    checkpoint.save(tmp_path / "state.h5", model, epoch=1, iteration=2)
    checkpoint.load(tmp_path / "state.h5", again)
    ends = []
    for each in (model, again):
        each.step(photographs[16:24])
        ends.append(values([*each.variables, *each.optimizer.variables]))
    for first, second in zip(*ends, strict=True):
        np.testing.assert_array_equal(first, second)


def test_wrong_rules(narrow):
    with pytest.raises(ValueError, match="fm-gan has no such option.*loss"):
        narrow("fm-gan", loss="wgan")
    with pytest.raises(ValueError, match="0.9 remembers"):
        narrow("fm-gan", centre_decay=1.0)
    assert kf.models.build("fm-gan").generator.output_shape == (None, 32, 32, 3)
