"""Where one message may hold several questions, and whether it does."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.nlu.classifier import Scores
from bot.nlu.zones import MAYBE_ELSEWHERE, OUT_OF_SCOPE

# Between two sentences, a boundary is strong; at a comma or a joining word it is weak, as it is where nothing stands between.
_BOUNDARY = re.compile(
    r"(?P<strong>(?:[?!;\n…]|\.(?!\d)|\s\d\))+[\s)]*(?:(?:and|also|plus|but|or|so|oh and|oh|btw|ps)\b,?\s*)*)"
    r"|(?P<weak>\s*,\s*(?:(?:and|also|plus|but|or|so|oh and|then)\b\s*(?:also\b\s*)?)?|\s+[-/]+\s+(?:(?:and|also)\b\s*)?"
    r"|\s+(?:and|n|&|\+|also|plus|or|btw|oh)\s+(?:also\s+|do you also\s+)?"
    # "An how long": a slip for "and" that is a word too.
    r"|\s+an\s+(?=(?:how|what|when|where|who|why|is|are|do|does|did|can|will|if|have|would)\b)"
    r"|\s+because if so\b\s*|\s+(?:as well as|along with)\s+)"
)
_OPENING = r"^(?:(?:and|also|so|then|but|oh|btw|well|if so|if yes|if not|hi|hello|hey)\b[ ,]*)*"
_ASKS = re.compile(
    _OPENING
    + r"(?:what|whats|what's|how|hows|how's|when|whens|when's|where|wheres|where's|who|whos|who's|which|why|is|are|am|was|"
    r"do|does|did|can|could|should|would|will|may|any|wot|wen|wher|hw|shud|cud|r|u|i'd like|i want|i need|please|pls|tell me|"
    r"let me know|id like|need to|cancel|move)\b"
)
_TELLS = re.compile(
    _OPENING + r"(?:i'm|i am|i have|i've|ive|im|i had|i was|i know|i work|i live|i run|i get|my|we|we're|we've|it's|its|just|had|"
    r"got|he|she|mum|me|thanks|been|someone|you said|you told|told|price is|love|looking|after a|the)\b"
)
# More boundaries than this, and the message is a story: it is read as a whole and by its sentences.
MOST_PIECES = 8
MOST_QUESTIONS = 3
# What says nothing of its own when something else is said beside it. Danger is the safety gate's to see.
ASIDES = frozenset(
    ("affirm", "deny", "greet", "thank", "goodbye", "feedback", "out_of_scope", "help", "repeat", "emergency", "adverse_reaction")
)
DANGERS = frozenset(("emergency", "adverse_reaction"))
# What is only said first: later in a message it belongs to what stands before it ("…, or is that a myth?").
OPENERS = frozenset(("ask_source",))
# A part that points back at what stands before it.
_LEANS = re.compile(r"\b(?:that|those|them|they|this|these|him|her|he|she|theirs|instead|either|longer)\b")
# A part that is less sure than this is context, not a question.
SUREST_CONTEXT = 0.15
# A part that is surer than this speaks for itself, whatever stands before it.
SURE = 0.9
# A message that is less sure than this as a whole is known by its only question, unless it is rather out of scope.
UNSURE = 0.7

Score = Callable[[str], Scores]
Calibrate = Callable[[float, float], float]
# Cuts a text where another question begins without a mark.
Cut = Callable[[str], list[str]]
Evidence = list[float]


@dataclass
class Piece:
    """A part of a message; whether a strong boundary stands before it, and a question mark behind it."""

    text: str
    strong: bool
    questioned: bool = False


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


#: what a part is taken to be about, and the part
Candidate = tuple[Guess, Piece]
#: what a text is about after another one with its topic, if that says anything
Lean = Callable[[str, str, str], Guess | None]


class Reader:
    """Reads a message as one question, or as two or three."""

    def __init__(
        self, score: Score, calibrate: Calibrate, cut: Cut, lean: Lean, weights: Sequence[float] = (), offset: float = 0.0
    ) -> None:
        """Takes what the models of topics, boundaries and follow-ups do and, fitted by bench/fit.py, how the evidence weighs."""
        self._score, self._calibrate, self._cut, self._lean = score, calibrate, cut, lean
        self._weights, self._offset = weights, offset

    def read(self, text: str, in_danger: bool = False) -> list[Guess]:
        """The questions of a normalised text, in the order asked, each about another topic; at least one.

        Unless the safety gate heard a danger (`in_danger`), a text is about none.
        """
        whole = self.guess(text)
        if not in_danger and whole.label in DANGERS:
            whole = self._harmless(whole)
        candidates = self.candidates(text)
        asked = [candidate for i, candidate in enumerate(candidates) if self._asked(evidence(whole, candidates, i))]
        of_topic: dict[str, Guess] = {}
        for guess, _ in asked:
            of_topic.setdefault(guess.label, guess)
        if len(of_topic) == 1 and _clearer(whole, asked[0]):
            return [asked[0][0]]
        return list(of_topic.values())[:MOST_QUESTIONS] if len(of_topic) > 1 else [whole]

    def candidates(self, text: str) -> list[Candidate]:
        """The parts of a normalised text that may be questions, neighbours of one topic drawn together; none for one piece."""
        parts = pieces(text, self._cut)
        found: list[Candidate] = []
        for part in parts if 2 <= len(parts) <= MOST_PIECES else ():
            guess = self._guess_after(part.text, found[-1][0]) if found else self.guess(part.text)
            if guess.confidence < SUREST_CONTEXT or guess.label in ASIDES or (found and guess.label in OPENERS):
                continue
            if not found or found[-1][0].label != guess.label:
                found.append((guess, part))
                continue
            before, piece = found[-1]
            best = guess if guess.confidence > before.confidence else before
            found[-1] = (best, Piece(best.text, piece.strong, piece.questioned or part.questioned))
        return found

    def guess(self, text: str) -> Guess:
        """What a normalised text is about as one question, by itself."""
        scores = self._score(text)
        return Guess(text, scores, self._calibrate(scores.ranking[0][1], scores.nearest))

    def _guess_after(self, text: str, before: Guess) -> Guess:
        """What a part is about by itself or, where that is surer, in the light of what stands before it: "…, is it charged?"."""
        alone = self.guess(text)
        leaning = self._lean(text, before.text, before.label) if alone.confidence < SURE else None
        return leaning if leaning and leaning.confidence > alone.confidence else alone

    def _harmless(self, guess: Guess) -> Guess:
        left = [(label, p) for label, p in guess.scores.ranking if label not in DANGERS]
        total = sum(p for _, p in left)
        scores = Scores([(label, p / total) for label, p in left], guess.scores.nearest)
        return Guess(guess.text, scores, self._calibrate(left[0][1] / total, scores.nearest))

    def _asked(self, numbers: Evidence) -> bool:
        return sum(w * n for w, n in zip(self._weights, numbers, strict=True)) + self._offset > 0


def pieces(text: str, cut: Cut) -> list[Piece]:
    """Cuts a normalised text wherever another question may begin, at marks and joining words and by `cut` between them; a text
    without such a place is one piece.
    """
    found: list[Piece] = []
    start, strong = 0, True
    for match in _BOUNDARY.finditer(text):
        if part := text[start : match.start()].strip():
            found += _cut_out(part, strong, cut)
            strong = False
        if found and "?" in match.group():
            found[-1].questioned = True
        start, strong = match.end(), strong or match["strong"] is not None
    if part := text[start:].strip():
        found += _cut_out(part, strong, cut)
    return found


def _cut_out(part: str, strong: bool, cut: Cut) -> list[Piece]:
    return [Piece(text, strong and place == 0) for place, text in enumerate(cut(part))]


def asks(text: str) -> bool:
    """Whether a text begins like a question or a wish."""
    return bool(_ASKS.match(text))


def evidence(whole: Guess, candidates: Sequence[Candidate], place: int) -> Evidence:
    """What speaks for a part being a question of its own, beside the others of its message, as numbers."""
    of_whole = dict(whole.scores.ranking)
    guess, piece = candidates[place]
    others = [other for i, other in enumerate(candidates) if i != place]
    asked = asks(guess.text) or piece.questioned
    others_asked = any(asks(other.text) or part.questioned for other, part in others)
    return [
        _logit(guess.confidence),
        _logit(whole.confidence),
        math.log(of_whole.get(guess.label, 0) + 1e-3),
        math.log(dict(guess.scores.ranking).get(whole.label, 0) + 1e-3) if whole.label != guess.label else 0.0,
        float(whole.label == guess.label),
        float(piece.strong),
        float(asks(guess.text)),
        float(place > 0 and asks(guess.text) and asks(candidates[place - 1][0].text)),
        float(piece.questioned),
        float(others_asked),
        float(others_asked and not asked),
        math.log(len(guess.text.split())),
        float(bool(_LEANS.search(guess.text))),
        float(bool(_TELLS.match(guess.text))),
        max((_logit(other.confidence) for other, _ in others), default=-4.0),
        math.log(max((of_whole.get(other.label, 0) for other, _ in others), default=0) + 1e-3),
        float(place == 0),
        float(place == len(candidates) - 1),
        math.log(len(candidates)),
    ]


def _clearer(whole: Guess, part: Candidate) -> bool:
    """Whether what a message is about shows in its only question and not in the whole: "my mate had it n looks great, cost?"."""
    guess, piece = part
    elsewhere = dict(whole.scores.ranking).get(OUT_OF_SCOPE, 0)
    is_question = piece.questioned or asks(guess.text)
    return is_question and elsewhere < MAYBE_ELSEWHERE and guess.confidence > whole.confidence < UNSURE


def _logit(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))
