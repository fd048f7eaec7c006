"""Pixel after pixel: no output sees what follows, the quick way paints what the long way does, halves are completed."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.training import checkpoint
from keras_faces.training.sampling import latent_noise

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor
SIDE = 8
OPTIONS = {"pixelcnn": {"width": 12, "depth": 2}, "pixelrnn": {"width": 12, "depth": 1}}
NAMES = [(name, output) for name in OPTIONS for output in ("mixture", "softmax")]
IMAGES = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3)).astype("uint8")


@pytest.fixture(scope="module")
def model_of():
    """``model_of(name, output)``: a narrow one with larger weights than at first, so that much depends on much."""
    made = {}

    def model(name, output="mixture"):
        if (name, output) not in made:
            options = {**OPTIONS[name], "output": output, "components": 2, "average": 0}
            made[name, output] = kf.models.build(name, image_size=SIDE, seed=1, **options)
            for weight in made[name, output].generator.trainable_variables:
                weight.assign(2.0 * to_numpy(weight.value))
        return made[name, output]

    return model


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("place", [(0, 0, 0), (3, 4, 0), (3, 4, 1), (3, 4, 2), (5, 7, 1)])
def test_no_output_moves_but_those_that_follow(model_of, name, place):
    network = model_of(name).generator
    image = np.random.default_rng(1).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype("float32")
    other = image.copy()
    other[(0, *place)] += 0.5
    moved = to_numpy(network(image) != network(other))[0].any(axis=2)  # H, W, 3, in the order of painting
    own = np.ravel_multi_index(place, moved.shape)
    assert not moved.ravel()[: own + 1].any()  # not even its own
    row, column, colour = place
    if colour < 2:
        assert moved[row, column, colour + 1]
    if column + 1 < SIDE:
        assert moved[row, column + 1].any()
    assert moved[row + 1, column].any()


def test_pixelcnn_has_no_blind_spot(model_of):
    """Far to the right and one row up, where masks on top of each other never get (see test_masked_conv.py)."""
    network = model_of("pixelcnn").generator
    image = np.random.default_rng(1).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype("float32")
    other = image.copy()
    other[0, 3, 5:, :] += 0.5
    moved = to_numpy(network(image) != network(other))[0]
    assert moved[4, 2].any() and moved[4, 4].any() and not moved[3, :5].any()


@pytest.mark.parametrize("name, output", NAMES)
def test_painted_row_by_row_it_is_what_whole_passes_give(model_of, name, output):
    model = model_of(name, output)
    noise = latent_noise(2, model.latent_dim, seed=1)
    quick = model.render(noise)
    assert quick.std() > 20  # various
    # A whole pass over the painted picture, pixel by pixel with the same noise, says the same levels: by induction from
    # the first colour of the first pixel, this is what a pass for each would have painted.
    said = model.generator(model.preprocess(quick), training=False)
    share = 0.5 * (1 + keras.ops.erf(noise.reshape(quick.shape) / np.sqrt(2.0)))
    np.testing.assert_array_equal(to_numpy(model.levels.level(said, share)), quick)


def test_a_half_hidden_face_keeps_what_was_seen(model_of):
    model = model_of("pixelcnn")
    hidden = np.zeros((SIDE, SIDE), bool)
    hidden[4:] = True
    first, second = (model.complete(IMAGES, hidden, seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(first[:, :4], IMAGES[:, :4])
    assert (first[:, 4:] != IMAGES[:, 4:]).mean() > 0.5 and (first[:, 4:] != second[:, 4:]).mean() > 0.5
    nothing = model.complete(IMAGES, np.zeros((len(IMAGES), SIDE, SIDE), bool), seed=1)
    np.testing.assert_array_equal(nothing, IMAGES)
    np.testing.assert_array_equal(
        model.complete(IMAGES, np.ones((SIDE, SIDE), bool), seed=3), model.sample(len(IMAGES), seed=3)
    )


@pytest.mark.parametrize(
    "images, hidden, message",
    [
        (IMAGES[:, :4], np.ones((SIDE, SIDE)), r"completes uint8 images of \(8, 8, 3\)"),
        (IMAGES.astype("float32"), np.ones((SIDE, SIDE)), "got float32"),
        (IMAGES, np.ones((4, 4)), r"hidden has the shape \(4, 4\)"),
    ],
)
def test_what_cannot_be_completed(model_of, images, hidden, message):
    with pytest.raises(ValueError, match=message):
        model_of("pixelcnn").complete(images, hidden)


def test_truncation_leads_to_the_middle(model_of):
    model = model_of("pixelcnn")
    wild, tame = (model.sample(4, seed=1, truncation=limit).astype(float) for limit in (None, 0.05))
    assert tame.std(axis=0).mean() < 0.8 * wild.std(axis=0).mean()


@pytest.mark.parametrize("name", OPTIONS)
def test_one_step_moves_all_weights_and_its_loss_is_the_bits(name, values):
    model = kf.models.build(name, image_size=SIDE, seed=2, average=0.5, components=2, **OPTIONS[name])
    bits = model.bits_per_dimension(IMAGES)
    assert bits.shape == (4,)
    before = values(model.generator.trainable_variables)
    numbers = model.step(tensor(IMAGES))
    assert float(numbers["bits_loss"]) == pytest.approx(bits.mean(), rel=1e-4)
    after = values(model.generator.trainable_variables)
    moved = [bool((old != new).any()) for old, new in zip(before, after, strict=True)]
    assert all(moved)
    averages = values(model.average.averages)
    assert any((mean != new).any() for mean, new in zip(averages, after, strict=True))


def test_a_uniform_model_has_8_bits_for_any_photograph():
    model = kf.models.build("pixelcnn", image_size=SIDE, output="softmax", width=3, depth=1, average=0)
    model.generator.get_layer("says").kernel.assign(np.zeros(model.generator.get_layer("says").kernel.shape))
    np.testing.assert_allclose(model.bits_per_dimension(IMAGES), 8.0, atol=1e-5)


@pytest.mark.parametrize("name", OPTIONS)
def test_from_a_checkpoint_it_goes_on_bit_for_bit(tmp_path, values, name):
    def fresh():
        return kf.models.build(name, image_size=SIDE, seed=2, average=0.5, components=2, **OPTIONS[name])

    model, other = fresh(), fresh()
    model.step(tensor(IMAGES))
    checkpoint.save(tmp_path / "checkpoint.h5", model, epoch=1, iteration=1)
    model.step(tensor(IMAGES))
    checkpoint.load(tmp_path / "checkpoint.h5", other)
    other.step(tensor(IMAGES))
    for one, again in zip(values(model.variables), values(other.variables), strict=True):
        np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize(
    "options, message",
    [({"width": 8}, "multiple of 3"), ({"output": "gauss"}, "output='gauss'"), ({"stages": "adam:1e-3"}, "no stages")],
)
def test_what_it_cannot_be_built_with(options, message):
    with pytest.raises(ValueError, match=message):
        kf.models.build("pixelcnn", image_size=SIDE, **{"width": 3, "depth": 1, **options})
    with pytest.raises(ValueError, match="pixelcnn cannot make 4×4"):
        kf.models.build("pixelcnn", image_size=4)
