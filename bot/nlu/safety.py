"""The safety gate: which messages tell of an emergency, of a worrying symptom, or of something a clinician must decide.

The patterns stand in `data/safety/` for people to read and review. A pattern is a line of words:

    throat            the word itself, in small letters and without apostrophes (`can't` is `cant`)
    swell*            each word that begins so
    face|cheek        one word or the other
    <body>            one of the words or phrases of that group in words.yml
    my?  <body>?      may be missing
    ..   ...          up to two, up to five words of any kind, within the sentence

spaCy's Matcher reads them. A pattern that cannot match, for want of its rarest word, is not tried.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import spacy
from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz.distance import OSA
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.matcher import Matcher
from spacy.tokens import Doc

from bot.nlu.text import normalise
from clinic import yaml

Level = Literal["emergency", "adverse_reaction", "clinician"]
Kind = Literal["medical", "self_harm"]
# The most urgent first.
LEVELS: tuple[Level, ...] = ("emergency", "adverse_reaction", "clinician")
GAPS = {"..": 2, "...": 5}
# How many words before a match a negation may stand.
NEGATION_REACH = 5
# A misspelt word is read as a pattern's word at one slip, from the second length on at two; shorter words as they stand.
ONE_SLIP_FROM, TWO_SLIPS_FROM = 4, 6

_END, _COMMA, _OTHER = ".", "|", "_"
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*'?|\d+(?:[.,]\d+)?|[!?;\n]|\.+|,+|…")
_SENTENCE_ENDS = frozenset("!?;.\n")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pattern(_Entry):
    """What tells of one danger.

    `only_as_report` is for what is ordinary to ask about ("redness"): it counts when the message reports it.
    """

    id: str
    reason: str
    matches: list[str] = Field(min_length=1)
    examples: list[str] = Field(min_length=1, max_length=3)
    kind: Kind | None = None
    concern: str | None = None
    only_as_report: bool = False


class Idiom(_Entry):
    """Words that look like a danger and are none; they hide the matches that they overlap."""

    id: str
    reason: str
    hides: list[Level] = Field(min_length=1)
    matches: list[str] = Field(min_length=1)
    examples: list[str] = Field(min_length=1, max_length=3)


class _Patterns(_Entry):
    patterns: list[Pattern]


class _Idioms(_Entry):
    idioms: list[Idiom]


class _Words(_Entry):
    groups: dict[str, list[str]]


class _Context(_Entry):
    negations: list[str]
    negation_ends: list[str]
    questions_in_general: list[str]
    reports: list[str]


@dataclass(frozen=True)
class Alarm:
    """What the gate found: `rule` is the pattern's id, or `net:<level>`."""

    level: Level
    rule: str
    kind: Kind | None = None
    concern: str | None = None


class Net(Protocol):
    """A second opinion on what the patterns missed."""

    def screen(self, text: str) -> Alarm | None:
        """The alarm of a normalised text, if any."""


