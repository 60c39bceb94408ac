"""Takes out of a text what may tell who wrote it: addresses, numbers, names."""

import re
from functools import cache
from importlib.resources import files

_MARKS = (
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), "[e-mail]"),
    (re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.I), "[link]"),
    # A telephone number, a date of birth, a card: five digits or more, however they are set apart.
    (re.compile(r"\+?\d(?:[\s().\-/]{0,2}\d){4,}"), "[number]"),
    (
        re.compile(
            r"\b(?P<lead>(?:my|her|his|the) name(?:'s| is)|i am called|call me|this is|it's|regards,?|thanks,?|cheers,?)\s+"
            r"(?P<name>[A-Z][\w'-]*(?:\s+[A-Z][\w'-]*){0,2})",
        ),
        "{lead} [name]",
    ),
    (re.compile(r"\b(?P<lead>my name(?:'s| is)|i am called|name:)\s+(?P<name>[\w'-]+(?:\s+[\w'-]+)?)", re.I), "{lead} [name]"),
    (re.compile(r"\b(?P<lead>Mr|Mrs|Ms|Miss|Dr|Mx)\.?\s+(?P<name>[A-Z][\w'-]+)"), "{lead} [name]"),
)
_CAPITAL = re.compile(r"(?<=[a-z,;] )[A-Z][a-z'-]+\b")


def redacted(text: str) -> str:
    """The text with e-mail addresses, links, longer numbers and what looks like names replaced by marks.

    A word with a capital letter within a sentence is taken for a name unless it is an English word.
    """
    for pattern, mark in _MARKS:
        text = pattern.sub(lambda found, mark=mark: mark.format(**found.groupdict()), text)  # type: ignore[misc]
    return _CAPITAL.sub(lambda found: found.group() if found.group().lower() in _words() else "[name]", text)


@cache
def _words() -> frozenset[str]:
    lines = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    return frozenset(line.split()[0] for line in lines)
