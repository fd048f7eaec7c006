"""PGGAN: what a network was before it grew it still is at α = 0, and each stage trains its own weights only."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.data import Faces
from keras_faces.models.gans.pggan import sides
from keras_faces.runs.folder import RunConfig, RunFolder
from keras_faces.runs.train import train_run

to_numpy = keras.ops.convert_to_numpy
QUICK = {"fade_iterations": 5, "steady_iterations": 2}  # 4×4: 0, 1; 8×8: fading 2 to 6, then 7, 8; 16×16: from 9


@pytest.fixture(scope="module")
def pggan(narrow, values):
    """``pggan(iteration)``: the system as it is at the beginning of an iteration, a little trained by then.

    It is built once for all tests with the same options, and brought back to its first state.
    """
    made = {}

    def first(options):
        model = narrow("pggan", **(QUICK | options))
        noise = np.random.default_rng(1)
        for weight in model.trainable_variables:  # biases that are not 0, unlike at the start
            weight.assign(weight + 0.1 * noise.normal(size=weight.shape))
        state = [*model.variables, *model.optimizer.variables]
        return model, list(zip(state, values(state), strict=True))

    def build(iteration=0, **options):
        key = str(options)
        made[key] = model, state = made.get(key) or first(options)
        for variable, value in state:
            variable.assign(value)
        model.steps.assign(iteration)
        model.on_iteration(iteration)
        model.fade()
        return model

    return build


def images(model, count=8, seed=0):
    side = model.stage.side
    return np.random.default_rng(seed).uniform(-1, 1, (count, side, side, 3)).astype("float32")


def noise(count=8):
    return np.random.default_rng(2).normal(size=(count, 5)).astype("float32")


def enlarged(pictures, factor=2):
    return pictures.repeat(factor, axis=1).repeat(factor, axis=2)


def pooled(pictures, factor=2):
    count, height, width, channels = pictures.shape
    return pictures.reshape(count, height // factor, factor, width // factor, factor, channels).mean(axis=(2, 4))


# --------------------------------------------------------------------------------------------------- growing


@pytest.mark.parametrize("begin, side", [(2, 8), (9, 16)])
def test_grown_at_alpha_0_it_is_the_smaller_net(pggan, begin, side):
    model = pggan(begin)
    small, grown = model.stage_of(side // 2, fading=False), model.stage
    assert (grown.side, grown.fading) == (side, True)
    faces = to_numpy(grown.generator(noise(), training=False))
    np.testing.assert_array_equal(faces, enlarged(to_numpy(small.generator(noise(), training=False))))
    photographs = images(model)
    logits = to_numpy(grown.discriminator(photographs, training=False))
    expected = to_numpy(small.discriminator(pooled(photographs), training=False))
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_faded_in_completely_nothing_of_the_smaller_way_is_left(pggan):
    model = pggan(7)
    fading, steady = model.stage_of(8, fading=True), model.stage
    assert (steady.side, steady.fading) == (8, False)
    for network, inputs in (("generator", noise()), ("discriminator", images(model))):
        one, other = (to_numpy(getattr(stage, network)(inputs, training=False)) for stage in (fading, steady))
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert len(steady.generator.trainable_variables) == len(fading.generator.trainable_variables) - 2  # to_rgb_4


def test_in_between_g_mixes_the_two_images(pggan):
    model = pggan(4)  # α = 2/5
    small, large = (to_numpy(model.stage_of(side, False).generator(noise(), training=False)) for side in (4, 8))
    faces = to_numpy(model.stage.generator(noise(), training=False))
    np.testing.assert_allclose(faces, 0.6 * enlarged(small) + 0.4 * large, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("iteration", [0, 4, 7, 11, 20])
def test_the_whole_networks_show_the_stage_at_full_size(pggan, iteration):
    """What is sampled, saved and exported is what the stage makes, enlarged; and the whole D judges as the stage's."""
    model = pggan(iteration)
    factor = 16 // model.stage.side
    faces = enlarged(to_numpy(model.stage.generator(noise(), training=False)), factor)
    np.testing.assert_allclose(to_numpy(model.generator(noise(), training=False)), faces, rtol=1e-4, atol=1e-5)
    photographs = images(model)
    whole = to_numpy(model.discriminator(enlarged(photographs, factor), training=False))
    np.testing.assert_allclose(
        whole, to_numpy(model.stage.discriminator(photographs, training=False)), rtol=1e-3, atol=1e-5
    )
    assert model.sample(3).shape == (3, 16, 16, 3)


