"""sngan: DCGAN with another D, whose every layer has σ = 1, before training and after; resume bit for bit."""

import h5py
import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.layers.spectral import SpectralLayer
from keras_faces.models.gans import dcgan, sngan
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run
from keras_faces.training.gradients import input_gradients

to_numpy = keras.ops.convert_to_numpy


def spectral_layers(network):
    return [layer for layer in network.layers if isinstance(layer, SpectralLayer)]


def largest(kernel):
    kernel = to_numpy(kernel)
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def sigmas(model):
    model.synchronise()
    return [largest(layer.normalised_kernel()) for layer in spectral_layers(model.discriminator)]


def test_it_is_dcgan_with_spectral_normalisation_for_batchnormalization():
    kinds = [type(layer).__name__ for layer in sngan.discriminator().layers]
    assert kinds == ["SpectralConv2D", "LeakyReLU"] * 3 + ["Flatten", "SpectralDense"]
    ours, theirs = (
        [layer for layer in net.layers if layer.count_params()]
        for net in (sngan.discriminator(), dcgan.discriminator())
    )
    theirs = [layer for layer in theirs if "batch" not in layer.name]
    assert [layer.kernel.shape for layer in ours] == [layer.kernel.shape for layer in theirs]
    assert sngan.generator is dcgan.generator
    assert kf.models.build("sngan", image_size=16, width=4).loss_name == "hinge"


def test_every_sigma_is_1_before_training_and_after(narrow, photographs, eager):
    model = narrow("sngan")
    assert sigmas(model) == pytest.approx([1.0] * 3, abs=1e-3)
    kernels = [largest(layer.kernel) for layer in spectral_layers(model.discriminator)]
    model.fit(photographs, batch_size=8, epochs=3, verbose=0)
    assert sigmas(model) == pytest.approx([1.0] * 3, abs=0.2)  # u follows weights that have just run off
    for _ in range(100):
        model.discriminator(model.preprocess(photographs[:8]), training=True)
    assert sigmas(model) == pytest.approx([1.0] * 3, abs=1e-3)
    after = [largest(layer.kernel) for layer in spectral_layers(model.discriminator)]
    assert all(before != now for before, now in zip(kernels, after, strict=True))


def test_ds_step_moves_its_vectors_once_and_gs_step_none_of_them(narrow, photographs, values):
    model = narrow("sngan")
    layers = spectral_layers(model.discriminator)
    vectors, everything = values([layer.u for layer in layers]), values(model.discriminator.variables)
    model.train_generator(model.noise(8))
    for old, new in zip(everything, values(model.discriminator.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    kernels = [to_numpy(layer.kernel) for layer in layers]
    model.train_discriminator(model.preprocess(photographs[:8]), model.preprocess(photographs[8:16]))
    for old, kernel, layer in zip(vectors, kernels, layers, strict=True):
        rows = kernel.reshape(-1, kernel.shape[-1]).T
        once = rows @ rows.T @ old  # with the weights of before the update: photographs and fakes in one batch
        np.testing.assert_allclose(to_numpy(layer.u), once / np.linalg.norm(once), atol=1e-5)


def test_ds_step_moves_every_weight_of_d_and_none_of_g(narrow, photographs, values):
    """The last bias waits until a score leaves the hinge's margin: within it, +1 and −1 cancel."""
    model = narrow("sngan")
    real, fake = model.preprocess(photographs[:8]), model.preprocess(photographs[8:16])
    generator = values(model.generator.variables)
    for start, bias_moves in ((0.0, False), (3.0, True)):
        model.discriminator.layers[-1].bias.assign([start])
        before = values(model.discriminator.trainable_variables)
        model.train_discriminator(real, fake)
        after = values(model.discriminator.trainable_variables)
        assert [bool((old != new).any()) for old, new in zip(before, after, strict=True)] == [True] * 5 + [bias_moves]
    for old, new in zip(generator, values(model.generator.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_growing_weights_do_not_make_d_steeper(narrow, photographs):
    """A pixel is read by at most 3×3 patches, so a convolution can lengthen a change 3 times, and D has two."""
    model = narrow("sngan")
    images = model.preprocess(photographs[:8])

    def steepness():
        return np.linalg.norm(to_numpy(input_gradients(model.d_logits, images)).reshape(8, -1), axis=1)

    before = steepness()
    assert (before > 0).all() and (before <= 3.0**2).all()
    for layer in spectral_layers(model.discriminator):
        layer.kernel.assign(100.0 * layer.kernel)
    np.testing.assert_allclose(steepness(), before, rtol=1e-3)


@pytest.mark.parametrize("loss", ["non-saturating", "wgan-gp"])
def test_other_losses_and_penalties_reach_through_sigma(narrow, photographs, loss):
    model = narrow("sngan", loss=loss, r1=1.0)
    numbers = model.step(photographs[:8])
    assert all(np.isfinite(float(value)) for value in numbers.values())
    assert float(numbers["d_gradient"]) > 0 and sigmas(model) == pytest.approx([1.0] * 3, abs=0.02)


def test_resumed_in_an_epochs_middle_it_ends_bit_for_bit_the_same(tmp_path, photographs, eager):
    def run(name, resume=False, **more):
        asked = RunConfig(
            "sngan", epochs=1, batch_size=8, image_size=16, checkpoint_every=2, options={"latent_dim": 5, "width": 4}
        )
        return train_run(RunFolder(tmp_path / name), asked, Faces(photographs), resume=resume, **more)

    def stop(batch, logs=None):
        if batch == 3:
            raise KeyboardInterrupt

    run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("broken", callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)])
    run("broken", resume=True)
    with h5py.File(tmp_path / "whole/checkpoint.h5") as whole, h5py.File(tmp_path / "broken/checkpoint.h5") as broken:
        for group in ("model", "optimizer"):
            assert whole[group].keys() == broken[group].keys()
            for name, stored in whole[group].items():
                np.testing.assert_array_equal(stored[()], broken[group][name][()], err_msg=stored.attrs["path"])


def test_small_images_and_unknown_losses_are_refused():
    with pytest.raises(ValueError, match="Try 16"):
        kf.models.build("sngan", image_size=8)
    with pytest.raises(ValueError, match="hinge"):
        kf.models.build("sngan", image_size=16, width=4, loss="hinges")
