"""stackgan: which weights move in which stage, its losses by hand, and a training stopped between the stages."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.cli import main as cli
from keras_faces.data import Faces
from keras_faces.data.batches import Batches
from keras_faces.data.labels import Labels
from keras_faces.models.conditional import stackgan
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run
from keras_faces.training import checkpoint

NAMES = ("Smiling", "Male", "Eyeglasses")
LABELS = (np.arange(48)[:, None] >> np.arange(3) & 1).astype("float32")
OPTIONS = {"width": 4, "latent_dim": 5, "components": 3, "text_dim": 16, "text_iterations": 2, "average": 0.9}
read = keras.ops.convert_to_numpy


def build(**options):
    return kf.models.build("stackgan", 16, 3, label_names=NAMES, label_kind="attributes", **{**OPTIONS, **options})


def batch(model, photographs, count=8):
    """What a step needs: photographs of the stage's side, φ_t of right and of wrong sentences, noise."""
    sentences = model.sentences(count, LABELS[:count])
    right = keras.ops.convert_to_tensor(model.text_encoder.embed(sentences))
    wrong = keras.ops.roll(right, 1, axis=0)
    return model.shrunk(model.preprocess(photographs[:count])), right, wrong


def test_both_stages_in_shapes():
    model = build()
    assert model.stages.first.output_shape[0] == (None, 8, 8, 3)
    assert model.stages.second.output_shape[0] == (None, 16, 16, 3)
    assert model.latent_dim == 5 + 2 * 3  # z, and ε of either stage
    assert model.sample(2).shape == (2, 16, 16, 3) and model.sample(2, stage=1).shape == (2, 8, 8, 3)
    large = stackgan.generator(128, 32, 16, 5, 3, width=2, blocks=1)
    assert large.output_shape == (None, 128, 128, 3)
    stage_two, first = (stackgan.discriminator(side, 16, 2, 4, "d") for side in (128, 32))
    assert stage_two.output_shape == first.output_shape == (None, 1)
    with pytest.raises(ValueError, match="1, or None"):
        model.sample(1, stage=2)


@pytest.mark.parametrize("stage", [1, 2])
def test_in_its_stage_a_pair_learns_and_all_else_stands_still(photographs, values, stage, moved):
    model = build()
    model.stage = stage
    first, second = model.stages.first, model.stages.second
    mine, others = (model.first_discriminator, model.discriminator)[:: 1 if stage == 1 else -1]
    g_mine, g_others = (first, second)[:: 1 if stage == 1 else -1]
    real, right, wrong = batch(model, photographs)
    fake = keras.ops.stop_gradient(model.draw(model.noise(8), right)[0])
    assert fake.shape == real.shape

    watched = (mine.trainable_variables, others.variables, model.generator.trainable_variables)
    before = [values(variables) for variables in watched]
    for _ in range(2):
        model.train_discriminator(real, fake, right, wrong)
    flags = [moved(old, values(variables)) for old, variables in zip(before, watched, strict=True)]
    assert all(flags[0]) and not any(flags[1] + flags[2])

    d_all = model.first_discriminator.variables + model.discriminator.variables
    watched = (g_mine.trainable_variables, g_others.variables, d_all, model.text_encoder.variables)
    before = [values(variables) for variables in watched]
    for _ in range(2):
        numbers = model.train_generator(model.noise(8), right)
    flags = [moved(old, values(variables)) for old, variables in zip(before, watched, strict=True)]
    assert all(flags[0]) and not any(flags[1] + flags[2] + flags[3])  # also stage I's moving averages in stage II
    assert set(numbers) == {"g_loss", "kl", "g_gradient"} and float(numbers["kl"]) > 0


def test_the_matching_aware_loss_by_hand():
    model = build()
    right, wrong, fake = (np.array([[a], [b]], "float32") for a, b in ((2.0, -1.0), (0.5, 0.0), (-3.0, 1.0)))
    log = np.log
    sigmoid = lambda t: 1 / (1 + np.exp(-t))  # noqa: E731
    expected = -0.5 * log(sigmoid(right)) - 0.25 * log(1 - sigmoid(wrong)) - 0.25 * log(1 - sigmoid(fake))
    np.testing.assert_allclose(read(model.matching_aware_loss(right, wrong, fake)), expected.mean(), rtol=1e-5)


def test_g_pays_for_the_kl(photographs):
    """The same step with another λ: the loss differs by the mean of the KL's components times the difference."""
    losses = []
    for weight in (0.0, 5.0):
        model = build(kl_weight=weight)
        _, right, _ = batch(model, photographs)
        numbers = model.train_generator(model.noise(8), right)
        losses.append((float(read(numbers["g_loss"])), float(read(numbers["kl"]))))
    (without, kl), (paid, same) = losses
    assert kl == pytest.approx(same, rel=1e-5) and kl > 0
    assert paid - without == pytest.approx(5.0 * kl / 3, rel=1e-3)


def test_d_reads_the_sentence():
    for network, side in ((build().discriminator, 16), (build().first_discriminator, 8)):
        image = np.zeros((2, side, side, 3), "float32")
        text = np.random.default_rng(0).standard_normal((2, 16)).astype("float32")
        first, second = read(network([image, text]))
        assert first != second


