"""Fits the three constants of the confidence (config.yml) on the training data alone.

    python -m bench.calibration

The examples are split into parts; each part is scored by a model trained on the others, from which some topics were
taken away altogether. Their examples stand for questions that nobody foresaw: whatever the model says of them is wrong.
"""

import random
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot import topics
from bot.nlu import encoder
from bot.nlu.classifier import TopicModel
from bot.nlu.spelling import Spelling
from bot.nlu.text import normalise
from bot.settings import Settings

PARTS, TAKEN_AWAY, SEED = 5, 12, 7


def main() -> None:
    encode = _cached(encoder.load(Settings.read().folder / "encoder").encode)
    examples = [(normalise(text), label) for label, texts in topics.examples(Path("data/nlu")).items() for text in texts]
    chance = random.Random(SEED)
    chance.shuffle(examples)
    evidence: list[tuple[float, float, bool]] = []
    for part in range(PARTS):
        tested = [e for i, e in enumerate(examples) if i % PARTS == part]
        labels = sorted({label for _, label in examples} - {"out_of_scope"})
        unforeseen = set(chance.sample(labels, TAKEN_AWAY))
        learned = [e for i, e in enumerate(examples) if i % PARTS != part and e[1] not in unforeseen]
        model = TopicModel.train([text for text, _ in learned], [label for _, label in learned], encode)
        spelling = Spelling.of([text for text, _ in learned])
        for text, label in tested:
            scores = model.score(spelling.repair(text))
            top, probability = scores.ranking[0]
            p = min(max(probability, 1e-6), 1 - 1e-6)
            evidence.append((np.log(p / (1 - p)), scores.nearest, top == label))
        print(f"part {part + 1} of {PARTS}: {sum(right for *_, right in evidence) / len(evidence):.3f} right so far", flush=True)
    fitted = LogisticRegression(C=1e6).fit([e[:2] for e in evidence], [e[2] for e in evidence])
    (slope, likeness), offset = fitted.coef_[0], fitted.intercept_[0]
    print(f"calibration: {{slope: {slope:.3f}, likeness: {likeness:.3f}, offset: {offset:.3f}}}")


def _cached(encode):  # type: ignore[no-untyped-def]
    known: dict[str, encoder.Vector] = {}
    return lambda text: known[text] if text in known else known.setdefault(text, encode(text))


if __name__ == "__main__":
    main()
