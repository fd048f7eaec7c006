"""Sentences about faces, written from their attributes, and read again.

CelebA has no captions, but 40 yes-or-no attributes for each face. A sentence states some of them, in a random order and
wording, so that a text encoder has something to learn. It never says what is not true. What is missing is mentioned
rarely. A model that learns from a few attributes gets sentences about these alone, and knows no other words.

See also ``grammar.py`` (all that can be said) and ``vocabulary.py``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from .grammar import ARTICLES, ATTRIBUTES, FRAMES, GRAMMAR, NEGATIONS, NEGATIONS_END, Phrase
from .vocabulary import Vocabulary

LANGUAGES = tuple(GRAMMAR)
MOST = 12  # facts in one sentence


class Captions:
    """Write and read sentences about some attributes.

    Parameters
    ----------
    names : sequence of str
        Attributes, of CelebA's 40; the order is that of the vectors.
    languages : sequence of str
        "english", "chinese" or both.

    Raises
    ------
    ValueError
        An attribute has no phrase, or a language has no grammar.
    """

    def __init__(self, names: Sequence[str], languages: Sequence[str] = LANGUAGES) -> None:
        self.names, self.languages = tuple(names), tuple(languages)
        if unknown := [name for name in self.names if name not in ATTRIBUTES]:
            raise ValueError(
                f"nothing can be said of {', '.join(unknown)}; sentences speak of {', '.join(ATTRIBUTES)}."
            )
        if not self.languages or set(self.languages) - set(LANGUAGES):
            raise ValueError(f"languages={languages!r}: choose from {', '.join(LANGUAGES)}.")
        self.phrases = {
            language: [phrase for phrase in GRAMMAR[language] if set(phrase.says) <= set(self.names)]
            for language in self.languages
        }
        self.vocabulary = Vocabulary(self._words())
        self._patterns = self._all_patterns()

    # --------------------------------------------------------------------------------------------------- writing

    def write(
        self, face: Sequence[float], seed: int | random.Random = 0, language: str | None = None, thorough: bool = False
    ) -> str:
        """Write a sentence about a face.

        Parameters
        ----------
        face : array-like of float, shape (n,)
            In the order of `names`: above 0 for present, NaN for unknown, anything else for missing.
        seed : int or random.Random
            Choice of facts and words.
        language : str, optional
            By default a random one of `languages`.
        thorough : bool
            State all that is present, and the most important of what is missing, instead of a part.

        Returns
        -------
        str
        """
        return self.compose(face, seed, language, thorough)[0]

    def compose(
        self, face: Sequence[float], seed: int | random.Random = 0, language: str | None = None, thorough: bool = False
    ) -> tuple[str, np.ndarray]:
        """Write a sentence as :meth:`write`, and return its facts, float32 (n,), as a row of :meth:`vectors`."""
        rng = seed if isinstance(seed, random.Random) else random.Random(f"caption {seed}")
        values = zip(self.names, np.asarray(face).tolist(), strict=True)
        known = {name: value > 0 for name, value in values if value == value}  # NaN is unknown
        language = language or rng.choice(self.languages)
        stated, denied = self._choose(known, language, rng, thorough)
        mentioned = {name for phrase in (*stated, *denied) for name in phrase.says}
        facts = [(1.0 if known[name] else -1.0) if name in mentioned else 0.0 for name in self.names]
        sentence = (_english if language == "english" else _chinese)(stated, denied, rng)
        return sentence, np.asarray(facts, "float32")

    def _choose(
        self, known: dict[str, bool], language: str, rng: random.Random, thorough: bool
    ) -> tuple[list[Phrase], list[Phrase]]:
        """Choose phrases to state, and phrases to deny; no attribute twice."""
        true = [phrase for phrase in self.phrases[language] if phrase.true_of(known)]
        missing = [phrase for phrase in self.phrases[language] if phrase.denied_of(known)]
        rng.shuffle(true)
        rng.shuffle(missing)
        true.sort(key=lambda phrase: phrase.place != "noun")  # the noun first: what it says is not repeated
        mentioned: set[str] = set()
        stated, denied = [], []
        for phrase in true:
            probability = 1.0 if thorough else self._probability(phrase)
            if len(mentioned) < MOST and not self._clashes(phrase, stated, mentioned) and rng.random() < probability:
                stated.append(phrase)
                mentioned |= set(phrase.says)
        for phrase in missing:
            wanted = len(denied) < 3 if thorough else rng.random() < min(0.3, 0.6 / len(missing))
            if len(mentioned) < MOST and not mentioned & set(phrase.says) and wanted:
                denied.append(phrase)
                mentioned |= set(phrase.says)
        rng.shuffle(stated)
        return stated, denied

    @staticmethod
    def _probability(phrase: Phrase) -> float:
        """How likely a true phrase is used: high for what is present, low for what is not, very low for "sharp"."""
        if phrase.place == "noun" or all(phrase.says.values()):
            return 0.8
        return 0.05 if phrase.place == "picture" else 0.4

    @staticmethod
    def _clashes(phrase: Phrase, stated: list[Phrase], mentioned: set[str]) -> bool:
        """Whether an attribute is repeated, hair would have two colours or forms, or there would be two nouns."""
        if phrase.place == "noun":
            return any(other.place == "noun" for other in stated)
        form = {"Straight_Hair", "Wavy_Hair"}
        same = [other for other in stated if phrase.place == other.place == "hair"]
        return bool(mentioned & set(phrase.says)) or any(
            (set(phrase.says) <= form) == (set(other.says) <= form) for other in same
        )

    # --------------------------------------------------------------------------------------------------- reading

    def read(self, sentence: str) -> dict[str, bool]:
        """Return what a sentence says, by attribute; attributes that it does not mention are left out.

        The longest phrases are matched first; a word such as "without" denies what follows until the next comma or
        verb.

        Raises
        ------
        UnknownWords
            A word belongs to no phrase.
        """
        words = [word for word in self.vocabulary.cut(sentence) if word not in ARTICLES]
        facts: dict[str, bool] = {}
        hair: dict[str, bool] = {}
        at, denied = 0, False
        while at < len(words):
            word = words[at]
            denied = word in NEGATIONS or (denied and word not in NEGATIONS_END)
            length, phrase = next(
                ((n, found) for n in range(4, 0, -1) if (found := self._patterns.get(tuple(words[at : at + n])))),
                (1, None),
            )
            if phrase is not None:
                stated = {name: value is not denied for name, value in phrase.says.items()}
                (hair if phrase.place == "hair" else facts).update(stated)
            if word in ("hair", "头发", "卷发", "波浪发", "直发"):  # "black" speaks of hair only if hair follows
                facts.update(hair)
            if phrase is None and word not in ("and", "的"):
                hair = {}
            at += length
        return facts

    def vectors(self, sentences: Sequence[str]) -> np.ndarray:
        """Return what sentences say, float32 (count, n): 1 for present, −1 for missing, 0 for not mentioned."""
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
        """Phrases by their words, without articles; a Chinese thing is known without its verb."""
        patterns = {}
        for language in self.languages:
            for phrase in self.phrases[language]:
                for variant in phrase.variants:
                    words = variant.partition("·")[2] or variant
                    patterns[tuple(word for word in words.split() if word not in ARTICLES)] = phrase
        return patterns


# ------------------------------------------------------------------------------------------------------ sentences


def _english(stated: list[Phrase], denied: list[Phrase], rng: random.Random) -> str:
    """Put English phrases together in one of three ways."""
    at = {place: [rng.choice(p.variants) for p in stated if p.place == place] for place in _places(stated)}
    noun = at.get("noun", [rng.choice(["person", "face"])])[0]
    adjectives, worn = at.get("adjective", []), at.get("wearing", [])
    has = [*at.get("with", []), *([" ".join([*at["hair"], "hair"])] if at.get("hair") else [])]
    rng.shuffle(has)
    lacks = [rng.choice(phrase.variants) for phrase in denied]
    blur = at.get("picture", [])
    form = "picture" if blur else rng.choice(["plain", "plain", "picture", "clause", "sentence"])

    if form == "sentence" and adjectives:
        text = f"this {noun} is {_listed(adjectives)}"
        parts = [f"has {_listed(has)}"] if has else []
        parts += [f"wears {_listed(worn)}"] if worn else []
        parts += [f"has no {' or '.join(map(_bare, lacks))}"] if lacks else []
        return ", ".join([text, *parts])
    whole = _with_article(" ".join([*adjectives, noun]))
    if form == "picture":
        kind = rng.choice(["photo", "picture", "portrait"])
        whole = f"{_with_article(' '.join([*blur, kind]))} of {whole}"
    if form == "clause" and (has or worn):
        parts = [f"has {_listed(has)}"] if has else []
        parts += [f"is wearing {_listed(worn)}"] if worn else []
        text = f"{whole} who {' and '.join(parts)}"
    else:
        if worn and rng.random() < 0.5:
            has, worn = [*has, *worn], []  # "with wavy hair and earrings"
        text = whole + (f" with {_listed(has)}" if has else "") + (f", wearing {_listed(worn)}" if worn else "")
    return text + (f", without {' or '.join(lacks)}" if lacks else "")


def _chinese(stated: list[Phrase], denied: list[Phrase], rng: random.Random) -> str:
    """Put Chinese phrases together: 一位微笑的年轻女子，棕色卷发，戴着耳环, or with all that before the noun."""
    at = {place: [rng.choice(p.variants) for p in stated if p.place == place] for place in _places(stated)}
    noun = at.get("noun", ["人"])[0]
    things = [_held(words, rng) for words in at.get("with", []) + at.get("wearing", [])]
    things += [_hair(at["hair"], rng)] if at.get("hair") else []
    rng.shuffle(things)
    lacks = [_lacking(rng.choice(phrase.variants)) for phrase in denied]
    one = rng.choice(["一位", "一个", "一名"])
    adjectives = at.get("adjective", [])
    short = adjectives.pop(adjectives.index("年轻")) if "年轻" in adjectives and rng.random() < 0.7 else ""
    before = "".join(f"{word}的" for word in adjectives)
    if things and rng.random() < 0.25:
        text = "，".join([f"{one}{before}{'、'.join(things)}的{short}{noun}", *lacks])
    else:
        text = "，".join([f"{one}{before}{short}{noun}", *things, *lacks])
    if at.get("picture"):
        return f"一张{at['picture'][0]}的照片，{text}"
    return rng.choice(["照片里是", "这是"]) + text if rng.random() < 0.25 else text


def _places(stated: list[Phrase]) -> list[str]:
    """The places in the order of the phrases; the order of a set would differ from process to process."""
    return list(dict.fromkeys(phrase.place for phrase in stated))


def _listed(things: list[str]) -> str:
    *before, final = things
    return f"{', '.join(before)} and {final}" if before else final


def _bare(thing: str) -> str:
    first, _, rest = thing.partition(" ")
    return rest if first in ARTICLES else thing


def _with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _held(words: str, rng: random.Random) -> str:
    """有·大鼻子 becomes 有大鼻子 or 大鼻子, 戴·眼镜 becomes 戴着眼镜."""
    verb, dot, thing = words.partition("·")
    if not dot:
        return words
    return (rng.choice(["有", ""]) if verb == "有" else verb + "着") + thing


def _lacking(words: str) -> str:
    """有·胡茬 becomes 没有胡茬, 戴·眼镜 becomes 没戴眼镜."""
    verb, _, thing = words.partition("·")
    return f"没{verb}{thing}"


def _hair(words: list[str], rng: random.Random) -> str:
    """棕色 and 卷发 become 棕色卷发 or 一头棕色的卷发; 棕色 alone becomes 棕色头发."""
    colour = "".join(word for word in words if not word.endswith("发"))
    form = "".join(word for word in words if word.endswith("发")) or "头发"
    return rng.choice(["", "一头"]) + colour + (rng.choice(["", "的"]) if colour else "") + form


def _chinese_words(variant: str) -> list[str]:
    verb, _, thing = variant.partition("·")
    if not thing:
        return [variant]
    return ["有", "没有", thing] if verb == "有" else [f"{verb}着", f"没{verb}", verb, thing]
