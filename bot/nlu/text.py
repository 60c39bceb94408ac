"""How a message looks to the understanding components."""

import re
import unicodedata
from functools import cache
from pathlib import Path

import spacy
from spacy.language import Language

from clinic import yaml

SHORTHAND = Path("data/shorthand.yml")

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-"})
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
_SHORT_FORM = re.compile(r"(?<![\w'])[a-z0-9]+(?![\w'])")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def normalise(text: str) -> str:
    """The text in small letters, with plain quotes, single spaces, and drawn-out letters ("sooo") cut to two."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES).lower()
    return _DRAWN_OUT.sub(r"\1\1", " ".join(plain.split()))


def plain(text: str) -> str:
    """A message as the models learn it: normalised, with its short forms written out."""
    return written_out(normalise(text))


def written_out(text: str) -> str:
    """A normalised text with the short forms of `data/shorthand.yml` written out."""
    return _SHORT_FORM.sub(lambda match: _shorthand().get(match.group(), match.group()), text)


@cache
def _shorthand() -> dict[str, str]:
    # The file is among what a model is made from, so a change of it comes with a new model.
    found: dict[str, str] = yaml.read(SHORTHAND)
    return found


@cache
def english() -> Language:
    """spaCy's English without a model: its vocabulary, and its way to tell words apart."""
    return spacy.blank("en")


def words(text: str) -> list[str]:
    """The words of a normalised text; an apostrophe inside a word belongs to it."""
    return _WORD.findall(text)
