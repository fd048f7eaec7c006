"""cvae-gan: the losses in NumPy, which network each reaches, what a weight of 0 leaves out, codes, and resuming."""

import keras
import numpy as np
import pytest

from keras_faces.models.dissertation import cvae_gan
from keras_faces.training import checkpoint

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor
NETS = ("encoder", "generator", "discriminator", "classifier")


@pytest.fixture
def batch(photographs, labels_of):
    """Eight photographs and their labels."""
    return tensor(photographs[:8]), tensor(labels_of("cvae-gan", 8)[0])


def test_the_encoder_is_a_googlenet_with_two_heads():
    network = cvae_gan.encoder(5, 128, latent_dim=7, width=8)
    assert [tuple(head.shape) for head in network.outputs] == [(None, 7), (None, 7)]
    pooling = next(layer for layer in network.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D))
    assert pooling.input.shape[1:] == (4, 4, 128)  # section 4.3: 4×4 instead of 7×7; 1024 channels at width 64


def test_each_loss_reaches_its_own_networks_and_no_other(narrow, batch, values, moved):
    model = narrow("cvae-gan")
    images, labels = batch
    real = model.preprocess(images)
    fake = keras.ops.stop_gradient(model.reconstructed(real, labels, model.noise(8))[0])
    for step, mine in (
        (lambda: model.train_classifier(real, labels), ["classifier"]),
        (lambda: model.train_discriminator(real, fake, labels), ["discriminator"]),
        (lambda: model.train_generator(model.noise(8), real, labels), ["encoder", "generator"]),
    ):
        before = {name: values(getattr(model, name).variables) for name in NETS}
        numbers = step()
        flags = {name: moved(before[name], values(getattr(model, name).variables)) for name in NETS}
        assert [name for name in NETS if any(flags[name])] == mine
    terms = [float(numbers[name]) for name in ("pixel_loss", "gd_loss", "gc_loss", "kl_loss")]
    assert float(numbers["g_loss"]) == pytest.approx(np.dot([1, 1, 1, 3 / 8], terms), rel=1e-4)  # ξ₃ = 3 · 16 / 128
    with pytest.raises(ValueError, match="cvae_gan has 3 labels, the data have 2"):
        model.fit(to_numpy(images), np.eye(2, dtype="float32")[[0] * 8], batch_size=8, verbose=0)


def test_the_terms_are_those_of_eq_4_1_and_4_2(narrow, batch):
    model, twin = narrow("cvae-gan"), narrow("cvae-gan")
    images, labels = batch
    real = model.preprocess(images)
    chance = to_numpy(twin.noise(8))
    mean, log_variance = (to_numpy(part) for part in twin.posterior(real, labels, training=True))
    z = mean + chance * np.exp(log_variance / 2)
    fake = twin.generator([tensor(z), labels], training=True)
    numbers = model.train_generator(model.noise(8), real, labels)

    def half(one, other):
        return 0.5 * ((to_numpy(one) - to_numpy(other)) ** 2).reshape(8, -1).sum(1).mean()

    assert float(numbers["pixel_loss"]) == pytest.approx(half(real, fake), rel=1e-3)
    assert float(numbers["gd_loss"]) == pytest.approx(
        half(twin.d_features_of(real), twin.d_features_of(fake)), rel=1e-3
    )
    assert float(numbers["gc_loss"]) == pytest.approx(
        half(twin.c_features_of(real)[0], twin.c_features_of(fake)[0]), rel=1e-3
    )
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(1).mean()
    assert float(numbers["kl_loss"]) == pytest.approx(kl, rel=1e-3)


@pytest.mark.parametrize("left_out", ["pixel_weight", "d_weight", "c_weight"])
def test_a_weight_of_0_leaves_a_term_out(narrow, batch, left_out):
    """The ablation of section 4.3.2: another gradient, and a term that is not even computed."""
    model = narrow("cvae-gan", **{left_out: 0.0})
    real, fake = model.preprocess(batch[0]), model.generator([model.noise(8), batch[1]], training=False)
    terms = model.reconstruction_terms(real, fake)
    name = dict(zip(cvae_gan.WEIGHTS, terms, strict=False))[left_out]
    assert [key for key, term in terms.items() if float(term) == 0.0] == [name]
    assert model.get_config()[left_out] == 0.0


