"""How hard a text is to read."""

import re

_VARIABLE = re.compile(r"\{[^{}]*\}")
# A variable that is a sentence of its own, such as the clinic's words about insurance.
_SENTENCE_VARIABLE = re.compile(r"(?:(?<=^)|(?<=[.!?] ))\{[^{}]*\}(?=$| [A-Z{])")
_END = re.compile(r"[.!?][\"')]*(?=\s|$)")
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d[\d.,]*")
# The e of "make", "used" and "lines" is not heard; that of "little", "acne", "treated" and "places" is.
_SILENT_E = re.compile(r"(?<!^ac)[^aeioul]e$|[aeiou]le$|[^aeiouytd]ed$|[^aeiouyscxzghl]es$|[aeiou]les$")
_VOWELS = re.compile(r"[aeiouy]+")


def sentences(text: str) -> int:
    """How many sentences a text has; a {variable} that stands alone counts as one."""
    filled = _VARIABLE.sub("it", _SENTENCE_VARIABLE.sub("It.", " ".join(text.split())))
    return max(1, sum(1 for sentence in _END.split(filled) if sentence.strip()))


def syllables(word: str) -> int:
    """How many syllables a word has, by its groups of vowels: right for most words, off by one for some."""
    word = word.lower()
    groups = len(_VOWELS.findall(word))
    silent = _SILENT_E.search(word) is not None
    return max(1, groups - silent)


def grade(text: str) -> float:
    """The American school year in which a text can be read: 0.39 words a sentence + 11.8 syllables a word - 15.59.

    This is the Flesch-Kincaid grade level (Kincaid, Fishburne, Rogers and Chissom, "Derivation of new readability
    formulas for Navy enlisted personnel", 1975). A {variable} counts as one short word.
    """
    found = _WORD.findall(_VARIABLE.sub("it", text)) or ["it"]
    return 0.39 * len(found) / sentences(text) + 11.8 * sum(map(syllables, found)) / len(found) - 15.59
