"""Sentences about faces, written from their attributes, and read again.

    captions = Captions(["Male", "Smiling", "Wavy_Hair", "Brown_Hair", "Eyeglasses"])
    captions.write([0, 1, 1, 1, 0])        "a smiling woman with wavy brown hair", or in other words
    captions.read("一位微笑的女子，卷发")     {"Male": False, "Smiling": True, "Wavy_Hair": True}

Nobody has described the faces of CelebA in words; but 40 answers of yes and no are known of each. A sentence says some
of them, in an order and in words that chance picks, so that a text encoder has something to learn. It never says what
is not so. What is missing is mentioned sparingly, as people do.

A model that learns from a few attributes gets sentences about these alone, and knows no other words.

Read next: ``caption_grammar.py`` (all that can be said), ``vocabulary.py``, then ``models/text_encoder.py``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_faces.data.caption_grammar import (
    ARTICLES,
    ATTRIBUTES,
    FRAMES,
    GRAMMAR,
    NEGATIONS,
    NEGATIONS_END,
    Phrase,
)
from keras_faces.data.vocabulary import Vocabulary

LANGUAGES = tuple(GRAMMAR)
MOST = 12  # facts in one sentence


class Captions:
    """Writes and reads sentences about some attributes.

    Parameters
    ----------
    names
        Attributes, of CelebA's 40; the order is that of the vectors.
    languages
        "english", "chinese" or both.

    Raises
    ------
    ValueError
        If nothing can be said of one of the attributes, or a language has no grammar.
    """

    def __init__(self, names: Sequence[str], languages: Sequence[str] = LANGUAGES) -> None:
        self.names, self.languages = tuple(names), tuple(languages)
        if unsaid := [name for name in self.names if name not in ATTRIBUTES]:
            raise ValueError(f"nothing can be said of {', '.join(unsaid)}; sentences speak of {', '.join(ATTRIBUTES)}.")
        if not self.languages or set(self.languages) - set(LANGUAGES):
            raise ValueError(f"languages={languages!r}: choose from {', '.join(LANGUAGES)}.")
        self.phrases = {
            language: [phrase for phrase in GRAMMAR[language] if set(phrase.says) <= set(self.names)]
            for language in self.languages
        }
        self.vocabulary = Vocabulary(self._words())
        self._patterns = self._all_patterns()

    # --------------------------------------------------------------------------------------------------- writing

    def write(self, face: Any, seed: Any = 0, language: str | None = None, thorough: bool = False) -> str:
        """A sentence about a face.

        Parameters
        ----------
        face
            A vector in the order of ``names``: above 0 for what the face has, NaN for what is not known of it, and
            anything else for what it has not.
        seed
            Of the choice of facts and words: a number, or a ``random.Random``.
        language
            ``None``: one of ``languages``, by chance.
        thorough
            Say all that is so, and the most important of what is not, instead of a part.
        """
        return self.compose(face, seed, language, thorough)[0]

    def compose(
        self, face: Any, seed: Any = 0, language: str | None = None, thorough: bool = False
    ) -> tuple[str, np.ndarray]:
        """The sentence of :meth:`write`, and what it says, float32 (n,): as a row of :meth:`vectors`."""
        dice = seed if isinstance(seed, random.Random) else random.Random(f"caption {seed}")
        values = zip(self.names, np.asarray(face).tolist(), strict=True)
        facts = {name: value > 0 for name, value in values if value == value}  # NaN is no fact
        language = language or dice.choice(self.languages)
        said, denied = self._chosen(facts, language, dice, thorough)
        told = {name for phrase in (*said, *denied) for name in phrase.says}
        signs = [(1.0 if facts[name] else -1.0) if name in told else 0.0 for name in self.names]
        sentence = (_english if language == "english" else _chinese)(said, denied, dice)
        return sentence, np.asarray(signs, "float32")

    def _chosen(self, face: dict[str, bool], language: str, dice: random.Random, thorough: bool) -> tuple[list, list]:
        """What to say: phrases, and phrases to deny; no attribute twice."""
        true = [phrase for phrase in self.phrases[language] if phrase.true_of(face)]
        missing = [phrase for phrase in self.phrases[language] if phrase.denied_of(face)]
        dice.shuffle(true)
        dice.shuffle(missing)
        true.sort(key=lambda phrase: phrase.place != "noun")  # the person first: what it says need not be said again
        told: set[str] = set()
        said, denied = [], []
        for phrase in true:
            chance = 1.0 if thorough else self._chance(phrase)
            if len(told) < MOST and not self._clashes(phrase, said, told) and dice.random() < chance:
                said.append(phrase)
                told |= set(phrase.says)
        for phrase in missing:
            wanted = len(denied) < 3 if thorough else dice.random() < min(0.3, 0.6 / len(missing))
            if len(told) < MOST and not told & set(phrase.says) and wanted:
                denied.append(phrase)
                told |= set(phrase.says)
        dice.shuffle(said)
        return said, denied

    @staticmethod
    def _chance(phrase: Phrase) -> float:
        """How likely something that is so is said: what is there rather than what is not, and hardly "sharp"."""
        if phrase.place == "noun" or all(phrase.says.values()):
            return 0.8
        return 0.05 if phrase.place == "picture" else 0.4

    @staticmethod
    def _clashes(phrase: Phrase, said: list[Phrase], told: set[str]) -> bool:
        """Whether it has been said, or hair would be of two colours or forms, or there would be two nouns."""
        if phrase.place == "noun":
            return any(other.place == "noun" for other in said)
        form = {"Straight_Hair", "Wavy_Hair"}
        same = [other for other in said if phrase.place == other.place == "hair"]
        return bool(told & set(phrase.says)) or any((set(phrase.says) <= form) == (set(o.says) <= form) for o in same)

    # --------------------------------------------------------------------------------------------------- reading

    def read(self, sentence: str) -> dict[str, bool]:
        """What a sentence says, by attribute; attributes that it does not speak of are left out.

        Longest phrases first; a word such as "without" denies what follows until the next comma or verb.

        Raises
        ------
        UnknownWords
            For a word that no phrase has.
        """
        words = [word for word in self.vocabulary.cut(sentence) if word not in ARTICLES]
        said: dict[str, bool] = {}
        hair: dict[str, bool] = {}
        place, denied = 0, False
        while place < len(words):
            word = words[place]
            denied = word in NEGATIONS or (denied and word not in NEGATIONS_END)
            length, phrase = next(
                ((n, found) for n in range(4, 0, -1) if (found := self._patterns.get(tuple(words[place : place + n])))),
                (1, None),
            )
            if phrase is not None:
                facts = {name: value is not denied for name, value in phrase.says.items()}
                (hair if phrase.place == "hair" else said).update(facts)
            if word in ("hair", "头发", "卷发", "波浪发", "直发"):  # "black" speaks of hair only where hair follows
                said.update(hair)
            if phrase is None and word not in ("and", "的"):
                hair = {}
            place += length
        return said

    def vectors(self, sentences: Sequence[str]) -> np.ndarray:
        """What sentences say, float32 (count, n): 1 for what a face has, −1 for what it has not, 0 for the unsaid."""
        rows = np.zeros((len(sentences), len(self.names)), "float32")
        for row, sentence in zip(rows, sentences, strict=True):
            for name, value in self.read(sentence).items():
                row[self.names.index(name)] = 1.0 if value else -1.0
        return rows

    def _words(self) -> list[str]:
        words = []
        for language in self.languages:
            for phrase in self.phrases[language]:
                for variant in phrase.variants:
                    words += variant.split() if language == "english" else _chinese_words(variant)
        frames = [word for language in self.languages for word in FRAMES[language]]
        return list(dict.fromkeys([*words, *frames, ","]))

    def _all_patterns(self) -> dict[tuple[str, ...], Phrase]:
        """Phrases by their words, articles left out; a Chinese thing is known without its verb."""
        patterns = {}
        for language in self.languages:
            for phrase in self.phrases[language]:
                for variant in phrase.variants:
                    words = variant.partition("·")[2] or variant
                    patterns[tuple(word for word in words.split() if word not in ARTICLES)] = phrase
        return patterns


# ------------------------------------------------------------------------------------------------------ sentences


def _english(said: list[Phrase], denied: list[Phrase], dice: random.Random) -> str:
    """Put English phrases together in one of three ways."""
    at = {place: [dice.choice(p.variants) for p in said if p.place == place] for place in _places(said)}
    noun = at.get("noun", [dice.choice(["person", "face"])])[0]
    adjectives, worn = at.get("adjective", []), at.get("wearing", [])
    has = [*at.get("with", []), *([" ".join([*at["hair"], "hair"])] if at.get("hair") else [])]
    dice.shuffle(has)
    lacks = [dice.choice(phrase.variants) for phrase in denied]
    blur = at.get("picture", [])
    form = "picture" if blur else dice.choice(["plain", "plain", "picture", "clause", "sentence"])

    if form == "sentence" and adjectives:
        text = f"this {noun} is {_listed(adjectives)}"
        parts = [f"has {_listed(has)}"] if has else []
        parts += [f"wears {_listed(worn)}"] if worn else []
        parts += [f"has no {' or '.join(map(_bare, lacks))}"] if lacks else []
        return ", ".join([text, *parts])
    whole = _with_article(" ".join([*adjectives, noun]))
    if form == "picture":
        kind = dice.choice(["photo", "picture", "portrait"])
        whole = f"{_with_article(' '.join([*blur, kind]))} of {whole}"
    if form == "clause" and (has or worn):
        parts = [f"has {_listed(has)}"] if has else []
        parts += [f"is wearing {_listed(worn)}"] if worn else []
        text = f"{whole} who {' and '.join(parts)}"
    else:
        if worn and dice.random() < 0.5:
            has, worn = [*has, *worn], []  # "with wavy hair and earrings"
        text = whole + (f" with {_listed(has)}" if has else "") + (f", wearing {_listed(worn)}" if worn else "")
    return text + (f", without {' or '.join(lacks)}" if lacks else "")


def _chinese(said: list[Phrase], denied: list[Phrase], dice: random.Random) -> str:
    """Put Chinese phrases together: 一位微笑的年轻女子，棕色卷发，戴着耳环, or with all that before the noun."""
    at = {place: [dice.choice(p.variants) for p in said if p.place == place] for place in _places(said)}
    noun = at.get("noun", ["人"])[0]
    things = [_held(words, dice) for words in at.get("with", []) + at.get("wearing", [])]
    things += [_hair(at["hair"], dice)] if at.get("hair") else []
    dice.shuffle(things)
    lacks = [_lacking(dice.choice(phrase.variants)) for phrase in denied]
    one = dice.choice(["一位", "一个", "一名"])
    adjectives = at.get("adjective", [])
    short = adjectives.pop(adjectives.index("年轻")) if "年轻" in adjectives and dice.random() < 0.7 else ""
    before = "".join(f"{word}的" for word in adjectives)
    if things and dice.random() < 0.25:
        text = "，".join([f"{one}{before}{'、'.join(things)}的{short}{noun}", *lacks])
    else:
        text = "，".join([f"{one}{before}{short}{noun}", *things, *lacks])
    if at.get("picture"):
        return f"一张{at['picture'][0]}的照片，{text}"
    return dice.choice(["照片里是", "这是"]) + text if dice.random() < 0.25 else text


def _places(said: list[Phrase]) -> list[str]:
    """In the order of the phrases: a set's order is another one in each process, and dice would fall otherwise."""
    return list(dict.fromkeys(phrase.place for phrase in said))


