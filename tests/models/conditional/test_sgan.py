"""SGAN: its losses on hand-made numbers, who learns, faces without labels, and what it says of photographs."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_faces as kf
from keras_faces.data.labels import Labels
from keras_faces.models.conditional import sgan
from keras_faces.training import checkpoint

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.3, -0.2], [-1.5, 1.0, 3.0], [0.1, 0.2, 0.4]], "float32")
FAKES = np.array([[0.2, 0.1, 1.0], [-1.0, 0.0, 0.0], [3.0, 0.0, -1.0], [0.0, 0.0, 0.0]], "float32")
LABELS = np.array([[0, 1], [0, 0], [1, 0], [0, 0]], "float32")


def system(**options):
    return kf.models.build("sgan", 16, **{"seed": 3, "latent_dim": 5, "width": 4, "label_names": ["a", "b"], **options})


@pytest.fixture
def faces(photographs):
    """The 48 pictures in two classes: every second one is bright."""
    bright = np.arange(len(photographs)) % 2
    images = (photographs // 2 + 127 * bright[:, None, None, None]).astype("uint8")
    return kf.data.Faces(images, labels=Labels("classes", ("a", "b"), np.eye(2, dtype="float32")[bright]))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_the_supervised_loss_leaves_the_fake_class_out():
    given_real = softmax(LOGITS[:, :2])
    wanted = -(np.log(given_real[0, 1]) + np.log(given_real[2, 0])) / 2
    np.testing.assert_allclose(sgan.supervised_loss(LOGITS, LABELS), wanted, rtol=1e-5)
    changed = LOGITS + np.array([0, 0, 7.0], "float32")
    np.testing.assert_allclose(sgan.supervised_loss(changed, LABELS), wanted, rtol=1e-5)
    assert float(sgan.supervised_loss(LOGITS, 0 * LABELS)) == 0


def test_the_unsupervised_loss_is_that_of_the_fake_class():
    """Eq. 5-12, over the photographs without a label; over all where each has one."""
    real, fake = softmax(LOGITS)[:, 2], softmax(FAKES)[:, 2]
    weights = sgan.counts_as_unlabelled(LABELS)
    np.testing.assert_array_equal(np.array(weights)[:, 0], [0, 1, 0, 1])
    wanted = -(np.log(1 - real[[1, 3]]).mean() + np.log(fake).mean())
    np.testing.assert_allclose(sgan.unsupervised_loss(LOGITS, FAKES, weights), wanted, rtol=1e-5)
    everyone = sgan.counts_as_unlabelled(np.eye(2, dtype="float32")[[0, 1, 1, 0]])
    wanted = -(np.log(1 - real).mean() + np.log(fake).mean())
    np.testing.assert_allclose(sgan.unsupervised_loss(LOGITS, FAKES, everyone), wanted, rtol=1e-5)


def test_a_sure_d_meets_no_infinity():
    sure = np.array([[200.0, 0.0, -200.0]], "float32")
    one = np.ones((1, 1), "float32")
    assert float(sgan.unsupervised_loss(sure, -sure, one)) < 1e-6
    np.testing.assert_allclose(sgan.unsupervised_loss(-sure, sure, one), 200 + 400, rtol=1e-5)


def test_the_real_logit_is_the_logit_of_not_being_fake():
    real = 1 - softmax(LOGITS)[:, 2:]
    np.testing.assert_allclose(sgan.real_logit(LOGITS), np.log(real / (1 - real)), rtol=1e-4, atol=1e-6)


def test_feature_matching_is_a_distance_of_means_not_a_mean_of_distances():
    real = np.array([[0.0, 2.0], [4.0, 0.0], [9.0, 9.0]], "float32")
    fake = np.array([[1.0, 1.0], [2.0, 3.0]], "float32")
    weights = np.array([[1.0], [1.0], [0.0]], "float32")
    np.testing.assert_allclose(sgan.feature_matching(real, fake, weights), (2 - 1.5) ** 2 + (1 - 2) ** 2)
    assert float(sgan.feature_matching(real[:2], real[1::-1], weights[:2])) == 0


@pytest.mark.parametrize("learns", sgan.GENERATOR_LEARNS)
def test_d_learns_while_g_stands_still_and_the_other_way_round(faces, values, learns):
    model = system(generator_learns=learns)
    real, labels = (
        model.preprocess(faces.images[:8]),
        faces.labels.vectors[:8] * (np.arange(8, dtype="float32") % 2)[:, None],
    )
    fake = ops.stop_gradient(model.generator(model.noise(8), training=False))
    before, g_before = values(model.discriminator.trainable_variables), values(model.generator.variables)
    for _ in range(2):
        model.train_discriminator(real, fake, ops.convert_to_tensor(labels))
    after = values(model.discriminator.trainable_variables)
    assert all((old != new).any() for old, new in zip(before, after, strict=True))
    for old, new in zip(g_before, values(model.generator.variables), strict=True):
        np.testing.assert_array_equal(old, new)

    before, g_before = values(model.discriminator.variables), values(model.generator.trainable_variables)
    for _ in range(2):
        model.train_generator(model.noise(8), real, ops.convert_to_tensor(labels))
    for old, new in zip(before, values(model.discriminator.variables), strict=True):
        np.testing.assert_array_equal(old, new)
    after = values(model.generator.trainable_variables)
    assert all((old != new).any() for old, new in zip(g_before, after, strict=True))


def test_from_six_labels_it_learns_a_plain_difference_and_saves_it(faces, tmp_path):
    few = faces.with_labels_of(6, seed=1)
    model = system(d_learning_rate=2e-3, dropout=0.0)
    history = model.fit(few.batches(16, seed=1), epochs=8, verbose=0).history
    assert set(history) == set(model.METRICS) and all(np.isfinite(value).all() for value in history.values())
    said = model.classify(faces.images)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    assert (said.argmax(axis=1) == faces.labels.class_ids).mean() > 0.9

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.sample(3), model.sample(3))
    np.testing.assert_array_equal(again.classify(faces.images[:5]), model.classify(faces.images[:5]))


def test_resumed_in_the_middle_of_an_epoch_it_is_bit_for_bit_the_same(faces, tmp_path, eager):
    def batches(epoch=0, start=0):
        found = faces.with_labels_of(6, seed=1).batches(16, seed=1)
        found.epoch, found.start = epoch, start
        return found

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                raise KeyboardInterrupt

    whole, first, second = system(), system(), system(seed=8)
    whole.fit(batches(), epochs=1, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        first.fit(batches(), epochs=1, verbose=0, callbacks=[Stop()])
    first.synchronise()
    checkpoint.save(tmp_path / "c.h5", first, epoch=1, iteration=4)
    checkpoint.load(tmp_path / "c.h5", second)
    second.fit(batches(start=4), epochs=1, verbose=0)
    for model in (whole, second):
        model.synchronise()
    for one, other in zip(whole.variables, second.variables, strict=True):
        if "mean" not in one.path:  # the epoch's means of the numbers, not state
            np.testing.assert_array_equal(ops.convert_to_numpy(one.value), ops.convert_to_numpy(other.value), one.path)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"label_kind": "attributes"}, "not 2 attributes"),
        ({"label_names": ["a"]}, "not 1 classes"),
        ({"generator_learns": "nothing"}, "features, adversarial"),
        ({"loss": "hinge"}, "sgan has no such option.*loss"),
        ({"r1": 1.0}, "sgan has no such option.*r1"),
    ],
)
def test_what_cannot_be_built_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        system(**options)


def test_data_that_do_not_fit_are_told(faces, photographs):
    with pytest.raises(ValueError, match="learns from labels"):
        system().fit(photographs[:16], batch_size=16, verbose=0)
    with pytest.raises(ValueError, match="3 classes, the data have 2"):
        system(label_names=["a", "b", "c"]).fit(faces.batches(16), verbose=0)


def test_labels_can_be_hidden_of_this_system_only(tmp_path):
    from keras_faces.runs.folder import RunConfig

    asked = {"image_size": 16, "count": 60, "labels": "Male", "keep_labels": 6}
    faces = RunConfig("sgan", **asked).faces()
    assert faces.labels.partial and faces.labels.counts() == {"not Male": 3, "Male": 3}
    with pytest.raises(ValueError, match="cgan needs a label for each face; .* sgan"):
        RunConfig("cgan", **asked).faces()
