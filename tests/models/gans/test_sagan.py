"""sagan: attention at the right map of both networks, spectral normalisation in both, and the picture of it."""

import h5py
import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.figures.sagan import attention_figure, attention_maps
from keras_faces.layers.attention import SelfAttention
from keras_faces.layers.spectral import SpectralLayer
from keras_faces.models.gans import sagan
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run
from keras_faces.training.sampling import latent_noise

to_numpy = keras.ops.convert_to_numpy


def attention_of(network):
    (layer,) = (layer for layer in network.layers if isinstance(layer, SelfAttention))
    return layer


def spectral_layers(network):
    return [layer for layer in network._flatten_layers() if isinstance(layer, SpectralLayer)]


@pytest.mark.parametrize("size, side", [(16, 8), (32, 16), (48, 12), (64, 16), (125, 16)])
def test_both_networks_attend_at_the_same_map_of_at_most_16(size, side):
    assert sagan.attention_side(size) == side
    generator = sagan.generator(size, 5, width=4)
    for network in (generator, sagan.discriminator(size, width=4)):
        assert attention_of(network).output.shape[1:3] == (side, side)
    assert generator.output_shape == (None, size, size, 3)


def test_every_weight_but_batchnormalizations_is_spectrally_normalised(narrow, photographs, eager):
    model = narrow("sagan")
    for network, count in ((model.generator, 4 + 4), (model.discriminator, 3 + 4)):  # with the four of attention
        layers = spectral_layers(network)
        kernels = [variable for variable in network.trainable_variables if variable.name == "kernel"]
        assert len(layers) == len(kernels) == count
    model.fit(photographs, batch_size=8, epochs=2, verbose=0)
    model.synchronise()
    for network in (model.generator, model.discriminator):
        for layer in spectral_layers(network):
            kernel = to_numpy(layer.normalised_kernel())
            largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
            assert largest == pytest.approx(1.0, abs=0.2), layer.path  # u follows weights that have just run off


def test_attention_enters_by_gamma_alone(narrow, photographs, values):
    """γ = 0: the first update can move only γ of it; the second moves all."""
    model = narrow("sagan")
    attention = attention_of(model.discriminator)
    real, fake = model.preprocess(photographs[:8]), model.preprocess(photographs[8:16])
    assert float(to_numpy(attention.gamma)) == 0.0
    for learning in ([True, False, False, False, False], [True] * 5):  # γ, f, g, h, v
        before = values(attention.trainable_variables)
        model.train_discriminator(real, fake)
        after = values(attention.trainable_variables)
        assert [bool((old != new).any()) for old, new in zip(before, after, strict=True)] == learning


def test_gs_step_changes_nothing_of_d_bit_for_bit(narrow, photographs, values):
    model = narrow("sagan")
    model.step(photographs[:8])
    # A kernel with one output or one input has its u at once.
    layers = [layer for layer in spectral_layers(model.generator) if min(layer.kernel.shape[-2:]) > 1]
    before, own = values(model.discriminator.variables), values([layer.u for layer in layers])
    model.train_generator(model.noise(8))
    for old, new in zip(before, values(model.discriminator.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(own, values([layer.u for layer in layers]), strict=True):
        assert (old != new).any()


def test_the_papers_rates(narrow):
    model = narrow("sagan")
    rates = [float(half.learning_rate) for half in (model.optimizer.discriminator, model.optimizer.generator)]
    assert rates == pytest.approx([4e-4, 1e-4]) and model.loss_name == "hinge"
    assert (model.optimizer.generator.beta_1, model.optimizer.generator.beta_2) == (0.0, 0.9)


def test_saved_and_loaded_it_looks_and_samples_the_same(narrow, photographs, tmp_path, eager):
    model = narrow("sagan", average=0.9)
    model.fit(photographs[:16], batch_size=8, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    noise = latent_noise(3, 5, seed=1)
    for ours, theirs in zip(attention_maps(model, noise), attention_maps(again, noise), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_attention_maps_are_those_of_the_generated_faces(trained, values):
    model = trained("sagan")
    before = values(model.variables)
    faces, maps = attention_maps(model, latent_noise(3, 5, seed=1))
    np.testing.assert_array_equal(faces, model.sample(3, seed=1))
    assert maps.shape == (3, 8, 8, 8, 8)
    np.testing.assert_allclose(maps.sum((3, 4)), 1.0, atol=1e-5)
    for old, new in zip(before, values(model.variables), strict=True):
        np.testing.assert_array_equal(old, new)

    figure = attention_figure(model, latent_noise(2, 5), places=((0.0, 0.0), (1.0, 1.0), (0.5, 0.5)))
    picture = figure.axes[0].images[0].get_array()
    assert picture.shape == (2 * 130 + 2, 4 * 130 + 2, 3)  # two faces, each with three places
    assert (picture[4, 134] == (255, 0, 0)).all() and (picture[126, 386] == (255, 0, 0)).all()


@pytest.mark.parametrize("places", [((0.5, 1.2),), ((-0.1, 0.5),), ()])
def test_places_outside_the_face_are_refused(narrow, places):
    with pytest.raises(ValueError, match="places"):
        attention_figure(narrow("sagan"), latent_noise(1, 5), places)


def test_resumed_in_an_epochs_middle_it_ends_bit_for_bit_the_same(tmp_path, photographs, eager):
    def run(name, resume=False, **more):
        asked = RunConfig(
            "sagan", epochs=1, batch_size=8, image_size=16, checkpoint_every=2, options={"latent_dim": 5, "width": 4}
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


def test_a_size_too_small_is_refused():
    with pytest.raises(ValueError, match="Try 16"):
        kf.models.build("sagan", image_size=15)
