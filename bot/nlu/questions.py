"""Where one message may hold several questions, and whether it does."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.nlu.classifier import Scores

# Between two sentences, a boundary is strong; at a comma or a joining word it is weak.
_BOUNDARY = re.compile(
    r"(?P<strong>[.?!;\n]+\s*(?:(?:and|also|plus|but|or|so)\b,?\s*)?)"
    r"|(?P<weak>\s*,\s*(?:(?:and|also|plus|but|or)\b\s*(?:also\b\s*)?)?|\s+(?:and|n|&|\+|also|plus|or)\s+(?:also\s+)?"
    # Text messages string questions together without a word between them.
    r"|\s+(?=how (?:many|much|far|often|long|soon)\b|when (?:can|do|will|is)\b|what (?:is|are|do)\b|where (?:are|is|do)\b))",
)
_ASKS = re.compile(
    r"^(?:what|whats|what's|how|hows|when|whens|where|wheres|who|whos|which|why|is|are|am|was|do|does|did|can|could|should|would|"
    r"will|may|any|wot|wen|wher|hw|shud|cud|r|u|i'd like|i want|i need|please|pls|tell me|let me know|id like)\b"
)
# More boundaries than this, and the message is a story: it is read as a whole and by its sentences.
MOST_PIECES = 8
MOST_QUESTIONS = 3
# What says nothing of its own when something else is said beside it. Danger is the safety gate's to see.
ASIDES = frozenset(
    ("affirm", "deny", "greet", "thank", "goodbye", "feedback", "out_of_scope", "help", "repeat", "emergency", "adverse_reaction")
)
DANGERS = frozenset(("emergency", "adverse_reaction"))
SURE_DANGER = 0.8
# What is only said first: later in a message it belongs to what stands before it ("…, or is that a myth?").
OPENERS = frozenset(("ask_source",))
# A part that points back at what stands before it.
_LEANS = re.compile(r"\b(?:that|those|them|they|this|these|him|her|he|she|theirs|instead|either|longer)\b")
# A part that is less sure than this is context, not a question.
SUREST_CONTEXT = 0.15

Score = Callable[[str], Scores]
Calibrate = Callable[[float, float], float]
Evidence = list[float]


@dataclass(frozen=True)
class Piece:
    """A part of a message; whether a strong boundary stands before it."""

    text: str
    strong: bool


@dataclass(frozen=True)
class Guess:
    """A text with what it seems to be about, and how sure that is."""

    text: str
    scores: Scores
    confidence: float

    @property
    def label(self) -> str:
        """The likeliest topic."""
        return self.scores.ranking[0][0]


class Reader:
    """Reads a message as one question, or as two or three."""

    def __init__(self, score: Score, calibrate: Calibrate, weights: Sequence[float], offset: float) -> None:
        """Takes the topics' model and, fitted by bench/fit.py, how much each piece of evidence weighs."""
        self._score, self._calibrate, self._weights, self._offset = score, calibrate, weights, offset

    def read(self, text: str, in_danger: bool = False) -> list[Guess]:
        """The questions of a normalised text, in the order asked, each about another topic; at least one.

        Unless the safety gate raised an alarm (`in_danger`), a text is about a danger only when that is all but certain.
        """
        whole = self._guess(text)
        if not in_danger and whole.label in DANGERS and whole.scores.ranking[0][1] < SURE_DANGER:
            whole = self._harmless(whole)
        parts = pieces(text)
        if not 2 <= len(parts) <= MOST_PIECES:
            return [whole]
        candidates = self.candidates(parts)
        found = candidates[:1]
        apart = False
        for (first, _), (second, strong) in pairwise(candidates):
            if self._apart(evidence(whole, first, second, strong)):
                found.append((second, strong))
                apart = True
            elif second.confidence > found[-1][0].confidence:
                found[-1] = (second, strong)
        if not apart:
            return [whole]
        of_topic: dict[str, Guess] = {}
        for guess, _ in found:
            of_topic.setdefault(guess.label, guess)
        return list(of_topic.values())[:MOST_QUESTIONS]

    def candidates(self, parts: list[Piece]) -> list[tuple[Guess, bool]]:
        """The parts that may be questions, neighbours of one topic drawn together; with the boundary before each."""
        found: list[tuple[Guess, bool]] = []
        for part in parts:
            guess = self._guess(part.text)
            if guess.confidence < SUREST_CONTEXT or guess.label in ASIDES or (found and guess.label in OPENERS):
                continue
            if not found or found[-1][0].label != guess.label:
                found.append((guess, part.strong))
            elif guess.confidence > found[-1][0].confidence:
                found[-1] = (guess, found[-1][1])
        return found

    def _guess(self, text: str) -> Guess:
        scores = self._score(text)
        return Guess(text, scores, self._calibrate(scores.ranking[0][1], scores.nearest))

    def _harmless(self, guess: Guess) -> Guess:
        left = [(label, p) for label, p in guess.scores.ranking if label not in DANGERS]
        total = sum(p for _, p in left)
        scores = Scores([(label, p / total) for label, p in left], guess.scores.nearest)
        return Guess(guess.text, scores, self._calibrate(left[0][1] / total, scores.nearest))

    def _apart(self, numbers: Evidence) -> bool:
        return sum(w * n for w, n in zip(self._weights, numbers, strict=True)) + self._offset > 0


def pieces(text: str) -> list[Piece]:
    """Cuts a normalised text wherever another question may begin; a text without such a place is one piece."""
    found: list[Piece] = []
    start, strong = 0, True
    for match in _BOUNDARY.finditer(text):
        if text[start : match.start()].strip():
            found.append(Piece(text[start : match.start()].strip(), strong))
            strong = False
        start, strong = match.end(), strong or match["strong"] is not None
    if text[start:].strip():
        found.append(Piece(text[start:].strip(), strong))
    return found


def asks(text: str) -> bool:
    """Whether a text begins like a question or a wish."""
    return bool(_ASKS.match(text))


def evidence(whole: Guess, first: Guess, second: Guess, strong: bool) -> Evidence:
    """What speaks for two neighbouring parts being two questions, as numbers."""
    of_whole = dict(whole.scores.ranking)
    return [
        _logit(first.confidence),
        _logit(second.confidence),
        _logit(whole.confidence),
        math.log(of_whole.get(first.label, 0) + 1e-3),
        math.log(of_whole.get(second.label, 0) + 1e-3),
        float(strong),
        float(asks(first.text)),
        float(asks(second.text)),
        math.log(len(first.text.split())),
        math.log(len(second.text.split())),
        float(whole.label in (first.label, second.label)),
        float(bool(_LEANS.search(second.text))),
        float(whole.label == first.label),
    ]


def _logit(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