@dataclass(frozen=True)
class Data:
    """The content of `data/safety/`."""

    patterns: dict[Level, list[Pattern]]
    idioms: list[Idiom]
    words: dict[str, list[str]]
    context: _Context

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads the folder.

        Raises:
            clinic.yaml.BadFile: a file is missing or wrong.
        """
        patterns = {level: yaml.read_as(folder / f"{level}.yml", _Patterns).patterns for level in LEVELS}
        words = yaml.read_as(folder / "words.yml", _Words).groups
        context = yaml.read_as(folder / "context.yml", _Context)
        return cls(patterns, yaml.read_as(folder / "idioms.yml", _Idioms).idioms, words, context)


class SafetyGate:
    """Screens each message, before anything else reads it."""

    def __init__(self, data: Data, repair: Callable[[str], str] | None = None, net: Net | None = None) -> None:
        """Compiles the patterns.

        Args:
            data: what to look for.
            repair: gives a normalised text with its misspelt words replaced.
            net: asked when no pattern tells of an emergency.
        """
        self._repair, self._net = repair, net
        context = data.context
        grammar = _Grammar(data.words)
        alarms = [
            (Alarm(level, pattern.id, pattern.kind, pattern.concern), pattern)
            for level in LEVELS
            for pattern in data.patterns[level]
        ]
        lines = [line for _, pattern in alarms for line in pattern.matches]
        lines += [line for idiom in data.idioms for line in idiom.matches]
        lines += [*context.negations, *context.negation_ends, *context.questions_in_general, *context.reports]
        self._lexicon = _Lexicon(grammar.vocabulary(lines))
        self._vocab = spacy.blank("en").vocab

        def finder(lines: list[str]) -> _Finder:
            return _Finder([variant for line in lines for variant in grammar.variants(line)], self._vocab, self._lexicon)

        self._rules = [(alarm, pattern.only_as_report, finder(pattern.matches)) for alarm, pattern in alarms]
        self._idioms = [(frozenset(idiom.hides), finder(idiom.matches)) for idiom in data.idioms]
        self._negations, self._negation_ends = finder(context.negations), finder(context.negation_ends)
        self._questions, self._reports = finder(context.questions_in_general), finder(context.reports)
        self._danger_words = grammar.vocabulary(line for _, pattern in alarms for line in pattern.matches)

    @classmethod
    def load(cls, folder: Path, repair: Callable[[str], str] | None = None, net: Net | None = None) -> Self:
        """A gate with the patterns of a folder.

        Raises:
            clinic.yaml.BadFile: a file is missing or wrong.
        """
        return cls(Data.read(folder), repair, net)

    def screen(self, text: str) -> list[Alarm]:
        """The alarms of a message, the most urgent first; none for a harmless one."""
        plain = normalise(text)
        readings = [plain]
        if self._repair is not None:
            repaired = self._repair(plain)
            readings += [repaired, self._towards_danger(plain, repaired)] if repaired != plain else []
        found: dict[Alarm, None] = {}
        for reading in dict.fromkeys(readings):
            found |= dict.fromkeys(self._match(reading))
        if self._net is not None and not any(alarm.level == "emergency" for alarm in found):
            alarm = self._net.screen(readings[min(1, len(readings) - 1)])
            if alarm and all(LEVELS.index(alarm.level) < LEVELS.index(other.level) for other in found):
                found[alarm] = None
        return sorted(found, key=lambda alarm: LEVELS.index(alarm.level))

    def _towards_danger(self, plain: str, repaired: str) -> str:
        """The text with each misspelt word read as the nearest word of the patterns, where there is one."""
        pairs = zip(plain.split(), repaired.split(), strict=False)
        return " ".join(word if word == other else self._nearest_danger(word) or other for word, other in pairs)

    @lru_cache(maxsize=10_000)  # noqa: B019 - a gate lives as long as its process
    def _nearest_danger(self, word: str) -> str | None:
        word = word.strip(".,!?;:")
        slips = (len(word) >= ONE_SLIP_FROM) + (len(word) >= TWO_SLIPS_FROM)
        near = [
            (distance, other)
            for other in self._danger_words
            if other[0] == word[:1] and len(other) >= ONE_SLIP_FROM and not other.endswith("*")
            if (distance := OSA.distance(word, other, score_cutoff=slips)) <= slips
        ]
        return min(near)[1] if near else None

    def _match(self, text: str) -> list[Alarm]:
        tokens = self._lexicon.tokens(text)
        present = frozenset(tokens)
        rules = [rule for rule in self._rules if rule[2].may_match(present)]
        if not rules:
            return []
        message = _Message(Doc(self._vocab, words=tokens), tokens, present)
        idioms = [(hides, message.spans(finder)) for hides, finder in self._idioms]
        negations, ends = message.spans(self._negations), message.spans(self._negation_ends)
        questions = message.spans(self._questions)
        reports = [report for report in message.spans(self._reports) if not _overlaps(report, questions)]

        def counts(alarm: Alarm, only_as_report: bool, span: tuple[int, int]) -> bool:
            if any(alarm.level in hides and _overlaps(span, spans) for hides, spans in idioms):
                return False
            if alarm.level != "emergency" and _negated(tokens, span, negations, ends):
                return False
            if only_as_report and not reports:
                return False
            if alarm.level == "clinician" or alarm.kind == "self_harm":
                return True
            sentence = message.sentence(span)
            return not _overlaps(sentence, questions) or _overlaps(sentence, reports)

        return [
            alarm
            for alarm, only_as_report, finder in rules
            if any(counts(alarm, only_as_report, span) for span in message.spans(finder))
        ]


class _Lexicon:
    """Turns a text into tokens of a closed vocabulary, so that memory stays what it is whatever visitors write."""

    def __init__(self, vocabulary: frozenset[str]) -> None:
        self.words = vocabulary
        # The longest first: "swollen*" before "swoll*".
        self._stems = sorted((word[:-1] for word in vocabulary if word.endswith("*")), key=len, reverse=True)
        self._known = lru_cache(maxsize=10_000)(self._lookup)

    def tokens(self, text: str) -> list[str]:
        plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
        return [self._known(token) for token in _TOKEN.findall(plain)] or [_OTHER]

    def beginning_with(self, stem: str) -> list[str]:
        return [word for word in self.words if word.startswith(stem)]

    def _lookup(self, token: str) -> str:
        if token in _SENTENCE_ENDS:
            return _END
        if not token[0].isalnum():
            return _COMMA
        word = re.split("[.,]", token)[0] if token[0].isdigit() else token.replace("'", "")
        if word in self.words:
            return word
        return next((f"{stem}*" for stem in self._stems if word.startswith(stem)), _OTHER)


class _Grammar:
    """Reads the lines of patterns."""

    def __init__(self, groups: dict[str, list[str]]) -> None:
        self._groups = groups

    def variants(self, line: str) -> list[list[list[str] | int]]:
        """A line as sequences of steps: each step is the words that may stand there, or the longest gap."""
        steps: list[list[list[list[str] | int]]] = []
        for part in line.split():
            if part in GAPS:
                steps.append([[GAPS[part]]])
                continue
            optional = part.endswith("?")
            phrases = self._phrases(part.removesuffix("?"))
            singles = [phrase for phrase in phrases if " " not in phrase]
            choices: list[list[list[str] | int]] = [[singles]] if singles else []
            choices += [[[word] for word in phrase.split()] for phrase in phrases if " " in phrase]
            steps.append([[], *choices] if optional else choices)
        return [[step for choice in choices for step in choice] for choices in product(*steps)]

    def vocabulary(self, lines: Iterable[str]) -> frozenset[str]:
        """The words that stand anywhere in lines."""
        return frozenset(
            word
            for line in lines
            for variant in self.variants(line)
            for step in variant
            if not isinstance(step, int)
            for word in step
        )

    def _phrases(self, part: str) -> list[str]:
        if not part.startswith("<"):
            return part.split("|")
        name = part.removeprefix("<").removesuffix(">")
        if name not in self._groups:
            raise yaml.BadFile([f"words.yml:1: there is no group '{name}'"])
        return [phrase for entry in self._groups[name] for phrase in (self._phrases(entry) if entry[0] == "<" else [entry])]


class _Finder:
    """Finds the places of a few patterns."""

    def __init__(self, variants: Sequence[list[list[str] | int]], vocab: Any, lexicon: _Lexicon) -> None:
        self._matcher = Matcher(vocab, validate=False)
        self._needed: set[str] = set()
        compiled = []
        for variant in variants:
            steps = [step if isinstance(step, int) else _expanded(step, lexicon) for step in variant]
            compiled.append([_any_words(step) if isinstance(step, int) else {"ORTH": {"IN": step}} for step in steps])
            self._needed.update(min((step for step in steps if not isinstance(step, int)), key=_commonness))
        self._matcher.add("found", compiled)

    def may_match(self, present: frozenset[str]) -> bool:
        """Whether a word is there that each match needs."""
        return not self._needed.isdisjoint(present)

    def spans(self, doc: Doc) -> list[tuple[int, int]]:
        """Where the patterns match: first token, token after the last."""
        return [(start, end) for _, start, end in self._matcher(doc)]


class _Message:
    def __init__(self, doc: Doc, tokens: list[str], present: frozenset[str]) -> None:
        self._doc, self._tokens, self._present = doc, tokens, present

    def spans(self, finder: _Finder) -> list[tuple[int, int]]:
        return finder.spans(self._doc) if finder.may_match(self._present) else []

    def sentence(self, span: tuple[int, int]) -> tuple[int, int]:
        start = max((i + 1 for i in range(span[0]) if self._tokens[i] == _END), default=0)
        end = next((i for i in range(span[1], len(self._tokens)) if self._tokens[i] == _END), len(self._tokens))
        return start, end


def _expanded(words: list[str], lexicon: _Lexicon) -> list[str]:
    """The words, and each word of the lexicon that a stem among them stands for."""
    stems = [word[:-1] for word in words if word.endswith("*")]
    return sorted({*words, *(word for stem in stems for word in lexicon.beginning_with(stem))})


def _any_words(most: int) -> dict[str, Any]:
    return {"IS_PUNCT": False, "OP": f"{{0,{most}}}"}


def _commonness(words: list[str]) -> int:
    return sum(100 if word in STOP_WORDS else 1 for word in words)


def _overlaps(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _negated(tokens: list[str], span: tuple[int, int], negations: list[tuple[int, int]], ends: list[tuple[int, int]]) -> bool:
    """Whether a negation reaches a match: "no fever", "no pus, heat or fever", but not "no fever, my face is hot"."""
    for start, end in negations:
        if not span[0] - NEGATION_REACH <= end <= span[0]:
            continue
        between = tokens[end : span[0]]
        if _END in between or _overlaps((end, span[0]), ends):
            continue
        if _COMMA not in between or "or" in tokens[start : span[1] + NEGATION_REACH]:
            return True
    return False