def test_without_any_term_there_is_nothing_to_learn(narrow):
    with pytest.raises(ValueError, match="nothing would tell G"):
        narrow("cvae-gan", pixel_weight=0, d_weight=0, c_weight=0)
    with pytest.raises(ValueError, match="d_weight=-1"):
        narrow("cvae-gan", d_weight=-1)


def test_codes_of_photographs_and_faces_of_codes(narrow, photographs, batch):
    model = narrow("cvae-gan")
    images, labels = photographs[:8], to_numpy(batch[1])
    codes = model.encode(images, labels)
    mean = to_numpy(model.posterior(model.preprocess(images), batch[1], training=False)[0])
    np.testing.assert_allclose(codes, mean, atol=1e-5)
    np.testing.assert_array_equal(model.reconstruct(images, labels), model.decode(codes, labels))
    named = model.named(images)  # without labels C says what is on them
    logits = to_numpy(model.classifier(model.preprocess(images), training=False))
    np.testing.assert_array_equal(named.argmax(1), logits.argmax(1))
    np.testing.assert_array_equal(model.encode(images), model.encode(images, named))
    np.testing.assert_array_equal(model.reconstruct(images), model.reconstruct(images, named))


def test_from_a_checkpoint_it_goes_on_bit_for_bit(narrow, batch, values, tmp_path, moved):
    model, again = (narrow("cvae-gan", classifier_first=0) for _ in range(2))
    model.step(*batch)
    checkpoint.save(tmp_path / "state.h5", model, epoch=1, iteration=1)
    checkpoint.load(tmp_path / "state.h5", again)
    ends = []
    for each in (model, again):
        each.on_iteration(each.step_count())
        each.step(*batch)
        ends.append(values([*each.variables, *each.optimizer.variables]))
    assert not any(moved(*ends))


def test_faces_of_codes_are_measured_with_the_codes_of_the_training(narrow, batch, photographs):
    model = narrow("cvae-gan", classifier_first=0)
    model.on_iteration(0)
    model.step(*batch)
    bank = to_numpy(model.code_bank.value)
    np.testing.assert_array_equal(bank[:8, 5:], to_numpy(batch[1]))
    first = bank[:8].copy()
    model.step(*batch)
    np.testing.assert_array_equal(to_numpy(model.code_bank.value)[8:16], first)
    codes, sampled = model.decode(np.zeros((2, 5)), "Male"), model.sample(2, seed=1)
    model.code_bank.assign(3.0 * model.code_bank)
    assert (model.decode(np.zeros((2, 5)), "Male") != codes).any()
    np.testing.assert_array_equal(model.sample(2, seed=1), sampled)
    with pytest.raises(ValueError, match="codes of shape"):
        model.decode(np.zeros((2, 4)), "Male")


def test_faces_of_noise_may_join(narrow, batch, values):
    """D sees twice as many fakes, and G's centres are compared as fm-cgan's are; by default there are none."""
    model = narrow("cvae-gan", classifier_first=0, sample_weight=2.0)
    model.on_iteration(0)
    numbers = {name: float(value) for name, value in model.step(*batch).items()}
    apart = [
        0.5 * ((to_numpy(one.means) - to_numpy(other.means)) ** 2).sum()
        for one, other in zip([model.d_real, *model.c_real], [model.d_fake, *model.c_fake], strict=True)
    ]
    assert numbers["sample_loss"] == pytest.approx(sum(apart), rel=1e-3)
    terms = [numbers[name] for name in ("pixel_loss", "gd_loss", "gc_loss", "kl_loss", "sample_loss")]
    assert numbers["g_loss"] == pytest.approx(np.dot([1, 1, 1, 3 / 8, 2], terms), rel=1e-4)
    assert not hasattr(narrow("cvae-gan"), "d_real")
