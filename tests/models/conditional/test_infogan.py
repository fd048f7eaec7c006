"""InfoGAN: the bound on hand-made numbers, who learns, what a code is made of, and resuming."""

import numpy as np
import pytest
from keras import ops

import keras_faces as kf
from keras_faces.models.conditional.infogan import LOWEST_LOG_VARIANCE, code_entropy, code_log_likelihood
from keras_faces.training.sampling import latent_noise

OPTIONS = {"latent_dim": 5, "width": 4, "categories": (3, 2), "continuous_dim": 2}


def infogan(**options):
    return kf.models.build("infogan", image_size=16, **{"seed": 3, **OPTIONS, **options})


def test_the_likelihood_is_that_of_numpy():
    categories, n = (3, 2), 2
    random = np.random.default_rng(0)
    said = random.normal(size=(4, 5 + 2 * n)).astype("float32")
    code = np.zeros((4, 5 + n), "float32")
    code[np.arange(4), [0, 2, 1, 2]] = 1
    code[np.arange(4), 3 + np.array([0, 1, 1, 0])] = 1
    code[:, 5:] = random.uniform(-1, 1, (4, n))

    def softmax(logits):
        return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    first = np.log(softmax(said[:, :3])[np.arange(4), [0, 2, 1, 2]])
    second = np.log(softmax(said[:, 3:5])[np.arange(4), [0, 1, 1, 0]])
    variance = np.exp(LOWEST_LOG_VARIANCE / (1 + np.exp(-said[:, 7:])))
    density = np.exp(-((code[:, 5:] - said[:, 5:7]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    of_categories, of_numbers = code_log_likelihood(said, code, categories)
    np.testing.assert_allclose(of_categories, (first + second).mean(), rtol=1e-5)
    np.testing.assert_allclose(of_numbers, np.log(density).sum(1).mean(), rtol=1e-5)


def test_a_bound_never_says_more_than_the_code_holds():
    """Q that is sure and right of a category: L_I = H. Q that knows nothing: L_I = 0."""
    code = np.eye(4, dtype="float32")
    right, _ = code_log_likelihood(50 * code, code, (4,))
    nothing, _ = code_log_likelihood(np.zeros((4, 4), "float32"), code, (4,))
    entropy = code_entropy((4,), 0)
    np.testing.assert_allclose([right + entropy, nothing + entropy], [np.log(4), 0], atol=1e-6)
    numbers = np.random.default_rng(0).uniform(-1, 1, (5000, 1)).astype("float32")
    for t in (-1.0, 0.0):  # the best that a normal distribution that does not look can do
        blind = np.concatenate([0 * numbers, 0 * numbers + t], axis=1)
        assert code_log_likelihood(blind, numbers, ())[1] + code_entropy((), 1) < 0


def test_codes_are_made_of_normal_draws():
    model = infogan()
    normal = latent_noise(4000, model.latent_dim, seed=1)
    vector = np.array(model.vector(normal))
    assert model.latent_dim == 5 + 3 + 2 + 2 and vector.shape == normal.shape
    np.testing.assert_array_equal(vector[:, :5], normal[:, :5])
    np.testing.assert_array_equal(vector[:, 5:8].argmax(1), normal[:, 5:8].argmax(1))
    np.testing.assert_array_equal(vector[:, 5:8].sum(1), 1)
    np.testing.assert_allclose(vector[:, 5:10].mean(0), [1 / 3] * 3 + [1 / 2] * 2, atol=0.03)
    numbers = vector[:, 10:]
    assert np.abs(numbers).max() <= 1
    np.testing.assert_allclose(np.quantile(numbers, [0.25, 0.5, 0.75], axis=0)[:, 0], [-0.5, 0, 0.5], atol=0.06)
    drawn = np.array(model.noise(6))
    np.testing.assert_array_equal(drawn[:, 5:10].sum(1), 2)


def test_d_and_q_learn_together_then_g_through_both(photographs, values, moved):
    model = infogan()
    real, vector = model.preprocess(photographs[:8]), model.noise(8)
    fake = ops.stop_gradient(model.generator(vector, training=False))
    learning = [*model.discriminator.trainable_variables, *model.recogniser.trainable_variables]
    before, g_before = values(learning), values(model.generator.variables)
    for _ in range(2):
        model.train_discriminator(real, fake, vector[:, 5:])
    flags = moved(before, values(learning))
    del flags[len(model.discriminator.trainable_variables) - 1]  # the hinge: D's last bias may cancel
    assert all(flags)
    assert not any(moved(g_before, values(model.generator.variables)))

    standing = [*model.discriminator.variables, *model.recogniser.variables]
    before, g_before = values(standing), values(model.generator.trainable_variables)
    for _ in range(2):
        numbers = model.train_generator(model.noise(8))
    assert not any(moved(before, values(standing)))
    assert all(moved(g_before, values(model.generator.trainable_variables)))
    assert np.isfinite(float(numbers["info_loss"]))


def test_without_the_adversary_the_bound_rises(photographs):
    """G and Q alone, by a large λ: after some steps Q names the codes of fresh fakes."""
    model = infogan(
        categories=(2,), continuous_dim=1, category_weight=20.0, continuous_weight=20.0, veil=0.1, g_learning_rate=5e-3
    )
    history = model.fit(photographs.repeat(4, axis=0), batch_size=16, epochs=4, verbose=0).history["info_loss"]
    assert history[-1] < history[0] - 0.3
    assert -history[-1] < np.log(2) + 1.3  # log 2, and what a variance of e⁻³ allows


def test_the_numbers_of_a_step_and_a_copy_from_its_configuration(photographs):
    model = infogan()
    assert set(model.step(photographs[:16])) == set(model.METRICS)
    again = type(model).from_config(model.get_config())
    assert again.categories == (3, 2) and again.continuous_dim == 2 and again.latent_dim == model.latent_dim
    learning = [variable.shape for variable in model.d_weights()]
    assert [variable.shape for variable in again.d_weights()] == learning


def test_resumed_it_is_bit_for_bit_the_same(photographs, tmp_path, eager):
    from keras_faces.training import checkpoint

    def batches(epoch=0):
        found = kf.data.Faces(photographs).batches(8, seed=1)
        found.epoch = epoch
        return found

    whole, first, second = infogan(), infogan(), infogan(seed=8)
    whole.fit(batches(), epochs=2, verbose=0)
    first.fit(batches(), epochs=1, verbose=0)
    first.synchronise()
    checkpoint.save(tmp_path / "c.h5", first, epoch=1, iteration=6)
    checkpoint.load(tmp_path / "c.h5", second)
    second.fit(batches(1), initial_epoch=1, epochs=2, verbose=0)
    whole.synchronise()
    second.synchronise()
    for one, other in zip(whole.variables, second.variables, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(one.value), ops.convert_to_numpy(other.value), one.path)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"categories": (1,)}, "2 values a category"),
        ({"categories": (), "continuous_dim": 0}, "one code at least"),
        ({"continuous_dim": -1}, "continuous_dim=-1"),
        ({"continuous_weight": -0.1}, "continuous_weight=-0.1"),
        ({"veil": -1.0}, "veil=-1.0"),
        ({"r1": 1.0}, "infogan has no such option.*r1"),
    ],
)
def test_what_cannot_be_built_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        infogan(**options)


def test_numbers_alone_and_one_category_alone(photographs):
    for options in ({"categories": ()}, {"categories": 4, "continuous_dim": 0}):
        assert np.isfinite(float(infogan(**options).step(photographs[:8])["info_loss"]))
