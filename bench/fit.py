"""Fits the constants of config.yml on the training data alone, by cross-validation.

    python -m bench.fit

The examples are split into parts, and what the encoder was not tuned on (bench/tune_encoder.py) of each part is read by a model
that learned from the others. A few topics are taken away from each model altogether: their examples stand for questions that
nobody foresaw, and whatever the model says of them is wrong. That fits the confidence. What speaks for several questions is
fitted on the messages of data/several.yml, read by a model of all examples.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.examples import labelled, remembering, tuned_on
from bot.nlu import encoder, follow_ups
from bot.nlu.boundaries import BoundaryModel
from bot.nlu.classifier import Calibration, Encode, Scores, TopicModel
from bot.nlu.follow_ups import FollowUpModel
from bot.nlu.questions import Evidence, Reader, evidence
from bot.nlu.spelling import Spelling
from bot.nlu.text import plain
from bot.settings import Settings
from bot.training import FOLLOW_UPS
from clinic import yaml

PARTS, TAKEN_AWAY, SEED = 3, 3, 7
SEVERAL = Path("data/several.yml")

Example = tuple[str, str]


@dataclass
class Part:
    """A model, and examples that neither it nor the encoder learned."""

    model: TopicModel
    spelling: Spelling
    tested: list[Example]

    def score(self, text: str) -> Scores:
        return self.model.score(self.spelling.repair(text))


def main() -> None:
    chance = random.Random(SEED)
    encode = remembering(encoder.Encoder(Settings.read().folder / "encoder").encode)
    examples = sorted(_examples())
    calibration = _fit_confidence(list(_parts(examples, encode, chance)))
    _fit_questions(examples, calibration, encode)


def _examples() -> list[Example]:
    return [(plain(text), label) for text, label in labelled()]


def _parts(examples: list[Example], encode: Encode, chance: random.Random) -> Iterator[Part]:
    examples = chance.sample(examples, len(examples))
    able = sorted({label for _, label in examples if "/" in label})
    for number in range(PARTS):
        unforeseen = set(chance.sample(able, TAKEN_AWAY))
        learned = [e for i, e in enumerate(examples) if i % PARTS != number and e[1] not in unforeseen]
        tested = [e for i, e in enumerate(examples) if i % PARTS == number and not tuned_on(e[0])]
        model = TopicModel.train([text for text, _ in learned], [label for _, label in learned], encode)
        yield Part(model, Spelling.of([text for text, _ in learned]), tested)
        print(f"trained {number + 1} of {PARTS}", flush=True)


def _fit_confidence(parts: list[Part]) -> Calibration:
    seen: list[tuple[float, float, bool]] = []
    for part in parts:
        for text, label in part.tested:
            scores = part.score(text)
            top, probability = scores.ranking[0]
            p = min(max(probability, 1e-6), 1 - 1e-6)
            seen.append((float(np.log(p / (1 - p))), scores.nearest, top == label))
    fitted = LogisticRegression(C=1e6).fit([s[:2] for s in seen], [s[2] for s in seen])
    (slope, likeness), offset = fitted.coef_[0], fitted.intercept_[0]
    print(f"right topic first: {np.mean([right for *_, right in seen]):.3f} of {len(seen)} examples not learned")
    print(f"calibration: {{slope: {slope:.3f}, likeness: {likeness:.3f}, offset: {offset:.3f}}}")
    return Calibration(float(slope), float(likeness), float(offset))


def _fit_questions(examples: list[Example], calibration: Calibration, encode: Encode) -> None:
    texts, labels = [text for text, _ in examples], [label for _, label in examples]
    model, spelling = TopicModel.train(texts, labels, encode), Spelling.of(texts)
    after = FollowUpModel.train(follow_ups.learned(FOLLOW_UPS, spelling), model, calibration, encode)
    reader = Reader(model.score, calibration, BoundaryModel.train(texts, labels).cut, after.read)
    rows: list[tuple[Evidence, bool]] = []
    for topics_asked, messages in yaml.read(SEVERAL).items():
        for message in messages:
            rows += _evidence(reader, spelling.read(message), topics_asked.split(", "))
    fitted = LogisticRegression(C=1.0, max_iter=3000).fit([numbers for numbers, _ in rows], [asked for _, asked in rows])
    right = fitted.score([numbers for numbers, _ in rows], [asked for _, asked in rows])
    print(f"parts taken for questions or left aside rightly: {right:.3f} of {len(rows)}")
    print(f"questions:\n  weights: {[round(float(w), 2) for w in fitted.coef_[0]]}\n  offset: {fitted.intercept_[0]:.2f}")


def _evidence(reader: Reader, text: str, asked: list[str]) -> Iterator[tuple[Evidence, bool]]:
    whole, candidates = reader.guess(text), reader.candidates(text)
    for place, (guess, _) in enumerate(candidates if len(candidates) > 1 else ()):
        yield evidence(whole, candidates, place), guess.label.rpartition("/")[2] in asked


if __name__ == "__main__":
    main()
