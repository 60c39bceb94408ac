"""Fits what the safety net goes by (data/safety/net.yml) on the training examples alone, by cross-validation.

    python -m bench.fit_safety

Each part of the examples is glanced at by a net that learned from the others, and looked at closely by the model of dangers;
what that was tuned on (bench/tune_encoder.py) does not count. Each danger is heard alone and beside a harmless message, as it
goes under in a long and friendly one. For each weight of the closer look stands what the best thresholds cost; what is missed and
what is a false alarm costs as much as the constants below say. Then, for each level, the best thresholds with those of net.yml
beside them.
"""

import random
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from bench.examples import JOINTS, labelled, remembering, tuned_on
from bot.nlu import encoder, safety_net
from bot.nlu.classifier import TopicModel
from bot.nlu.safety import LEVELS, Alarm, Level, SafetyGate, less_urgent_than
from bot.nlu.safety_net import NONE
from bot.nlu.spelling import Spelling
from bot.nlu.text import plain
from bot.settings import Settings

SAFETY = Path("data/safety")
PARTS, SEED = 3, 0
# What a missed danger costs, in false alarms on messages that look like one; and what one on any other message costs, as there
# are so many more of these.
MISSED: dict[Level, float] = {"emergency": 5, "adverse_reaction": 3, "clinician": 1}
ORDINARY = 5.0
# What a danger beside a harmless message counts for, against one alone, as few are written so.
BESIDE = 0.25
WEIGHTS = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
ALARMS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
OVERRULES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99)
UNLESS = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99)

Chances = dict[str, float]


@dataclass
class Heard:
    """An example, how much a mistake about it counts, what both looks that did not learn it make of it, the levels whose patterns
    found something to overrule, and whether a certain pattern did."""

    label: str
    counts: float
    glance: Chances
    closer: Chances
    found: set[Level]
    certain: bool


class _Listener:
    """Stands for a net in the gate, and keeps what the patterns found."""

    def __init__(self) -> None:
        self.found: set[Level] = set()

    def screen(self, text: str, suspected: bool = False) -> Alarm | None:
        return None

    def weigh(self, text: str, alarm: Alarm) -> Alarm | None:
        self.found.add(alarm.level)
        return None


def main() -> None:
    heard = _heard()
    print(f"{len(heard)} heard: {dict(Counter(example.label for example in heard))}")
    for weight in WEIGHTS:
        cost = sum(Columns.of(heard, level, weight).best()[0] for level in LEVELS)
        print(f"weight {weight}: costs {cost:.0f}")
    closer, landed = safety_net.limits(SAFETY)
    for unless in UNLESS:
        print(f"unless {unless}: {_looks(heard, unless)}")
    for level in LEVELS:
        columns = Columns.of(heard, level, closer.weight)
        _, alarms, overrules = columns.best()
        print(f"{level}\n  best {columns.told(alarms, overrules)}")
        print(f"  now {columns.told(landed[level].alarms, landed[level].overrules)}")


def _heard() -> list[Heard]:
    examples = labelled()
    gate = SafetyGate.load(SAFETY)
    texts, labels = safety_net.learned(safety_net.examples(gate, examples, SAFETY))
    repair = Spelling.of([plain(text) for text, _ in examples]).repair
    folder = Settings.read().folder / "encoder"
    encode, look = remembering(encoder.Encoder(folder).encode), encoder.DangerModel(folder).chances
    listener = _Listener()
    heard_by = SafetyGate(gate.data, repair, listener)
    ordinary = {plain(text) for text, _ in examples}
    part_of = np.random.default_rng(SEED).integers(PARTS, size=len(texts))
    chance = random.Random(SEED)
    heard = []
    for part in range(PARTS):
        learned = np.flatnonzero(part_of != part)
        model = TopicModel.train([texts[i] for i in learned], [labels[i] for i in learned], encode)
        unseen = [i for i in np.flatnonzero(part_of == part) if not tuned_on(texts[i])]
        harmless = [texts[i] for i in unseen if labels[i] == NONE]
        for i in unseen:
            told = [(texts[i], ORDINARY if labels[i] == NONE and texts[i] in ordinary else 1.0)]
            if labels[i] != NONE:
                told.append((chance.choice(JOINTS).join(chance.sample([texts[i], chance.choice(harmless)], 2)), BESIDE))
            for text, counts in told:
                listener.found = set()
                certain = bool(heard_by.screen(text))
                repaired = repair(text)
                glance = dict(model.score(repaired).ranking)
                heard.append(Heard(labels[i], counts, glance, look(repaired), listener.found, certain))
    return heard


@dataclass
class Columns:
    """Examples of a level and less urgent or harmless ones that no certain pattern settles, an array each: whether it is of the
    level, whether its patterns found something, how likely it and something less urgent are, and what a mistake costs."""

    danger: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]
    level: npt.NDArray[np.float64]
    less_urgent: npt.NDArray[np.float64]
    cost: npt.NDArray[np.float64]

    @classmethod
    def of(cls, heard: list[Heard], level: Level, weight: float) -> Self:
        own = safety_net.LABELS[level]
        others = [label for lesser in less_urgent_than(level) for label in safety_net.LABELS[lesser]]
        some = [e for e in heard if not e.certain and e.label in (NONE, *others, *own)]
        chances = [safety_net.joined(e.glance, e.closer, weight) for e in some]
        return cls(
            np.array([e.label in own for e in some]),
            np.array([level in e.found for e in some]),
            np.array([safety_net.chance(c, level) for c in chances]),
            np.array([safety_net.less_urgent(c, level) for c in chances]),
            np.array([e.counts * (MISSED[level] if e.label in own else 1) for e in some]),
        )

    def wrong(self, alarms: float, overrules: float) -> npt.NDArray[np.bool_]:
        """Whether each is missed or is a false alarm."""
        return self.danger != ((self.level >= alarms) | (self.found & (self.less_urgent < overrules)))

    def best(self) -> tuple[float, float, float]:
        """The lowest cost, and the two thresholds that have it."""
        return min((float(self.cost[self.wrong(*pair)].sum()), *pair) for pair in product(ALARMS, OVERRULES))

    def told(self, alarms: float, overrules: float) -> str:
        wrong, dangers = self.wrong(alarms, overrules), int(self.danger.sum())
        missed, false = int((wrong & self.danger).sum()), int((wrong & ~self.danger).sum())
        rest = f"{missed} of {dangers} missed, {false} of {len(wrong) - dangers} false alarms, costs {self.cost[wrong].sum():.0f}"
        return f"alarms {alarms}, overrules {overrules}: {rest}"


def _looks(heard: list[Heard], unless: float) -> str:
    """How many harmless examples are looked at closely, and how many dangers are not."""
    looked = [bool(e.found) or e.glance[NONE] < unless for e in heard]
    harmless = [look for e, look in zip(heard, looked, strict=True) if e.label == NONE]
    missed = sum(e.label != NONE and not look for e, look in zip(heard, looked, strict=True))
    return f"{np.mean(harmless):.1%} of the harmless looked at closely, {missed} dangers not"


if __name__ == "__main__":
    main()
