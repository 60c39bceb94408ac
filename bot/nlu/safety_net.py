"""The second net beside the safety patterns: it learned from whole messages what the patterns have no words for, and which words
of theirs are harmless where they stand.

It takes a glance at each message: the topic model with five labels, which costs next to nothing as the message is encoded
already. Where a pattern or the glance finds something, it takes a closer look with an encoder of its own (bot/nlu/encoder.py),
that tells "my nan had a stroke in the nineties" from "my nan is having a stroke". From which probability on it alarms, and from
which on it overrules a pattern, stands in `data/safety/net.yml`; `python -m bench.fit_safety` fits that by cross-validation on
the training examples alone.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from bot.nlu.classifier import FLOOR, Encode, TopicModel, softmax
from bot.nlu.safety import LEVELS, Alarm, Kind, Level, SafetyGate, less_urgent_than
from bot.nlu.text import plain
from clinic import yaml

MEDICAL: Kind = "medical"
SELF_HARM: Kind = "self_harm"
NONE = "none"
LABELS: dict[Level, tuple[str, ...]] = {
    "emergency": (MEDICAL, SELF_HARM),
    "adverse_reaction": ("adverse_reaction",),
    "clinician": ("clinician",),
}
# Topics whose examples are about what a clinician decides.
CLINICIAN_TOPICS = frozenset(("not_suitable", "pregnancy_and_breastfeeding", "age_limits", "combine_treatments"))
_LATIN = re.compile("[a-z]")

Probability = Annotated[float, Field(gt=0, lt=1)]
Look = Callable[[str], Mapping[str, float]]


class Closer(BaseModel):
    """When to look closer: where the glance is less sure than `unless` that a message is harmless. Then the closer look has this
    weight beside the glance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unless: Probability
    weight: Probability


class Threshold(BaseModel):
    """From which probability of a level on the net alarms; from which of something less urgent on it overrules its patterns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Level
    reason: str
    alarms: Probability
    overrules: Probability


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    closer: Closer
    thresholds: list[Threshold]


class _Examples(BaseModel):
    examples: list[str]


class _Alarming(BaseModel):
    examples: dict[Literal["medical", "self_harm", "adverse_reaction"], list[str]]


class SafetyNet:
    """Raises an alarm when a message is like those that were alarming, and tells when it is like the harmless ones."""

    def __init__(self, model: TopicModel, look: Look, closer: Closer, thresholds: Mapping[Level, Threshold]) -> None:
        """Takes the model for the glance, the closer look, when to take that, and when to say something."""
        self._model, self._look, self.closer, self.thresholds = model, look, closer, dict(thresholds)
        # Each pattern that matches asks about the same message, and so does the screening after it.
        self.look = lru_cache(maxsize=32)(self._looked_at)

    @classmethod
    def train(cls, examples: Mapping[str, Sequence[str]], encode: Encode, look: Look, folder: Path) -> Self:
        """Learns the glance from the texts of each label; see `examples`. When to speak stands in `folder`.

        Raises:
            clinic.yaml.BadFile: the file of thresholds is missing or wrong.
        """
        texts, labels = learned(examples)
        return cls(TopicModel.train(texts, labels, encode), look, *limits(folder))

    def screen(self, text: str, suspected: bool = False) -> Alarm | None:
        """The most urgent alarm for a normalised text with its short forms written out, if any.

        A suspected one gets the closer look in any case. Of a text in another script the net has learned nothing.
        """
        if not _LATIN.search(text):
            return None
        if not suspected and self.glance(text)[NONE] >= self.closer.unless:
            return None
        chances = self.look(text)
        for level in LEVELS:
            if chance(chances, level) >= self.thresholds[level].alarms:
                kind: Kind | None = None
                if level == "emergency":
                    kind = SELF_HARM if chances[SELF_HARM] > chances[MEDICAL] else MEDICAL
                return Alarm(level, f"net:{level}", kind)
        return None

    def weigh(self, text: str, alarm: Alarm) -> Alarm | None:
        """What is left of an alarm that a pattern raised for a text: nothing where that is surely harmless, the likeliest less
        urgent one where it is surely not as urgent ("I had a heart attack in May, can I come?").
        """
        chances, overrules = self.look(text), self.thresholds[alarm.level].overrules
        if chances[NONE] >= overrules:
            return None
        if less_urgent(chances, alarm.level) < overrules:
            return alarm
        level = max(less_urgent_than(alarm.level), key=lambda level: chance(chances, level))
        return Alarm(level, f"net:{level}")

    def glance(self, text: str) -> dict[str, float]:
        """How likely each label is at a glance."""
        return dict(self._model.score(text).ranking)

    def _looked_at(self, text: str) -> dict[str, float]:
        return joined(self.glance(text), self._look(text), self.closer.weight)

    def save(self, folder: Path) -> None:
        """Writes what was learned into a folder of its own."""
        self._model.save(folder)

    @classmethod
    def load(cls, folder: Path, encode: Encode, look: Look, data: Path) -> Self:
        """Reads a net that `save` wrote, with the thresholds of `data`.

        Raises:
            OSError, ValueError, KeyError: a file is missing or damaged.
            clinic.yaml.BadFile: the file of thresholds is missing or wrong.
        """
        return cls(TopicModel.load(folder, encode), look, *limits(data))


def limits(folder: Path) -> tuple[Closer, dict[Level, Threshold]]:
    """When to look closer, and the thresholds by level, of `net.yml` in a folder.

    Raises:
        clinic.yaml.BadFile: the file is missing or wrong, or a level has none.
    """
    path = folder / "net.yml"
    found = yaml.read_as(path, _Limits)
    thresholds = {entry.level: entry for entry in found.thresholds}
    if missing := [level for level in LEVELS if level not in thresholds]:
        raise yaml.BadFile([f"{path}:1: there is no threshold for {', '.join(missing)}"])
    return found.closer, thresholds


def learned(examples: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The normalised texts to learn from, short forms written out, each once; and the label of each."""
    pairs = sorted({(plain(text), label) for label, texts in examples.items() for text in texts})
    return [text for text, _ in pairs], [label for _, label in pairs]


