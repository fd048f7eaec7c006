"""What conditional systems share: labels beside their photographs, labels by name, and a run that keeps them."""

import h5py
import keras
import numpy as np
import pandas
import pytest

from keras_faces.data import Faces
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run
from keras_faces.training import losses
from keras_faces.training.conditional import BANK
from keras_faces.training.gradients import input_gradients

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor
SYSTEMS = ("cgan", "acgan")


def painted(faces):
    """The labels that the painter's faces show."""
    assert (faces == faces[:, :1, :1]).all()
    return (faces[:, 0, 0] / 255.0).tolist()


# ------------------------------------------------------------------------------------------------- the step


def test_every_photograph_comes_with_its_own_label_and_fakes_are_asked_for_the_same(narrow, photographs, labels_of):
    model, twin = narrow("cgan", d_steps=2), narrow("cgan", d_steps=2)
    rows = labels_of("cgan", 16)[0][::-1].copy()
    seen, improve = [], model.train_discriminator
    model.train_discriminator = lambda *given: seen.append([to_numpy(part) for part in given]) or improve(*given)
    model.step(photographs[:16], rows)
    assert len(seen) == 2
    for k, (real, fake, labels) in enumerate(seen):
        part = slice(8 * k, 8 * k + 8)
        np.testing.assert_allclose(real, to_numpy(twin.preprocess(photographs[part])), atol=1e-6)
        np.testing.assert_array_equal(labels, rows[part])
        wanted = twin.generator([twin.noise(8), tensor(rows[part])], training=True)
        np.testing.assert_allclose(fake, to_numpy(wanted), atol=1e-5)


def test_the_bank_holds_the_latest_labels(narrow, photographs, labels_of):
    model = narrow("cgan")
    before = to_numpy(model.label_bank.value)
    np.testing.assert_array_equal(before, model.patterns(BANK))
    first, second = np.array([[1, 1, 0]] * 8, "float32"), np.array([[0, 1, 1]] * 8, "float32")
    model.step(photographs[:8], first)
    model.step(photographs[8:16], second.astype("uint8"))
    bank = to_numpy(model.label_bank.value)
    np.testing.assert_array_equal(bank, np.concatenate([second, first, before])[:BANK])
    noise, labels = model.typical_inputs(300)  # what BatchNormalization's statistics are measured with
    assert noise.shape == (300, 5)
    np.testing.assert_array_equal(labels, np.concatenate([bank, bank])[:300])


def test_without_labels_or_with_others_it_does_not_learn(narrow, photographs):
    with pytest.raises(ValueError, match="cgan learns from labels"):
        narrow("cgan").fit(photographs[:8], batch_size=8, verbose=0)
    with pytest.raises(ValueError, match="cgan has 3 labels, the data have 4"):
        narrow("cgan").fit(photographs[:8], np.eye(8, 4), batch_size=8, verbose=0)
    with pytest.raises(ValueError, match="label_kind='colours': choose from classes, attributes"):
        narrow("cgan", label_kind="colours")


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_gradient_penalty_is_that_of_the_score_with_its_labels(narrow, photographs, labels_of, name):
    rule = {"loss": "wgan-gp", "r1": 3.0}
    model, plain = narrow(name, **rule), narrow(name, loss="wgan-gp", gradient_penalty=0.0)
    real, fake = model.preprocess(photographs[:8]), model.preprocess(photographs[8:16])
    labels = tensor(labels_of(name, 8)[0])
    share = to_numpy(narrow(name, **rule).random(keras.random.uniform, 8, 1, 1, 1))
    assert share.shape == (8, 1, 1, 1) and len(np.unique(share)) == 8
    others = [labels] if len(model.d_logits.inputs) > 1 else []
    penalty = losses.gradient_penalty(input_gradients(plain.d_logits, losses.between(real, fake, share), *others))
    at_photographs = losses.r1_penalty(input_gradients(plain.d_logits, real, *others))
    difference = float(model.train_discriminator(real, fake, labels)["d_loss"]) - float(
        plain.train_discriminator(real, fake, labels)["d_loss"]
    )
    assert difference == pytest.approx(10 * float(penalty) + 3 * float(at_photographs), rel=1e-3)


@pytest.mark.parametrize("name", SYSTEMS)
def test_weights_are_clipped(narrow, photographs, labels_of, values, name):
    model = narrow(name, clip=0.02)
    labels = tensor(labels_of(name, 8)[0])
    model.train_discriminator(model.preprocess(photographs[:8]), model.preprocess(photographs[8:16]), labels)
    assert max(np.abs(value).max() for value in values(model.discriminator.trainable_variables)) == np.float32(0.02)


# ------------------------------------------------------------------------------------------ labels by name


