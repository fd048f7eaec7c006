"""A discriminator's sigmoid is found however it is written, and a generator's end fits the range of the images."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_faces.training.gan import GAN
from keras_faces.training.last_layer import WithoutActivation, last_activation, up_to_the_sigmoid

IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype("float32")


def sequential(*end):
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, strides=2), layers.Flatten(), *end])


def functional(end):
    image = keras.Input((8, 8, 3))
    return keras.Model(image, end(layers.Dense(1)(layers.Flatten()(image))))


def inside_a_model():
    head = keras.Sequential([keras.Input((6, 6, 4)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3), head])


SPELLINGS = {
    "Activation": lambda: sequential(layers.Dense(1), layers.Activation("sigmoid")),
    "Dense": lambda: sequential(layers.Dense(1, activation="sigmoid")),
    "function": lambda: sequential(layers.Dense(1, activation=keras.activations.sigmoid)),
    "Conv2D": lambda: keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(1, 8, activation="sigmoid")]),
    "ops.sigmoid": lambda: functional(ops.sigmoid),
    "activations.sigmoid": lambda: functional(keras.activations.sigmoid),
    "functional layer": lambda: functional(layers.Activation("sigmoid")),
    "model": inside_a_model,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_the_sigmoid_is_taken_off(spelling):
    network = SPELLINGS[spelling]()
    logits = up_to_the_sigmoid(network)
    probability = ops.convert_to_numpy(network(IMAGES, training=False))
    np.testing.assert_allclose(
        probability, ops.convert_to_numpy(ops.sigmoid(logits(IMAGES, training=False))), rtol=1e-5, atol=1e-6
    )
    assert np.abs(probability - ops.convert_to_numpy(logits(IMAGES, training=False))).max() > 0.1
    shared = {id(weight) for weight in network.trainable_weights}
    assert {id(weight) for weight in logits.trainable_weights} == shared


def test_a_network_without_sigmoid_is_itself():
    network = sequential(layers.Dense(1))
    assert up_to_the_sigmoid(network) is network


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ([layers.Dense(1, activation="tanh")], "tanh"),
        ([layers.Dense(1), layers.Activation("hard_sigmoid")], "hard_sigmoid"),
        ([layers.Dense(1), layers.LeakyReLU()], "leaky_relu"),
        ([layers.Dense(1, activation=lambda x: ops.sigmoid(x))], "<lambda>"),
        ([layers.Dense(1), layers.Lambda(lambda x: ops.sigmoid(x))], "a Lambda"),
    ],
)
def test_another_end_of_the_discriminator_is_refused_by_name(end, name):
    with pytest.raises(ValueError, match=f"ends in {name}"):
        up_to_the_sigmoid(sequential(*end))


def test_a_sigmoid_before_the_end_is_refused():
    network = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(1, 8, activation="sigmoid"), layers.Flatten()])
    assert last_activation(network)[0] == "sigmoid"
    with pytest.raises(ValueError, match="stands before Flatten"):
        up_to_the_sigmoid(network)


def generator(activation, latent_dim=4):
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(8 * 8 * 3),
            layers.Reshape((8, 8, 3)),
            layers.Conv2D(3, 3, padding="same", activation=activation),
        ]
    )


@pytest.mark.parametrize(
    ("activation", "value_range", "message"),
    [
        ("sigmoid", (-1.0, 1.0), r"value_range=\(0.0, 1.0\)"),
        ("tanh", (0.0, 1.0), r"value_range=\(-1.0, 1.0\)"),
        ("relu", (0.0, 1.0), "ends in relu"),
    ],
)
def test_a_generator_whose_end_does_not_fit_is_refused(activation, value_range, message):
    with pytest.raises(ValueError, match=message):
        GAN(generator(activation), sequential(layers.Dense(1)), value_range=value_range)


@pytest.mark.parametrize("activation, value_range", [("sigmoid", (0.0, 1.0)), ("tanh", (-1.0, 1.0)), (None, (0, 1))])
def test_a_generator_whose_end_fits_is_taken(activation, value_range):
    GAN(generator(activation), sequential(layers.Dense(1)), value_range=value_range)


def decks_discriminator():  # the deck's text, as a student types it
    Sequential, Conv2D, LeakyReLU, Dropout = keras.Sequential, layers.Conv2D, layers.LeakyReLU, layers.Dropout
    ZeroPadding2D, BatchNormalization = layers.ZeroPadding2D, layers.BatchNormalization
    Flatten, Dense = layers.Flatten, layers.Dense

    model = Sequential()
    model.add(Conv2D(64 // 16, kernel_size=5, strides=2, input_shape=(16, 16, 3), padding="same"))
    model.add(LeakyReLU(negative_slope=0.2))
    model.add(Dropout(0.4))
    model.add(Conv2D(128 // 16, kernel_size=5, strides=2, padding="same"))
    model.add(ZeroPadding2D(padding=((0, 1), (0, 1))))
    model.add(BatchNormalization(momentum=0.8))
    model.add(LeakyReLU(negative_slope=0.2))
    model.add(Dropout(0.4))
    model.add(Flatten())
    model.add(Dense(1, activation="sigmoid"))
    return model


def decks_generator():
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(4 * 4 * 8, activation="relu"),
            layers.Reshape((4, 4, 8)),
            layers.UpSampling2D(),
            layers.UpSampling2D(),
            layers.Conv2D(3, 5, padding="same", activation="tanh"),
        ]
    )


def test_the_decks_networks_learn_and_are_saved(tmp_path):
    keras.utils.set_random_seed(0)
    model = GAN(decks_generator(), decks_discriminator(), separate_batches=True)
    model.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(1e-4))
    images = np.full((256, 16, 16, 3), 255, "uint8")  # white: any D tells them from grey fakes
    history = model.fit(images, batch_size=32, epochs=4, verbose=0)
    assert history.history["d_accuracy"][-1] > 0.7  # with a second sigmoid every logit is above 0: 0.500

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.sample(4, seed=1), again.sample(4, seed=1))
    a, b = (ops.convert_to_numpy(each.d_logits(np.zeros((2, 16, 16, 3)), training=False)) for each in (model, again))
    np.testing.assert_array_equal(a, b)
    assert isinstance(model.d_logits.layers[-1], WithoutActivation)
