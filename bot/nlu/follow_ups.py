"""What a short message asks that follows an answer: "and how long?" after redness, "even on dark skin?" after the needles.

Each label is weighed by eight numbers (`_evidence`), and the weighed sums become probabilities: a conditional logit
(McFadden 1974), fitted in training to the precedents of `data/follow_ups`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, RootModel

from bot.nlu.classifier import Calibration, Encode, Floats, Scores, TopicModel, softmax
from bot.nlu.questions import DANGERS, Guess
from bot.nlu.spelling import Spelling
from clinic import yaml

# Longer messages speak for themselves.
UP_TO = 12
# The likest precedents count, those after the same topic more, and by how like they are.
NEIGHBOURS, SAME_TOPIC, TEMPERATURE = 20, 0.1, 0.1
# What stands against the precedents when none is like.
NONE_ALIKE = math.exp(-4)
# How many precedents it takes until what is asked after a topic counts more than what is asked after any.
BELIEVED_FROM = 5
# People ask anew more often than the precedents do, which are there to teach the other case.
ASKED_ANEW = 3.0
RIDGE = 1.0
# What is said whatever was answered before, when it is as clear as that by itself.
SMALL_TALK = frozenset(("greet", "goodbye", "thank", "affirm", "deny", "help", "feedback", "bot_challenge"))
CLEAR = 0.9
_LEAST, _LEAST_MOVED, _LEAST_STAYED = 1e-4, 1e-3, 0.02


class _Precedent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[str, Field(min_length=1)]
    says: Annotated[str, Field(min_length=1)]


class _File(RootModel[list[_Precedent]]):
    pass


@dataclass(frozen=True)
class Precedent:
    """A message (`says`), the question that was answered before it, and the bare id of what it asks."""

    after: str
    says: str
    topic: str


def read(folder: Path) -> list[Precedent]:
    """The precedents of a folder.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return [precedent for path in sorted(folder.glob("*.yml")) for precedent in read_file(path)]


def learned(folder: Path, spelling: Spelling) -> list[Precedent]:
    """The precedents of a folder with their texts as the models read them.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return [Precedent(spelling.read(p.after), spelling.read(p.says), p.topic) for p in read(folder)]


def read_file(path: Path) -> list[Precedent]:
    """The precedents of a file, which bears the name of the topic that they ask about.

    Raises:
        clinic.yaml.BadFile: with file, line and reason for each wrong entry.
    """
    return [Precedent(entry.after, entry.says, path.stem) for entry in yaml.read_as(path, _File).root]


@dataclass(frozen=True)
class _Seen:
    """A message as it is alone, and together with the question before it; `after` is the place of that one's topic."""

    alone: Scores
    joined: Scores
    after: int
    vector: Floats


