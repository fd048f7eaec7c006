"""StyleGAN: who rules over what (w, layers, noise), the mean of w, truncation, mixing; and stop and resume."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.figures import stylegan as figures
from keras_faces.layers.adain import AdaIN
from keras_faces.layers.blur import Blur
from keras_faces.layers.noise import NoiseInjection
from keras_faces.models.gans import stylegan
from keras_faces.training import checkpoint
from keras_faces.training.sampling import latent_noise

to_numpy = keras.ops.convert_to_numpy
LAYERS = 6  # of a 16×16 generator: two at 4, 8 and 16


def with_noise(model):
    """Strengths as after some training: at first they are 0."""
    for layer in noisy(model):
        layer.strength.assign(np.full(layer.strength.shape, 0.5 / layer.rate))
        model.average.averages[place(model, layer.strength)].assign(layer.strength)
    return model


@pytest.fixture
def model(narrow):
    return with_noise(narrow("stylegan"))


@pytest.fixture(scope="module")
def still():
    """One for all tests that change nothing of it."""
    return with_noise(kf.models.build("stylegan", image_size=16, seed=3, latent_dim=5, width=2, mapping_depth=2))


def noisy(model):
    return [layer for layer in model.synthesis.layers if isinstance(layer, NoiseInjection)]


def place(model, weight):
    return next(index for index, other in enumerate(model.generator.trainable_variables) if other is weight)


# ------------------------------------------------------------------------------------------------ structure


@pytest.mark.parametrize("image_size", [8, 16, 32])
def test_two_styled_layers_a_size(image_size):
    synthesis = stylegan.synthesis(image_size, latent_dim=5, width=2)
    count = 2 * int(np.log2(image_size) - 1)
    assert synthesis.input_shape == (None, count, 5) and synthesis.output_shape == (None, image_size, image_size, 3)
    for kind in (AdaIN, NoiseInjection):
        assert sum(isinstance(layer, kind) for layer in synthesis.layers) == count
    sides = [layer.output.shape[1] for layer in synthesis.layers if isinstance(layer, AdaIN)]
    assert sides == sorted(sides) and sides[0] == 4 and sides[-1] == image_size


def test_the_papers_generator_has_the_papers_26_million_weights():
    """Table in appendix C: 26.2 million; half of them in the mapping's and synthesis' 512×512 layers."""
    generator = stylegan.generator(1024, latent_dim=512, width=16, max_multiplier=32)
    trainable = sum(np.prod(weight.shape) for weight in generator.trainable_variables)
    assert 26.1e6 < trainable < 26.3e6


def test_styles_start_with_scale_1_and_shift_0_around_what_w_adds(still):
    dense = [layer for layer in still.synthesis.layers if type(layer).__name__ == "EqualizedDense"]
    assert [layer.bias_init for layer in dense] == [1.0, 0.0] * LAYERS


def test_d_blurs_before_it_halves_and_has_no_strides(still):
    assert [layer.sampling for layer in still.discriminator.layers if isinstance(layer, Blur)] == ["down", "down"]
    assert not any("ooling" in type(layer).__name__ or "Sampling" in type(layer).__name__
                   for layer in still.discriminator.layers)  # fmt: skip
    assert still.separate_batches  # minibatch statistics of fakes and photographs apart


@pytest.mark.parametrize("image_size, near", [(20, "16 or 32"), (125, "64 or 128"), (4, "8"), (1, "8")])
def test_sizes_that_cannot_be_made_name_those_that_can(image_size, near):
    with pytest.raises(ValueError, match=f"Try {near}"):
        kf.models.build("stylegan", image_size=image_size)


# ------------------------------------------------------------------------------------------------- learning


def test_the_mapping_learns_a_hundred_times_slower(model, values):
    """After one step of Adam every weight has moved by the rate as stored; as used, the mapping's by a hundredth."""

    def used():
        mapping = [layer for layer in model.mapping.layers if hasattr(layer, "kernel")]
        styles = [layer for layer in model.synthesis.layers if type(layer).__name__ == "EqualizedDense"]
        groups = [[to_numpy(layer.kernel) * layer.scale for layer in group] for group in (mapping, styles)]
        return [np.concatenate([kernel.ravel() for kernel in group]) for group in groups]

    before = used()
    model.train_generator(model.noise(8))
    moves = [np.median(np.abs(new - old)) for new, old in zip(used(), before, strict=True)]
    gain = np.sqrt(2.0)  # of the mapping's layers, for their LeakyReLU
    assert moves[0] / moves[1] == pytest.approx(0.01 * gain, rel=0.05)


