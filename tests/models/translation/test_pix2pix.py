"""pix2pix: eq. 1, 3 and 4 in NumPy, who moves, what is remembered and shown, and what it refuses."""

import keras
import numpy as np
import pytest

import keras_faces as kf
from keras_faces.models.translation import pix2pix
from keras_faces.models.translation.base import BANK

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor


def test_the_u_net_hands_every_height_across():
    network = pix2pix.generator(64, width=4)
    assert network.output_shape == (None, 64, 64, 3)
    joined = [layer.output.shape[1:] for layer in network.layers if isinstance(layer, keras.layers.Concatenate)]
    assert joined == [(8, 8, 32), (16, 16, 16), (32, 32, 8)]
    judge = pix2pix.discriminator(64, width=4)
    assert [tuple(one.shape[1:]) for one in judge.inputs] == [(64, 64, 3)] * 2 and judge.output_shape[1:] == (16, 16, 1)


def test_losses_and_who_moves(narrow, photographs, values, moved):
    model, twin = (narrow("pix2pix", task="grey", dropout=0.0, l1=7.0, adversarial=2.0) for _ in range(2))
    real = model.preprocess(tensor(photographs[:8]))
    source = model.source(real)
    fake = twin.generator(source, training=True)
    logits = [to_numpy(twin.discriminator([image, source], training=True)) for image in (fake, real)]
    d_before, g_before = values(model.discriminator.trainable_variables), values(model.generator.variables)
    numbers = model.train_discriminator(real, fake, source)
    wanted = 0.5 * np.mean(np.log1p(np.exp(logits[0]))) + 0.5 * np.mean(np.log1p(np.exp(-logits[1])))
    assert float(numbers["d_loss"]) == pytest.approx(wanted, rel=1e-4)
    assert all(moved(d_before, values(model.discriminator.trainable_variables)))
    assert not any(moved(g_before, values(model.generator.variables)))

    d_before, g_before = values(twin.discriminator.variables), values(twin.generator.trainable_variables)
    numbers = twin.train_generator(source, real)
    l1 = np.abs(to_numpy(real) - to_numpy(fake)).mean()
    assert float(numbers["l1_loss"]) == pytest.approx(l1, rel=1e-4)
    assert float(numbers["g_loss"]) == pytest.approx(2 * np.mean(np.log1p(np.exp(-logits[0]))) + 7 * l1, rel=1e-3)
    assert not any(moved(d_before, values(twin.discriminator.variables)))
    assert all(moved(g_before, values(twin.generator.trainable_variables)))


def test_the_first_photographs_are_remembered_and_always_shown(narrow, photographs, values, moved):
    model = narrow("pix2pix", task="hole")
    assert model.photographs().shape == (1, 16, 16, 3)  # a grey one, before there are any
    many = np.concatenate([photographs, 255 - photographs])
    for start in range(0, 96, 32):
        model.remember(tensor(many[start : start + 32]), model.bank)
    np.testing.assert_array_equal(model.photographs(), many[:BANK])
    before = values(model.generator.variables)
    (_, inputs), (_, outputs), (_, wanted) = model.rows(model.photographs()[:8])
    np.testing.assert_array_equal(wanted, many[:8])
    assert (inputs[:, 4:12, 4:12] == 128).all() and (inputs[:, 0] == many[:8, 0]).all()
    np.testing.assert_array_equal(outputs, model.render(np.zeros((8, 1), "float32")))
    np.testing.assert_array_equal(outputs, model.translate(inputs, drawn=True))
    assert not any(moved(before, values(model.generator.variables)))
    assert (model.sample(20, seed=1)[:3] == model.sample(3, seed=1)).mean() > 0.99


@pytest.mark.parametrize(
    "options, message",
    [
        ({"task": "night"}, "task='night'"),
        ({"l1": 0, "adversarial": 0}, "not both 0"),
        ({"r1": 1.0}, "pix2pix has no such option.*r1"),
        ({"image_size": 8}, "cannot make 8×8"),
    ],
)
def test_what_it_cannot_be_built_with(options, message):
    with pytest.raises(ValueError, match=message):
        kf.models.build("pix2pix", **{"image_size": 16, "width": 4, **options})


def test_pictures_of_another_size_are_refused(narrow, photographs):
    model = narrow("pix2pix")
    for images in (photographs[:, :8], photographs.astype("float32"), photographs[:0]):
        with pytest.raises(ValueError, match=r"translates uint8 images \(count, 16, 16, 3\)"):
            model.translate(images)
