"""The answers as pages: read without the chat, by links from text messages, with any telephone."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from bot import topics
from bot.engine import Engine
from bot.settings import Settings
from bot.web import answers
from bot.web import app as web
from bot.web.links import Linker
from clinic import practice
from clinic.yaml import BadFile

TOPICS = {path.stem for path in topics.files(Path("data/nlu"))}
BASE = "http://stipple.example/"


class Page(HTMLParser):
    """What a page has: its title, headings, words and links."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.url, self.tags, self.text, self.links, self.language = str(page.url), [], "", [], ""
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.language = given.get("lang") or self.language
        if (link := given.get("href")) is not None:
            self.links.append(urljoin(self.url, link))

    def handle_data(self, data: str) -> None:
        self.text += data

    def here(self, path: str) -> set[str]:
        """The links to what is below a path."""
        return {link.removeprefix(BASE) for link in self.links if link.startswith(BASE + path)}


@pytest.fixture(scope="module")
def app(engine: Engine, settings: Settings) -> FastAPI:
    made = web.create(settings)
    made.state.engine, made.state.not_ready = engine, ""
    return made


@pytest.fixture
def http(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)


async def test_a_page_has_the_answer_and_its_sources(http: httpx.AsyncClient, engine: Engine) -> None:
    answer = await http.get("/answers/pain")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = Page(answer)
    said = engine.wording.say("utter_faq/pain", "web")
    assert said
    assert said["text"] in page.text
    assert page.tags.count("h1") == 1
    assert "Does it hurt?" in page.text
    for source in engine.sources.behind(said["metadata"]["facts"]):
        assert source.title in page.text
    assert page.here("answers/") == {"answers/numbing", "answers/bleeding", "answers/downtime"}


async def test_every_answer_has_a_page_and_the_list_leads_to_each(http: httpx.AsyncClient) -> None:
    listed = Page(await http.get("/answers")).here("answers/")
    assert listed == {f"answers/{topic}" for topic in TOPICS}
    for path in listed:
        page = await http.get(path)
        assert page.status_code == 200
        assert "{" not in page.text
        assert "utter_" not in page.text
        assert Page(page).here("answers/") <= listed


async def test_an_answer_about_the_clinic_can_be_dialled(http: httpx.AsyncClient) -> None:
    assert "tel:+12125550142" in Page(await http.get("/answers/contact")).links


@pytest.mark.parametrize("path", ["answers", "answers/pain", "answers/no_such_topic"])
async def test_a_page_is_plain_and_asks_nobody_else(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    page = Page(answer)
    assert page.language == "en"
    assert {"title", "main", "header", "footer"} <= set(page.tags)
    assert "script" not in page.tags
    assert not re.search(r"\son\w+=|style=", answer.text)
    assert all(link.startswith((BASE, "tel:", "mailto:")) for link in page.links)
    for file in page.here("static/"):
        assert (await http.get(file)).status_code == 200


@pytest.mark.parametrize("topic", ["no_such_topic", "faq", "%3Cscript%3E", "pain%00", "PAIN", "a" * 2000])
async def test_an_address_of_no_answer_shows_all_of_them(http: httpx.AsyncClient, topic: str) -> None:
    answer = await http.get(f"/answers/{topic}")
    assert answer.status_code == 404
    assert Page(answer).here("answers/") == {f"answers/{each}" for each in TOPICS}
    assert "<script>" not in answer.text


async def test_an_answer_that_nobody_approved_is_held_back_when_that_is_asked_for(
    http: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.wording, "_require_approval", True)
    page = Page(await http.get("/answers/pain"))
    assert "sandpaper" not in page.text
    assert "Our staff will gladly tell you" in page.text


async def test_without_a_model_there_is_a_reason(settings: Settings) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web.create(settings)), base_url=BASE) as http:
        for path in ("/answers", "/answers/pain"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:stipple:not-ready")


def test_a_word_for_which_there_is_nothing_to_fill_in_is_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.yml"
    path.write_text(answers.FILE.read_text().replace("{clinic_phone}", "{clinic_fax}"))
    clinic = practice.load(Path("clinic.yml"))
    with pytest.raises(BadFile, match=r"answers\.yml.*clinic_fax"):
        answers.Answers(clinic, Linker(clinic), "x", path=path)