def _listed(things: list[str]) -> str:
    *before, final = things
    return f"{', '.join(before)} and {final}" if before else final


def _bare(thing: str) -> str:
    first, _, rest = thing.partition(" ")
    return rest if first in ARTICLES else thing


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _held(words: str, dice: random.Random) -> str:
    """有·大鼻子 becomes 有大鼻子 or 大鼻子, 戴·眼镜 becomes 戴着眼镜."""
    verb, dot, thing = words.partition("·")
    if not dot:
        return words
    return (dice.choice(["有", ""]) if verb == "有" else verb + "着") + thing


def _lacking(words: str) -> str:
    """有·胡茬 becomes 没有胡茬, 戴·眼镜 becomes 没戴眼镜."""
    verb, _, thing = words.partition("·")
    return f"没{verb}{thing}"


def _hair(words: list[str], dice: random.Random) -> str:
    """棕色 and 卷发 become 棕色卷发 or 一头棕色的卷发; 棕色 alone becomes 棕色头发."""
    colour = "".join(word for word in words if not word.endswith("发"))
    form = "".join(word for word in words if word.endswith("发")) or "头发"
    return dice.choice(["", "一头"]) + colour + (dice.choice(["", "的"]) if colour else "") + form


def _chinese_words(variant: str) -> list[str]:
    verb, _, thing = variant.partition("·")
    if not thing:
        return [variant]
    return ["有", "没有", thing] if verb == "有" else [f"{verb}着", f"没{verb}", verb, thing]