def test_g_learns_and_d_stands_still_bit_for_bit(model, photographs, values):
    d_before, g_before = values(model.discriminator.variables), values(model.generator.trainable_variables)
    model.train_generator(model.noise(8))
    for old, new in zip(d_before, values(model.discriminator.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    g_after = values(model.generator.trainable_variables)
    assert all((old != new).any() for old, new in zip(g_before, g_after, strict=True))


def test_w_mean_follows_w_in_gs_update_alone(model, photographs, values):
    fake = keras.ops.stop_gradient(model.generator(model.noise(8), training=True))
    before = to_numpy(model.w_mean.value).copy()
    model.train_discriminator(model.preprocess(photographs[:8]), fake)
    model.sample(3, seed=1)
    np.testing.assert_array_equal(to_numpy(model.w_mean), before)

    seen, noise = [], model.noise
    model.noise = lambda batch: seen.append(noise(batch)) or seen[-1]
    model.train_generator(model.noise(8))
    w = to_numpy(model.mapping(seen[-1], training=False))
    np.testing.assert_allclose(to_numpy(model.w_mean), 0.995 * before + 0.005 * w.mean(axis=0), rtol=1e-4)
    assert any(variable is model.w_mean for variable in model.non_trainable_variables)


def test_w_mean_starts_as_the_mean_of_w(still):
    w = to_numpy(still.mapping(latent_noise(2000, 5, seed=9), training=False))
    error = np.abs(to_numpy(still.w_mean) - w.mean(axis=0)) / w.std(axis=0)
    assert error.max() < 0.2  # a mean of 512 is off by 1/√512 = 0.04 standard deviations


def test_training_mixes_styles_and_draws_noise_pictures_do_neither(model):
    noise = latent_noise(4, 5)
    first, second = (to_numpy(model.generator(noise, training=True)) for _ in range(2))
    assert (first != second).any()
    first, second = (to_numpy(model.generator(noise, training=False)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    # without mixing and without noise, training makes the same images as well
    plain = stylegan.generator(16, latent_dim=5, width=2, mapping_depth=2, mixing=0.0)
    first, second = (to_numpy(plain(noise, training=training)) for training in (True, False))
    np.testing.assert_allclose(first, second, atol=1e-5)


# ------------------------------------------------------------------------------------------- faces from w


def test_styles_then_synthesis_is_what_sample_and_render_make(still):
    noise = latent_noise(3, 5, seed=2)
    w = still.styles(noise)
    assert w.shape == (3, 5) and w.dtype == np.float32
    faces = still.sample(3, seed=2)
    np.testing.assert_array_equal(still.synthesize(w), faces)
    np.testing.assert_array_equal(still.synthesize(np.repeat(w[:, None], LAYERS, axis=1)), faces)
    np.testing.assert_array_equal(still.render(noise), faces)
    np.testing.assert_array_equal(still.sample(3, seed=2, truncation=1.0), faces)


def test_pictures_are_made_from_averaged_weights(model):
    before = model.sample(2)
    for weight in model.generator.trainable_variables:
        weight.assign(weight + 1.0)
    np.testing.assert_array_equal(model.sample(2), before)
    for _ in range(3):
        model.average.update(model.generator)
    assert (model.sample(2) != before).any()


def test_a_face_and_its_noise_depend_on_the_seed_and_not_on_those_beside_it(still):
    alone, among = still.sample(1, seed=6), still.sample(70, seed=6)
    assert np.abs(among[:1].astype(int) - alone).max() <= 1  # the last bit may differ with the batch
    np.testing.assert_array_equal(still.sample(1, seed=6), alone)
    assert (still.sample(1, seed=7) != alone).any()


def test_other_noise_leaves_the_style_and_changes_the_details(model):
    w = model.styles(latent_noise(2, 5))
    faces, others = model.synthesize(w), model.synthesize(w, noise_seed=1)
    assert (faces != others).any()
    np.testing.assert_array_equal(others, model.synthesize(w, noise_seed=1))
    np.testing.assert_array_equal(faces, model.synthesize(w))  # the fixed noise is back
    for layer in noisy(model):
        layer.fixed.assign(np.zeros(layer.fixed.shape))
    assert (faces != model.synthesize(w)).any()


def test_psi_0_is_the_mean_face_whatever_the_noise(still):
    faces = still.sample(4, seed=3, truncation=0.0)
    mean_face = still.synthesize(to_numpy(still.w_mean)[None])
    np.testing.assert_array_equal(faces, np.repeat(faces[:1], 4, axis=0))
    np.testing.assert_array_equal(faces[:1], mean_face)


def test_psi_is_the_share_of_w_that_is_kept(still):
    w, mean = still.styles(latent_noise(4, 5)), to_numpy(still.w_mean)
    for psi in (0.7, -1.0):
        np.testing.assert_allclose(still.truncated(w, psi) - mean, psi * (w - mean), atol=1e-6)
    spreads = [still.sample(8, truncation=psi).std(axis=0).mean() for psi in (1.0, 0.5, 0.1)]
    assert spreads[0] > spreads[1] > spreads[2]


@pytest.mark.parametrize("psi", [1.5, -0.1, float("nan")])
def test_psi_beyond_its_range_is_refused(still, psi):
    with pytest.raises(ValueError, match="between 0 and 1"):
        still.sample(1, truncation=psi)


def test_mixing_with_crossover_0_or_all_gives_the_sources(still):
    coarse, fine = still.styles(latent_noise(3, 5, seed=1)), still.styles(latent_noise(3, 5, seed=2))
    np.testing.assert_array_equal(still.mixed(coarse, fine, 0), still.synthesize(fine))
    np.testing.assert_array_equal(still.mixed(coarse, fine, LAYERS), still.synthesize(coarse))
    between = still.mixed(coarse, fine, 3)
    assert (between != still.synthesize(fine)).any() and (between != still.synthesize(coarse)).any()


def test_the_pictures_of_the_lesson(still):
    for figure in (figures.style_mixing_figure(still, rows=2, columns=3), figures.truncation_figure(still, count=2)):
        (axes,) = figure.axes
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels in (["fine\nstyles of"] + 2 * ["coarse\nstyles of"], [f"ψ = {p:g}" for p in figures.PSI])


# ------------------------------------------------------------------------------------------ stop and resume


def test_resumed_it_ends_bit_for_bit_as_if_never_stopped(tmp_path, photographs, values, eager):
    """All that a step depends on is in the checkpoint: noise of the layers, second w, crossovers, averages, w_mean."""

    def system():
        return kf.models.build("stylegan", image_size=8, seed=5, latent_dim=5, width=2, mapping_depth=2)

    def train(model, faces):
        model.fit(faces, batch_size=8, epochs=1, verbose=0, shuffle=False)

    first, second = photographs[:16, ::2, ::2], photographs[16:32, ::2, ::2]
    whole, resumed = system(), system()
    train(whole, first)
    checkpoint.save(tmp_path / "checkpoint.h5", whole, epoch=1, iteration=2)
    train(whole, second)
    checkpoint.load(tmp_path / "checkpoint.h5", resumed)
    train(resumed, second)
    ends = [values(model.variables + model.optimizer.variables) for model in (whole, resumed)]
    for uninterrupted, stopped in zip(*ends, strict=True):
        np.testing.assert_array_equal(uninterrupted, stopped)

    resumed.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(again.w_mean), to_numpy(resumed.w_mean))
    np.testing.assert_array_equal(again.sample(3, truncation=0.7), resumed.sample(3, truncation=0.7))


def test_bfloat16_keeps_w_and_images_float32(narrow, photographs):
    model = narrow("stylegan", precision="bfloat16")
    logs = model.step(photographs[:8])
    dtype = keras.backend.standardize_dtype
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert {dtype(variable.dtype) for variable in model.trainable_variables} == {"float32"}
    assert dtype(model.mapping(model.noise(2)).dtype) == dtype(model.generator(model.noise(2)).dtype) == "float32"
    assert dtype(model.discriminator(model.generator(model.noise(4))).dtype) == "float32"
