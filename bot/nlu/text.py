"""How a message looks to the understanding components."""

import re
import unicodedata

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def normalise(text: str) -> str:
    """The text in small letters, with plain quotes, single spaces, and drawn-out letters ("sooo") cut to two."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES).lower()
    return _DRAWN_OUT.sub(r"\1\1", " ".join(plain.split()))


def words(text: str) -> list[str]:
    """The words of a normalised text; an apostrophe inside a word belongs to it."""
    return _WORD.findall(text)
