"""What is done to a visitor's text before anything reads it, and which texts need no reading."""

import unicodedata
from pathlib import Path
from typing import Literal

from clinic import yaml

MAX_LENGTH = 1000
# The share of frequent words of another language from which on a text is in it.
LEAST_SHARE = 1 / 3

Trouble = Literal["no_words", "too_long", "other_language"]


def tidy(text: str) -> str:
    """The text without control characters, with single spaces, and not beginning like one of Rasa's commands."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(kept.split()).lstrip("/ ")


class TroubleSpotter:
    """Tells which tidied texts cannot be understood, and why."""

    def __init__(self, languages: Path) -> None:
        """Reads the frequent words of other languages from `data/languages.yml`."""
        self._languages = {name: frozenset(words) for name, words in yaml.read(languages).items()}

    def trouble(self, text: str) -> Trouble | None:
        """Why a text cannot be understood; None when it can be tried."""
        if len(text) > MAX_LENGTH:
            return "too_long"
        letters = [c for c in text if c.isalpha()]
        if not letters:
            return None if any(c.isdigit() or c in "?$£€" for c in text) else "no_words"
        latin = sum(1 for c in letters if unicodedata.name(c, "").startswith("LATIN"))
        return "other_language" if latin < len(letters) / 2 or self._is_foreign(text) else None

    def _is_foreign(self, text: str) -> bool:
        words = ["".join(c for c in word if c.isalpha() or c == "-") for word in text.lower().split()]
        most = max(sum(1 for word in words if word in known) for known in self._languages.values())
        # "tut das weh? does it hurt a lot" can be understood.
        return len(words) * LEAST_SHARE <= most >= 2 or (most == 1 and len(words) == 1)
