"""Sentences say what is so, all of it can be said, and reading gives back what was written."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_faces.data.captions import ATTRIBUTES, GRAMMAR, LANGUAGES, LENGTH, Captions, UnknownWords
from keras_faces.data.captions.captions import MOST
from keras_faces.data.drawn import ATTRIBUTES as DRAWN

ALL = Captions(ATTRIBUTES)
HAIR = {"Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"}
FORMS = {"Straight_Hair", "Wavy_Hair"}


def test_the_grammar_speaks_of_all_forty_attributes_in_both_languages_and_of_the_drawn_ones():
    assert len(ATTRIBUTES) == 40 and set(DRAWN) <= set(ATTRIBUTES)
    for table in GRAMMAR.values():
        assert {name for phrase in table for name in phrase.says} == set(ATTRIBUTES)


@given(
    face=st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=40, max_size=40),
    names=st.sets(st.sampled_from(ATTRIBUTES), min_size=1),
    language=st.sampled_from(LANGUAGES),
    thorough=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=300, deadline=None)
def test_read_again_a_sentence_says_what_was_meant_and_nothing_that_is_not_so(face, names, language, thorough, seed):
    names = sorted(names)
    captions = Captions(names)
    values = [face[ATTRIBUTES.index(name)] for name in names]
    sentence, said = captions.compose(values, seed, language, thorough)
    np.testing.assert_array_equal(captions.vectors([sentence])[0], said)
    for value, sign in zip(values, said, strict=True):
        assert sign == 0 or sign == (1 if value > 0 else -1)
        assert sign == 0 or value == value  # of what is not known it does not speak
    assert (said != 0).sum() <= MOST + 1  # the last phrase may say two things at once
    assert 0 < len(captions.vocabulary.cut(sentence)) <= LENGTH
    assert captions.write(values, seed, language, thorough) == sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_attribute_can_be_said(name, language):
    captions = Captions([name, "Male"] if name != "Male" else [name])
    sentence = captions.write([1, 1][: len(captions.names)], language=language, thorough=True)
    assert captions.read(sentence)[name] is True


def test_thorough_says_all_that_is_so():
    captions = Captions(["Smiling", "Male", "Eyeglasses", "Bangs"])
    for number in range(16):
        face = [number >> bit & 1 for bit in range(4)]
        for language in LANGUAGES:
            said = captions.read(captions.write(face, number, language, thorough=True))
            assert said == {name: bool(value) for name, value in zip(captions.names, face, strict=True)}


def test_hair_has_one_colour_and_one_form():
    for seed in range(60):
        said = ALL.read(ALL.write(np.ones(40), seed, thorough=True))
        assert len(HAIR & set(said)) <= 1 and len(FORMS & set(said)) <= 1


def test_what_is_missing_is_mentioned_now_and_then():
    captions = Captions(DRAWN)
    young_man = [name in ("Male", "Young", "No_Beard", "Brown_Hair", "Straight_Hair") for name in DRAWN]
    missing = ("Eyeglasses", "Wearing_Hat", "Bangs", "Wearing_Necktie")
    said = captions.vectors([captions.write(young_man, seed) for seed in range(300)])
    shares = {name: (said[:, DRAWN.index(name)] < 0).mean() for name in missing}
    assert all(0.01 < share < 0.2 for share in shares.values())


def test_the_same_face_is_described_in_many_ways():
    face = [name in ("Young", "Smiling", "Wavy_Hair", "Brown_Hair", "Wearing_Earrings") for name in ATTRIBUTES]
    for language in LANGUAGES:
        assert len({ALL.write(face, seed, language) for seed in range(50)}) > 40


@pytest.mark.parametrize(
    "sentence, facts",
    [
        (
            "a smiling young woman with wavy brown hair and earrings",
            "Smiling Young !Male Wavy_Hair Brown_Hair Earrings",
        ),
        ("A smiling young woman with blond, wavy hair", "Smiling Young !Male Wavy_Hair"),
        ("一位微笑的年轻女子，棕色卷发，戴着耳环", "Smiling Young !Male Wavy_Hair Brown_Hair Earrings"),
        ("a man without glasses or a hat, with a goatee", "Male !Eyeglasses !Hat Goatee"),
        ("an older man, who is not smiling, wearing a black hat", "!Young Male !Smiling Hat"),
        ("没戴眼镜的男人，留着胡子", "!Eyeglasses Male !No_Beard"),
        ("a photo of a person", ""),
    ],
)
def test_sentences_of_ones_own_are_read(sentence, facts):
    short = {"Earrings": "Wearing_Earrings", "Hat": "Wearing_Hat"}
    words = [(word.lstrip("!"), not word.startswith("!")) for word in facts.split()]
    assert ALL.read(sentence) == {short.get(name, name): value for name, value in words}


def test_a_model_of_few_attributes_knows_few_words():
    captions = Captions(["Smiling", "Male"])
    assert captions.read("a smiling man") == {"Smiling": True, "Male": True}
    with pytest.raises(UnknownWords, match="'blond'.*'glasses'"):
        captions.read("a blond man with glasses")


def test_what_cannot_be_said_is_told():
    with pytest.raises(ValueError, match="nothing can be said of Tired"):
        Captions(["Smiling", "Tired"])
    with pytest.raises(ValueError, match="choose from english, chinese"):
        Captions(["Smiling"], ["french"])
    with pytest.raises(ValueError):
        Captions(["Smiling", "Male"]).write([1])


def test_another_process_writes_the_same_sentences():
    """Strings hash otherwise in each process; a training that is resumed must read what it would have read."""
    program = "from keras_faces.data.captions import Captions; "
    program += "c = Captions(('Smiling', 'Male', 'Blond_Hair', 'Bangs')); "
    program += "print([c.write([1, 0, 1, 1], seed) for seed in range(40)])"
    path = os.pathsep.join(path or os.getcwd() for path in sys.path)
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