def examples(gate: SafetyGate, labelled: Iterable[tuple[str, str]], folder: Path) -> dict[str, list[str]]:
    """What to train on, by label.

    Args:
        gate: the patterns, without a net: they tell self-harm from other emergencies, and which examples of the topics on
            suitability name a condition.
        labelled: the assistant's training examples, each with its label (`emergency`, `faq/pain`).
        folder: `data/safety/`.

    Raises:
        clinic.yaml.BadFile: a file of examples is missing or wrong.
    """
    found: dict[str, list[str]] = {label: [] for label in (*chain(*LABELS.values()), NONE)}
    for text, label in labelled:
        topic = label.rpartition("/")[2]
        if topic == "emergency":
            found[SELF_HARM if any(alarm.kind == SELF_HARM for alarm in gate.screen(text)) else MEDICAL].append(text)
        elif topic == "adverse_reaction":
            found[topic].append(text)
        elif topic in CLINICIAN_TOPICS:
            found["clinician"] += [text] if any(alarm.level == "clinician" for alarm in gate.screen(text)) else []
        elif not gate.screen(text):
            found[NONE].append(text)
    for level, patterns in gate.data.patterns.items():
        for pattern in patterns:
            found[pattern.kind or level] += pattern.examples
    found[NONE] += [text for idiom in gate.data.idioms for text in idiom.examples if not gate.screen(text)]
    found["clinician"] += yaml.read_as(folder / "examples_clinician.yml", _Examples).examples
    found[NONE] += yaml.read_as(folder / "examples_harmless.yml", _Examples).examples
    alarming = yaml.read_as(folder / "examples_alarming.yml", _Alarming).examples
    for label, texts in alarming.items():
        found[label] += texts
    return found


def joined(glance: Mapping[str, float], closer: Mapping[str, float], weight: float) -> dict[str, float]:
    """How likely each label is by both looks: their geometric mean, in which the closer one has a weight."""
    logs = [(1 - weight) * math.log(p + FLOOR) + weight * math.log(closer[label] + FLOOR) for label, p in glance.items()]
    return dict(zip(glance, map(float, softmax(logs)), strict=True))


def less_urgent(chances: Mapping[str, float], level: Level) -> float:
    """How likely something less urgent than a level, or nothing, is."""
    return chances[NONE] + sum(chance(chances, lesser) for lesser in less_urgent_than(level))


def chance(chances: Mapping[str, float], level: Level) -> float:
    """How likely a level is, by the chances of the labels."""
    return float(sum(chances.get(label, 0.0) for label in LABELS[level]))
