"""What a message means after the one before: set phrases, and the choice that a clarification asked for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel
from rapidfuzz import fuzz

from bot.nlu.text import normalise
from bot.reply import Choice, Reply
from clinic import yaml

PHRASES = Path("data/phrases.yml")
ELSE = "else"
# How the topic of the button begins that asks for other times.
OTHERS = "pick:other"
# Likeness of a text to a choice's title, of 100, from which on it is taken for it.
SAME_TITLE = 88
_OPENERS = re.compile(
    r"^(?:(?:and|ok|okay|so|but|then|also|right|oh|well|hmm|um|wait|sorry|great|cool|thanks|actually|just|nah)\b[\s,.!]*)+"
)
_THANKS = re.compile(r"(?<=\w)[\s,.!]+(?:thanks|thx|ty|thank you|cheers)$")
_ENDS = " ?.!,"
_NUMBER = re.compile(
    r"^(?:number |no\.? ?|option |the )?(?P<n>\d|one|two|three|four|first|second|third|fourth|last)(?: one| option)?"
    r"(?: please| pls)?$"
)
_NUMBERS = {"one": 1, "first": 1, "two": 2, "second": 2, "three": 3, "third": 3, "four": 4, "fourth": 4, "last": -1}


class _Phrases(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    says: Annotated[list[str], Field(min_length=1)]
    after: dict[str, list[str]] = {}
    otherwise: Annotated[str | None, Field(alias=ELSE)] = None


class _File(RootModel[list[_Phrases]]):
    pass


@dataclass(frozen=True)
class Phrases:
    """What the short messages of `data/phrases.yml` mean."""

    meanings: dict[str, dict[str, str]]

    @classmethod
    def load(cls, path: Path = PHRASES) -> "Phrases":
        """Reads the file.

        Raises:
            clinic.yaml.BadFile: with file, line and reason for each wrong entry.
        """
        meanings: dict[str, dict[str, str]] = {}
        for entry in yaml.read_as(path, _File).root:
            means = {topic: meant for meant, topics in entry.after.items() for topic in topics}
            if entry.otherwise:
                means[ELSE] = entry.otherwise
            for words in entry.says:
                meanings.setdefault(normalise(words), {}).update(means)
        return cls(meanings)

    def meaning(self, text: str, last_topic: str) -> str | None:
        """The topic that a text is about after another topic; None when it speaks for itself."""
        means = self._means(text)
        return means.get(last_topic) or means.get(ELSE)

    def within(self, text: str, form: str) -> str | None:
        """What a text means while a form is at work; None when it speaks for itself."""
        return self._means(text.replace(",", "")).get(form)

    def _means(self, text: str) -> dict[str, str]:
        # "Actually no" is more than a no.
        return self.meanings.get(normalise(text).strip(_ENDS)) or self.meanings.get(_bare(text), {})


def numbered(text: str, choices: list[Choice]) -> Choice | None:
    """The choice that a text picks by its number: "2", "the second one", "last"."""
    if not (number := _NUMBER.match(_bare(text))):
        return None
    n = _NUMBERS.get(number["n"]) or int(number["n"])
    if n < 0:
        # "The last one" is not the button for others.
        choices = [choice for choice in choices if not choice.topic.startswith(OTHERS)]
    return choices[n - 1 if n > 0 else n] if 0 < n <= len(choices) or n < 0 < len(choices) else None


def titled(text: str, choices: list[Choice]) -> Choice | None:
    """The choice that a text names by its title, or nearly so."""
    bare = _bare(text)
    likeness = [(fuzz.ratio(bare, _bare(choice.title)), choice) for choice in choices]
    best = max(likeness, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] >= SAME_TITLE else None


def offered(reply: Reply) -> list[Choice]:
    """All choices of a reply, in order."""
    return [choice for message in reply.messages for choice in message.choices]


def _bare(text: str) -> str:
    return _THANKS.sub("", _OPENERS.sub("", normalise(text)).strip(_ENDS)).strip(_ENDS)
