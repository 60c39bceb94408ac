"""Fits the thresholds of the safety net (data/safety/net.yml) on the training examples alone, by cross-validation.

    python -m bench.fit_safety

Each part of the examples is scored by a net that learned from the others; those that the encoder was tuned on
(bench/tune_encoder.py) do not count. For each level stand the lowest threshold that keeps the false alarms on harmless examples
few, and what share of the alarming examples the net finds by itself from there on; then the two thresholds from which on it
overrules the patterns that silence the most of their false alarms, and next to none of their true ones: those of the alarming
examples, and of each after a harmless one, as a danger goes under in a long and friendly message.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from bench.examples import labelled, remembering, tuned_on
from bot.nlu import encoder, safety_net
from bot.nlu.classifier import TopicModel
from bot.nlu.safety import LEVELS, Alarm, Level, Net, SafetyGate
from bot.nlu.safety_net import NONE
from bot.nlu.spelling import Spelling
from bot.nlu.text import normalise, written_out
from bot.settings import Settings

SAFETY = Path("data/safety")
PARTS, SEED = 3, 0
# How many harmless examples in a hundred may raise an alarm of the net. A missed emergency costs more than a false one.
FALSE_ALARMS: dict[Level, float] = {"emergency": 0.8, "adverse_reaction": 0.5, "clinician": 0.8}
# How many of the patterns' true alarms in a hundred the net may silence.
SILENCED: dict[Level, float] = {"emergency": 0.4, "adverse_reaction": 1.0, "clinician": 3.0}
# Never below: what is likelier something else is no reason to alarm.
LOWEST = 0.4
OVERRULES = (0.8, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995)
NEAR = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
JOINTS = (". ", ", ", " and ", " ")
# How many of the worst are shown.
WORST = 12


@dataclass
class Scored:
    """An example, what a net makes of it that did not learn it, and what it makes of what the patterns found, by level: how sure
    it is that the whole is harmless, and that the words around the match are that it is least sure of."""

    text: str
    label: str
    chances: dict[str, float]
    found: dict[Level, tuple[float, float]]
    beside_another: bool

    def silenced(self, level: Level, overrules: float, near: float) -> bool:
        whole, least = self.found[level]
        return whole >= overrules and least >= near


class Listener:
    """Stands for a net in the gate, and keeps what it is asked of the patterns' alarms."""

    def __init__(self, model: TopicModel) -> None:
        self._model = model
        self.asked: dict[Level, tuple[float, float]]

    def screen(self, text: str) -> Alarm | None:
        return None

    def harmless(self, text: str, around: Iterable[str], level: Level) -> bool:
        whole, *parts = (dict(self._model.score(part).ranking)[NONE] for part in (text, *around))
        self.asked[level] = (whole, min([*parts, self.asked.get(level, (whole, 1.0))[1]]))
        return False

    def asked_of(self, gate: SafetyGate, text: str) -> dict[Level, tuple[float, float]]:
        """What the gate, which has this for its net, asks of a text."""
        self.asked = {}
        gate.screen(text)
        return self.asked


def main() -> None:
    examples = labelled()
    gate = SafetyGate.load(SAFETY)
    texts, labels = safety_net.learned(safety_net.examples(gate, examples, SAFETY))
    print(f"{len(texts)} examples: {dict(Counter(labels))}")
    repair = Spelling.of([written_out(normalise(text)) for text, _ in examples]).repair
    scored = _scored(lambda net: SafetyGate(gate.data, repair, net), texts, labels)
    harmless = [e for e in scored if e.label == NONE]
    for level in LEVELS:
        alarming = [e for e in scored if e.label in safety_net.LABELS[level]]
        alone = [e for e in alarming if not e.beside_another]
        chances = [safety_net.chance(e.chances, level) for e in harmless]
        threshold = max(float(np.percentile(chances, 100 - FALSE_ALARMS[level])), LOWEST)
        caught = np.mean([safety_net.chance(e.chances, level) >= threshold for e in alone])
        print(f"{level}: alarms from {threshold:.2f} ({FALSE_ALARMS[level]} % false), {caught:.1%} of {len(alone)}")
        _fit_overruling(level, [e for e in alarming if level in e.found], [e for e in harmless if level in e.found])


def _fit_overruling(level: Level, true: list[Scored], false: list[Scored]) -> None:
    def silenced(examples: list[Scored], overrules: float, near: float) -> list[Scored]:
        return [e for e in examples if e.silenced(level, overrules, near)]

    def told(overrules: float, near: float) -> str:
        gone, lost = silenced(false, overrules, near), silenced(true, overrules, near)
        return f"from {overrules}, near {near}: {len(gone)} of {len(false)} false alarms, {len(lost)} of {len(true)} true ones"

    landed = safety_net.thresholds(SAFETY)[level]
    print(f"  now {told(landed.overrules, landed.near)}")
    allowed = SILENCED[level] / 100 * len(true)
    pairs = [pair for pair in product(OVERRULES, NEAR) if len(silenced(true, *pair)) <= allowed]
    for overrules, near in sorted(pairs, key=lambda pair: -len(silenced(false, *pair)))[:WORST]:
        print(f"  or {told(overrules, near)}")
    for example in sorted(true, key=lambda e: min(e.found[level]), reverse=True)[:WORST]:
        whole, least = example.found[level]
        print(f"    {whole:.3f} {least:.3f} {example.text}")


def _scored(gate_with: Callable[[Net], SafetyGate], texts: list[str], labels: list[str]) -> list[Scored]:
    encode = remembering(encoder.load(Settings.read().folder / "encoder").encode)
    part_of = np.random.default_rng(SEED).integers(PARTS, size=len(texts))
    chance = random.Random(SEED)
    scored = []
    for part in range(PARTS):
        learned = np.flatnonzero(part_of != part)
        model = TopicModel.train([texts[i] for i in learned], [labels[i] for i in learned], encode)
        listener = Listener(model)
        gate = gate_with(listener)
        unseen = [i for i in np.flatnonzero(part_of == part) if not tuned_on(texts[i])]
        harmless = [texts[i] for i in unseen if labels[i] == NONE]
        for i in unseen:
            told = [texts[i]] if labels[i] == NONE else [texts[i], chance.choice(harmless) + chance.choice(JOINTS) + texts[i]]
            for text in told:
                chances = dict(model.score(text).ranking)
                scored.append(Scored(text, labels[i], chances, listener.asked_of(gate, text), text != texts[i]))
    return scored


if __name__ == "__main__":
    main()
