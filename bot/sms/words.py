"""The words that mean something of their own in a text message, as `words.yml` lists them."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from bot.sms_text import fold
from clinic import yaml

FILE = Path(__file__).with_name("words.yml")

Keyword = Literal["stop", "cancel", "start", "yes", "help"]
Code = Literal["confirm", "move", "cancel", "agent", "more"]

Some = Annotated[list[str], Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Words(_Entry):
    words: Some


class _Stop(_Entry):
    words: Some
    phrases: Some
    negations: Some
    lists: Some
    visits: Some
    questions: Some
    misspelt: Some
    signs: Some


class _Reactions(_Entry):
    verbs: Some
    things: Some


class _Twilio(_Entry):
    stop: Some
    start: Some
    help: Some


class _Visit(_Entry):
    confirm: Some
    move: Some
    cancel: Some


class Sentences(_Entry):
    """What is put to the understanding in the place of a letter or a sign."""

    yes: str
    no: str
    thanks: str
    move: str
    cancel: str
    agent: str


class _File(_Entry):
    twilio: _Twilio
    stop: _Stop
    spelling: dict[str, str]
    fillers: Some
    start: _Words
    help: _Words
    cancel: _Words
    yes: _Words
    no: _Words
    more: _Words
    visit: _Visit
    agent: Some
    signs: Some
    reactions: _Reactions
    numbers: Some
    sentences: Sentences


@dataclass(frozen=True)
class Meaning:
    """What a text says about texts. `whole` is whether it says nothing else."""

    keyword: Keyword
    whole: bool = True


class Words:
    """Reads texts for the words of the file."""

    def __init__(self, file: _File) -> None:
        self.sentences = file.sentences
        self._spelling = file.spelling
        self._twilio = frozenset([*file.twilio.stop, *file.twilio.start, *file.twilio.help])
        self._fillers = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(file.fillers, key=len, reverse=True)))})\b")
        self._keywords: dict[str, Keyword] = {
            **dict.fromkeys(file.stop.words, "stop"),
            **dict.fromkeys(file.cancel.words, "cancel"),
            **dict.fromkeys(file.start.words, "start"),
            **dict.fromkeys(file.yes.words, "yes"),
            **dict.fromkeys(file.help.words, "help"),
        }
        self._misspelt: dict[str, Keyword] = {
            **{_squeezed(word): keyword for word, keyword in self._keywords.items()},
            **dict.fromkeys(file.stop.misspelt, "stop"),
        }
        self._stop_signs = frozenset(file.stop.signs)
        self._stop_words = frozenset(file.stop.words)
        self._phrases = re.compile(rf"\b(?:{'|'.join(_pattern(phrase) for phrase in file.stop.phrases)})\b")
        self._negated = re.compile(rf"\b(?:{'|'.join(file.stop.negations)})(?: \w+)? $")
        self._lists = re.compile("|".join(_pattern(phrase) for phrase in file.stop.lists))
        self._visits = re.compile(rf"\b(?:{'|'.join(file.stop.visits)})\b")
        self._asked = re.compile(rf"(?:^|[.!?;] ?)(?:\w+ )?(?:{'|'.join(file.stop.questions)}) [^.!?;]*$")
        self._codes: dict[str, Code] = {
            **dict.fromkeys(file.visit.confirm, "confirm"),
            **dict.fromkeys(file.visit.move, "move"),
            **dict.fromkeys(file.visit.cancel, "cancel"),
            **dict.fromkeys(file.agent, "agent"),
            **dict.fromkeys(file.more.words, "more"),
        }
        self._yes, self._no, self._signs = frozenset(file.yes.words), frozenset(file.no.words), frozenset(file.signs)
        verbs, things = "|".join(map(re.escape, file.reactions.verbs)), "|".join(map(re.escape, file.reactions.things))
        self._reaction = re.compile(
            rf'(?:{verbs}|(?:reacted )?[^\w"]+ to|removed [^"]{{1,40}} from) ?(?:".*"|{things})', re.IGNORECASE | re.DOTALL
        )
        self._number = re.compile(r"(?:#|no|nr|number|option|choice|answer)? ?(\d{1,2})")
        self._number_words = {word: number for number, word in enumerate(file.numbers, 1)}

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Reads the file.

        Raises:
            clinic.yaml.BadFile: it is missing or wrong.
        """
        return cls(yaml.read_as(path, _File))

    def keyword(self, text: str) -> Meaning | None:
        """Whether a text asks for no texts, for texts again, or for help."""
        plain = self._plain(text)
        bare = _bare(plain)
        if found := self._keywords.get(bare) or self._misspelt.get(_squeezed(bare)):
            return Meaning(found)
        if _is_only(text, self._stop_signs):
            return Meaning("stop")
        # "please cancel" is about a visit more likely than not, "please stop" is not.
        rest = _bare(self._fillers.sub(" ", plain))
        if rest in self._stop_words or self._misspelt.get(_squeezed(rest)) == "stop":
            return Meaning("stop")
        return self._wish(plain)

    def wish(self, text: str) -> Meaning | None:
        """Whether something that was written elsewhere, as in the chat, asks for no texts, in words that leave no doubt."""
        return self._wish(self._plain(text))

    def _wish(self, plain: str) -> Meaning | None:
        for match in self._phrases.finditer(plain):
            before = plain[: match.start()]
            if self._negated.search(before) or (self._lists.fullmatch(match[0]) and self._visits.search(plain)):
                continue
            if self._asked.search(before):
                return Meaning("help", whole=False)
            around = _bare(self._fillers.sub(" ", plain[: match.start()] + " " + plain[match.end() :]))
            return Meaning("stop", whole=not around)
        return None

    def is_twilios(self, text: str) -> bool:
        """Whether a text is one that Twilio acts on itself unless that is switched off: one of its words, and nothing else."""
        return text.strip().casefold() in self._twilio

    def code(self, text: str) -> Code | None:
        """The letter or word that a text is, nothing else standing in it."""
        return self._codes.get(_bare(self._plain(text)))

    def agrees(self, text: str) -> bool:
        """Whether a text is a yes in a word, a letter or a sign, nothing else standing in it."""
        return _bare(self._plain(text)) in self._yes or self.is_sign(text)

    def declines(self, text: str) -> bool:
        """Whether a text is a no in a letter."""
        return _bare(self._plain(text)) in self._no

    def is_sign(self, text: str) -> bool:
        """Whether a text is a sign that stands for a yes or for thanks, such as a thumb held up."""
        return _is_only(text, self._signs)

    def is_reaction(self, text: str) -> bool:
        """Whether a text is what a telephone makes of a sign put to another text, such as `Liked "…"`."""
        return self._reaction.fullmatch(" ".join(_unmarked(fold(text)).split())) is not None

    def is_letter(self, text: str) -> bool:
        """Whether a text is a single letter."""
        return len(_bare(self._plain(text))) == 1

    def number(self, text: str) -> int | None:
        """The number of a choice that a text is, nothing else standing in it."""
        plain = _unmarked(fold(text)).strip().casefold().rstrip(".!) ").lstrip("(")
        found = self._number.fullmatch(plain)
        return int(found[1]) if found else self._number_words.get(plain)

    def _plain(self, text: str) -> str:
        """Small letters without accents and apostrophes, single spaces, punctuation only where sentences end."""
        kept = _unmarked(unicodedata.normalize("NFKD", fold(text).casefold())).replace("'", "")
        words = re.sub(r"[^\w\s.!?;]", " ", kept)
        return " ".join(re.sub(r"\w+", lambda word: self._spelling.get(word[0], word[0]), words).split())


