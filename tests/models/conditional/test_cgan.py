"""cgan: how the label enters each network, the loss of eq. 5-13, and that D must read the label to be right."""

import keras
import numpy as np
import pytest

from keras_faces.models.conditional import cgan

to_numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor


def inputs(model, photographs, labels_of):
    return to_numpy(model.preprocess(photographs[:8])), labels_of("cgan", 8)[0]


def test_the_shapes_are_those_of_the_comments():
    generator, discriminator = cgan.generator(7), cgan.discriminator(7)
    assert [tuple(part.shape) for part in generator.inputs] == [(None, 100), (None, 7)]
    shapes = [layer.output.shape[1:] for layer in generator.layers if "re_lu" in layer.name]
    assert shapes == [(4, 4, 256), (8, 8, 128), (16, 16, 64)] and generator.output_shape == (None, 32, 32, 3)
    assert generator.get_layer(index=3).kernel.shape == (107, 4 * 4 * 256)
    shapes = [layer.output.shape[1:] for layer in discriminator.layers if "leaky" in layer.name]
    assert shapes == [(16, 16, 64), (8, 8, 128), (4, 4, 256)] and discriminator.output_shape == (None, 1)


def test_concatenated_each_number_of_the_label_is_a_channel(narrow, photographs, labels_of):
    network = narrow("cgan", discriminator_reads="concatenate").discriminator
    assert "dot" not in [layer.name[:3] for layer in network.layers]
    joined = next(layer for layer in network.layers if isinstance(layer, keras.layers.Concatenate))
    images, labels = photographs[:8].astype("float32") / 255, labels_of("cgan", 8)[0]
    seen = to_numpy(keras.Model(network.inputs, joined.output)([images, labels]))
    planes = np.broadcast_to(labels[:, None, None], (8, 16, 16, labels.shape[1]))
    np.testing.assert_allclose(seen, np.concatenate([images, planes], axis=-1), atol=1e-6)


def test_concatenated_many_classes_are_eight_channels():
    network = cgan.discriminator(30, image_size=16, width=4)
    joined = next(layer for layer in network.layers if isinstance(layer, keras.layers.Concatenate))
    assert joined.output.shape == (None, 16, 16, 3 + 8)


def test_projected_the_score_is_that_of_miyato_and_koyama_eq_3(narrow, photographs, labels_of):
    model = narrow("cgan", discriminator_reads="project")
    images, labels = inputs(model, photographs, labels_of)
    network = model.discriminator
    flat = next(layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    phi = to_numpy(keras.Model(network.inputs[0], flat.output)(images))
    psi, projection = (layer for layer in network.layers if type(layer).__name__ == "SpectralDense")
    if psi.bias is None:
        psi, projection = projection, psi
    sigma = [np.linalg.svd(to_numpy(layer.kernel), compute_uv=False)[0] for layer in (psi, projection)]
    score = phi @ to_numpy(psi.kernel) / sigma[0] + to_numpy(psi.bias)
    score += np.sum(phi * (labels @ to_numpy(projection.kernel) / sigma[1]), axis=1, keepdims=True)  # y V φ(x)
    np.testing.assert_allclose(to_numpy(network([images, labels])), score, atol=1e-4)


@pytest.mark.parametrize("reads", cgan.DISCRIMINATORS)
def test_the_losses_are_those_of_eq_5_13(narrow, photographs, labels_of, reads):
    model = narrow("cgan", discriminator_reads=reads, loss="saturating")
    real, labels = inputs(model, photographs, labels_of)
    fake = to_numpy(model.preprocess(photographs[8:16]))
    real_p, fake_p = (1 / (1 + np.exp(-to_numpy(model.discriminator([part, labels])))) for part in (real, fake))
    d_loss = float(model.train_discriminator(tensor(real), tensor(fake), tensor(labels))["d_loss"])
    assert d_loss == pytest.approx(-0.5 * np.mean(np.log(real_p) + np.log(1 - fake_p)), rel=1e-3)

    model, twin = (narrow("cgan", discriminator_reads=reads, loss="saturating") for _ in range(2))
    fake = twin.generator([twin.noise(8), tensor(labels)], training=True)
    fake_p = 1 / (1 + np.exp(-to_numpy(twin.discriminator([fake, tensor(labels)]))))
    g_loss = float(model.train_generator(model.noise(8), tensor(labels))["g_loss"])
    assert g_loss == pytest.approx(np.mean(np.log(1 - fake_p)), rel=1e-3)


@pytest.mark.parametrize("reads", cgan.DISCRIMINATORS)
def test_d_learns_which_label_belongs_to_which_picture(narrow, reads):
    """Both halves hold the same pictures, and other labels: only who reads both can tell them apart."""
    model = narrow("cgan", discriminator_reads=reads, loss="non-saturating")
    model.compile(keras.optimizers.Adam(1e-2))
    shades = np.linspace(0.2, 0.9, 8)[:, None, None, None] * np.ones((8, 16, 16, 3))
    bright, dark = shades.astype("float32"), -shades.astype("float32")
    labels = np.eye(3, dtype="float32")[[0, 1] * 4]
    is_bright = labels[:, 0] > 0
    real = np.where(is_bright[:, None, None, None], bright, dark)
    given = [tensor(part) for part in (real, -real, labels)]
    losses = [float(model.train_discriminator(*given)["d_loss"]) for _ in range(16)]
    assert losses[0] == pytest.approx(np.log(2), abs=0.1) and min(losses[-5:]) < 0.6


def test_an_unknown_way_to_read_and_a_small_size_are_refused(narrow):
    with pytest.raises(ValueError, match="discriminator_reads='add': choose from concatenate, project"):
        narrow("cgan", discriminator_reads="add")
    with pytest.raises(ValueError, match="Try 16"):
        narrow("cgan", image_size=12)
