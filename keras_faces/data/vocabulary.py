"""From a sentence to numbers: English words, and Chinese cut by the longest word that is known.

Chinese is written without spaces, so 棕色卷发 must be cut into 棕色 and 卷发. The oldest way still serves for a small
vocabulary: at each place take the longest known word.

A word that is not known is an error, never a blank: a model that has not learnt "purple" would make some face, and
nobody would know that the word had been dropped.

Read next: ``captions.py``, whose words these are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import numpy as np

LENGTH = 64  # words of the longest sentence
_PIECES = re.compile(r"[a-z0-9']+|[\u3400-\u9fff]+|[,，、;；.。:：!！?？]|\S")
_STOPS = set(",，、;；.。:：!！?？")


class UnknownWords(ValueError):
    """A sentence with words that the vocabulary has not; the message names them and the nearest known ones."""


class Vocabulary:
    """Known words and their numbers, from 1 on; 0 fills up short sentences.

    Parameters
    ----------
    words
        In the order of their numbers; each once.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.numbers = {word: number for number, word in enumerate(self.words, start=1)}
        if len(self.numbers) < len(self.words):
            raise ValueError("a word stands twice in the vocabulary.")
        self._longest = max(map(len, self.words), default=1)

    def __len__(self) -> int:
        """How many numbers there are, 0 among them."""
        return len(self.words) + 1

    def cut(self, sentence: str) -> list[str]:
        """The words of a sentence; every stop is a comma, a hyphen a space, and capitals are small letters.

        Raises
        ------
        UnknownWords
            If there is a word that is not known.
        """
        words, unknown = [], []
        small = sentence.casefold().replace("’", "'").replace("-", " ")
        for piece in _PIECES.findall(small):
            if piece in _STOPS:
                words.append(",")
            elif "\u3400" <= piece[0] <= "\u9fff":
                self._cut_chinese(piece, words, unknown)
            else:
                (words if piece in self.numbers else unknown).append(piece)
        if unknown:
            raise UnknownWords(self._told(list(dict.fromkeys(unknown))))
        return words

    def _cut_chinese(self, run: str, words: list[str], unknown: list[str]) -> None:
        """Cut a run of Chinese characters; what is between known words is unknown."""
        start = between = 0
        while start < len(run):
            ends = range(min(start + self._longest, len(run)), start, -1)
            if end := next((end for end in ends if run[start:end] in self.numbers), 0):
                unknown += [run[between:start]] if start > between else []
                words.append(run[start:end])
                start = between = end
            else:
                start += 1
        unknown += [run[between:]] if between < len(run) else []

    def _told(self, unknown: list[str]) -> str:
        told = []
        for word in unknown:
            near = self.nearest(word)
            told.append(f"{word!r}" + (f" (did you mean {' or '.join(near)}?)" if near else ""))
        many = "words" if len(unknown) > 1 else "the word"
        return f"not known here: {many} {', '.join(told)}. Known are {len(self.words)} words: {self.shown()}."

    def nearest(self, word: str, most: int = 3) -> list[str]:
        """Known words that are written like this one, or share characters with it if it is Chinese."""
        if word.isascii():
            return difflib.get_close_matches(word, self.words, n=most, cutoff=0.7)
        shared = {known: len(set(known) & set(word)) for known in self.words if not known.isascii()}
        near = sorted((known for known, count in shared.items() if count), key=lambda known: -shared[known])
        return near[:most]

    def shown(self, most: int = 400) -> str:
        """The words, as one line."""
        text = " ".join(word for word in self.words if word != ",")
        return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " ..."

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """Numbers of the words, int32 (count, ``LENGTH``), filled up with 0.

        Raises
        ------
        UnknownWords
            For a word that is not known.
        ValueError
            For a sentence without words, and for one of more than ``LENGTH``.
        """
        rows = np.zeros((len(sentences), LENGTH), "int32")
        for row, sentence in zip(rows, sentences, strict=True):
            words = self.cut(sentence)
            if not 0 < len(words) <= LENGTH:
                raise ValueError(f"a sentence of {len(words)} words ({sentence[:60]!r}): from 1 to {LENGTH} are read.")
            row[: len(words)] = [self.numbers[word] for word in words]
        return rows
