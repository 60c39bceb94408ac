"""Repair of misspelt words, one by one, towards English and the words that visitors use."""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Self

from bot.nlu.text import plain, words

# Rarer words of the English list are known, but nothing is repaired into them.
DICTIONARY_WORDS = 30_000
# Shorter words have too many neighbours, and "u", "appt" or "spf" are meant as they stand.
SHORTEST, LONGEST = 4, 30
# Above every English word's, so that a visitor's word wins over a dictionary's at equal distance.
OWN_FREQUENCY = 30_000_000_000
# A whole word of letters alone: "weren't" and "2moro" are left as they are.
_LETTERS = re.compile(r"(?<![\w'])[a-z]+(?![\w'])")


class Spelling:
    """Knows the English words and, above them, the words of the training examples."""

    def __init__(self, own_words: Mapping[str, int]) -> None:
        """Takes the examples' words with how many examples hold each."""
        self.own_words = dict(own_words)
        english = list(_english())
        self._known = {word for word, _ in english} | set(own_words)
        self._frequencies = dict(english[:DICTIONARY_WORDS])
        for word, times in own_words.items():
            self._frequencies[word] = OWN_FREQUENCY + times + self._frequencies.get(word, 0)
        self._fix = lru_cache(maxsize=10_000)(self._lookup)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Takes the words that stand at least twice in normalised training texts as known."""
        seen: dict[str, int] = {}
        for text in texts:
            for word in set(words(text)):
                seen[word] = seen.get(word, 0) + 1
        return cls({word: n for word, n in seen.items() if n >= 2 and len(word) >= SHORTEST and _LETTERS.fullmatch(word)})

    def read(self, text: str) -> str:
        """A message as the models read it: plain, and repaired."""
        return self.repair(plain(text))

    def repair(self, text: str) -> str:
        """A normalised text with its misspelt words replaced; all else stays as it is."""
        return _LETTERS.sub(lambda match: self._fix(match.group()), text)

    def _lookup(self, word: str) -> str:
        if not SHORTEST <= len(word) <= LONGEST or word in self._known:
            return word
        near = [(self._frequencies[other], other) for other in _one_slip_away(word) if other in self._frequencies]
        return max(near)[1] if near else word


def _one_slip_away(word: str) -> Iterator[str]:
    """What is one letter more, less, other or changed with its neighbour; a second slip is rare (Damerau 1964)."""
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in string.ascii_lowercase:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]


def _english() -> Iterable[tuple[str, int]]:
    lines = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    for line in lines:
        word, frequency = line.split()
        yield word, int(frequency)
