"""The second net under the safety patterns: a classifier that learned from whole messages what the patterns have no words for.

It is the topic model with five labels. Its thresholds come from cross-validation on the training examples alone: from which
probability on an alarm is worth its false alarms.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel

from bot.nlu.classifier import Encode, TopicModel
from bot.nlu.encoder import Vector
from bot.nlu.safety import LEVELS, Alarm, Kind, Level, SafetyGate
from bot.nlu.text import normalise
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
# How many harmless training examples in a hundred may raise an alarm. A missed emergency costs more than a false one.
FALSE_ALARMS: dict[Level, float] = {"emergency": 0.5, "adverse_reaction": 0.3, "clinician": 0.3}
# Never below: a guess is no reason to alarm.
LOWEST_THRESHOLD = 0.3
FOLDS = 3
# Harmless examples to learn from: each so many of the other topics' examples.
EVERY = 4


class _Examples(BaseModel):
    examples: list[str]


class SafetyNet:
    """Raises an alarm when a message is like those that were alarming."""

    def __init__(self, model: TopicModel, thresholds: Mapping[Level, float]) -> None:
        self._model, self.thresholds = model, dict(thresholds)

    @classmethod
    def train(cls, examples: Mapping[str, Sequence[str]], encode: Encode) -> Self:
        """Learns from the texts of each label; see `examples`."""
        pairs = sorted({(normalise(text), label) for label, texts in examples.items() for text in texts})
        texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
        vectors = {text: encode(text) for text in texts}

        def remembered(text: str) -> Vector:
            return vectors[text] if text in vectors else encode(text)

        return cls(TopicModel.train(texts, labels, remembered), _thresholds(texts, labels, remembered))

    def screen(self, text: str) -> Alarm | None:
        """The most urgent alarm for a normalised text, if any."""
        chances = dict(self._model.score(text).ranking)
        for level in LEVELS:
            if _chance(chances, level) >= self.thresholds[level]:
                kind: Kind | None = None
                if level == "emergency":
                    kind = SELF_HARM if chances[SELF_HARM] > chances[MEDICAL] else MEDICAL
                return Alarm(level, f"net:{level}", kind)
        return None

    def save(self, folder: Path) -> None:
        """Writes the net into a folder of its own."""
        self._model.save(folder)
        (folder / "thresholds.json").write_text(json.dumps(self.thresholds))

    @classmethod
    def load(cls, folder: Path, encode: Encode) -> Self:
        """Reads a net that `save` wrote.

        Raises:
            OSError, ValueError, KeyError: a file is missing or damaged.
        """
        thresholds: dict[Level, float] = json.loads((folder / "thresholds.json").read_text())
        return cls(TopicModel.load(folder, encode), {level: thresholds[level] for level in LEVELS})


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
        alarms = gate.screen(text)
        if topic == "emergency":
            found[SELF_HARM if any(alarm.kind == SELF_HARM for alarm in alarms) else MEDICAL].append(text)
        elif topic == "adverse_reaction":
            found[topic].append(text)
        elif topic in CLINICIAN_TOPICS:
            found["clinician"] += [text] if any(alarm.level == "clinician" for alarm in alarms) else []
        elif not alarms:
            others.append(text)
    found[NONE] += sorted(others)[::EVERY]
    found["clinician"] += yaml.read_as(folder / "examples_clinician.yml", _Examples).examples
    found[NONE] += yaml.read_as(folder / "examples_harmless.yml", _Examples).examples
    return found


def _thresholds(texts: Sequence[str], labels: Sequence[str], encode: Encode) -> dict[Level, float]:
    """For each level the lowest threshold that keeps the false alarms on unseen harmless examples few."""
    scores: dict[Level, list[float]] = {level: [] for level in LEVELS}
    folds = np.random.default_rng(0).integers(FOLDS, size=len(texts))
    for fold in range(FOLDS):
        learned = np.flatnonzero(folds != fold)
        model = TopicModel.train([texts[i] for i in learned], [labels[i] for i in learned], encode)
        for i in np.flatnonzero(folds == fold):
            if labels[i] == NONE:
                chances = dict(model.score(texts[i]).ranking)
                for level in LEVELS:
                    scores[level].append(_chance(chances, level))
    return {level: _lowest(scores[level], FALSE_ALARMS[level]) for level in LEVELS}


def _lowest(harmless: Sequence[float], percent: float) -> float:
    return round(max(float(np.percentile(harmless, 100 - percent)), LOWEST_THRESHOLD), 4)


def _chance(chances: Mapping[str, Any], level: Level) -> float:
    return float(sum(chances.get(label, 0.0) for label in LABELS[level]))
