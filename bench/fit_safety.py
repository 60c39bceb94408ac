"""Fits the thresholds of the safety net (data/safety/net.yml) on the training examples alone, by cross-validation.

    python -m bench.fit_safety

Each part of the examples is scored by a net that learned from the others. For each level stand the lowest threshold that
keeps the false alarms on harmless examples few, and what share of the alarming examples it alarms for by itself; then the
lowest threshold from which on the net overrules the patterns and silences next to none of their true alarms, and what share of
their false ones goes.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from bot import topics
from bot.nlu import encoder, safety_net
from bot.nlu.classifier import TopicModel
from bot.nlu.encoder import Vector
from bot.nlu.safety import LEVELS, Level, SafetyGate
from bot.settings import Settings

SAFETY = Path("data/safety")
PARTS, SEED = 3, 0
# How many harmless examples in a hundred may raise an alarm of the net. A missed emergency costs more than a false one.
FALSE_ALARMS: dict[Level, float] = {"emergency": 0.8, "adverse_reaction": 0.5, "clinician": 0.5}
# How many of the patterns' true alarms in a hundred the net may silence.
SILENCED: dict[Level, float] = {"emergency": 0.0, "adverse_reaction": 0.3, "clinician": 0.3}
# Never below: what is likelier something else is no reason to alarm.
LOWEST = 0.4


def main() -> None:
    files = [*topics.files(Path("data/nlu")), *sorted(Path("data/nlu").glob("*.yml"))]
    labelled = [(e.text, label) for path in files for label, found in topics.read_examples(path) for e in found]
    gate = SafetyGate.load(SAFETY)
    texts, labels = safety_net.learned(safety_net.examples(gate, labelled, SAFETY))
    print(f"{len(texts)} examples: {dict(Counter(labels))}")
    scores = _scores(texts, labels)
    for level in LEVELS:
        harmless = [safety_net.chance(scores[i], level) for i, label in enumerate(labels) if label == safety_net.NONE]
        alarming = [safety_net.chance(scores[i], level) for i, label in enumerate(labels) if label in safety_net.LABELS[level]]
        threshold = max(float(np.percentile(harmless, 100 - FALSE_ALARMS[level])), LOWEST)
        caught = np.mean([score >= threshold for score in alarming])
        print(f"{level}: {threshold:.2f}, catches {caught:.1%} by itself, {FALSE_ALARMS[level]} % false alarms allowed")
        worst = sorted(
            ((safety_net.chance(scores[i], level), texts[i]) for i, n in enumerate(labels) if n == safety_net.NONE), reverse=True
        )
        print("\n".join(f"  {score:.2f} {text}" for score, text in worst[:12]))
        found = [i for i, text in enumerate(texts) if any(alarm.level == level for alarm in gate.screen(text))]
        true = [scores[i][safety_net.NONE] for i in found if labels[i] in safety_net.LABELS[level]]
        false = [scores[i][safety_net.NONE] for i in found if labels[i] == safety_net.NONE]
        overrules = float(np.percentile(true, 100 - SILENCED[level]))
        print(
            f"{level}: overrules from {overrules:.3f}, {np.mean([p > overrules for p in false]):.1%} of {len(false)} false alarms"
        )
        worst = sorted(((scores[i][safety_net.NONE], texts[i]) for i in found if labels[i] != safety_net.NONE), reverse=True)
        print("\n".join(f"  {score:.3f} {text}" for score, text in worst[:12]))


def _scores(texts: list[str], labels: list[str]) -> list[dict[str, float]]:
    encode = encoder.load(Settings.read().folder / "encoder").encode
    vectors: dict[str, Vector] = {text: encode(text) for text in texts}
    part_of = np.random.default_rng(SEED).integers(PARTS, size=len(texts))
    scores: list[dict[str, float]] = [{} for _ in texts]
    for part in range(PARTS):
        learned = np.flatnonzero(part_of != part)
        model = TopicModel.train([texts[i] for i in learned], [labels[i] for i in learned], vectors.__getitem__)
        for i in np.flatnonzero(part_of == part):
            scores[i] = dict(model.score(texts[i]).ranking)
    return scores


if __name__ == "__main__":
    main()
