"""Whose factors a transfer shows: drawings judged against their own numbers; and the KL test's perceptron."""

import numpy as np
import pytest

from keras_faces.data.drawn import DrawnFaces, portrait
from keras_faces.metrics.factors import OF_THE_PERSON, OF_THE_PICTURE, FactorReader, carried_over, factors
from keras_faces.metrics.leakage import identity_leakage


@pytest.fixture(scope="module")
def drawings():
    learned, asked = DrawnFaces(700, 16, seed=1, identities=700), DrawnFaces(120, 16, seed=2, identities=120)
    return learned[:], factors(learned), asked


def test_factors_are_those_that_the_picture_is_drawn_from():
    drawn = DrawnFaces(30, 16, seed=4)
    known = factors(drawn)
    assert list(known) == [*OF_THE_PERSON, *OF_THE_PICTURE] and known.shape == (30, 18)
    who, how = drawn.factors(7)
    assert known["darkness of the skin"][7] == who.melanin and known["smile"][7] == how.smile
    assert known["man"][7] == (1 if who.male else -1) and known["hat"][7] == (-1 if how.hat == "none" else 1)
    assert known["fair hair"].abs().eq(1).all() and (known.std() > 0).sum() >= 16


def test_a_perfect_transfer_shows_the_persons_factors_and_the_pictures(drawings):
    """Drawn with the person of one and the appearance of another: what a perfect system would make."""
    images, known, asked = drawings
    reader = FactorReader(images, known, components=120)
    table, half = factors(asked), 60
    made = [portrait(asked.factors(i)[0], asked.factors(i + half)[1], 16) for i in range(half)]
    found = carried_over(reader, (asked[:], table), np.stack(made), table[:half], table[half:]).set_index("factor")
    assert found.loc["darkness of the skin", "with the subject"] > 0.6
    assert found.loc["light of the wall", "with the picture"] > 0.6
    assert abs(found.loc["darkness of the skin", "with the picture"]) < 0.4
    assert abs(found.loc["light of the wall", "with the subject"]) < 0.4
    assert found.loc["man", "belongs to"] == "person" and found.loc["tilted", "belongs to"] == "picture"
    assert found["read in drawings"].between(-1, 1).all()
    with pytest.raises(ValueError, match="one row for each"):
        FactorReader(images[:10], known)


def test_who_hides_in_features_is_found_and_who_does_not_is_not():
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(4), 20)
    telling = identity_leakage(np.eye(4)[who] + 0.1 * random.normal(size=(80, 4)), who, layers=(32,), epochs=300)
    silent = identity_leakage(random.normal(size=(80, 4)), who, layers=(32,), epochs=300)
    assert telling.validation > 0.9 and silent.validation < 0.6 and telling.chance == 0.25
    with pytest.raises(ValueError, match="fewer than two people"):
        identity_leakage(np.zeros((3, 2)), np.arange(3))
    with pytest.raises(ValueError, match="finite"):
        identity_leakage(np.full((4, 2), np.nan), np.array([0, 0, 1, 1]))
