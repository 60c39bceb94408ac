"""How hard a text is to read."""

import re

_VARIABLE = re.compile(r"\{[^{}]*\}")
# A variable that is a sentence of its own, such as the clinic's words about insurance.
_SENTENCE_VARIABLE = re.compile(r"(?:(?<=^)|(?<=[.!?] ))\{[^{}]*\}(?=$| [A-Z{])")
_END = re.compile(r"[.!?][\"')]*(?=\s|$)")
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d[\d.,]*")
_VOWELS = re.compile(r"[aeiouy]+")


def sentences(text: str) -> int:
    """How many sentences a text has; a {variable} that stands alone counts as one."""
    filled = _VARIABLE.sub("it", _SENTENCE_VARIABLE.sub("It.", " ".join(text.split())))
    return max(1, len(_END.findall(filled)) + (not _END.search(filled[-2:]) if filled else 0))


def syllables(word: str) -> int:
    """How many syllables a word has, by its groups of vowels: right for most words, off by one for some."""
    word = word.lower()
    groups = len(_VOWELS.findall(word))
    silent = (
        (word.endswith("e")
        and not word.endswith(("le", "ee", "ie", "oe", "ye")))
        or re.search(r"[^aeiouytd]ed$|[^aeiouyscxzgh]es$", word)
    )
    return max(1, groups - bool(silent and groups > 1))


def grade(text: str) -> float:
    """The American school year in which a text can be read: 0.39 words a sentence + 11.8 syllables a word - 15.59.

    This is the Flesch-Kincaid grade level (Kincaid, Fishburne, Rogers and Chissom, "Derivation of new readability
    formulas for Navy enlisted personnel", 1975). A {variable} counts as one short word.
    """
    found = _WORD.findall(_VARIABLE.sub("it", text)) or ["it"]
    return 0.39 * len(found) / sentences(text) + 11.8 * sum(map(syllables, found)) / len(found) - 15.59
