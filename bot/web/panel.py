"""The pages around the chat: the panel, the loader and the demo clinic, with the words of `panel.yml` and the clinic's facts."""

import datetime as dt
import hashlib
import html
import json
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator

from bot.reply import Choice
from bot.web.links import Linker
from clinic import hours, phones, yaml
from clinic.facts import ClinicFacts
from clinic.practice import Practice

PAGES = Path(__file__).parent / "pages"
LANGUAGE = "en"
#: the accent of the palette in panel.css, for the loader
COLOUR = "#8a4b3c"

Text = Annotated[str, Field(min_length=1)]
#: remarks, types and indentation of the loader, of which websites need none
_LEFT_OUT = re.compile(r"^\s*//.*\n|/\*\*[\s\S]*?\*/\s*|^ +", re.MULTILINE)


class Opener(BaseModel):
    """A button that stands there before anything was said: what it is about, and what the visitor says with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Text
    title: Text


class Words(BaseModel):
    """All words of one language, as templates or filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    direction: Literal["ltr", "rtl"]
    launcher: Text
    close: Text
    unread: Text
    title: Text
    retry: Text
    role: Text
    open_now: Text
    opens_today: Text
    closed_now: Text
    greeting_title: Text
    greeting: Text
    suggestions_title: Text
    suggestions: Annotated[list[Opener], Field(min_length=1, max_length=6)]
    field: Text
    placeholder: Text
    send: Text
    menu: Text
    person: Text
    ask_person: Opener
    call: Text
    text: Text
    start_over: Text
    start_over_title: Text
    start_over_text: Text
    start_over_yes: Text
    start_over_no: Text
    log: Text
    you_said: Text
    assistant_said: Text
    staff_said: Text
    staff: Text
    sources: Text
    calendar: Text
    choices: Text
    typing: Text
    waiting: Text
    refused: Text
    refused_choice: Text
    latest: Text
    offline: Text
    away: Text
    away_text: Text
    too_many: Text
    contact: Annotated[list[Text], Field(min_length=1)]
    emergency: Text
    no_script: Text


#: what the panel's script says by itself; all else stands in the page
_IN_SCRIPT = frozenset(
    (
        *("you_said", "assistant_said", "staff_said", "staff", "sources", "choices", "calendar", "typing", "waiting"),
        *("refused", "refused_choice", "offline", "away", "away_text", "too_many"),
    )
)


