"""What a visitor gets for a message, and how it came about."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Zone = Literal["answer", "clarify", "fallback", "safety", "task"]
Safety = Literal["emergency", "adverse_reaction", "clinician"]


class UnknownChoice(Exception):
    """A button's id that was not offered in this conversation lately."""


@dataclass(frozen=True)
class Choice:
    """A button. Its id means something within its conversation alone; the topic stays on the server."""

    id: str
    title: str
    topic: str


@dataclass(frozen=True)
class Source:
    """A document that an answer comes from."""

    id: str
    title: str
    #: how an answer refers to it
    words: str = ""


@dataclass(frozen=True)
class Message:
    """One message of the assistant; with the id of a visit when that was booked or moved."""

    id: str
    text: str
    choices: list[Choice] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    visit: str | None = None


@dataclass(frozen=True)
class Reply:
    """The messages of a turn, and why they are what they are.

    `topics` are bare ids (`pain`), in the order asked; `choices` are the topics that a clarification offered;
    `confidence` is between 0 and 1; `ranking` has the likeliest labels with their probabilities; `ms` is how long the
    turn took, in milliseconds.
    """

    zone: Zone
    safety: Safety | None
    topics: list[str]
    confidence: float
    choices: list[str]
    messages: list[Message]
    ranking: list[tuple[str, float]] = field(default_factory=list)
    ms: float = 0.0

    @property
    def sources(self) -> list[Source]:
        """The documents behind all messages, each once, in order."""
        return list({source.id: source for message in self.messages for source in message.sources}.values())

    def as_json(self) -> str:
        """The reply as it is kept with its turn."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A kept reply."""
        values: dict[str, Any] = json.loads(text)
        messages = [
            Message(**m | {"choices": [Choice(**c) for c in m["choices"]], "sources": [Source(**s) for s in m["sources"]]})
            for m in values.pop("messages")
        ]
        ranking = [(label, probability) for label, probability in values.pop("ranking")]
        return cls(**values, messages=messages, ranking=ranking)