def _bare(plain: str) -> str:
    return " ".join(re.sub(r"[^\w]+", " ", plain).split())


def _unmarked(text: str) -> str:
    """Without accents, the colours of signs and the frames around numbers."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) not in ("Mn", "Me", "Sk"))


def _squeezed(bare: str) -> str:
    """The same for a word whose letters stand apart or are doubled, or that is said several times."""
    words = bare.split()
    apart = all(len(word) == 1 for word in words)
    return re.sub(r"(.)\1+", r"\1", "".join(words if apart else dict.fromkeys(words)))


def _is_only(text: str, signs: frozenset[str]) -> bool:
    """Whether a text is made of some signs alone, whatever their colour."""
    shown = {c for c in _unmarked(fold(text)) if not c.isspace()}
    return bool(shown) and shown <= signs


def _pattern(phrase: str) -> str:
    """A regular expression of a phrase: `a|b` is one or the other, a `?` at the end of it makes it optional."""
    pattern = ""
    for number, word in enumerate(phrase.split()):
        optional = word.endswith("?")
        choices = "|".join(re.escape(each.removesuffix("?")) for each in word.split("|"))
        space = " " if number else ""
        pattern += f"(?:{space}(?:{choices}))?" if optional else f"{space}(?:{choices})"
    return f"(?:{pattern})"
