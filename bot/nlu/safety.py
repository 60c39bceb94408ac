"""The safety gate: which messages tell of an emergency, of a worrying symptom, or of something a clinician must decide.

The patterns stand in `data/safety/` for people to read and review. A pattern is a line of words:

    throat            the word itself, in small letters and without apostrophes (`can't` is `cant`)
    swell*            each word that begins so
    face|cheek        one word or the other
    <body>            one of the words or phrases of that group in words.yml
    my?  <body>?      may be missing
    ..   ...          up to two, up to six words of any kind, within the sentence

spaCy's Matcher reads them. A pattern that cannot match, for want of its rarest word, is not tried.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz.distance import OSA
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.matcher import Matcher
from spacy.tokens import Doc

from bot.nlu.text import english, plain
from clinic import yaml

Level = Literal["emergency", "adverse_reaction", "clinician"]
Kind = Literal["medical", "self_harm"]
# The most urgent first.
LEVELS: tuple[Level, ...] = ("emergency", "adverse_reaction", "clinician")
GAPS = {"..": 2, "...": 6}
# How many words before a match a negation may stand.
NEGATION_REACH = 5
# A misspelt word is read as a pattern's word at one slip, from the second length on at two; shorter words as they stand.
ONE_SLIP_FROM, TWO_SLIPS_FROM = 4, 6

# None of them but the end of a sentence is punctuation to spaCy: a gap reaches over a comma and an unknown word.
_END, _COMMA, _OTHER = ".", "|", "="
_AFFIRMS, _DENIES = "affirms", "denies"
# "m6", "12x13", "10am" and "5/6" hold no number that tells of anything.
_NO_NUMBER = r"\b[a-z]\d+\b|\d+x\d+|\b\d{1,2}(?:[:.]\d\d)? ?[ap]m\b(?! i\b)|\b\d{1,2}/\d{1,2}\b"
_TOKEN = re.compile(_NO_NUMBER + r"|[a-z]+(?:'[a-z]+)*'?|\d+(?:[.,]\d+)?|[!?;\n]|\.+|,+|…")
_SENTENCE_ENDS = frozenset("!?;.\n")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pattern(_Entry):
    """What tells of one danger.

    `counts_with` is for words that visitors also have for what they want treated ("redness", "bumps"): they count when the
    message reports what is now, or, for the most ordinary, when it tells of a treatment that was. Two kinds stand for a
    clinician to decide in place of a reaction: what counts with an `appointment` that lies ahead while no treatment has been
    told of ("an infected spot, and I'm booked for Friday"), and what counts as an `experience`, when nothing says that it
    happens now ("lidocaine makes me swell up"). See context.yml. `topic` has what the sources say of a clinician's matter.
    What is `certain`, the net does not overrule: it is of words that the net knows little of, and nobody jokes with.
    """

    id: str
    reason: str
    matches: list[str] = Field(min_length=1)
    examples: list[str] = Field(min_length=1, max_length=3)
    kind: Kind | None = None
    concern: str | None = None
    topic: str | None = None
    counts_with: Literal["report", "treatment", "appointment", "experience"] | None = None
    certain: bool = False


class Idiom(_Entry):
    """Words that look like a danger and are none; they hide the matches that they cover by half or more.

    `spares` names patterns that they do not hide.
    """

    id: str
    reason: str
    hides: list[Level] = Field(min_length=1)
    spares: list[str] = []
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
    reports_after_a_question: list[str]
    treatments_past: list[str]
    changes_of_late: list[str]
    happening_now: list[str]
    wishes_to_come: list[str]
    appointments_ahead: list[str]
    hopes: list[str]


@dataclass(frozen=True)
class Alarm:
    """What the gate found: `rule` is the pattern's id, or `net:<level>`."""

    level: Level
    rule: str
    kind: Kind | None = None
    concern: str | None = None
    topic: str | None = None


