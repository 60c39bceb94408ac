"""Repair of misspelt words, one by one, towards English and the words that visitors use."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Self

from symspellpy import SymSpell, Verbosity

from bot.nlu.text import words

# Rarer words of the English list are known, but nothing is repaired into them.
DICTIONARY_WORDS = 30_000
# Shorter words have too many neighbours, and "u", "appt" or "spf" are meant as they stand.
SHORTEST = 4
# A second slip in a word is rare, and to look for it takes twice the memory.
SLIPS = 1
# Above every English word's, so that a visitor's word wins over a dictionary's at equal distance.
OWN_FREQUENCY = 30_000_000_000
# A whole word of letters alone: "weren't" and "2moro" are left as they are.
_LETTERS = re.compile(r"(?<![\w'])[a-z]+(?![\w'])")


class Spelling:
    """Knows the English words and, above them, the words of the training examples."""

    def __init__(self, own_words: Mapping[str, int]) -> None:
        """Takes the examples' words with how many examples hold each."""
        self.own_words = dict(own_words)
        self._index = SymSpell(max_dictionary_edit_distance=SLIPS, prefix_length=7)
        english = list(_english())
        self._known = {word for word, _ in english} | set(own_words)
        for word, frequency in english[:DICTIONARY_WORDS]:
            self._index.create_dictionary_entry(word, frequency)
        for word, times in sorted(own_words.items()):
            self._index.create_dictionary_entry(word, OWN_FREQUENCY + times)
        self._fix = lru_cache(maxsize=10_000)(self._lookup)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Takes the words that stand at least twice in normalised training texts as known."""
        seen: dict[str, int] = {}
        for text in texts:
            for word in set(words(text)):
                seen[word] = seen.get(word, 0) + 1
        return cls({word: n for word, n in seen.items() if n >= 2 and len(word) >= SHORTEST and _LETTERS.fullmatch(word)})

    def repair(self, text: str) -> str:
        """A normalised text with its misspelt words replaced; all else stays as it is."""
        return _LETTERS.sub(lambda match: self._fix(match.group()), text)

    def _lookup(self, word: str) -> str:
        if len(word) < SHORTEST or word in self._known:
            return word
        found = self._index.lookup(word, Verbosity.TOP, max_edit_distance=SLIPS)
        return found[0].term if found else word


def _english() -> Iterable[tuple[str, int]]:
    lines = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    for line in lines:
        word, frequency = line.split()
        yield word, int(frequency)
