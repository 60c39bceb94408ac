"""`stipple check`: is all that people edit sound, and do the parts fit together?

Each finding is a line `path:line: reason`, the path counted from the project's folder.
"""

import datetime as dt
import re
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from bot import context, readability, sms_text, topics
from bot import sources as documents
from bot.lines import Lines
from bot.nlu import entities, follow_ups
from bot.nlu.text import normalise
from bot.quantities import quantities
from bot.topics import Condition, Example, Topic
from clinic import practice, yaml
from clinic.facts import ClinicFacts
from clinic.practice import Practice

MIN_EXAMPLES, MIN_QUESTIONS = 40, 8
MAX_SMS, MAX_TITLE, MAX_GRADE = 306, 40, 9.0
SENTENCES, FOLLOW_UPS = (2, 5), (2, 3)

CLINIC, DOMAIN, LANGUAGES = Path("clinic.yml"), Path("domain.yml"), Path("data/languages.yml")
ENTITIES, PRECEDENTS = Path("data/entities"), Path("data/follow_ups")
NLU, STORIES, QUESTIONS = Path("data/nlu"), Path("data/stories"), Path("tests/questions")
CODE = (Path("bot"), Path("actions"))

# Said by Rasa's own action_default_fallback.
SAID_BY_RASA = frozenset(("utter_default",))
# A field of Rasa's response selectors that looks like the name of a response.
NO_RESPONSE = frozenset(("utter_action",))
# A week whose dates and times are among the longest to write.
LONG_WEEK = dt.datetime(2026, 9, 28, tzinfo=dt.UTC)

_VARIABLE = re.compile(r"\{([^{}\n]*)\}")
_QUOTED = re.compile(r"""["'](\w+)["']""")
_KEYWORD = re.compile(r"\b(\w+)=")
_MADE_UP = re.compile(r"""f["'](utter_\w+)\{""")

Read = TypeVar("Read")


