"""A visit is booked in the panel by buttons, and its file goes into the visitor's calendar and nobody else's."""

import re
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from playwright.async_api import BrowserContext, Page, Request, expect
from visiting import Chat, Site, booked, opened, page_with_widget

from bench.serving import Server
from bot.engine import Engine, NotReady
from bot.reply import Choice
from bot.web.links import Linker
from bot.web.panel import Pages
from bot.web.tokens import Tokens, VisitLinks
from clinic import practice

CLINIC = practice.load(Path("clinic.yml"))
OPENERS = Pages(Path("bot/web/panel.yml"), CLINIC, Linker(CLINIC), (), "x").openers


async def downloaded(page: Page, chat: Chat) -> Calendar:
    async with page.expect_download() as waiting:
        await chat.panel.locator(".file").last.click()
    download = await waiting.value
    assert re.fullmatch(r"[A-Z0-9]{6}\.ics", download.suggested_filename)
    return Calendar.from_ical((await download.path()).read_text(encoding="utf-8"))


async def test_a_visit_is_booked_by_buttons_and_goes_into_the_calendar(
    context: BrowserContext, server: Server, site: Site
) -> None:
    page = await context.new_page()
    chat = await opened(page, site.put("/booking", page_with_widget(server)))
    read_back = await booked(chat)
    link = chat.panel.locator(".file")
    await expect(link).to_have_text("Add to your calendar")
    [event] = (calendar := await downloaded(page, chat)).walk("VEVENT")
    start = event.decoded("dtstart").astimezone(CLINIC.zone)
    assert f"{start:%A}, {start:%B} {start.day}, {start:%I:%M %p}".replace(", 0", ", ").replace(":00", "") in read_back
    assert (calendar["method"], event["status"]) == ("PUBLISH", "CONFIRMED")
    assert CLINIC.name in event["summary"]
    assert "Consultation" not in calendar.to_ical().decode(), "others may see the calendar"
    assert await chat.panel.evaluate("window.hacked") is None
    # It is still there for who comes back, and tells of what has become of the visit.
    chat = await opened(page, page.url)
    await expect(chat.panel.locator(".file")).to_have_count(1)
    await chat.write("please cancel my visit")
    await chat.press(chat.choice("Yes, cancel it"))
    [after] = (await downloaded(page, chat)).walk("VEVENT")
    assert (after["uid"], after["status"]) == (event["uid"], "CANCELLED")


async def test_a_calendar_link_opens_its_own_visit_alone(chat: Chat, server: Server) -> None:
    await booked(chat)
    path = await chat.panel.locator(".file").get_attribute("href") or ""
    visit = VisitLinks((server.folder / "signing-key").read_text().strip()).read(path.split("/")[1].removesuffix(".ics"))
    assert visit
    assert path not in await chat.panel.inner_text("#messages")
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        response = await http.get(f"/{path}")
        assert (response.status_code, response.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert response.headers["cache-control"] == "no-store"
        key = (server.folder / "signing-key").read_text().strip()
        signature = path.rpartition(".ics")[0].rpartition(".")[2]
        wrong = [
            f"visits/{visit}.ics",
            VisitLinks("another key, long enough for a key").path(visit),
            f"{VisitLinks(key).path('another visit').removesuffix('.ics').rpartition('.')[0]}.{signature}.ics",
            VisitLinks(key).path("another visit"),
            f"visits/{Tokens(key, 1).mint(visit).token}.ics",
            "visits/.ics",
        ]
        assert [(await http.get(f"/{each}")).status_code for each in wrong] == [404] * len(wrong)


@pytest.mark.parametrize(
    "href", ["javascript:window.hacked=1", "//evil.example/x.ics", "visits/../panel", "https://evil.example/x.ics"]
)
async def test_a_file_is_fetched_from_the_server_alone(chat: Chat, href: str) -> None:
    at = "2026-03-02T10:00:00Z"
    message: dict[str, Any] = {"id": "1.1", "author": "assistant", "turn": 1, "index": 1, "at": at, "text": "Booked."}
    message |= {"parts": [{"text": "Booked.", "href": None}], "choices": [], "sources": [], "safety": None, "client_id": None}
    reply = {"turn": 1, "at": at, "messages": [message | {"calendar": href}]}
    await chat.page.route("**/chat/messages", lambda route: route.fulfill(json=reply))
    assert await chat.ask("hello") == "Booked."
    await expect(chat.panel.locator("#messages a")).to_have_count(0)


async def test_what_stands_there_from_the_beginning_is_sent_by_an_id(chat: Chat) -> None:
    sent: list[Request] = []
    chat.page.on("request", lambda request: sent.append(request) if request.url.endswith("/chat/messages") else None)
    await chat.panel.locator("#suggestions button").first.click()
    assert "mild discomfort" in await chat.reply(0)
    await chat.panel.click("#more")
    await chat.panel.click("#person")
    assert "our team" in await chat.reply(1)
    assert [set(request.post_data_json) for request in sent] == [{"id", "choice"}] * 2
    assert [text for who, text in await chat.said() if who == "visitor"] == ["Does it hurt?", "Can I talk to a person?"]
    assert all("/" not in request.post_data_json["choice"] for request in sent)


@pytest.mark.parametrize("opener", OPENERS, ids=lambda opener: opener.topic)
async def test_each_opener_is_about_what_it_says(engine: Engine, opener: Choice) -> None:
    engine.open_with(OPENERS)
    reply = await engine.turn(uuid.uuid4().hex, choice=opener.id)
    assert reply.topics == [opener.topic.rpartition("/")[2]]
    assert reply.zone in ("answer", "task")


async def test_an_opener_about_nothing_is_named_at_start(engine: Engine) -> None:
    with pytest.raises(NotReady, match="faq/nothing"):
        engine.open_with([Choice("id", "Nothing?", "faq/nothing")])