def _code(code: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", code):
        raise ValueError(f"'{code}' is not a language code such as en or pt-BR")
    return code


class Languages(RootModel[dict[Annotated[str, AfterValidator(_code)], Words]]):
    """The words of each language."""

    @model_validator(mode="after")
    def _english(self) -> "Languages":
        if LANGUAGE not in self.root:
            raise ValueError(f"the language '{LANGUAGE}' is missing")
        return self


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Pages:
    """Makes the pages."""

    def __init__(
        self,
        path: Path,
        practice: Practice,
        linker: Linker,
        origins: tuple[str, ...],
        version: str,
        clock: Callable[[], dt.datetime] = _now,
    ) -> None:
        """Reads the words at `path`. `origins` are the websites that may show the panel, `version` that of its files.

        Raises:
            clinic.yaml.BadFile: a word is missing, or there is nothing to fill in for a name in braces.
        """
        self._practice, self._linker, self._origins, self._version, self._clock = practice, linker, origins, version, clock
        self._facts = ClinicFacts(practice)
        self._languages = yaml.read_as(path, Languages).root
        try:
            for words in self._languages.values():
                self._filled(words)
        except (KeyError, ValueError) as error:
            raise yaml.BadFile([f"{path}:1: there is nothing to fill in for {{{error.args[0]}}}"]) from error
        self._templates = {name: (PAGES / name).read_text(encoding="utf-8") for name in ("panel.html", "demo.html")}
        self._loader = _LEFT_OUT.sub("", (PAGES.parent / "static" / "widget.js").read_text(encoding="utf-8"))

    @property
    def openers(self) -> list[Choice]:
        """What the buttons stand for that are there before anything was said, in each language."""
        return [
            _choice(language, opener)
            for language, words in self._languages.items()
            for opener in (*words.suggestions, words.ask_person)
        ]

    def panel(self, language: str) -> str:
        """The page inside of the iframe."""
        language = language if language in self._languages else LANGUAGE
        words = self._filled(self._languages[language])
        values = self._values()
        practice = self._practice
        config = {
            "language": language,
            "answers": LANGUAGE,
            "origins": self._origins,
            "words": {name: word for name, word in words.model_dump().items() if name in _IN_SCRIPT},
        }
        return self._page(
            "panel.html",
            {
                **{name: html.escape(str(value)) for name, value in words.model_dump().items()},
                "language": language,
                "config": _json(config),
                "hours": html.escape(self._hours(words)),
                "open": "open" if values["clinic_open_now"] else "closed",
                "suggestions": "".join(f"<li>{_button(language, opener)}</li>" for opener in words.suggestions),
                "ask_person": html.escape(words.ask_person.title),
                "ask_person_choice": _choice(language, words.ask_person).id,
                "contact": "".join(f"<p>{self._linker.html(text)}</p>" for text in words.contact),
                "emergency": self._linker.html(words.emergency),
                "no_script": self._linker.html(words.no_script),
                "call_href": f"tel:{phones.e164(practice.phone, practice.country)}",
                "text_href": f"sms:{phones.e164(practice.text_phone, practice.country)}" if practice.text_phone else "",
                "text_hidden": "" if practice.text_phone else "hidden",
            },
        )

    def loader(self) -> str:
        """The script that websites put in."""
        languages = {}
        for language, templates in self._languages.items():
            words = self._filled(templates)
            kept = words.model_dump(include={"launcher", "close", "unread", "title", "retry", "away"})
            languages[language] = kept | {"contact": [self._parts(text) for text in words.contact]}
        config = {"colour": COLOUR, "language": LANGUAGE, "languages": languages}
        return self._loader.replace('("config")', f"({_json(config)})")

    def demo(self) -> str:
        """A clinic's website with the chat in it."""
        values = self._values()
        phone = {"phone": self._linker.html(str(values["clinic_phone"]))}
        return self._page("demo.html", {name: html.escape(str(value)) for name, value in values.items()} | phone)

    def _page(self, name: str, values: dict[str, Any]) -> str:
        steady = {"version": self._version, "clinic_name": html.escape(self._practice.name)}
        return string.Template(self._templates[name]).substitute(values | steady)

    def _hours(self, words: Words) -> str:
        """Until when the clinic is open, or when it opens; nothing when that is far away."""
        now = self._clock().astimezone(self._practice.zone)
        opening = hours.next_opening(self._practice, now)
        if self._practice.is_open(now):
            return words.open_now
        if opening is None:
            return ""
        return words.opens_today if opening.date() == now.date() else words.closed_now

    def _values(self) -> dict[str, str | bool]:
        now, text_phone = self._clock(), self._practice.text_phone
        opening = hours.next_opening(self._practice, now)
        return self._facts.values(now) | {
            "clinic_text_phone": self._facts.phone(text_phone) if text_phone else "",
            "clinic_opens": self._facts.time(opening) if opening else "",
        }

    def _filled(self, words: Words) -> Words:
        values = self._values()

        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: fill(each) for name, each in value.items()}
            return [fill(each) for each in value] if isinstance(value, list) else str(value).format_map(values)

        return Words(**{name: fill(value) for name, value in words.model_dump().items()} | {"text": fill(words.text)})

    def _parts(self, text: str) -> list[dict[str, str | None]]:
        return [{"text": part.text, "href": part.href} for part in self._linker.parts(text)]


def _choice(language: str, opener: Opener) -> Choice:
    # An id that stays the same for pages that are open while the server starts anew.
    name = hashlib.sha256(f"{language} {opener.topic} {opener.title}".encode()).hexdigest()[:12]
    return Choice(name, opener.title, opener.topic)


def _button(language: str, opener: Opener) -> str:
    choice = _choice(language, opener)
    return f'<button type="button" value="{choice.id}">{html.escape(choice.title)}</button>'


def _json(value: Any) -> str:
    """JSON that can stand within a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")