class Finding(NamedTuple):
    """Something that is wrong, and where."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True)
class Summary:
    """What there is."""

    topics: int
    examples: int
    facts: int
    #: answers that no clinician has approved
    unapproved: int
    #: answers whose approval was to be renewed by now
    due: int
    #: for each topic, in how many parts its text message is sent, with the clinic's values
    segments: dict[str, int]

    @property
    def median_segments(self) -> float:
        """The median over the topics; 0 without any."""
        return float(statistics.median(self.segments.values())) if self.segments else 0.0

    @property
    def longer(self) -> dict[int, list[str]]:
        """The topics whose text message takes more than one part, by how many it takes."""
        counts = sorted(set(self.segments.values()) - {0, 1})
        return {count: [label for label, parts in self.segments.items() if parts == count] for count in counts}


@dataclass(frozen=True)
class Findings:
    """What `check` found: lines `path:line: reason`, in the order of the files."""

    errors: list[str]
    warnings: list[str]
    summary: Summary

    @property
    def sound(self) -> bool:
        """Whether nothing has to be put right."""
        return not self.errors


class _DomainVariation(BaseModel):
    text: str = ""
    channel: str | None = None
    condition: list[Any] = []
    metadata: dict[str, Any] = {}


class _Domain(BaseModel):
    model_config = ConfigDict(extra="allow")

    intents: list[str | dict[str, Any]]
    slots: dict[str, Any] = {}
    forms: dict[str, Any] = {}
    responses: dict[str, list[_DomainVariation]]

    @property
    def intent_names(self) -> list[str]:
        return [next(iter(intent)) if isinstance(intent, dict) else intent for intent in self.intents]


class _Languages(RootModel[dict[str, Annotated[list[str], Field(min_length=1)]]]):
    pass


class _Questions(RootModel[dict[str, list[str]]]):
    pass


@dataclass
class _Code:
    """The names that stand in the Python code of the bot and of the actions."""

    quoted: dict[str, tuple[Path, int]] = field(default_factory=dict)
    keywords: set[str] = field(default_factory=set)
    #: the beginnings of names that are put together, as `utter_booked_` in f"utter_booked_{way}"
    beginnings: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, root: Path) -> "_Code":
        code = cls()
        for path in sorted(path for folder in CODE for path in (root / folder).rglob("*.py")):
            if path.name != Path(__file__).name:
                text = path.read_text(encoding="utf-8")
                for number, line in enumerate(text.splitlines(), start=1):
                    for name in _QUOTED.findall(line):
                        code.quoted.setdefault(name, (path.relative_to(root), number))
                code.beginnings.update(_MADE_UP.findall(text))
                if path.is_relative_to(root / "actions"):
                    code.keywords.update(_KEYWORD.findall(text))
        return code


class _Tree:
    """All that people edit, as far as it can be read; what cannot is among the findings already."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unreadable: list[Finding] = []
        self.topic_files = topics.files(root / NLU)
        self.topics = [topic for path in self.topic_files if (topic := self._try(topics.read, path))]
        self.intent_files = sorted((root / NLU).glob("*.yml"))
        #: of all examples, by the names of their files
        self.labels = [_label(path) for path in self.topic_files] + [path.stem for path in self.intent_files]
        self.intents = [(path, found) for path in self.intent_files if (found := self._try(topics.read_examples, path))]
        self.sources = self._try(documents.load, root / documents.PATH)
        self.domain = self._try(lambda path: yaml.read_as(path, _Domain), root / DOMAIN)
        self.clinic = self._try(practice.load, root / CLINIC)
        self._try(lambda path: yaml.read_as(path, _Languages), root / LANGUAGES)
        phrases = self._try(context.Phrases.load, root / context.PHRASES)
        #: what set phrases may mean
        self.meanings = {meant for means in phrases.meanings.values() for meant in means.values()} if phrases else set()
        self.precedent_files = sorted((root / PRECEDENTS).glob("*.yml"))
        for path in self.precedent_files:
            self._try(follow_ups.read_file, path)
        self.questions = [
            (path, asked.root, Lines(path))
            for path in sorted((root / QUESTIONS).glob("*.yml"))
            if (asked := self._try(lambda path: yaml.read_as(path, _Questions), path))
        ]
        self.story_files = sorted((root / STORIES).rglob("*.yml"))
        self.stories = [(path, lines) for path in self.story_files if (lines := self._try(_valid_lines, path))]
        self.code = _Code.read(root)
        self._titles = dict.fromkeys((label for label in self.labels if "/" in label), "")
        self._titles |= {topic.label: topic.metadata.title for topic in self.topics}
        #: what answers may take up from a question, each with its longest value
        self.entities = {
            path.stem: max(kinds, key=len)
            for path in sorted((root / ENTITIES).glob("*.yml"))
            if (kinds := self._try(entities.read, path))
        }
        self.clinic_values = _longest_values(self.clinic) | self.entities if self.clinic else None
        self.domain_lines = Lines(root / DOMAIN) if self.domain else None
        self.source_lines = Lines(root / documents.PATH) if self.sources else None

    def _try(self, load: Callable[[Path], Read], path: Path) -> Read | None:
        try:
            loaded = load(path)
            for key, number in Lines(path).repeated():
                self.unreadable.append(self.at(path, number, f"'{key}' stands twice; only the last one counts"))
            return loaded
        except yaml.BadFile as error:
            for problem in error.problems:
                place, line, reason = problem.removeprefix(f"{self.root}/").split(":", 2)
                self.unreadable.append(Finding(place, int(line), reason.strip()))
            return None

    def at(self, path: Path, line: int, reason: str) -> Finding:
        return Finding(str(path.relative_to(self.root)), line, reason)

    @property
    def slots(self) -> set[str]:
        return set(self.domain.slots) if self.domain else set()

    def examples(self) -> Iterator[tuple[str, Path, Example]]:
        """Each example with its label and file."""
        for topic in self.topics:
            for example in topic.examples:
                yield topic.label, topic.path, example
        for path, intents in self.intents:
            for intent, examples in intents:
                for example in examples:
                    yield intent, path, example

    def title(self, label: str) -> str | None:
        """What a button for a label says; None when it has no title, empty when its file cannot be read."""
        if label in self._titles or self.domain is None:
            return self._titles.get(label, "")
        variations = self.domain.responses.get(f"utter_{label}")
        return str(variations[0].metadata.get("title") or "") or None if variations else None

    def full(self, follow_up: str) -> str:
        """The label of a follow-up, which leaves out the kind."""
        known = (f"{kind}/{follow_up}" for kind in topics.KINDS)
        return next((label for label in known if label in self.labels), follow_up)


