"""C of table 3.3: its layers, what it learns, and its features."""

import keras
import numpy as np
import pytest

from keras_faces.models.networks import classifier as c


def test_the_layers_are_those_of_table_3_3():
    """At the table's own size and width, built and not run."""
    network = c.classifier(128, 10)
    shapes = [
        (type(layer).__name__, *layer.output.shape[1:])
        for layer in network.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.Dense))
    ]
    assert shapes == [
        ("Conv2D", 128, 128, 64),
        ("MaxPooling2D", 64, 64, 64),
        ("Conv2D", 64, 64, 128),
        ("MaxPooling2D", 32, 32, 128),
        ("Conv2D", 32, 32, 256),
        ("MaxPooling2D", 16, 16, 256),
        ("Conv2D", 16, 16, 512),
        ("MaxPooling2D", 8, 8, 512),
        ("Conv2D", 8, 8, 512),
        ("MaxPooling2D", 4, 4, 512),
        ("Conv2D", 4, 4, 512),
        ("Dense", 1024),
        ("Dense", 10),
    ]
    kernels = [layer.kernel_size for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert kernels == [(7, 7)] + [(3, 3)] * 5
    normalised = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(normalised) == len(kernels)


@pytest.mark.parametrize("image_size, stages", [(16, 2), (32, 3), (50, 4), (64, 4)])
def test_other_sizes_halve_down_to_four(image_size, stages):
    network = c.classifier(image_size, ["a", "b", "c"], width=2)
    pools = [layer for layer in network.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert len(pools) == stages and pools[-1].output.shape[1] <= 4
    assert network.output_shape == (None, 3)


def test_features_are_the_input_of_the_last_dense_layer():
    network = c.classifier(16, 3, width=4)
    images = np.random.default_rng(0).uniform(-1, 1, (5, 16, 16, 3)).astype("float32")
    found = keras.ops.convert_to_numpy(c.features(network)(images, training=False))
    assert found.shape == (5, 64) and (found >= 0).all()
    kernel, bias = network.layers[-1].get_weights()
    logits = keras.ops.convert_to_numpy(network(images, training=False))
    np.testing.assert_allclose(found @ kernel + bias, logits, rtol=1e-4, atol=1e-5)
    several = c.features(network, ["features", "logits"])(images, training=False)
    assert [tuple(part.shape) for part in several] == [(5, 64), (5, 3)]


def test_probabilities_are_a_softmax_or_a_sigmoid_each():
    logits = np.array([[1.0, 3.0], [-2.0, 0.0]])
    exponents = np.exp(logits)
    softmax = keras.ops.convert_to_numpy(c.probabilities(logits, "classes"))
    np.testing.assert_allclose(softmax, exponents / exponents.sum(1, keepdims=True), rtol=1e-6)
    sigmoid = keras.ops.convert_to_numpy(c.probabilities(logits, "attributes"))
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-logits)), rtol=1e-6)


@pytest.mark.parametrize("kind", ["classes", "attributes"])
def test_it_learns_what_light_and_dark_are(kind):
    """A hundred pictures, light or dark above and below: more than nine in ten right after a few epochs."""
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, (100, 2)).astype("float32")
    images = random.integers(0, 60, (100, 16, 16, 3))
    images[:, :8] += (150 * truth[:, 0]).astype(int)[:, None, None, None]
    images[:, 8:] += (150 * truth[:, 1]).astype(int)[:, None, None, None]
    images = images.astype("uint8")
    if kind == "classes":
        truth = np.eye(4, dtype="float32")[(2 * truth[:, 0] + truth[:, 1]).astype(int)]
    keras.utils.set_random_seed(0)
    model = c.build(16, truth.shape[1], width=4, kind=kind, learning_rate=5e-3)
    network = model.layers[-1]
    before = network.get_weights()
    loss, _ = model.evaluate(images, truth, verbose=0)
    logits = keras.ops.convert_to_numpy(network(images.astype("float32") / 127.5 - 1, training=False))
    if kind == "classes":
        wanted = np.mean(np.log(np.exp(logits).sum(1)) - (logits * truth).sum(1))
    else:
        wanted = np.mean(np.log1p(np.exp(logits)) - logits * truth)
    np.testing.assert_allclose(loss, wanted, rtol=1e-3)  # cross-entropy, equation 3.11
    model.fit(images, truth, batch_size=20, epochs=12, verbose=0)
    assert all((old != new).any() for old, new in zip(before, network.get_weights(), strict=True))
    assert model.evaluate(images, truth, verbose=0)[1] > 0.9


def test_bfloat16_keeps_logits_in_float32():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = c.build(16, 2, width=2)
    finally:
        keras.config.set_dtype_policy(before)
    network = model.layers[-1]
    assert network.layers[0].compute_dtype == "bfloat16"
    assert keras.backend.standardize_dtype(network.output.dtype) == "float32"
    assert model.layers[-2].compute_dtype == "float32"  # grey levels are scaled before they lose digits


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"image_size": 12}, "Try 16"),
        ({"kind": "both"}, "classes, attributes"),
        ({"classes": 1}, "two classes or more"),
        ({"classes": [], "kind": "attributes"}, "one or more"),
        ({"width": 0}, "at least one channel"),
    ],
)
def test_wrong_arguments_are_told(wrong, message):
    with pytest.raises(ValueError, match=message):
        c.classifier(**{"image_size": 16, "classes": 2, "width": 2, **wrong})
