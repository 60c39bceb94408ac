"""The folders that the two systems are trained and run in: the same examples, answers and rules, each in its own form."""

import datetime as dt
import random
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot import topics
from clinic import practice
from clinic.facts import ClinicFacts

SEED = 20_26
NLU, RULES = Path("data/nlu"), Path("data/stories")
COPIED = ("config.yml", "domain.yml", "endpoints.yml", "credentials.yml", "clinic.yml")
FALLBACK = "nlu_fallback"
#: what stock says where Stipple runs code of its own
STAND_IN = "utter_stand_in"
#: the topic of the question that tells when a system has started
KNOWN_TOPIC = "faq/pain"
#: enough of an answer's beginning to tell it from all others
TELLING = 60

#: Rasa 3.6's defaults, as `rasa init` writes them, with a response selector for each retrieval intent
STOCK_PIPELINE: list[dict[str, Any]] = [
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True},
    {"name": "EntitySynonymMapper"},
    *(
        {"name": "ResponseSelector", "retrieval_intent": kind, "epochs": 100, "constrain_similarities": True}
        for kind in topics.KINDS
    ),
    {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
]
STOCK_POLICIES: list[dict[str, Any]] = [
    {"name": "MemoizationPolicy"},
    {"name": "RulePolicy"},
    {"name": "UnexpecTEDIntentPolicy", "max_history": 5, "epochs": 100},
    {"name": "TEDPolicy", "max_history": 5, "epochs": 100, "constrain_similarities": True},
]


@dataclass(frozen=True)
class Folders:
    """Where the systems are, and what both of them learn."""

    stipple: Path
    stock: Path
    #: how many examples there are to learn from, and of how many topics and other intents
    examples: int
    labels: int
    #: one example of each topic that both systems learn
    learned: list[str]
    #: a question that both systems learn, and how its answer begins
    question: str
    answer: str


def prepare(folder: Path, most: int | None) -> Folders:
    """Writes both folders afresh, with at most so many examples of each topic or intent: the same for both."""
    shutil.rmtree(folder, ignore_errors=True)
    stipple, stock = folder / "stipple", folder / "stock"
    stipple.mkdir(parents=True)
    for name in COPIED:
        shutil.copy(name, stipple)
    shutil.copytree("data", stipple / "data")
    kept = dict(intent for path in _files(stipple) for intent in _thin(path, most))
    answers = _write_stock(stipple, stock)
    return Folders(
        stipple=stipple,
        stock=stock,
        examples=sum(map(len, kept.values())),
        labels=len(kept),
        learned=[texts[0] for label, texts in sorted(kept.items()) if "/" in label],
        question=kept[KNOWN_TOPIC][0],
        answer=answers[f"utter_{KNOWN_TOPIC}"][0]["text"][:TELLING],
    )


def _files(folder: Path) -> list[Path]:
    return [*topics.files(folder / NLU), *sorted((folder / NLU).glob("*.yml"))]


def _thin(path: Path, most: int | None) -> list[tuple[str, list[str]]]:
    """Takes lines out of a file of examples; what each intent keeps."""
    kept: list[tuple[str, list[str]]] = []
    dropped: set[int] = set()
    for label, examples in topics.read_examples(path):
        chance = random.Random(f"{SEED} {label}")
        # The first example, the plainest, always stays: without it Stipple may not be sure of the question by which it
        # finds out whether it is ready.
        first, *others = examples
        chosen = examples if most is None else [first, *chance.sample(others, min(most - 1, len(others)))]
        kept.append((label, [example.text for example in chosen]))
        dropped |= {example.line for example in examples} - {example.line for example in chosen}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for number, line in enumerate(lines, 1) if number not in dropped), encoding="utf-8")
    return kept


def _write_stock(source: Path, folder: Path) -> dict[str, Any]:
    """Writes what stock Rasa is trained on; its answers."""
    domain = _read(source / "domain.yml")
    files = [_read(path) for path in _files(source)]
    responses = {name: said for file in [domain, *files] for name, said in file.get("responses", {}).items()}
    fill = _Filler(source / "clinic.yml")
    answers = {name: plain for name, said in responses.items() if (plain := fill.variations(said))}
    answers[STAND_IN] = [{"text": "Our staff will gladly help you with that."}]
    nlu = [entry for file in files for entry in file["nlu"]]
    # Stock may list a retrieval intent only by its own name, which is what comes before the topic's.
    trained = list(dict.fromkeys(entry["intent"].partition("/")[0] for entry in nlu if "intent" in entry))
    rules = [rule for path in sorted((source / RULES).glob("*.yml")) for rule in _read(path).get("rules", [])]
    retrieval = [f"utter_{kind}" for kind in topics.KINDS]
    _write(folder / "data" / "nlu.yml", {"nlu": nlu})
    _write(folder / "data" / "rules.yml", {"rules": _stock_rules(rules, [*trained, FALLBACK], {*answers, *retrieval})})
    _write(folder / "domain.yml", {"intents": trained, "actions": retrieval, "responses": answers})
    _write(
        folder / "config.yml",
        {"recipe": "default.v1", "assistant_id": "stock", "language": "en"}
        | {"pipeline": STOCK_PIPELINE, "policies": STOCK_POLICIES},
    )
    # Every key of this file is a channel.
    (folder / "credentials.yml").write_text("rest:\n", encoding="utf-8")
    (folder / "endpoints.yml").touch()
    return answers


def _stock_rules(rules: list[dict[str, Any]], intents: list[str], known: set[str]) -> list[dict[str, Any]]:
    """One rule for each intent: ours where it is one intent and one utterance, else one with the stand-in."""
    said: dict[str, str] = {}
    for rule in rules:
        match rule:
            case {"rule": _, "steps": [{"intent": intent}, {"action": action}], **rest} if not rest and action in known:
                said.setdefault(intent, action)
    return [
        {"rule": f"Reply to {intent}", "steps": [{"intent": intent}, {"action": said.get(intent, STAND_IN)}]}
        for intent in intents
    ]


class _Filler:
    """Answers as stock can say them: without conditions, with the clinic's values written in."""

    def __init__(self, clinic: Path) -> None:
        self._values = ClinicFacts(practice.load(clinic)).values(dt.datetime.now(dt.UTC))

    def variations(self, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The variations that always hold, with nothing but their text and channel."""
        return [
            {key: self._fill(value) if key == "text" else value for key, value in one.items() if key in ("text", "channel")}
            for one in said
            if "condition" not in one and "text" in one
        ]

    def _fill(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: str(self._values.get(match[1], "our clinic")), text)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({"version": "3.1"} | content, allow_unicode=True, sort_keys=False, width=1000)
    path.write_text(text, encoding="utf-8")