def check(root: Path, today: dt.date | None = None) -> Findings:
    """Checks all data of the project in a folder.

    Args:
        root: the project's folder, with `clinic.yml`, `domain.yml`, `data/` and, in a clone, `tests/`.
        today: the day on which answers may be due for review; the day it is when not given.
    """
    tree = _Tree(root)
    errors = [*tree.unreadable]
    for part in (_labels, _duplicates, _answers, _facts, _statements, _variables, _lengths, _utterances, _choices, _questions):
        errors += part(tree)
    today = today or dt.datetime.now(tree.clinic.zone if tree.clinic else dt.UTC).date()
    warnings = [*_due(tree, today), *_hard_to_read(tree)]
    summary = Summary(
        topics=len(tree.topic_files),
        examples=sum(1 for _ in tree.examples()),
        facts=len(tree.sources.facts) if tree.sources else 0,
        unapproved=sum(1 for topic in tree.topics if not topic.metadata.approved_by),
        due=sum(1 for _ in _due(tree, today)),
        segments=_segments(tree),
    )
    return Findings([str(each) for each in sorted(set(errors))], [str(each) for each in sorted(set(warnings))], summary)


def report(findings: Findings) -> str:
    """The findings as text for the terminal, the summary last."""
    summary = findings.summary
    most_segments = max(summary.segments.values(), default=0)
    lines = [f"error: {line}" for line in findings.errors] + [f"warning: {line}" for line in findings.warnings]
    lines += [
        f"{_count(summary.topics, 'topic')}, {_count(summary.examples, 'example')}, {_count(summary.facts, 'fact')}.",
        f"{_count(summary.unapproved, 'answer')} of {summary.topics} still to be approved by the clinician, "
        f"{summary.due} due for review.",
        f"Segments of a text message: {summary.median_segments:g} in the median, at most {most_segments}.",
        *(f"  {count}: {', '.join(labels)}" for count, labels in summary.longer.items()),
        f"{_count(len(findings.errors), 'error')}, {_count(len(findings.warnings), 'warning')}.",
    ]
    return "\n".join(lines)


def _labels(tree: _Tree) -> Iterator[Finding]:
    """Files, intents and numbers of examples."""
    for topic in tree.topics:
        if topic.label != _label(topic.path):
            yield tree.at(topic.path, topic.lines.at("nlu", 0, "intent"), f"the topic of this file is {_label(topic.path)}")
        if len(topic.examples) < MIN_EXAMPLES:
            line = topic.lines.at("nlu", 0, "examples")
            yield tree.at(topic.path, line, f"{_count(len(topic.examples), 'example')}, at least {MIN_EXAMPLES} are needed")
    for path, intents in tree.intents:
        for intent, examples in intents:
            if intent != path.stem:
                yield tree.at(path, 1, f"holds examples of {intent}; they belong in {intent}.yml")
            if not examples:
                yield tree.at(path, 1, f"{intent} has no examples")
    for path in tree.precedent_files:
        if path.stem not in {label.rpartition("/")[2] for label in tree.labels}:
            yield tree.at(path, 1, f"there is no topic {path.stem}")
    for label, path, example in tree.examples():
        if "[" in example.text or "]" in example.text:
            yield tree.at(path, example.line, f"{label}: Rasa would read the square brackets as an entity")
    if tree.domain is None or tree.domain_lines is None:
        return
    names = tree.domain.intent_names
    for path in tree.intent_files:
        if path.stem not in names:
            yield tree.at(path, 1, f"the intent {path.stem} is not in {DOMAIN}")
    for index, name in enumerate(names):
        if name not in tree.labels and name not in topics.KINDS and name not in tree.code.quoted and name not in tree.meanings:
            yield Finding(str(DOMAIN), tree.domain_lines.at("intents", index), f"the intent {name} has no {NLU}/{name}.yml")


def _duplicates(tree: _Tree) -> Iterator[Finding]:
    seen: dict[str, tuple[Path, Example]] = {}
    for _, path, example in tree.examples():
        before, first = seen.setdefault(normalise(example.text), (path, example))
        if first is not example:
            where = f"{before.relative_to(tree.root)}:{first.line}"
            yield tree.at(path, example.line, f"'{example.text}' stands in {where} already")