class Net(Protocol):
    """A second opinion: on what the patterns missed, and on what they took for a danger."""

    def screen(self, text: str, suspected: bool = False) -> Alarm | None:
        """The alarm of a normalised text with its short forms written out, if any; `suspected` when a pattern found something."""

    def weigh(self, text: str, alarm: Alarm) -> Alarm | None:
        """What is left of an alarm that a pattern raised for such a text: itself, a less urgent one, or nothing."""


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
            net: asked what is left of each alarm that a pattern raised, and for another where no emergency is left.
        """
        self.data, self._repair, self._net = data, repair, net
        context = data.context
        grammar = _Grammar(data.words)
        alarms = [
            (Alarm(level, pattern.id, pattern.kind, pattern.concern, pattern.topic), pattern)
            for level in LEVELS
            for pattern in data.patterns[level]
        ]
        lines = [line for _, pattern in alarms for line in pattern.matches]
        lines += [line for idiom in data.idioms for line in idiom.matches]
        lines += [*context.negations, *context.negation_ends, *context.questions_in_general]
        lines += [*context.reports, *context.reports_after_a_question, *context.treatments_past, *context.changes_of_late]
        lines += [*context.happening_now, *context.wishes_to_come, *context.appointments_ahead, *context.hopes]
        self._lexicon = _Lexicon(grammar.vocabulary(lines))
        self._vocab = english().vocab

        denying = grammar.vocabulary(line.split()[0] for line in context.negations)

        def finder(lines: list[str]) -> _Finder:
            return _Finder([grammar.variants(line) for line in lines], self._vocab, self._lexicon, denying)

        self._rules = [(alarm, pattern.counts_with, finder(pattern.matches)) for alarm, pattern in alarms]
        self._instead_of_a_reaction = frozenset(
            pattern.id for _, pattern in alarms if pattern.counts_with in ("appointment", "experience")
        )
        self._certain = frozenset(pattern.id for _, pattern in alarms if pattern.certain)
        self._idioms = [(idiom, finder(idiom.matches)) for idiom in data.idioms]
        self._negations, self._negation_ends = finder(context.negations), finder(context.negation_ends)
        self._questions, self._reports = finder(context.questions_in_general), finder(context.reports)
        self._answers = finder(context.reports_after_a_question)
        self._treatments, self._changes = finder(context.treatments_past), finder(context.changes_of_late)
        self._now, self._ahead = finder(context.happening_now), finder(context.appointments_ahead)
        self._wishes, self._hopes = finder(context.wishes_to_come), finder(context.hopes)
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
        # With short forms written out first: "shud" is no slip for "shut", and "dying 2 get it" no cry for help.
        written = plain(text)
        repaired = self._repair(written) if self._repair else written
        readings = [written, repaired, self._towards_danger(written, repaired)]
        matched: dict[Alarm, None] = {}
        dismissed: set[Level] = set()
        for reading in dict.fromkeys(readings):
            alarms, denied = self._match(reading)
            matched |= dict.fromkeys(alarms)
            dismissed |= denied
        instead = any(alarm.rule in self._instead_of_a_reaction for alarm in matched)
        weighed = [self._weighed(repaired, a) for a in matched if not (instead and a.level == "adverse_reaction")]
        found = [alarm for alarm in weighed if alarm in matched]
        others = [alarm for alarm in weighed if alarm and alarm not in matched]
        if self._net is not None and not any(alarm.level == "emergency" for alarm in found):
            more = self._net.screen(repaired, suspected=bool(matched))
            # The net may be deaf to a negation, so it does not overrule a pattern that saw one.
            others += [more] if more and more.level not in dismissed else []
        # Of the net's own alarms, which name no rule, only one more urgent than all others counts.
        own = min(others, key=_urgency, default=None)
        if own and all(_urgency(own) < _urgency(alarm) for alarm in found):
            found.append(own)
        return sorted(found, key=_urgency)

    def _weighed(self, text: str, alarm: Alarm) -> Alarm | None:
        return alarm if self._net is None or alarm.rule in self._certain else self._net.weigh(text, alarm)

    def _towards_danger(self, written: str, repaired: str) -> str:
        """The text with each misspelt word read as the nearest word of the patterns, where there is one."""
        pairs = zip(written.split(), repaired.split(), strict=False)
        return " ".join(word if word == other else self._nearest_danger(word, other) or other for word, other in pairs)

    @lru_cache(maxsize=10_000)  # noqa: B019 - a gate lives as long as its process
    def _nearest_danger(self, word: str, repaired: str) -> str | None:
        word, repaired = word.strip(".,!?;:"), repaired.strip(".,!?;:")
        slips = min(OSA.distance(word, repaired), (len(word) >= ONE_SLIP_FROM) + (len(word) >= TWO_SLIPS_FROM))
        near = [
            (distance, other)
            for other in self._danger_words
            if other[0] == word[:1] and len(other) >= ONE_SLIP_FROM and not other.endswith("*") and other not in STOP_WORDS
            if (distance := OSA.distance(word, other, score_cutoff=slips)) <= slips
        ]
        return min(near)[1] if near else None

    def _match(self, text: str) -> tuple[list[Alarm], set[Level]]:
        """The alarms of one reading, and the levels whose patterns matched but were denied."""
        tokens = self._lexicon.tokens(text)
        present = frozenset(tokens)
        rules = [rule for rule in self._rules if rule[2].may_match(present)]
        if not rules:
            return [], set()
        message = _Message(Doc(self._vocab, words=tokens), tokens, present)
        idioms = [(idiom, message.spans(finder)) for idiom, finder in self._idioms]
        negations, ends = message.spans(self._negations), message.spans(self._negation_ends)
        questions = message.spans(self._questions)
        reports = [report for report in message.spans(self._reports) if not _overlaps(report, questions)]
        answers, changes = message.spans(self._answers), message.spans(self._changes)
        ahead = message.spans(self._ahead)
        # "My appointment is on Friday" tells of no treatment that was.
        treatments = [span for span in message.spans(self._treatments) if not _nested(span, ahead)]
        evidence = {
            None: True,
            "report": bool(reports or treatments or changes),
            # "Brown patches since last year, can it fade them?" is what a visitor wants treated.
            "treatment": bool(treatments) or (bool(changes) and not message.spans(self._hopes)),
            "appointment": bool(ahead) and not treatments,
            "experience": not message.spans(self._now),
        }

        def hidden(alarm: Alarm, span: _Span) -> bool:
            return any(
                alarm.level in idiom.hides and alarm.rule not in idiom.spares and _mostly_within(span, spans)
                for idiom, spans in idioms
            )

        def counts(alarm: Alarm, span: _Span) -> bool:
            if alarm.level != "emergency" and _negated(tokens, span, negations, ends):
                return False
            if alarm.level == "clinician" or alarm.kind == "self_harm":
                return True
            sentence = message.sentence(span)
            rest = _Span(sentence.end, len(tokens))
            # What is asked after an emergency is another question: "my throat is closing, do I have to pay the deposit".
            asked = _Span(sentence.start, span.end) if alarm.level == "emergency" else sentence
            return not _overlaps(asked, questions) or _overlaps(sentence, reports) or _overlaps(rest, answers)

        found: dict[Alarm, list[_Span]] = {}
        dismissed: set[Level] = set()
        for alarm, counts_with, finder in rules:
            # Of what an idiom hides, the net may still think otherwise; of a denial it knows nothing.
            matched = [span for span in message.spans(finder) if not hidden(alarm, span)]
            spans = [span for span in matched if counts(alarm, span)]
            if spans and evidence[counts_with]:
                found[alarm] = spans
            elif matched and not spans and any(_negated(tokens, span, negations, ends) for span in matched):
                dismissed.add(alarm.level)
        # "I have an infection, can I come?": with no treatment told of, it is a reason to ask first, not a reaction.
        wanted = (
            []
            if treatments or changes or not message.spans(self._wishes)
            else [span for alarm, spans in found.items() if alarm.level == "clinician" for span in spans]
        )
        kept = [
            alarm
            for alarm, spans in found.items()
            if alarm.level != "adverse_reaction" or not all(_overlaps(span, wanted) for span in spans)
        ]
        dismissed -= {alarm.level for alarm in kept}
        if len(kept) < len(found) or any(alarm.rule in self._instead_of_a_reaction for alarm in kept):
            dismissed.add("adverse_reaction")
        return kept, dismissed


class _Span(NamedTuple):
    """Where a pattern matches: first token, token after the last, and whether the pattern has words of negation itself."""

    start: int
    end: int
    denies: bool = False


# The words that may stand in one place, or how many words of any kind may.
_Step = list[str] | int


class _Lexicon:
    """Turns a text into tokens of a closed vocabulary, so that memory stays what it is whatever visitors write."""

    def __init__(self, vocabulary: frozenset[str]) -> None:
        self.words = vocabulary
        # The longest first: "swollen*" before "swoll*".
        self._stems = sorted((word[:-1] for word in vocabulary if word.endswith("*")), key=len, reverse=True)
        self._known = lru_cache(maxsize=10_000)(self._lookup)

    def tokens(self, text: str) -> list[str]:
        bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
        return [self._known(word) for word in _TOKEN.findall(bare)] or [_OTHER]

    def beginning_with(self, stem: str) -> list[str]:
        return [word for word in self.words if word.startswith(stem)]

    def _lookup(self, token: str) -> str:
        if token in _SENTENCE_ENDS:
            return _END
        if not token[0].isalnum():
            return _COMMA
        word = token.replace("'", "")
        if (number := token.replace(",", ".")).replace(".", "").isdigit() and not token.isdigit() and float(number) > 35:
            # "38.9" is a temperature like "38"; "10.15" is a time and no age.
            word = str(int(float(number)))
        if word in self.words:
            return word
        return next((f"{stem}*" for stem in self._stems if word.startswith(stem)), _OTHER)


class _Grammar:
    """Reads the lines of patterns."""

    def __init__(self, groups: dict[str, list[str]]) -> None:
        self._groups = groups

    def variants(self, line: str) -> list[list[_Step]]:
        """A line as sequences of steps, one for each way to read its phrases and what may be missing."""
        parts: list[list[list[_Step]]] = []
        for part in line.split():
            if part in GAPS:
                parts.append([[GAPS[part]]])
                continue
            phrases = self._phrases(part.removesuffix("?"))
            choices: list[list[_Step]] = [[[phrase for phrase in phrases if " " not in phrase]]]
            choices += [[[word] for word in phrase.split()] for phrase in phrases if " " in phrase]
            parts.append([choice for choice in choices if choice != [[]]] + ([[]] if part.endswith("?") else []))
        return [[step for choice in choices for step in choice] for choices in product(*parts)]

    def vocabulary(self, lines: Iterable[str]) -> frozenset[str]:
        """The words that stand anywhere in lines."""
        parts = {part.removesuffix("?") for line in lines for part in line.split() if part not in GAPS}
        return frozenset(word for part in parts for phrase in self._phrases(part) for word in phrase.split())

    def _phrases(self, part: str) -> list[str]:
        return [phrase for entry in part.split("|") for phrase in self._meant(entry)]

    def _meant(self, entry: str) -> list[str]:
        if not entry.startswith("<"):
            return [entry]
        name = entry.removeprefix("<").removesuffix(">")
        if name not in self._groups:
            raise yaml.BadFile([f"words.yml:1: there is no group '{name}'"])
        return [phrase for inner in self._groups[name] for phrase in self._meant(inner)]


class _Finder:
    """Finds the places of a few patterns."""

    def __init__(self, lines: Sequence[list[list[_Step]]], vocab: Any, lexicon: _Lexicon, denying: frozenset[str]) -> None:
        self._vocab, self._compiled = vocab, list[tuple[str, list[list[dict[str, Any]]]]]()
        self._by_anchor: dict[str, list[list[frozenset[str]]]] = {}
        for variants in lines:
            compiled, denies = [], False
            for variant in variants:
                steps = [step if isinstance(step, int) else _expanded(step, lexicon) for step in variant]
                compiled.append([_any_words(step) if isinstance(step, int) else _one_of(step) for step in steps])
                needed = sorted((frozenset(step) for step in steps if not isinstance(step, int)), key=_commonness)
                denies = denies or any(not step.isdisjoint(denying) for step in needed)
                for word in needed[0]:
                    self._by_anchor.setdefault(word, []).append(needed[1:])
            self._compiled.append((_DENIES if denies else _AFFIRMS, compiled))

    @cached_property
    def _matcher(self) -> Matcher:
        # Made when a message first needs it: few patterns are needed by most, and all of them take a second.
        matcher = Matcher(self._vocab, validate=False)
        for key, compiled in self._compiled:
            matcher.add(key, compiled)
        return matcher

    def may_match(self, present: frozenset[str]) -> bool:
        """Whether the words of a pattern are all there, in whatever order."""
        return any(
            all(not step.isdisjoint(present) for step in rest)
            for anchor in self._by_anchor.keys() & present
            for rest in self._by_anchor[anchor]
        )

    def spans(self, doc: Doc) -> list[_Span]:
        """Where the patterns match."""
        denying = doc.vocab.strings[_DENIES]
        return [_Span(start, end, key == denying) for key, start, end in self._matcher(doc)]


class _Message:
    def __init__(self, doc: Doc, tokens: list[str], present: frozenset[str]) -> None:
        self._doc, self._tokens, self._present = doc, tokens, present

    def spans(self, finder: _Finder) -> list[_Span]:
        return finder.spans(self._doc) if finder.may_match(self._present) else []

    def sentence(self, span: _Span) -> _Span:
        start = max((i + 1 for i in range(span[0]) if self._tokens[i] == _END), default=0)
        end = next((i for i in range(span[1], len(self._tokens)) if self._tokens[i] == _END), len(self._tokens))
        return _Span(start, end)


def less_urgent_than(level: Level) -> tuple[Level, ...]:
    """The levels below one."""
    return LEVELS[LEVELS.index(level) + 1 :]


def _urgency(alarm: Alarm) -> int:
    return LEVELS.index(alarm.level)


def _expanded(words: list[str], lexicon: _Lexicon) -> list[str]:
    """The words, and each word of the lexicon that a stem among them stands for."""
    stems = [word[:-1] for word in words if word.endswith("*")]
    return sorted({*words, *(word for stem in stems for word in lexicon.beginning_with(stem))})


def _any_words(most: int) -> dict[str, Any]:
    return {"IS_PUNCT": False, "OP": f"{{0,{most}}}"}


def _one_of(words: list[str]) -> dict[str, Any]:
    return {"ORTH": words[0]} if len(words) == 1 else {"ORTH": {"IN": words}}


def _commonness(words: frozenset[str]) -> int:
    return sum(100 if word in STOP_WORDS else 1 for word in words)


def _overlaps(span: _Span, others: Iterable[_Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def _nested(span: _Span, others: Iterable[_Span]) -> bool:
    """Whether the span lies within another, or another within it."""
    return any((other.start - span.start) * (span.end - other.end) >= 0 and _overlaps(span, [other]) for other in others)


def _mostly_within(span: _Span, others: Iterable[_Span]) -> bool:
    """Whether another covers half the span or more: "a red" hides no "red streak running away"."""
    return any(2 * (min(span.end, other.end) - max(span.start, other.start)) >= span.end - span.start for other in others)


def _negated(tokens: list[str], span: _Span, negations: list[_Span], ends: list[_Span]) -> bool:
    """Whether a negation reaches a match: "no fever", "no pus, heat or fever", but not "no fever, my face is hot".

    It may stand inside the match ("my face is not swollen"), unless the pattern has such words itself.
    """
    begin = span.start if span.denies else span.end - 1
    for negation in negations:
        if not span.start - NEGATION_REACH <= negation.end <= begin:
            continue
        between = _Span(negation.end, begin)
        if _END in tokens[between.start : begin] or _overlaps(between, ends):
            continue
        if _COMMA not in tokens[between.start : begin] or "or" in tokens[negation.start : span.end + NEGATION_REACH]:
            return True
    return False
