"""Our classifier, unchanged, on HINT3: real messages to three live bots, about half of them out of scope.

    python -m bench.hint3 [--benchmarks FOLDER]

Trains on each bot's official training set (v1) and scores its test set, beside the published predictions of five systems
and Rasa 3.6.21's DIET where it was run afresh (Arora et al. 2020, aclanthology.org/2020.insights-1.16). The confidence is
the one of config.yml, which was fitted on our own examples.

In-scope accuracy: the share of in-scope messages given their intent with a confidence of at least 0.1. MCC: Matthews'
correlation with out-of-scope as a class, at the threshold that is best for each system. These are the paper's measures.
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from sklearn.metrics import matthews_corrcoef

from bot.nlu import encoder
from bot.nlu.classifier import Calibration, TopicModel
from bot.nlu.spelling import Spelling
from bot.nlu.text import plain
from bot.settings import Settings

SETS = ("sofmattress", "curekart", "powerplay11")
PUBLISHED = {"rasa": "Rasa", "dialogflow": "Dialogflow", "luis": "LUIS", "haptik": "Haptik", "bert": "BERT"}
AFRESH, OURS, WITHOUT_SPELLING = "Rasa 3.6.21, run afresh", "Stipple", "Stipple, spelling not repaired"
#: how the files name what is out of scope
OOS, NOTHING_FOUND = "oos", ("", "NO_NODES_DETECTED")
THRESHOLD = 0.1
THRESHOLDS = np.linspace(0, 1, 101)

Rows = list[dict[str, str]]
#: what a system takes each message for, and how sure it is
Predictions = list[tuple[str, float]]


@dataclass(frozen=True)
class Score:
    """The two measures of a system on a set."""

    in_scope: float
    mcc: float


def main() -> None:
    """Scores all systems on the three sets, and prints who is ahead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, default=Path("../shared/benchmarks"), help="the folder that holds hint3/")
    folder: Path = parser.parse_args().benchmarks / "hint3"
    if not folder.is_dir():
        parser.error(f"{folder} is not there; name the folder that holds hint3/ with --benchmarks")
    scores = {name: _score_all(folder, name) for name in SETS}
    print(table(scores))
    print(verdict(scores))


def _score_all(folder: Path, name: str) -> dict[str, Score]:
    """Each system's score on a set."""
    training, test = _rows(folder / "v1" / f"{name}_train.csv"), _rows(folder / "v1" / f"{name}_test.csv")
    published = _rows(folder / "published_preds" / f"{name}.csv")
    gold = [row["intent"] for row in test]
    assert [(row["text"], row["intent"]) for row in published] == [(row["text"], row["intent"]) for row in test]
    systems = {
        title: [(row[f"{key}_intent"], float(row[f"{key}_score"] or 0)) for row in published] for key, title in PUBLISHED.items()
    }
    afresh = folder / "rasa36_preds" / f"diet_{name}.csv"
    if afresh.exists():
        systems[AFRESH] = [(row["pred"], float(row["score"])) for row in _rows(afresh)]
    systems |= ours(training, [row["text"] for row in test])
    return {title: score(predictions, gold) for title, predictions in systems.items()}


def ours(training: Rows, texts: Sequence[str]) -> dict[str, Predictions]:
    """What Stipple makes of texts after training as the product does (bot/nlu/components.py)."""
    examples = [plain(row["text"]) for row in training]
    encode = encoder.Encoder(Settings.read().folder / "encoder").encode
    model = TopicModel.train(examples, [row["intent"] for row in training], encode)
    spelling, calibration = Spelling.of(examples), _calibration()

    def predict(repair: Callable[[str], str]) -> Predictions:
        scores = [model.score(repair(plain(text))) for text in texts]
        return [(s.ranking[0][0], calibration(s.ranking[0][1], s.nearest)) for s in scores]

    return {WITHOUT_SPELLING: predict(lambda text: text), OURS: predict(spelling.repair)}


def score(predictions: Predictions, gold: Sequence[str]) -> Score:
    """The two measures."""
    labels = np.array([OOS if label in NOTHING_FOUND else label for label, _ in predictions], dtype=object)
    confidences, right = np.array([confidence for _, confidence in predictions]), np.array(gold, dtype=object)

    def taken(threshold: float) -> list[str]:
        return list(np.where(confidences >= threshold, labels, OOS))

    in_scope = right != OOS
    return Score(
        float(np.mean((np.array(taken(THRESHOLD), dtype=object) == right)[in_scope])),
        max(float(matthews_corrcoef(list(gold), taken(threshold))) for threshold in THRESHOLDS),
    )


def table(scores: dict[str, dict[str, Score]]) -> str:
    """In-scope accuracy and best MCC of each system on each set, as Markdown."""
    lines = ["| in-scope accuracy at 0.1 / best MCC | " + " | ".join(scores) + " |", "| --- |" + " --- |" * len(scores)]
    systems = list(dict.fromkeys(title for of_set in scores.values() for title in of_set))
    for title in systems:
        cells = [f"{s.in_scope:.1%} / {s.mcc:.3f}" if (s := of_set.get(title)) else "" for of_set in scores.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdict(scores: dict[str, dict[str, Score]]) -> str:
    """Whether Stipple is ahead of each published system, and where it is not."""
    pairs = [
        (f"{title} on {name} in {measure}", getattr(of_set[OURS], field), getattr(of_set[title], field))
        for name, of_set in scores.items()
        for title in PUBLISHED.values()
        for field, measure in (("in_scope", "in-scope accuracy"), ("mcc", "MCC"))
    ]
    behind = [f"not ahead of {whom}: {mine:.3f} against {theirs:.3f}" for whom, mine, theirs in pairs if mine <= theirs]
    return "\n".join(behind) if behind else "ahead of each published system on all sets, in both"


def _calibration() -> Calibration:
    components = yaml.safe_load(Path("config.yml").read_text())["pipeline"]
    return next(Calibration(**component["calibration"]) for component in components if "calibration" in component)


def _rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
