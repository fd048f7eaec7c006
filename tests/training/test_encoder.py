"""Encoders: the two terms of eq. 2.1 in NumPy, codes and faces of the right kind, labels where they belong."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.training import encoder as encoding

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor
ENCODERS = ("pca", "vae", "cvae", "vaegan", "aae")


@pytest.fixture
def told(labels_of):
    """``told(name, count)``: the labels as `encode` wants them: an array, or None."""
    return lambda name, count: (labels_of(name, count) or (None,))[0]


# ------------------------------------------------------------------------------------------------- the terms


def test_the_divergence_of_hand_made_numbers():
    mean = np.array([[0.0, 0.0], [1.0, -2.0]], "float32")
    log_variance = np.log(np.array([[1.0, 1.0], [4.0, 0.25]], "float32"))
    wanted = 0.5 * np.array([0.0, (1 + 4) + (4 + 0.25) - (np.log(4) + np.log(0.25)) - 2])
    assert float(encoding.kl_divergence(mean, log_variance)) == pytest.approx(wanted.mean(), rel=1e-6)


def test_the_divergence_is_that_of_many_draws():
    """KL = E log q(z) − log p(z), z ~ q: the formula against the definition."""
    random, mean, log_variance = np.random.default_rng(0), np.array([[0.7, -0.3]]), np.array([[-1.0, 0.5]])
    draws = mean + np.exp(0.5 * log_variance) * random.standard_normal((200_000, 2))
    log_q = -0.5 * ((draws - mean) ** 2 / np.exp(log_variance) + log_variance)
    log_p = -0.5 * draws**2
    wanted = (log_q - log_p).sum(axis=1).mean()
    assert float(encoding.kl_divergence(mean, log_variance)) == pytest.approx(wanted, rel=0.02)


def test_the_squared_error_is_a_sum_over_an_image_and_a_mean_over_them():
    images, others = np.zeros((2, 4, 4, 3), "float32"), np.zeros((2, 4, 4, 3), "float32")
    images[0], others[1, 0, 0, 0] = 0.5, 2.0
    assert float(encoding.squared_error(images, others)) == pytest.approx((48 * 0.25 + 4.0) / 2)


def test_a_drawn_code_has_the_standard_deviation_not_the_variance():
    chance = np.random.default_rng(1).standard_normal((50_000, 2)).astype("float32")
    log_variance = np.log(np.array([[4.0, 0.25]], "float32"))
    codes = to_numpy(encoding.reparameterize(np.array([[3.0, -1.0]], "float32"), log_variance, chance))
    np.testing.assert_allclose(codes.mean(0), [3.0, -1.0], atol=0.05)
    np.testing.assert_allclose(codes.std(0), [2.0, 0.5], rtol=0.02)


# --------------------------------------------------------------------------------------------- the interface


@pytest.mark.parametrize("name", ENCODERS)
def test_codes_faces_and_what_cannot_be_encoded(narrow, photographs, told, name):
    model, labels = narrow(name), told(name, 5)
    codes = model.encode(photographs[:5], labels)
    assert codes.shape == (5, 5) and codes.dtype == np.float32
    np.testing.assert_array_equal(codes, model.encode(photographs[:5], labels))  # nothing is drawn
    alone = model.encode(photographs[:1], None if labels is None else labels[:1])
    np.testing.assert_allclose(codes[:1], alone, atol=1e-4)  # nor does a code depend on the others
    faces = model.decode(codes, labels)
    assert faces.shape == (5, 16, 16, 3) and faces.dtype == np.uint8
    np.testing.assert_array_equal(faces, model.reconstruct(photographs[:5], labels))

    grey, floats, small = photographs[:2, :, :, 0], photographs[:2] / 255.0, photographs[:2, :8, :8]
    for wrong in (grey, floats, small, photographs[0]):
        with pytest.raises(ValueError, match=r"encodes uint8 \(n, 16, 16, 3\), RGB"):
            model.encode(wrong, None if labels is None else labels[:2])
    with pytest.raises(ValueError, match=r"codes of shape \(5, 4\): .* reads \(n, 5\)"):
        model.decode(codes[:, :4], labels)


def test_labels_are_asked_for_where_they_are_read_and_only_there(narrow, photographs):
    with pytest.raises(ValueError, match="cvae reads a face together with its label: say which, of Smiling, Male"):
        narrow("cvae").encode(photographs[:2])
    with pytest.raises(ValueError, match="vae reads no labels"):
        narrow("vae").encode(photographs[:2], "Smiling")
    model = narrow("cvae")
    one, other = (model.encode(photographs[:2], label) for label in ("Smiling", "Male"))
    assert (one != other).any()  # E reads it
    assert (model.decode(one, "Smiling") != model.decode(one, "Male")).any()  # and G reads it


def test_an_encoder_of_other_codes_is_refused():
    from keras_faces.models.autoencoders import vae

    with pytest.raises(ValueError, match=r"the encoder's codes are \(6,\), the generator reads \(5,\)"):
        vae.VAE(vae.decoder(16, 5, 4), encoder=vae.encoder(16, 6, 4))


# --------------------------------------------------------------------------------------------- saved, resumed


@pytest.mark.parametrize("name", ["vaegan", "aae"])
def test_resumed_the_weights_are_bit_for_bit_the_same(narrow, photographs, values, tmp_path, name):
    """The others have an optimizer less."""
    from keras_faces.training import checkpoint

    whole, second = narrow(name), narrow(name)
    whole.step(photographs[:8])
    checkpoint.save(tmp_path / "checkpoint.h5", whole, 1, 1)
    whole.step(photographs[8:16])
    assert checkpoint.load(tmp_path / "checkpoint.h5", second) == (1, 1)
    second.step(photographs[8:16])
    for one, other in zip(values(whole.variables), values(second.variables), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_saved_model_keeps_its_encoder_and_all_its_optimizers(narrow, photographs, tmp_path):
    model = narrow("aae")
    for _ in range(2):
        model.step(photographs[:8])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.encode(photographs[:3]), again.encode(photographs[:3]))
    assert again.optimizer.names == ["discriminator", "generator", "encoder", "passing"]
    assert int(to_numpy(again.optimizer.passing.iterations)) == 2


def test_stages_are_for_both_and_not_for_pca(photographs):
    options = {"image_size": 16, "stages": "sgd:1e-3:1,adam:1e-3"}
    model = kf.models.build("vae", width=4, latent_dim=5, **options)
    model.step(photographs[:8])
    assert model.step_count() == 1 and not model.on_iteration(0) and model.on_iteration(1)
    with pytest.raises(ValueError, match="pca has no steps for an optimizer"):
        kf.models.build("pca", latent_dim=5, **options)
