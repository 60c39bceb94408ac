"""The answers as pages that are read without the chat and without a script: a list of them, and one for each with its sources."""

import html
import string
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.engine import Engine
from bot.web import problems
from bot.web.assets import compressed
from bot.web.links import Linker
from bot.web.panel import LANGUAGE, PAGES
from clinic import clock as clocks
from clinic import yaml
from clinic.clock import Clock
from clinic.facts import ClinicFacts
from clinic.practice import Practice

FILE = Path(__file__).with_name("answers.yml")
PATH = "/answers"

# Pages for people, and no part of the documented API.
router = APIRouter(prefix=PATH, include_in_schema=False)

Text = Annotated[str, Field(min_length=1)]


class Words(BaseModel):
    """The words of the pages, as templates or filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    introduction: Text
    kinds: dict[Literal["faq", "clinic"], Text]
    sources: Text
    related: Text
    all: Text
    unknown: Text
    contact: Text
    emergency: Text


class Answers:
    """Makes the pages, with the words of `answers.yml` and the clinic's facts."""

    def __init__(self, practice: Practice, linker: Linker, version: str, clock: Clock = clocks.now, path: Path = FILE) -> None:
        """Reads the words at `path`; `version` is that of the files in `static/`.

        Raises:
            clinic.yaml.BadFile: a word is missing, or there is nothing to fill in for a name in braces.
        """
        self._linker, self._steady = linker, {"version": version, "clinic_name": html.escape(practice.name)}
        self._template = string.Template((PAGES / "answer.html").read_text(encoding="utf-8"))
        values = ClinicFacts(practice).values(clock())
        try:
            words = yaml.read_as(path, Words)
            self._words = words.model_copy(update={n: getattr(words, n).format_map(values) for n in ("contact", "emergency")})
        except (KeyError, ValueError) as error:
            raise yaml.BadFile([f"{path}:1: there is nothing to fill in for {{{error.args[0]}}}"]) from error

    def all(self, engine: Engine, *, unknown: bool = False) -> str:
        """The list of all answers; `unknown` is whether somebody asked for one that does not exist."""
        words = self._words
        parts = [f"<p>{html.escape(words.unknown if unknown else words.introduction)}</p>"]
        for kind, heading in words.kinds.items():
            labels = [label for label in engine.wording.topics if label.startswith(f"{kind}/")]
            parts.append(f"<h2>{html.escape(heading)}</h2>{self._links(engine, labels, unknown)}")
        return self._page(words.title, parts, "../" if unknown else "")

    def one(self, engine: Engine, topic: str) -> str | None:
        """The page of a topic's answer; None when there is no such topic."""
        words, labels = self._words, {label.rpartition("/")[2]: label for label in engine.wording.topics}
        label = labels.get(topic)
        response = engine.wording.say(f"utter_{label}", "web") if label else None
        if label is None or response is None:
            return None
        parts = [f"<p>{self._linker.html(line)}</p>" for line in response["text"].splitlines() if line.strip()]
        metadata = response["metadata"]
        if sources := engine.sources.behind(metadata.get("facts", [])):
            titles = "".join(f"<li>{html.escape(source.title)}</li>" for source in sources)
            parts.append(f"<h2>{html.escape(words.sources)}</h2><ul>{titles}</ul>")
        if related := [labels[each] for each in metadata.get("follow_ups", []) if each in labels]:
            parts.append(f"<h2>{html.escape(words.related)}</h2>{self._links(engine, related, True)}")
        parts.append(f'<p class="all"><a href="../answers">{html.escape(words.all)}</a></p>')
        return self._page(engine.wording.metadata(f"utter_{label}")["title"], parts, "../")

    def _links(self, engine: Engine, labels: list[str], beside: bool) -> str:
        titles = {label.rpartition("/")[2]: engine.wording.metadata(f"utter_{label}")["title"] for label in labels}
        folder = "" if beside else "answers/"
        links = "".join(f'<li><a href="{folder}{topic}">{html.escape(title)}</a></li>' for topic, title in titles.items())
        return f'<ul class="links">{links}</ul>'

    def _page(self, title: str, parts: list[str], root: str) -> str:
        return self._template.substitute(
            self._steady,
            language=LANGUAGE,
            root=root,
            title=html.escape(title),
            content="\n".join(parts),
            contact=self._linker.html(self._words.contact),
            emergency=self._linker.html(self._words.emergency),
        )


@router.get("")
async def every(request: Request) -> Response:
    """The list of all answers."""
    return _sent(request, request.app.state.answers.all(_engine(request)))


@router.get("/{topic}")
async def one(request: Request, topic: str) -> Response:
    """An answer with its sources; the list of all of them, with 404, for a topic that is none."""
    answers: Answers = request.app.state.answers
    page = answers.one(_engine(request), topic)
    return _sent(request, page) if page else _sent(request, answers.all(_engine(request), unknown=True), 404)


def _engine(request: Request) -> Engine:
    engine: Engine | None = request.app.state.engine
    if engine is None:
        raise problems.Problem(problems.NOT_READY)
    return engine


def _sent(request: Request, page: str, status: int = 200) -> Response:
    response = compressed(request, page.encode(), "text/html")
    response.status_code = status
    # The same for everybody, and soon read again when an answer was corrected.
    response.headers["Cache-Control"] = "public, max-age=300" if status == 200 else "no-store"
    return response
