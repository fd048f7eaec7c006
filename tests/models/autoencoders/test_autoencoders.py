"""vae, cvae, vaegan and aae: the losses that they print, by NumPy, and which weights move by which of them."""

import keras
import numpy as np
import pytest

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor


def kl(mean, log_variance):
    return 0.5 * np.mean(np.sum(mean**2 + np.exp(log_variance) - log_variance - 1, axis=1))


def squares(one, other):
    return float(np.mean(np.sum((np.asarray(one, "float64") - np.asarray(other)) ** 2, axis=(1, 2, 3))))


# ---------------------------------------------------------------------------------------------- vae and cvae


@pytest.mark.parametrize("name", ["vae", "cvae"])
def test_a_step_is_eq_2_1(narrow, photographs, labels_of, values, name, moved):
    model, twin = narrow(name, beta=3.0), narrow(name, beta=3.0)
    labels = [tensor(rows) for rows in labels_of(name, 8)]
    real, chance = twin.preprocess(photographs[:8]), twin.noise(8)
    assert 0.0 <= float(keras.ops.min(real)) and float(keras.ops.max(real)) <= 1.0
    mean, log_variance = (to_numpy(part) for part in twin.encoder([real, *labels] if labels else real))
    code = tensor(mean + np.exp(0.5 * log_variance) * to_numpy(chance))
    image = to_numpy(twin.generator([code, *labels] if labels else code))

    before = values(model.trainable_variables)
    numbers = {key: float(value) for key, value in model.step(photographs[:8], *labels).items()}
    assert numbers["reconstruction_loss"] == pytest.approx(squares(image, to_numpy(real)), rel=1e-4)
    assert numbers["kl_loss"] == pytest.approx(kl(mean, log_variance), rel=1e-4)
    assert numbers["loss"] == pytest.approx(numbers["reconstruction_loss"] + 3.0 * numbers["kl_loss"], rel=1e-5)
    assert set(numbers) == set(model.METRICS)
    assert all(moved(before, values(model.trainable_variables)))


def test_beta_is_what_a_nat_must_be_worth(narrow, photographs):
    """A large β pulls all codes to N(0, I): the divergence falls, and the error stays."""
    ends = {}
    for beta in (0.0, 100.0):
        model = narrow("vae", beta=beta, learning_rate=1e-2)
        for _ in range(12):
            numbers = model.step(photographs[:16])
        ends[beta] = float(numbers["kl_loss"]), float(numbers["reconstruction_loss"])
    assert ends[0.0][0] > 5 * ends[100.0][0] and ends[0.0][1] < ends[100.0][1]
    with pytest.raises(ValueError, match="beta=-1"):
        narrow("vae", beta=-1)


def test_many_classes_enter_the_encoder_as_eight_planes():
    from keras_faces.models.autoencoders import cvae

    shapes = [cvae.encoder(n, 16, 5, 4).layers for n in (3, 20)]
    channels = [next(layer for layer in layers if "concatenate" in layer.name).output.shape[-1] for layers in shapes]
    assert channels == [3 + 3, 3 + 8]


# ----------------------------------------------------------------------------------------------------- vaegan


def test_each_network_of_vaegan_learns_by_its_own_part(narrow, photographs, values, moved):
    model, twin = narrow("vaegan", gamma=0.5, beta=2.0), narrow("vaegan", gamma=0.5, beta=2.0)
    networks = {"e": model.encoder, "g": model.generator, "d": model.discriminator}
    real = model.preprocess(photographs[:8])

    def state():
        return {key: values(network.variables) for key, network in networks.items()}

    def who_moved(before):
        return {key for key, after in state().items() if any(moved(before[key], after))}

    features = to_numpy(twin.d_with_features(real)[1])
    mean, log_variance = (to_numpy(part) for part in twin.encoder(real))
    codes = mean + np.exp(0.5 * log_variance) * to_numpy(twin.noise(8))
    logits, seen = (to_numpy(part) for part in twin.d_with_features(twin.generator(codes)))
    likeness = 0.5 * squares(seen, features)

    before = state()
    numbers, drawn = model.train_encoder(real, tensor(features))
    assert who_moved(before) == {"e"}
    np.testing.assert_allclose(to_numpy(drawn), codes, atol=1e-4)
    assert float(numbers["reconstruction_loss"]) == pytest.approx(likeness, rel=1e-3)
    assert float(numbers["kl_loss"]) == pytest.approx(kl(mean, log_variance), rel=1e-3)

    others = to_numpy(twin.d_logits(twin.generator(twin.noise(8))))
    fooled = np.mean(np.log1p(np.exp(-np.concatenate([logits, others]).astype("float64"))))
    before = state()
    numbers = model.train_generator(model.noise(8), drawn, tensor(features))
    assert who_moved(before) == {"g"}
    assert float(numbers["g_loss"]) == pytest.approx(fooled + 0.5 * likeness, rel=1e-3)

    before = state()
    model.train_discriminator(real, keras.ops.concatenate([real, real]))
    assert who_moved(before) == {"d"}


