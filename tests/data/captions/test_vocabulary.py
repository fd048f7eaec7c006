"""Words and their numbers: the longest known word wins, and an unknown one is told."""

import numpy as np
import pytest

from keras_faces.data.captions import LENGTH, UnknownWords, Vocabulary

WORDS = ["a", "man", "woman", "five", "o'clock", "clean", "shaven", "棕色", "卷发", "波浪发", "波浪", "的", "发", ","]


@pytest.fixture
def vocabulary():
    return Vocabulary(WORDS)


def test_english_and_chinese_are_cut(vocabulary):
    assert vocabulary.cut("A clean-shaven MAN, five o’clock.") == ["a", "clean", "shaven", "man", ",", *WORDS[3:5], ","]
    assert vocabulary.cut("棕色的波浪发，man") == ["棕色", "的", "波浪发", ",", "man"]  # not 波浪 and 发
    assert vocabulary.cut("") == []


def test_unknown_words_are_told_with_the_nearest(vocabulary):
    with pytest.raises(UnknownWords, match=r"'wuman' \(did you mean woman or man\?\), 'zebra'\."):
        vocabulary.cut("a wuman zebra")
    with pytest.raises(UnknownWords, match=r"'紫色' \(did you mean 棕色\?\)"):
        vocabulary.cut("紫色卷发")
    with pytest.raises(UnknownWords, match=r"'长', '直'"):
        vocabulary.cut("长卷发直")
    with pytest.raises(UnknownWords, match="'😀'"):
        vocabulary.cut("man 😀")


def test_sentences_become_rows_of_numbers(vocabulary):
    rows = vocabulary.encode(["a man", "棕色卷发"])
    assert rows.shape == (2, LENGTH) and rows.dtype == np.int32
    assert rows[0, :3].tolist() == [1, 2, 0] and rows[1, :3].tolist() == [8, 9, 0]
    assert len(vocabulary) == len(WORDS) + 1 > rows.max()


@pytest.mark.parametrize("sentence", ["", "a " * (LENGTH + 1)])
def test_too_few_and_too_many_words(vocabulary, sentence):
    with pytest.raises(ValueError, match=f"from 1 to {LENGTH}"):
        vocabulary.encode([sentence])


def test_a_word_stands_once():
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(["a", "a"])
