"""The second net beside the safety patterns: a classifier that learned from whole messages what the patterns have no words for,
and which words of theirs are harmless where they stand.

It is the topic model with five labels. From which probability on it alarms, and from which on it overrules a pattern, stands
in `data/safety/net.yml`; `python -m bench.fit_safety` fits that by cross-validation on the training examples alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from bot.nlu.classifier import Encode, TopicModel
from bot.nlu.safety import LEVELS, Alarm, Kind, Level, SafetyGate
from bot.nlu.text import normalise, written_out
from bot.nlu.zones import OUT_OF_SCOPE
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
# So many harmless examples to learn from, besides those of the folder and what is out of scope, which has words of all kinds:
# the others teach little more and take time.
HARMLESS = 6000


class Threshold(BaseModel):
    """From which probability of a level on the net alarms; from which of being harmless on, also near a match, it overrules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Level
    reason: str
    alarms: float = Field(gt=0, lt=1)
    overrules: float = Field(gt=0, lt=1)
    near: float = Field(gt=0, lt=1)


class _Thresholds(BaseModel):
    thresholds: list[Threshold]


class _Examples(BaseModel):
    examples: list[str]


class _Alarming(BaseModel):
    examples: dict[Literal["medical", "self_harm", "adverse_reaction"], list[str]]


class SafetyNet:
    """Raises an alarm when a message is like those that were alarming, and tells when it is like the harmless ones."""

    def __init__(self, model: TopicModel, thresholds: Mapping[Level, Threshold]) -> None:
        self._model, self.thresholds = model, dict(thresholds)
        # Each pattern that matches asks about the same message, and so does the screening after it.
        self._chances = lru_cache(maxsize=32)(lambda text: dict(model.score(text).ranking))

    @classmethod
    def train(cls, examples: Mapping[str, Sequence[str]], encode: Encode, folder: Path) -> Self:
        """Learns from the texts of each label; see `examples`. The thresholds stand in `folder`.

        Raises:
            clinic.yaml.BadFile: the file of thresholds is missing or wrong.
        """
        texts, labels = learned(examples)
        return cls(TopicModel.train(texts, labels, encode), thresholds(folder))

    def screen(self, text: str) -> Alarm | None:
        """The most urgent alarm for a normalised text with its short forms written out, if any."""
        chances = self._chances(text)
        for level in LEVELS:
            if chance(chances, level) >= self.thresholds[level].alarms:
                kind: Kind | None = None
                if level == "emergency":
                    kind = SELF_HARM if chances[SELF_HARM] > chances[MEDICAL] else MEDICAL
                return Alarm(level, f"net:{level}", kind)
        return None

    def harmless(self, text: str, around: Iterable[str], level: Level) -> bool:
        """Whether a text, and the words around what a level's patterns found, are too surely harmless for them to count."""
        limits = self.thresholds[level]
        return self._chances(text)[NONE] >= limits.overrules and all(self._chances(part)[NONE] >= limits.near for part in around)

    def save(self, folder: Path) -> None:
        """Writes the net into a folder of its own."""
        self._model.save(folder)

    @classmethod
    def load(cls, folder: Path, encode: Encode, data: Path) -> Self:
        """Reads a net that `save` wrote, with the thresholds of `data`.

        Raises:
            OSError, ValueError, KeyError: a file is missing or damaged.
            clinic.yaml.BadFile: the file of thresholds is missing or wrong.
        """
        return cls(TopicModel.load(folder, encode), thresholds(data))


def thresholds(folder: Path) -> dict[Level, Threshold]:
    """The thresholds in `net.yml` of a folder, by level.

    Raises:
        clinic.yaml.BadFile: the file is missing or wrong, or a level has none.
    """
    path = folder / "net.yml"
    found = {entry.level: entry for entry in yaml.read_as(path, _Thresholds).thresholds}
    if missing := [level for level in LEVELS if level not in found]:
        raise yaml.BadFile([f"{path}:1: there is no threshold for {', '.join(missing)}"])
    return found


def learned(examples: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The normalised texts to learn from, short forms written out, each once; and the label of each."""
    pairs = sorted({(written_out(normalise(text)), label) for label, texts in examples.items() for text in texts})
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
    others = []
    for text, label in labelled:
        topic = label.rpartition("/")[2]
        if topic == "emergency":
            found[SELF_HARM if any(alarm.kind == SELF_HARM for alarm in gate.screen(text)) else MEDICAL].append(text)
        elif topic == "adverse_reaction":
            found[topic].append(text)
        elif topic in CLINICIAN_TOPICS:
            found["clinician"] += [text] if any(alarm.level == "clinician" for alarm in gate.screen(text)) else []
        elif topic == OUT_OF_SCOPE:
            found[NONE].append(text)
        else:
            others.append(text)
    some = sorted(others)[:: max(1, len(others) // HARMLESS)]
    found[NONE] = [text for text in (*found[NONE], *some) if not gate.screen(text)]
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


def chance(chances: Mapping[str, Any], level: Level) -> float:
    """How likely a level is, by the chances of the labels."""
    return float(sum(chances.get(label, 0.0) for label in LABELS[level]))