class FollowUpModel:
    """Reads short messages in the light of the question that was answered before them."""

    def __init__(self, topics: TopicModel, calibrate: Calibration, encode: Encode, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self._topics, self._calibrate, self._encode, self._arrays = topics, calibrate, encode, arrays
        self._places = {label: place for place, label in enumerate(topics.labels)}

    @classmethod
    def train(cls, precedents: Sequence[Precedent], topics: TopicModel, calibrate: Calibration, encode: Encode) -> Self:
        """Learns from precedents, their texts normalised and repaired. Those that follow no topic, or ask what the topics' model
        does not know, teach nothing; without any other, each message speaks for itself.
        """
        label_of = {label.rpartition("/")[2]: label for label in topics.labels}
        model = cls(topics, calibrate, encode, {})
        seen: list[_Seen] = []
        asked: list[int] = []
        for precedent in precedents:
            before = topics.score(precedent.after).ranking[0][0]
            if "/" in before and precedent.topic in label_of:
                seen.append(model._see(precedent.says, precedent.after, before))
                asked.append(model._places[label_of[precedent.topic]])
        if not seen:
            return model
        after, right = np.array([s.after for s in seen]), np.array(asked)
        size = len(topics.labels)
        moves = np.zeros((size, size))
        np.add.at(moves, (after, right), after != right)
        shares = (np.bincount(right, minlength=size) + 1) / (len(right) + size)
        vectors = np.stack([s.vector for s in seen])
        model._arrays |= {"vectors": vectors, "after": after, "asked": right, "moves": moves, "shares": shares}
        alone = np.array([model._places[s.alone.ranking[0][0]] for s in seen])
        counts = np.where((right != after) & (right == alone), ASKED_ANEW, 1.0)
        model._arrays["weights"] = _fitted(np.stack([model._evidence(s, own=i) for i, s in enumerate(seen)]), right, counts)
        return model

    def read(self, text: str, before: str, topic: str) -> Guess | None:
        """What a text asks after a question about a topic (a label) was answered; None when it speaks for itself.

        A text is about no danger: that is the safety gate's to see, before.
        """
        if not self._arrays or topic not in self._places or not 0 < len(text.split()) <= UP_TO:
            return None
        seen = self._see(text, before, topic)
        if seen.alone.ranking[0][0] in SMALL_TALK and self._sure(seen) >= CLEAR:
            return None
        weighed = self._evidence(seen) @ self._arrays["weights"]
        weighed[[self._places[label] for label in DANGERS if label in self._places]] = -np.inf
        p = softmax(weighed)
        ranking = [(self._topics.labels[i], float(p[i])) for i in np.argsort(-p)]
        return Guess(text, Scores(ranking, seen.alone.nearest), ranking[0][1])

    def _see(self, text: str, before: str, topic: str) -> _Seen:
        joined = self._topics.score(f"{before}, {text}")
        return _Seen(self._topics.score(text), joined, self._places[topic], self._encode(text))

    def _evidence(self, seen: _Seen, own: int | None = None) -> npt.NDArray[np.float64]:
        """What speaks for each label, shape [labels, 8]; in training, without what the precedent itself would say."""
        a = self._arrays
        stayed, moved = self._precedents(seen, own)
        followed = a["moves"][seen.after]
        if own is not None and a["asked"][own] != seen.after:
            followed = followed.copy()
            followed[a["asked"][own]] -= 1
        followed = np.log((followed + BELIEVED_FROM * a["shares"]) / (followed.sum() + BELIEVED_FROM))
        same, first = np.zeros(len(self._places)), np.zeros(len(self._places))
        same[seen.after] = 1
        first[self._places[seen.alone.ranking[0][0]]] = 1
        sure = first * _logit(self._sure(seen))
        alone, joined = self._logs(seen.alone), self._logs(seen.joined)
        return np.stack([alone, joined, same, same * stayed, moved, followed, first, sure], axis=1)

    def _sure(self, seen: _Seen) -> float:
        """How sure the likeliest label is by the message alone."""
        return self._calibrate(seen.alone.ranking[0][1], seen.alone.nearest)

    def _precedents(self, seen: _Seen, own: int | None) -> tuple[float, npt.NDArray[np.float64]]:
        """How much the likest precedents speak for the topic before (as a logit), and for each other label."""
        a = self._arrays
        likeness = a["vectors"] @ seen.vector + SAME_TOPIC * (a["after"] == seen.after)
        if own is not None:
            likeness[own] = -1
        likest = np.argsort(-likeness)[:NEIGHBOURS]
        counts = np.exp((likeness[likest] - 1) / TEMPERATURE)
        total = counts.sum() + NONE_ALIKE
        stays = a["asked"][likest] == a["after"][likest]
        moved = np.bincount(a["asked"][likest], counts * ~stays, len(self._places)) / total
        return _logit((counts * stays).sum() / total, _LEAST_STAYED), np.log(moved + _LEAST_MOVED)

    def _logs(self, scores: Scores) -> npt.NDArray[np.float64]:
        logs = np.empty(len(self._places))
        for label, p in scores.ranking:
            logs[self._places[label]] = math.log(p + _LEAST)
        return logs

    def save(self, folder: Path) -> None:
        """Writes the model into a folder; not the topics' model, which it leans on."""
        np.savez(folder / "follow_ups.npz", **self._arrays)

    @classmethod
    def load(cls, folder: Path, topics: TopicModel, calibrate: Calibration, encode: Encode) -> Self:
        """Reads a model that `save` wrote.

        Raises:
            OSError, ValueError: the file is missing or damaged.
        """
        with (folder / "follow_ups.npz").open("rb") as content, np.load(content, allow_pickle=False) as file:
            return cls(topics, calibrate, encode, {name: file[name] for name in file.files})


def _fitted(
    evidence: npt.NDArray[np.float64], right: npt.NDArray[np.int64], counts: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The weights of evidence (shape [messages, labels, numbers]) under which the right labels are likeliest."""
    from scipy.optimize import minimize

    scale = evidence.reshape(-1, evidence.shape[2]).std(axis=0) + 1e-6
    scaled, rows = evidence / scale, np.arange(len(right))

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        p = softmax(scaled @ weights)
        surprise = -(counts * np.log(p[rows, right])).sum()
        slope = ((p[:, :, None] * scaled).sum(axis=1) - scaled[rows, right]) * counts[:, None]
        return surprise + RIDGE / 2 * weights @ weights, slope.sum(axis=0) + RIDGE * weights

    found: npt.NDArray[np.float64] = minimize(loss, np.zeros(evidence.shape[2]), jac=True, method="L-BFGS-B").x / scale
    return found


def _logit(p: float, least: float = 1e-6) -> float:
    return math.log((p + least) / (1 - p + least))