def _answers(tree: _Tree) -> Iterator[Finding]:
    """Variations, titles, follow-ups and sentences of the topics' answers."""
    titles: dict[str, Topic] = {}
    for topic in tree.topics:
        metadata = topic.metadata
        yield from _variations(tree, topic)
        if len(metadata.title) > MAX_TITLE:
            reason = f"the title has {len(metadata.title)} characters, at most {MAX_TITLE} fit a button"
            yield tree.at(topic.path, topic.line_of("title"), reason)
        if (first := titles.setdefault(metadata.title.casefold(), topic)) is not topic:
            yield tree.at(topic.path, topic.line_of("title"), f"{first.label} has the title '{metadata.title}' too")
        if not FOLLOW_UPS[0] <= len(metadata.follow_ups) <= FOLLOW_UPS[1]:
            reason = f"{_count(len(metadata.follow_ups), 'follow-up')}, {FOLLOW_UPS[0]} or {FOLLOW_UPS[1]} are wanted"
            yield tree.at(topic.path, topic.line_of("follow_ups"), reason)
        for index, follow_up in enumerate(metadata.follow_ups):
            label, line = tree.full(follow_up), topic.line_of("follow_ups", index)
            if label == topic.label:
                yield tree.at(topic.path, line, f"the follow-up {follow_up} is the topic itself")
            elif follow_up in metadata.follow_ups[:index]:
                yield tree.at(topic.path, line, f"the follow-up {follow_up} stands twice")
            elif tree.title(label) is None:
                yield tree.at(topic.path, line, f"the follow-up {follow_up} is not known, or has no title")


def _variations(tree: _Tree, topic: Topic) -> Iterator[Finding]:
    conditions: dict[Condition, int] = {(): topic.line}
    seen: set[tuple[str, Condition]] = set()
    for variation in topic.variations:
        conditions.setdefault(variation.condition, variation.line)
        if (variation.channel, variation.condition) in seen:
            reason = f"a second {variation.channel} wording{_when(variation.condition)}"
            yield tree.at(topic.path, variation.line, reason)
        seen.add((variation.channel, variation.condition))
        count = readability.sentences(variation.text)
        if variation.channel == "web" and not SENTENCES[0] <= count <= SENTENCES[1]:
            reason = f"the web wording has {_count(count, 'sentence')}, {SENTENCES[0]} to {SENTENCES[1]} are wanted"
            yield tree.at(topic.path, variation.line, reason)
    for condition, line in conditions.items():
        for channel in ("web", "sms"):
            if (channel, condition) not in seen:
                yield tree.at(topic.path, line, f"there is no {channel} wording{_when(condition)}")


def _facts(tree: _Tree) -> Iterator[Finding]:
    """The facts themselves, and which answer rests on which."""
    if tree.sources is None or tree.source_lines is None:
        return
    path, lines = tree.root / documents.PATH, tree.source_lines
    known, ids = {source.id for source in tree.sources.sources}, set[str]()
    used = {fact for topic in tree.topics for fact in topic.metadata.facts}
    for index, fact in enumerate(tree.sources.facts):
        if fact.id in ids:
            yield tree.at(path, lines.at("facts", index, "id"), f"the fact {fact.id} stands twice")
        ids.add(fact.id)
        if fact.source not in known:
            yield tree.at(path, lines.at("facts", index, "source"), f"there is no source {fact.source}")
        elif not fact.id.startswith(f"{fact.source.lower()}-"):
            yield tree.at(path, lines.at("facts", index, "id"), f"the fact {fact.id} is one of {fact.source}")
        for place, topic_id in enumerate(fact.topics):
            if tree.full(topic_id) not in tree.labels:
                yield tree.at(path, lines.at("facts", index, "topics", place), f"there is no topic {topic_id}")
        if fact.id not in used and len(tree.topics) == len(tree.topic_files):
            yield tree.at(path, lines.at("facts", index), f"no answer rests on the fact {fact.id}")
    for topic in tree.topics:
        for index, name in enumerate(topic.metadata.facts):
            if name not in ids:
                yield tree.at(topic.path, topic.line_of("facts", index), f"there is no fact {name}")
            elif name in topic.metadata.facts[:index]:
                yield tree.at(topic.path, topic.line_of("facts", index), f"the fact {name} stands twice")


def _statements(tree: _Tree) -> Iterator[Finding]:
    """Numbers, lengths of time and ranges: those of an answer against its facts, those of a text message against the web's."""
    if tree.sources is None:
        return
    claims = {fact.id: quantities(fact.claim) for fact in tree.sources.facts}
    for topic in tree.topics:
        stated = {quantity for fact in topic.metadata.facts for quantity in claims.get(fact, [])}
        for variation in topic.variations:
            web = topic.says("web", variation.condition)
            on_web = quantities(web.text) if web else []
            for quantity in quantities(variation.text):
                if quantity not in stated:
                    yield tree.at(topic.path, variation.line, f"'{quantity}' stands in none of the answer's facts")
                elif web and quantity not in on_web:
                    yield tree.at(topic.path, variation.line, f"'{quantity}' does not stand in the web wording")