@pytest.mark.parametrize(
    "labels, wanted",
    [
        ("Smiling", [[1, 0, 0]] * 2),
        (" male , eyeglasses", [[0, 1, 1]] * 2),
        ("Smiling, Male, !Male", [[1, 0, 0]] * 2),
        ("-Smiling", [[0, 0, 0]] * 2),
        ("", [[0, 0, 0]] * 2),
        (["Male", "!Male, Smiling"], [[0, 1, 0], [1, 0, 0]]),
        (np.array([1, 0, 1]), [[1, 0, 1]] * 2),
        ([[0, 0.4, 1], [1, 0, 0]], [[0, 0.4, 1], [1, 0, 0]]),
    ],
)
def test_labels_are_asked_for_in_words_or_numbers(painter, labels, wanted):
    np.testing.assert_allclose(painted(painter().sample(2, labels=labels)), wanted, atol=1e-6)


def test_a_class_is_asked_for_by_its_name(painter):
    model = painter("classes")
    assert painted(model.sample(2, labels="male")) == [[0, 1, 0]] * 2
    for wrong in ("Male, Smiling", "", "!Male"):
        with pytest.raises(ValueError, match="name one class of Smiling, Male, Eyeglasses"):
            model.sample(2, labels=wrong)
    model.label_names = ("Rome, Italy", "Male", "Rome")
    assert painted(model.sample(1, labels="Rome, Italy")) == [[1, 0, 0]]


@pytest.mark.parametrize(
    "labels, message",
    [
        ("Smilng", "knows no label 'Smilng'. Did you mean Smiling?"),
        ("Smiling, !Mal", "Did you mean Male?"),
        ("Xyz", "Did you mean Smiling or Male or Eyeglasses?"),
        (["Male"], "labels of shape \\(1, 3\\) for 2 faces and 3 labels"),
        (np.zeros((2, 4)), "labels of shape \\(2, 4\\)"),
    ],
)
def test_wrong_labels_are_told(painter, labels, message):
    with pytest.raises(ValueError, match=message):
        painter().sample(2, labels=labels)


def test_where_nothing_is_asked_for(painter):
    model = painter()
    noise = np.zeros((6, 5), "float32")
    each = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert painted(model.render(noise)) == [*each, [0, 0, 0], *each[:2]]  # alone, then none of them
    assert painted(painter("classes").render(noise)) == each * 2
    model.remember(np.array([[1, 1, 0]] * 3))
    assert painted(model.sample(4)) == [[1, 1, 0]] * 3 + [[1, 0, 0]]  # as the latest photographs had them


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_same_seed_is_the_same_face_whatever_the_count(narrow, name):
    model = narrow(name)
    many, few = model.sample(9, seed=4, labels="Male"), model.sample(2, seed=4, labels="Male")
    assert np.abs(many[:2].astype(int) - few).max() <= 1
    assert (model.sample(2, seed=4, labels="Smiling") != few).any()


# ------------------------------------------------------------------------------------------------------ runs


@pytest.fixture
def labelled(photographs):
    """48 pictures with a table: the first half is smiling, every other one is male, every third wears glasses."""
    number = np.arange(48)
    table = {"Smiling": number < 24, "Male": number % 2 == 0, "Eyeglasses": number % 3 == 0}
    return Faces(photographs, attributes=pandas.DataFrame({name: np.where(has, 1, -1) for name, has in table.items()}))


class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.generator_iterations() == 4:
            raise KeyboardInterrupt


def config(name, labels):
    options = {"latent_dim": 5, "width": 4}
    asked = {"epochs": 2, "batch_size": 16, "sample_every": 2, "checkpoint_every": 2, "image_size": 16, "seed": 5}
    return RunConfig(
        name, options=options, labels="given", label_names=list(labels.names), label_kind=labels.kind, **asked
    )


@pytest.mark.parametrize("name, spec", [("cgan", "Smiling, Male, Eyeglasses"), ("acgan", "Male")])
def test_a_resumed_run_has_the_same_weights_and_labels_bit_for_bit(tmp_path, labelled, name, spec, eager):
    faces = labelled.labelled(spec)
    whole, stopped = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "stopped")
    train_run(whole, config(name, faces.labels), faces)
    with pytest.raises(KeyboardInterrupt):
        train_run(stopped, config(name, faces.labels), faces, callbacks=[Stop()])
    train_run(stopped, stopped.read(), faces, resume=True)
    with h5py.File(whole.checkpoint) as first, h5py.File(stopped.checkpoint) as second:
        names = [f"{group}/{key}" for group in first for key in first[group]]
        assert len(names) > 30
        for key in names:
            np.testing.assert_array_equal(first[key][()], second[key][()], err_msg=key)
    for grid in whole.samples.glob("*.png"):
        assert grid.read_bytes() == (stopped.samples / grid.name).read_bytes()
    log = pandas.read_csv(stopped.log)
    assert log["step"].tolist() == [3, 6] and log[list(stopped.read().build().METRICS)].notna().all(axis=None)