def test_the_picture_is_the_sketch_until_stage_two(photographs, eager):
    model = build(first_iterations=2)
    model.fit(photographs[:16], LABELS[:16], batch_size=8, epochs=1, verbose=0)
    assert model.stage == 1
    sketch, picture = model.sample(3, stage=1), model.sample(3)
    np.testing.assert_array_equal(sketch.repeat(2, axis=1).repeat(2, axis=2), picture)
    learnt = read(model.text_encoder.text.trainable_variables[0])
    sketches_before = model.sample(3, stage=1)
    model.fit(photographs[:16], LABELS[:16], batch_size=8, epochs=1, verbose=0)
    assert model.stage == 2 and model.step_count() == 4
    assert (model.sample(3) != picture).any()
    assert np.abs(model.sample(3, stage=1).astype(int) - sketches_before).max() < 30  # only its average went on
    np.testing.assert_array_equal(read(model.text_encoder.text.trainable_variables[0]), learnt)  # it learns once


def test_d_steps_take_photographs_of_their_own(photographs, eager):
    model = build(d_steps=2)
    numbers = model.fit(photographs[:32], LABELS[:32], batch_size=16, verbose=0).history
    assert set(numbers) == set(model.METRICS) and np.isfinite(list(numbers.values())).all()


def test_stopped_in_stage_one_and_resumed_it_is_bit_for_bit_the_same(tmp_path, photographs, eager):
    def train(model, first, last):
        batches = Batches(photographs[:24], 8, 5, LABELS[:24])  # three iterations an epoch
        batches.epoch = first
        model.fit(batches, initial_epoch=first, epochs=last, verbose=0)
        return model

    whole = train(build(first_iterations=4), 0, 2)
    stopped = train(build(first_iterations=4), 0, 1)
    assert stopped.stage == 1
    checkpoint.save(tmp_path / "checkpoint.h5", stopped, 1, 3)
    resumed = build(first_iterations=4)
    checkpoint.load(tmp_path / "checkpoint.h5", resumed)
    train(resumed, 1, 2)
    assert resumed.stage == whole.stage == 2
    pairs = [(resumed.variables, whole.variables), (resumed.optimizer.variables, whole.optimizer.variables)]
    for ours, theirs in (pair for lists in pairs for pair in zip(*lists, strict=True)):
        np.testing.assert_array_equal(read(ours.value), read(theirs.value), err_msg=ours.path)


def test_the_run_folder_alone_answers_a_sentence(photographs, tmp_path, capsys, eager):
    whole = tmp_path / "run"
    faces = Faces(photographs[:16], labels=Labels("attributes", NAMES, LABELS[:16]))
    options = {**OPTIONS, "first_iterations": 1}
    asked = RunConfig("stackgan", image_size=16, epochs=1, batch_size=8, seed=5, options=options)
    asked.label_names, asked.label_kind = list(NAMES), "attributes"
    train_run(RunFolder(whole), asked, faces)
    out = tmp_path / "faces.png"
    cli.main(["sample", str(whole), "--text", "a smiling woman without glasses", "--count", "4", "--out", str(out)])
    told = capsys.readouterr().out
    assert "a smiling woman without glasses: Smiling, !Male, !Eyeglasses." in told
    assert out.exists() and (tmp_path / "faces-stages.png").exists()
    model = keras.saving.load_model(whole / "model.keras")
    wanted = kf.plots.untile(kf.plots.read_picture(out), 16)
    assert np.abs(model.sample(4, text="a smiling woman without glasses").astype(int) - wanted).max() <= 1
    two = ["--text", "a smiling woman without glasses", "--text", "一位微笑的女子"]
    assert cli.main(["sample", str(whole), *two, "--count", "4", "--out", str(out)]) == 0
    rows = kf.plots.untile(kf.plots.read_picture(out), 16)
    np.testing.assert_array_equal(rows[:4], wanted)
    assert np.abs(model.sample(4, text="一位微笑的女子").astype(int) - rows[4:]).max() <= 1
    assert "8 faces" in capsys.readouterr().out
    assert cli.main(["sample", str(whole), "--text", "a smilling woman"]) != 0
    assert "did you mean smiling" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, message",
    [
        ({"image_size": 48}, "powers of two"),
        ({"side": 16}, "powers of two"),
        ({"label_kind": "classes"}, "name two or more"),
        ({"label_names": ["Smiling", "Tired"]}, "nothing can be said of Tired"),
        ({"first_iterations": -1}, "first_iterations=-1"),
        ({"text_iterations": 0}, "text_iterations=0"),
        ({"r1": 1.0}, "stackgan has no such option.*r1"),
        ({"languages": "french"}, "choose from english, chinese"),
    ],
)
def test_what_cannot_be_built_is_told(options, message):
    asked = {"image_size": 16, "label_names": NAMES, "label_kind": "attributes", **OPTIONS, **options}
    with pytest.raises(ValueError, match=message):
        kf.models.build("stackgan", **asked)