def test_the_schedule(pggan):
    model, stages = pggan(), []
    for iteration in range(20):
        traced_anew = model.on_iteration(iteration)
        model.steps.assign(iteration)
        alphas = [round(float(to_numpy(model.alpha(side))), 3) for side in (8, 16)]
        stages.append((model.stage.side, model.stage.fading, *alphas))
        assert traced_anew == (iteration in (2, 7, 9, 14))
    rising = [0.0, 0.2, 0.4, 0.6, 0.8]
    expected = [(4, False, 0.0, 0.0)] * 2 + [(8, True, alpha, 0.0) for alpha in rising] + [(8, False, 1.0, 0.0)] * 2
    assert stages == expected + [(16, True, 1.0, alpha) for alpha in rising] + [(16, False, 1.0, 1.0)] * 6
    assert sides(128) == [4, 8, 16, 32, 64, 128]


def test_photographs_shrink_and_fade_as_fakes_do(pggan):
    photographs = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(to_numpy(pggan(0).shrunk(photographs)), pooled(photographs, 4), atol=1e-6)
    np.testing.assert_allclose(to_numpy(pggan(20).shrunk(photographs)), photographs, atol=1e-6)
    small = pooled(photographs)
    faded = 0.6 * enlarged(pooled(small)) + 0.4 * small
    np.testing.assert_allclose(to_numpy(pggan(4).shrunk(photographs)), faded, atol=1e-6)


# --------------------------------------------------------------------------------------------------- learning


def moved(model, before, after):
    """The names of the parts whose weights moved, of G and of D."""
    names = {
        id(weight): f"{role} {part.name}"
        for role, network in (("G", model.generator), ("D", model.discriminator))
        for part in network.layers
        for weight in part.variables
    }
    pairs = zip(model.generator.variables + model.discriminator.variables, before, after, strict=True)
    return {names[id(weight)] for weight, old, new in pairs if (old != new).any()}


@pytest.mark.parametrize(
    "iteration, of_g, of_d",
    [
        (0, {"block_4", "to_rgb_4"}, {"block_4", "from_rgb_4"}),
        (
            4,
            {"block_4", "block_8", "to_rgb_4", "to_rgb_8"},
            {"block_4", "block_8", "from_rgb_4", "from_rgb_8"},
        ),
        (7, {"block_4", "block_8", "to_rgb_8"}, {"block_4", "block_8", "from_rgb_8"}),
        (20, {"block_4", "block_8", "block_16", "to_rgb_16"}, {"block_4", "block_8", "block_16", "from_rgb_16"}),
    ],
)
def test_each_stage_moves_its_own_weights_only(pggan, values, iteration, of_g, of_d):
    model = pggan(iteration)
    weights = model.generator.variables + model.discriminator.variables
    real, fake = images(model), model.stage.generator(noise(), training=False)
    before = values(weights)
    model.train_discriminator(real, fake)
    between = values(weights)
    model.train_generator(model.noise(8))
    assert moved(model, before, between) == {f"D {part}" for part in of_d}
    assert moved(model, between, values(weights)) == {f"G {part}" for part in of_g}


