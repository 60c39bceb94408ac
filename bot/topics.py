"""The topics: one file each, with the ways visitors ask and the answer in the wording of each channel."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.lines import Lines
from clinic import yaml

#: the kinds of question that have an answer; each is a folder of topics and a retrieval intent
KINDS = ("faq", "clinic")

Channel = Literal["web", "sms"]
#: the slots that must have a value for a variation to be said: (name, value)
Condition = tuple[tuple[str, Any], ...]


def _day(value: Any) -> dt.date | None:
    # YAML reads a bare date as one, which Rasa can neither keep with a conversation nor send to an action server.
    if value is None:
        return None
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError('write the date in quotes, as "2026-01-31"') from error


Text = Annotated[str, Field(min_length=1)]
Day = Annotated[dt.date, BeforeValidator(_day)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(_Entry):
    """What is written once for all variations of an answer."""

    #: what a button for the topic says
    title: Text
    #: ids of the facts that the answer rests on
    facts: list[str] = []
    #: ids of topics, tasks or other answers to offer after it
    follow_ups: list[str]
    #: the clinician's approval; all empty until there is one
    approved_by: Text | None
    approved_on: Day | None
    review_by: Day | None

    @model_validator(mode="after")
    def _approval(self) -> Self:
        given = {name: getattr(self, name) for name in ("approved_by", "approved_on", "review_by")}
        missing = [name for name, value in given.items() if value is None]
        if 0 < len(missing) < len(given):
            raise yaml.Misplaced((missing[0],), "is empty, although the rest of the approval is there")
        if self.approved_on and self.review_by and self.review_by <= self.approved_on:
            raise yaml.Misplaced(("review_by",), f"{self.review_by} is not after the approval on {self.approved_on}")
        return self


class _Slot(_Entry):
    type: Literal["slot"]
    name: Text
    value: Any


class _Variation(_Entry):
    text: Text
    channel: Literal["sms"] | None = None
    condition: list[_Slot] = []
    metadata: Metadata | None = None


class _Intent(_Entry):
    intent: Text
    examples: Text


class _File(_Entry):
    version: Literal["3.1"]
    nlu: Annotated[list[_Intent], Field(min_length=1, max_length=1)]
    responses: Annotated[dict[str, Annotated[list[_Variation], Field(min_length=1)]], Field(min_length=1, max_length=1)]

    @model_validator(mode="after")
    def _one_metadata(self) -> Self:
        for name, variations in self.responses.items():
            for index, variation in enumerate(variations):
                if (variation.metadata is not None) != (index == 0):
                    raise yaml.Misplaced(
                        ("responses", name, index), "the metadata stands with the first variation, and only there"
                    )
        return self


class _Examples(BaseModel):
    """A file of examples alone. It may also hold Rasa's other kinds of entry, such as synonyms."""

    nlu: list[dict[str, str]]


@dataclass(frozen=True)
class Example:
    """A way in which visitors say it."""

    text: str
    line: int


@dataclass(frozen=True)
class Variation:
    """The wording for a channel, under a condition; an empty condition always holds."""

    channel: Channel
    condition: Condition
    text: str
    line: int


@dataclass(frozen=True)
class Topic:
    """What a question is about, and its answer."""

    #: such as `faq/pain`
    label: str
    path: Path
    examples: list[Example]
    variations: list[Variation]
    metadata: Metadata
    #: the name of the answer, `utter_` and the label
    response: str
    lines: Lines

    @property
    def id(self) -> str:
        """The topic's name without its kind."""
        return self.label.rpartition("/")[2]

    @property
    def line(self) -> int:
        """Where the answer begins."""
        return self.lines.at("responses", self.response)

    def line_of(self, *location: int | str) -> int:
        """Where an entry of the metadata stands."""
        return self.lines.at("responses", self.response, 0, "metadata", *location)

    def says(self, channel: Channel, condition: Condition) -> Variation | None:
        """The wording for a channel under a condition."""
        return next((v for v in self.variations if (v.channel, v.condition) == (channel, condition)), None)


def read(path: Path) -> Topic:
    """Reads a topic's file.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    file = yaml.read_as(path, _File)
    lines = Lines(path)
    [intent], [(response, variations)] = file.nlu, file.responses.items()
    if response != f"utter_{intent.intent}":
        raise yaml.BadFile([f"{path}:{lines.at('responses', response)}: the answer to {intent.intent} is utter_{intent.intent}"])
    metadata = next(variation.metadata for variation in variations if variation.metadata)
    return Topic(
        label=intent.intent,
        path=path,
        examples=_examples(path, lines, 0, intent.examples),
        variations=[
            Variation(
                variation.channel or "web",
                tuple((slot.name, slot.value) for slot in variation.condition),
                variation.text,
                lines.at("responses", response, index),
            )
            for index, variation in enumerate(variations)
        ],
        metadata=metadata,
        response=response,
        lines=lines,
    )


def load_all(folder: Path) -> list[Topic]:
    """Reads all topics' files in the folders of the kinds, in order.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry of each file.
    """
    topics, problems = [], []
    for path in files(folder):
        try:
            topics.append(read(path))
        except yaml.BadFile as error:
            problems += error.problems
    if problems:
        raise yaml.BadFile(problems)
    return topics


def files(folder: Path) -> list[Path]:
    """The topics' files in the folders of the kinds, in order."""
    return [path for kind in KINDS for path in sorted((folder / kind).glob("*.yml"))]


def read_examples(path: Path) -> list[tuple[str, list[Example]]]:
    """Reads a file of examples alone: its intents, each with its examples.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    file = yaml.read_as(path, _Examples)
    lines = Lines(path)
    return [
        (entry["intent"], _examples(path, lines, index, entry.get("examples", "")))
        for index, entry in enumerate(file.nlu)
        if "intent" in entry
    ]


def _examples(path: Path, lines: Lines, index: int, text: str) -> list[Example]:
    first = lines.of_text("nlu", index, "examples")
    if first is None:
        raise yaml.BadFile(
            [f"{path}:{lines.at('nlu', index, 'examples')}: the examples stand below `examples: |`, each on its line"]
        )
    written = [(line.strip(), first + number) for number, line in enumerate(text.splitlines()) if line.strip()]
    wrong = [f"{path}:{line}: an example begins with '- '" for example, line in written if not example.startswith("- ")]
    if wrong:
        raise yaml.BadFile(wrong)
    return [Example(example.removeprefix("- ").strip(), line) for example, line in written]
