"""From sentences to word indices: English words, and Chinese cut into the longest known words.

Chinese is written without spaces, so 棕色卷发 must be cut into 棕色 and 卷发: at each place the longest known word is
taken. An unknown word is an error; a model that has not learnt "purple" would ignore it silently.
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
    """A sentence with words that are not in the vocabulary; the message names them and the nearest known ones."""


class Vocabulary:
    """Known words and their indices, from 1 on; 0 pads short sentences.

    Parameters
    ----------
    words : sequence of str
        In the order of their indices; each once.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.indices = {word: index for index, word in enumerate(self.words, start=1)}
        if len(self.indices) < len(self.words):
            raise ValueError("a word stands twice in the vocabulary.")
        self._longest = max(map(len, self.words), default=1)

    def __len__(self) -> int:
        """Return the number of indices, including 0."""
        return len(self.words) + 1

    def cut(self, sentence: str) -> list[str]:
        """Cut a sentence into words; every stop becomes a comma, a hyphen a space, and capitals become small letters.

        Raises
        ------
        UnknownWords
            A word is not known.
        """
        words, unknown = [], []
        for piece in _PIECES.findall(sentence.casefold().replace("’", "'").replace("-", " ")):
            if piece in _STOPS:
                words.append(",")
            elif "\u3400" <= piece[0] <= "\u9fff":
                self._cut_chinese(piece, words, unknown)
            else:
                (words if piece in self.indices else unknown).append(piece)
        if unknown:
            named = [repr(word) + self._suggestion(word) for word in dict.fromkeys(unknown)]
            many = "words" if len(named) > 1 else "the word"
            known = " ".join(word for word in self.words if word != ",")
            known = known if len(known) <= 400 else known[:400].rsplit(" ", 1)[0] + " ..."
            raise UnknownWords(
                f"not known here: {many} {', '.join(named)}. Known are {len(self.words)} words: {known}."
            )
        return words

    def _cut_chinese(self, run: str, words: list[str], unknown: list[str]) -> None:
        """Cut a run of Chinese characters; what is between known words is unknown."""
        start = between = 0
        while start < len(run):
            ends = range(min(start + self._longest, len(run)), start, -1)
            if end := next((end for end in ends if run[start:end] in self.indices), 0):
                unknown += [run[between:start]] if start > between else []
                words.append(run[start:end])
                start = between = end
            else:
                start += 1
        unknown += [run[between:]] if between < len(run) else []

    def _suggestion(self, word: str) -> str:
        """Up to three known words that look like this one, or share characters with it if it is Chinese."""
        if word.isascii():
            near = difflib.get_close_matches(word, self.words, n=3, cutoff=0.7)
        else:
            shared = {known: len(set(known) & set(word)) for known in self.words if not known.isascii()}
            near = sorted((known for known, count in shared.items() if count), key=lambda known: -shared[known])[:3]
        return f" (did you mean {' or '.join(near)}?)" if near else ""

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """Turn sentences into word indices, int32 (n, ``LENGTH``), padded with 0.

        Raises
        ------
        UnknownWords
            A word is not known.
        ValueError
            A sentence has no words, or more than ``LENGTH``.
        """
        rows = np.zeros((len(sentences), LENGTH), "int32")
        for row, sentence in zip(rows, sentences, strict=True):
            words = self.cut(sentence)
            if not 0 < len(words) <= LENGTH:
                raise ValueError(f"a sentence of {len(words)} words ({sentence[:60]!r}): from 1 to {LENGTH} are read.")
            row[: len(words)] = [self.indices[word] for word in words]
        return rows