def _variables(tree: _Tree) -> Iterator[Finding]:
    """Words in {braces}, and the names of conditions."""
    if tree.clinic is None or tree.clinic_values is None:
        return
    texts, truths = set(tree.clinic_values) | tree.slots, _truths(tree.clinic) | tree.slots
    truths |= set(tree.entities) | {f"{name}_kind" for name in tree.entities}
    for topic in tree.topics:
        for variation in topic.variations:
            for name in _VARIABLE.findall(variation.text):
                if name not in texts:
                    yield tree.at(topic.path, variation.line, f"nothing fills in {{{name}}}")
            for name, _ in variation.condition:
                if name not in truths:
                    yield tree.at(topic.path, variation.line, f"the condition {name} is not known")
    if tree.domain and tree.domain_lines:
        texts |= tree.code.keywords | set(tree.code.quoted)
        for response, variations in tree.domain.responses.items():
            for index, worded in enumerate(variations):
                for name in _VARIABLE.findall(worded.text):
                    if name not in texts:
                        line = tree.domain_lines.at("responses", response, index)
                        yield Finding(str(DOMAIN), line, f"{response}: nothing fills in {{{name}}}")


def _lengths(tree: _Tree) -> Iterator[Finding]:
    """Text messages, with the values of the clinic."""
    if tree.clinic_values is None:
        return
    for topic in tree.topics:
        for variation in topic.variations:
            if variation.channel == "sms":
                for reason in _too_much(variation.text, tree.clinic_values):
                    yield tree.at(topic.path, variation.line, reason)
    if tree.domain and tree.domain_lines:
        for response, variations in tree.domain.responses.items():
            for index, worded in enumerate(variations):
                has_sms = any(other.channel == "sms" and other.condition == worded.condition for other in variations)
                if worded.channel == "sms" or not (worded.channel or has_sms):
                    for reason in _too_much(worded.text, tree.clinic_values):
                        yield Finding(str(DOMAIN), tree.domain_lines.at("responses", response, index), f"{response}: {reason}")


def _utterances(tree: _Tree) -> Iterator[Finding]:
    """Responses of the domain that nothing says, and responses that something says and are not there."""
    if tree.domain is None or tree.domain_lines is None:
        return
    there = set(tree.domain.responses)
    answers = {f"utter_{label}" for label in tree.labels if "/" in label} | {f"utter_{kind}" for kind in topics.KINDS}
    said: dict[str, tuple[Path, int]] = {
        name: place for name, place in tree.code.quoted.items() if name.startswith("utter_") and name not in NO_RESPONSE
    }
    # `utter_` with nothing after it is a beginning, as in name.startswith("utter_")
    said.pop("utter_", None)
    for path, lines in tree.stories:
        for name, line in lines.named("action"):
            if name.startswith("utter_"):
                said.setdefault(name, (path.relative_to(tree.root), line))
    for name, (place, line) in said.items():
        if name not in there and name not in answers and not any(known.startswith(name) for known in there if name.endswith("_")):
            yield Finding(str(place), line, f"there is no response {name}")
    asked = tuple(
        f"utter_ask_{name}"
        for form, settings in tree.domain.forms.items()
        for slot in ((settings or {}).get("required_slots") or [])
        for name in (slot, f"{form}_{slot}")
    )
    readable = len(tree.stories) == len(tree.story_files)
    for name in there:
        made_up = any(name.startswith(beginning) for beginning in tree.code.beginnings)
        if readable and not (name in said or name in SAID_BY_RASA or name in asked or made_up):
            yield Finding(str(DOMAIN), tree.domain_lines.at("responses", name), f"nothing says {name}")
        if name in answers:
            reason = f"{name} belongs in {NLU}/{name.removeprefix('utter_')}.yml"
            yield Finding(str(DOMAIN), tree.domain_lines.at("responses", name), reason)


def _choices(tree: _Tree) -> Iterator[Finding]:
    """The topics that responses of the domain offer."""
    if tree.domain is None or tree.domain_lines is None:
        return
    for response, variations in tree.domain.responses.items():
        for index, worded in enumerate(variations):
            for place, label in enumerate(worded.metadata.get("choices") or []):
                if tree.title(label) is None:
                    line = tree.domain_lines.at("responses", response, index, "metadata", "choices", place)
                    yield Finding(str(DOMAIN), line, f"{response}: the choice {label} is not known, or has no title")