def test_the_error_is_measured_at_the_last_layer_but_one(narrow):
    model = narrow("vaegan", image_size=32)
    assert [tuple(part.shape[1:]) for part in model.d_with_features.outputs] == [(1,), (8, 8, 8)]
    with pytest.raises(ValueError, match="vaegan has no such option.*r1"):
        narrow("vaegan", r1=1.0)
    with pytest.raises(ValueError, match="gamma=-1"):
        narrow("vaegan", gamma=-1)


def test_a_step_of_vaegan_shows_d_reconstructions_and_samples(narrow, photographs):
    model = narrow("vaegan")
    shown = []
    model.train_discriminator = lambda real, fake: shown.append((real.shape, fake.shape)) or {}
    numbers = model.step(photographs[:8])
    assert shown == [((8, 16, 16, 3), (16, 16, 16, 3))]
    assert {"reconstruction_loss", "kl_loss", "e_gradient", "g_loss", "g_gradient", "spread"} == set(numbers)


# -------------------------------------------------------------------------------------------------------- aae


def test_the_two_phases_of_aae(narrow, photographs, values, moved):
    model, twin = narrow("aae"), narrow("aae")
    networks = {"e": model.encoder, "g": model.generator, "d": model.discriminator}
    real = model.preprocess(photographs[:8])

    def phase(method):
        before = {key: values(network.trainable_variables) for key, network in networks.items()}
        numbers = {key: float(value) for key, value in method(real).items()}
        after = {key: values(network.trainable_variables) for key, network in networks.items()}
        return numbers, {key for key in networks if any(moved(before[key], after[key]))}

    codes = to_numpy(twin.encoder(real))
    numbers, who = phase(model.train_reconstruction)
    assert who == {"e", "g"}
    assert numbers["reconstruction_loss"] == pytest.approx(squares(to_numpy(twin.generator(codes)), real), rel=1e-4)

    codes, noise = to_numpy(model.encoder(real)), to_numpy(twin.noise(8))
    drawn, coded = (to_numpy(model.discriminator(vectors)).astype("float64") for vectors in (noise, codes))
    numbers, who = phase(model.train_discriminator)
    assert who == {"d"}
    wanted = 0.5 * (np.mean(np.log1p(np.exp(-drawn))) + np.mean(np.log1p(np.exp(coded))))
    assert numbers["d_loss"] == pytest.approx(wanted, rel=1e-4)
    assert numbers["d_real"] == pytest.approx(np.mean(1 / (1 + np.exp(-drawn))), rel=1e-4)
    assert numbers["d_accuracy"] == pytest.approx(0.5 * (np.mean(drawn > 0) + np.mean(coded < 0)))

    logits = to_numpy(model.discriminator(codes)).astype("float64")
    numbers, who = phase(model.train_codes)
    assert who == {"e"}
    assert numbers["e_loss"] == pytest.approx(np.mean(np.log1p(np.exp(-logits))), rel=1e-4)


def test_codes_of_aae_go_to_the_prior(narrow, photographs):
    """Codes that begin far from N(0, I) are brought near it by the discriminator alone."""
    model = narrow("aae", latent_dim=2, units=32)
    adam = keras.optimizers.Adam
    model.compile(adam(), adam(), adam(2e-2, beta_1=0.5), adam(0.05, beta_1=0.5))
    model.encoder.layers[-1].bias.assign([6.0, -6.0])
    real = model.preprocess(photographs[:16])
    far = np.abs(model.encode(photographs[:16]).mean(0)).max()
    for _ in range(30):
        model.train_discriminator(real)
        model.train_codes(real)
    assert far > 4.0 and np.abs(model.encode(photographs[:16]).mean(0)).max() < far - 0.5