def test_at_full_size_every_weight_of_the_stage_learns_and_d_stands_still_for_g(pggan, values):
    model = pggan(20)
    for network, improve in (
        (model.stage.discriminator, lambda: model.train_discriminator(images(model), images(model, seed=1))),
        (model.stage.generator, lambda: model.train_generator(model.noise(8))),
    ):
        before, others = values(network.trainable_variables), values(model.discriminator.variables)
        improve()
        for old, new in zip(before, values(network.trainable_variables), strict=True):
            assert (old != new).any()
    for old, new in zip(others, values(model.discriminator.variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_adams_moments_survive_growing(pggan, values):
    model = pggan(0)
    adam = model.optimizer.discriminator
    slots = len(adam.variables)
    model.train_discriminator(images(model), images(model, seed=1))
    held = {id(slot): value for slot, value in zip(adam.variables, values(adam.variables), strict=True)}
    model.on_iteration(2)
    assert len(adam.variables) == slots == 2 + 3 * len(model.discriminator.trainable_variables)
    for slot in adam.variables:
        np.testing.assert_array_equal(to_numpy(slot.value), held[id(slot)])
    assert int(to_numpy(adam.iterations.value)) == 1


def test_the_critic_pays_for_drifting_from_0(pggan):
    real, fake = np.array([[3.0], [1.0]], "float32"), np.array([[0.0], [2.0]], "float32")
    assert float(to_numpy(pggan().discriminator_loss(real, fake))) == pytest.approx(1.0 - 2.0 + 0.001 * 5.0)
    assert float(to_numpy(pggan(drift=0.1).discriminator_loss(real, fake))) == pytest.approx(1.0 - 2.0 + 0.1 * 5.0)
    hinge = pggan(loss="hinge", drift=0.1)
    assert float(to_numpy(hinge.discriminator_loss(real, fake))) == pytest.approx(0.0 + 2.0)


@pytest.mark.parametrize("loss, r1", [("non-saturating", 1.0), ("wgan", 0.0)])
def test_other_losses_and_r1(pggan, photographs, loss, r1):
    model = pggan(4, loss=loss, r1=r1)
    logs = model.step(photographs[:8])
    assert all(np.isfinite(float(to_numpy(value))) for value in logs.values())
    if loss == "wgan":
        assert max(np.abs(to_numpy(w.value)).max() for w in model.stage.discriminator.trainable_variables) <= 0.0101
    assert float(to_numpy(model.steps.value)) == 5.0


def test_the_papers_rule_is_the_default():
    model = kf.models.build("pggan", image_size=8, width=2, latent_dim=5)
    assert (model.loss_name, model.gradient_penalty, model.drift, model.d_steps) == ("wgan-gp", 10.0, 1e-3, 1)
    for adam in (model.optimizer.discriminator, model.optimizer.generator):
        assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.0, 0.99, 1e-8)
        assert float(to_numpy(adam.learning_rate)) == np.float32(5e-3)
    assert model.average.decay == 0.999


# --------------------------------------------------------------------------------------- fit, saving, resuming


def config(**changes):
    asked = {"epochs": 2, "batch_size": 8, "sample_every": 3, "checkpoint_every": 5, "image_size": 8, "seed": 5}
    growing = {"fade_iterations": 20, "steady_iterations": 1}
    return RunConfig("pggan", options={"latent_dim": 5, "width": 2, **growing}, **(asked | changes))


class StopAt(keras.callbacks.Callback):
    """Breaks off in the middle of things, as Ctrl-C does."""

    def __init__(self, iterations):
        super().__init__()
        self.left = iterations

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_resumed_in_the_middle_of_a_fade_it_ends_bit_for_bit_the_same(photographs, values, tmp_path):
    """12 iterations, from the 2nd on in the fade of 8×8; the stop is after the 5th, within the first epoch."""
    faces = Faces(photographs[:, ::2, ::2])
    whole = train_run(RunFolder(tmp_path / "whole"), config(), faces)
    with pytest.raises(KeyboardInterrupt):
        train_run(RunFolder(tmp_path / "broken"), config(), faces, callbacks=[StopAt(5)])
    resumed = train_run(RunFolder(tmp_path / "broken"), config(), faces, resume=True)
    for model in (whole, resumed):
        assert (model.stage.side, model.stage.fading) == (8, True)
        assert float(to_numpy(model.steps.value)) == 12.0
        for network in (model.generator, model.discriminator):
            assert float(to_numpy(network.get_layer("fade_8").alpha.value)) == pytest.approx(10 / 20)
    ours, theirs = (values([*model.variables, *model.optimizer.variables]) for model in (whole, resumed))
    for first, second in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(first, second)
    grids = [sorted((tmp_path / name / "samples").rglob("*.png")) for name in ("whole", "broken")]
    assert [grid.read_bytes() for grid in grids[0]] == [grid.read_bytes() for grid in grids[1]]

    loaded = keras.saving.load_model(tmp_path / "whole/model.keras")
    np.testing.assert_array_equal(loaded.sample(3), whole.sample(3))
    alone = to_numpy(loaded.generator(kf.training.sampling.latent_noise(3, 5), training=False))
    assert np.abs(np.clip((alone + 1) * 127.5, 0, 255) - whole.sample(3)).max() <= 1


def test_saved_by_keras_in_the_middle_of_a_fade(pggan, tmp_path, values):
    model = pggan(4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert (again.fade_iterations, again.steady_iterations, again.drift) == (5, 2, 1e-3)
    assert float(to_numpy(again.steps.value)) == 4.0
    np.testing.assert_array_equal(model.sample(4), again.sample(4))
    again.on_iteration(4)
    faces = to_numpy(again.stage.generator(noise(), training=False))
    np.testing.assert_array_equal(faces, to_numpy(model.stage.generator(noise(), training=False)))


def test_bfloat16_keeps_weights_losses_and_the_last_layers_in_float32(narrow, photographs):
    model = narrow("pggan", precision="bfloat16", **QUICK)
    model.on_iteration(4)
    logs = model.step(photographs[:8])
    dtype = keras.backend.standardize_dtype
    assert {dtype(weight.dtype) for weight in model.trainable_variables} == {"float32"}
    assert dtype(logs["d_loss"].dtype) == dtype(model.stage.generator(noise(), training=False).dtype) == "float32"
    assert dtype(model.stage.discriminator(images(model), training=False).dtype) == "float32"
    assert model.generator.get_layer("block_8").layers[1].compute_dtype == "bfloat16"


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize("image_size, near", [(4, "8"), (33, "32 or 64"), (48, "32 or 64"), (125, "64 or 128")])
def test_a_size_that_doubling_does_not_reach_names_the_nearest(image_size, near):
    with pytest.raises(ValueError, match=f"Try {near}\\."):
        kf.models.build("pggan", image_size=image_size)


@pytest.mark.parametrize("name, value", [("fade_iterations", 0), ("steady_iterations", 0), ("separate_batches", False)])
def test_impossible_stages_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        kf.models.build("pggan", image_size=8, width=2, **{name: value})
