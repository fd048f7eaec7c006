"""What sentences need: wrong ones for a photograph, by hand; words in, faces out."""

import keras
import numpy as np
import pytest

from keras_faces.data.captions import UnknownWords
from keras_faces.models.conditional.text_conditioning import wrong_sentences

read = keras.ops.convert_to_numpy


def test_a_wrong_sentence_says_something_untrue():
    labels = np.array([[1, 0], [0, 0], [1, 1]], "float32")
    said = np.array([[1, 0], [0, -1], [1, 1]], "float32")  # "smiling", "without glasses", "smiling, with glasses"
    untrue = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 0]])  # photograph, sentence
    for seed in range(20):
        chance = np.random.default_rng(seed).uniform(size=(3, 3)).astype("float32")
        chosen = read(wrong_sentences(labels, said, chance))
        assert untrue[np.arange(3), chosen].all()
    both = {
        int(read(wrong_sentences(labels, said, np.random.default_rng(s).uniform(size=(3, 3))))[1]) for s in range(30)
    }
    assert both == {0, 2}  # chance picks among the wrong ones


def test_where_no_sentence_is_wrong_any_will_do():
    labels, said = np.ones((4, 2), "float32"), np.zeros((4, 2), "float32")
    chance = np.random.default_rng(0).uniform(size=(4, 4))
    np.testing.assert_array_equal(read(wrong_sentences(labels, said, chance)), chance.argmax(1))


@pytest.fixture(scope="module")
def model(narrow):
    return narrow("stackgan")


def test_words_decide_the_face_and_noise_the_rest(model):
    man, woman = model.sample(4, text="a man"), model.sample(4, text="a smiling woman with glasses")
    assert (man != woman).any() and (man[0] != man[1]).any()
    one_each = model.sample(2, text=["a man", "a smiling woman with glasses"])
    assert np.abs(one_each[0].astype(int) - man[0]).max() <= 1
    assert np.abs(one_each[1].astype(int) - woman[1]).max() <= 1


def test_labels_are_said_in_words(model):
    assert model.sentences(2, "Smiling, Male") == [model.sentences(1, [[1, 1, 0]])[0]] * 2
    captions = model.text_encoder.captions
    for row in ([0, 0, 0], [1, 0, 1], [0, 1, 1]):
        said = captions.vectors(model.sentences(1, [row]))[0]
        np.testing.assert_array_equal(said, 2 * np.array(row) - 1)
    alone = captions.vectors(model.sentences(3))
    np.testing.assert_array_equal(alone, np.eye(3))


def test_what_cannot_be_drawn_is_told(model):
    with pytest.raises(UnknownWords, match="'blond'"):
        model.sample(1, text="a blond man")
    with pytest.raises(ValueError, match="say it one way"):
        model.sample(1, text="a man", labels="Male")
    with pytest.raises(ValueError, match="2 sentences for 3 faces"):
        model.sample(3, text=["a man", "a woman"])
    with pytest.raises(ValueError, match="from 1 to 64"):
        model.sample(1, text="  ")
    with pytest.raises(ValueError, match="stage=7"):
        model.sample(1, text="a man", stage=7)


def test_it_is_not_trained_without_labels_or_on_other_ones(model, photographs):
    with pytest.raises(ValueError, match="learns from labels"):
        model.fit(photographs, batch_size=8, verbose=0)
    with pytest.raises(ValueError, match="has 3 labels, the data have 2"):
        model.fit(photographs, np.zeros((48, 2), "float32"), batch_size=8, verbose=0)
    assert not model.text_encoder.has_learnt