def _questions(tree: _Tree) -> Iterator[Finding]:
    """The held-out questions: enough of them, and none that the training has seen."""
    if not (tree.root / QUESTIONS).is_dir():
        return
    labels = {label.rpartition("/")[2]: label for label in tree.labels}
    trained = {normalise(example.text): (path, example) for _, path, example in tree.examples()}
    seen: dict[str, str] = {}
    for path, asked, lines in tree.questions:
        # A file of another kind of question, such as _safety.yml, begins with an underscore.
        if path.stem not in labels and not path.stem.startswith("_"):
            yield tree.at(path, 1, f"there is no topic {path.stem}")
        if (count := sum(map(len, asked.values()))) < MIN_QUESTIONS:
            yield tree.at(path, 1, f"{_count(count, 'question')}, at least {MIN_QUESTIONS} are needed")
        for channel, questions in asked.items():
            for index, question in enumerate(questions):
                line, plain = lines.at(channel, index), normalise(question)
                if plain in trained:
                    there, example = trained[plain]
                    where = f"{there.relative_to(tree.root)}:{example.line}"
                    yield tree.at(path, line, f"'{question}' stands in the training data, {where}")
                here = f"{path.relative_to(tree.root)}:{line}"
                if (first := seen.setdefault(plain, here)) != here:
                    yield tree.at(path, line, f"'{question}' stands in {first} already")
    files = {path.stem for path in (tree.root / QUESTIONS).glob("*.yml")}
    for name in sorted(set(labels) - files):
        yield Finding(str(QUESTIONS / f"{name}.yml"), 1, f"is missing; at least {MIN_QUESTIONS} questions a topic are needed")


def _due(tree: _Tree, today: dt.date) -> Iterator[Finding]:
    for topic in tree.topics:
        review_by = topic.metadata.review_by
        if review_by and review_by <= today:
            yield tree.at(topic.path, topic.line_of("review_by"), f"the answer is due for review since {review_by}")


def _hard_to_read(tree: _Tree) -> Iterator[Finding]:
    for topic in tree.topics:
        for variation in topic.variations:
            grade = readability.grade(variation.text)
            if variation.channel == "web" and grade > MAX_GRADE:
                reason = f"the web wording is hard to read: school year {grade:.1f} by Flesch-Kincaid, above {MAX_GRADE:g}"
                yield tree.at(topic.path, variation.line, reason)


def _segments(tree: _Tree) -> dict[str, int]:
    values = tree.clinic_values or {}
    return {
        topic.label: max(sms_text.segments(_filled(variation.text, values)) for variation in texts)
        for topic in tree.topics
        if (texts := [variation for variation in topic.variations if variation.channel == "sms"])
    }


def _too_much(text: str, values: Mapping[str, str]) -> Iterator[str]:
    filled = _filled(text, values)
    if strangers := sms_text.strangers(filled):
        yield f"the text message leaves GSM-7, and would be billed double or more: {' '.join(strangers)}"
    elif (length := sms_text.length(filled)) > MAX_SMS:
        yield f"the text message has {length} characters with the values of {CLINIC}, at most {MAX_SMS} are allowed"


def _filled(text: str, values: Mapping[str, str]) -> str:
    return sms_text.fold(_VARIABLE.sub(lambda match: values.get(match[1], match[1]), text)).strip()


def _longest_values(clinic: Practice) -> dict[str, str]:
    """Each value that the wording may hold, as long as it gets in a week."""
    longest: dict[str, str] = {}
    facts = ClinicFacts(clinic)
    for hours in range(0, 7 * 24, 6):
        for name, value in facts.values(LONG_WEEK + dt.timedelta(hours=hours)).items():
            if isinstance(value, str):
                longest[name] = max(longest.get(name, ""), value, key=len)
    return longest


def _truths(clinic: Practice) -> set[str]:
    return {name for name, value in ClinicFacts(clinic).values(LONG_WEEK).items() if isinstance(value, bool)}


def _valid_lines(path: Path) -> Lines:
    yaml.read(path)
    return Lines(path)


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _when(condition: Condition) -> str:
    return " when " + " and ".join(f"{name} is {value}" for name, value in condition) if condition else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
