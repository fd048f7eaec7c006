"""The text encoder: its loss against NumPy, that it learns, and that its words are saved with it."""

import keras
import numpy as np
import pytest

from keras_faces.data.captions import UnknownWords
from keras_faces.models.networks.text_encoder import Cosines, TextEncoder, matching_loss, picture_network, text_network

NAMES = ("Smiling", "Male", "Eyeglasses")
read = keras.ops.convert_to_numpy


@pytest.fixture(scope="module")
def faces():
    """96 pictures 16×16 in which red, green and blue show the three attributes, and their labels."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (96, 3)).astype("float32")
    images = 60.0 + 120.0 * labels[:, None, None] + random.normal(0, 15, (96, 16, 16, 3))
    return images.clip(0, 255).astype("uint8"), labels


def encoder(seed=1, **options):
    keras.utils.set_random_seed(seed)
    return TextEncoder(NAMES, 16, **{"dim": 32, "width": 32, **options})


@pytest.fixture(scope="module")
def trained(faces):
    made = encoder()
    made.numbers = made.learn(*faces, iterations=80, batch_size=16, learning_rate=5e-3)
    return made


def test_the_matching_loss_is_the_mean_of_two_cross_entropies():
    cosines = np.array([[2.0, 0.5, -1.0], [0.0, 1.0, 0.3], [1.5, -0.2, 0.4]], "float32")

    def entropy(rows):
        return np.log(np.exp(rows).sum(1)) - np.diag(rows)

    expected = 0.5 * (entropy(cosines) + entropy(cosines.T))
    np.testing.assert_allclose(read(matching_loss(np.arange(3), cosines)), expected, rtol=1e-5)
    np.testing.assert_allclose(read(matching_loss(np.arange(3)[:, None], cosines)), expected, rtol=1e-5)


def test_cosines_do_not_depend_on_length():
    layer = Cosines()
    pictures = np.array([[3.0, 0.0], [0.0, 0.5]], "float32")
    texts = np.array([[1.0, 1.0], [-2.0, 0.0]], "float32")
    expected = np.array([[np.sqrt(0.5), -1.0], [np.sqrt(0.5), 0.0]]) / 0.07
    np.testing.assert_allclose(read(layer([pictures, texts])), expected, rtol=1e-5, atol=1e-5)


def test_shapes_and_the_printed_length():
    assert text_network(50).output_shape == (None, 1024)
    assert picture_network(64, 24, 4).output_shape == picture_network(16, 24, 4).output_shape == (None, 24)
    with pytest.raises(ValueError, match="image_size=48"):
        TextEncoder(NAMES, 48)


def test_the_filling_of_a_row_is_no_word():
    network = text_network(9, dim=8, width=8)
    row = np.zeros((1, 64), "int32")
    row[0, :3] = 4, 2, 7
    before = read(network(row))
    embedding = next(layer for layer in network.layers if isinstance(layer, keras.layers.Embedding))
    table = embedding.get_weights()[0]
    embedding.set_weights([np.where(np.arange(9)[:, None] == 5, 9.0, table)])  # a word that is not in the sentence
    np.testing.assert_array_equal(read(network(row)), before)
    row[0, 60] = 5  # ... and now it is
    assert np.abs(read(network(row)) - before).max() > 1e-3


def test_it_learns_to_name_and_to_match(trained):
    assert trained.has_learnt and not encoder().has_learnt
    assert trained.numbers["naming"] > 0.8 and trained.numbers["matching"] > 2 / 16  # chance: 1/16
    sentences = ["a smiling man wearing glasses", "a serious woman without glasses", "一位微笑的女子，戴着眼镜"]
    named = trained.named(sentences)
    np.testing.assert_array_equal(named > 0.5, [[1, 1, 1], [0, 0, 0], [1, 0, 1]])


def test_the_same_words_in_another_order_are_another_sentence(trained):
    first, second = trained.embed(["a man with a smile, without glasses", "a man with glasses, without a smile"])
    assert np.abs(first - second).max() > 0.1


def test_pictures_lie_nearest_to_their_sentences(trained, faces):
    images, labels = faces
    rows = [int(np.flatnonzero((labels == wanted).all(1))[0]) for wanted in ([1, 1, 1], [0, 0, 0])]
    sentences = ["a smiling man wearing glasses", "a serious woman without glasses"]
    cosines = trained.fit_of(images[rows], sentences)
    assert np.abs(cosines).max() <= 1.0001
    assert cosines.argmax(1).tolist() == [0, 1]


def test_trained_again_it_is_the_same(faces, eager):
    first, second = encoder(), encoder()
    for one in (first, second):
        one.learn(*faces, iterations=3, batch_size=16)
    np.testing.assert_array_equal(first.embed(["a smiling man"]), second.embed(["a smiling man"]))


def test_saved_and_loaded_it_knows_its_words(trained, tmp_path):
    trained.save(tmp_path / "words.keras")
    again = keras.saving.load_model(tmp_path / "words.keras")
    assert again.vocabulary.words == trained.vocabulary.words and again.has_learnt
    np.testing.assert_array_equal(again.embed(["一位女子"]), trained.embed(["一位女子"]))
    with pytest.raises(UnknownWords, match="blond"):
        again.embed(["a blond man"])


def test_a_saved_vocabulary_is_kept_as_it_was():
    words = list(encoder().vocabulary.words)
    config = {**encoder().get_config(), "words": words[::-1]}
    assert TextEncoder.from_config(config).vocabulary.words == tuple(words[::-1])


def test_one_language_alone():
    with pytest.raises(UnknownWords, match="微笑"):
        encoder(languages=["english"]).embed(["微笑"])
