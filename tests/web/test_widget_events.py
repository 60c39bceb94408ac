"""The website API beneath the chat: numbered messages, the stream of events, tokens, origins and limits."""

import datetime as dt
import json
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from visiting import PATIENCE, Site

from bench.serving import Server
from bot.history import Cursor, History
from bot.settings import BadSetting, Settings
from bot.web.links import Linker, Part
from bot.web.panel import Pages
from bot.web.tokens import BadToken, ExpiredToken, Tokens
from clinic import database, practice
from clinic.handoff import Handoffs
from clinic.yaml import BadFile

CLINIC = practice.load(Path("clinic.yml"))


class Client:
    """A visitor without a browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http, self.token = http, ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def begin(self) -> "Client":
        self.token = (await self.http.post("/chat/sessions")).json()["token"]
        return self

    async def say(self, text: str, message_id: str = "") -> dict[str, Any]:
        body = {"id": message_id or uuid.uuid4().hex, "text": text}
        response = await self.http.post("/chat/messages", json=body, headers=self.headers)
        response.raise_for_status()
        said: dict[str, Any] = response.json()
        return said

    async def events(self, after: str = "") -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
        headers = self.headers | ({"Last-Event-ID": after} if after else {})
        async with self.http.stream("GET", "/chat/events", headers=headers, timeout=PATIENCE) as response:
            response.raise_for_status()
            fields: dict[str, str] = {}
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "event" in fields:
                    yield fields["event"], fields["id"], json.loads(fields["data"])
                    fields = {}

    async def missed(self, after: str = "") -> tuple[list[tuple[str, str, str]], str]:
        """What the stream brings before it is live: ids, authors and texts; and the last id."""
        found = []
        async for event, cursor, data in self.events(after):
            if event == "live":
                return found, cursor
            found += [(m["id"], m["author"], m["text"]) for m in data["messages"]]
        raise AssertionError("the stream ended")


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
async def visitor(http: httpx.AsyncClient) -> Client:
    return await Client(http).begin()


async def test_messages_are_numbered_by_turn_and_place(visitor: Client) -> None:
    first = await visitor.say("hello")
    second = await visitor.say("does it hurt?")
    assert next((m["id"], m["turn"], m["index"]) for m in first["messages"]) == ("1.1", 1, 1)
    assert second["turn"] == 2
    assert second["messages"][0]["id"] == "2.1"


async def test_the_stream_brings_all_that_is_kept_then_only_what_is_new(visitor: Client) -> None:
    await visitor.say("hello", "message-1")
    said, cursor = await visitor.missed()
    assert [(number, author) for number, author, _ in said][:2] == [("1.0", "visitor"), ("1.1", "assistant")]
    assert said[0][2] == "hello"
    assert await visitor.missed(cursor) == ([], cursor)
    await visitor.say("does it hurt?")
    said, _ = await visitor.missed(cursor)
    assert {number.split(".")[0] for number, *_ in said} == {"2"}


async def test_the_stream_brings_what_is_said_while_it_is_open_at_once(visitor: Client) -> None:
    stream = visitor.events()
    assert (await anext(stream))[0] == "live"
    said = await visitor.say("hello", "live-message")
    event, cursor, data = await anext(stream)
    assert (event, cursor) == ("messages", f"{said['turn']}-0")
    assert data["messages"][0]["client_id"] == "live-message"
    assert data["messages"][1] == said["messages"][0]
    await stream.aclose()


async def test_a_persons_reply_comes_outside_of_a_turn_from_another_process(visitor: Client, server: Server) -> None:
    await visitor.say("hello")
    _, cursor = await visitor.missed()
    stream = visitor.events(cursor)
    assert (await anext(stream))[0] == "live"
    write_as_staff(server, conversation_of(server, visitor.token), "Rowan here. How can I help?")
    _, after, data = await anext(stream)
    await stream.aclose()
    message = data["messages"][0]
    assert (message["author"], message["text"]) == ("staff", "Rowan here. How can I help?")
    assert message["turn"] == 1
    assert message["index"] > 1
    await visitor.say("thank you")
    said, _ = await visitor.missed()
    assert [author for _, author, _ in said][:3] == ["visitor", "assistant", "staff"]
    assert (await visitor.missed(after))[0][0][1] == "visitor"


@pytest.mark.parametrize("after", ["nonsense", "-", "1-", "9" * 60, "1-1-1"])
async def test_a_last_event_id_that_makes_no_sense_brings_everything(visitor: Client, after: str) -> None:
    await visitor.say("hello")
    said, _ = await visitor.missed(after)
    assert said[0][0] == "1.0"


async def test_a_message_sent_again_is_the_same_turn(visitor: Client) -> None:
    first = await visitor.say("does it hurt?", "sent-twice")
    assert await visitor.say("does it hurt?", "sent-twice") == first
    said, _ = await visitor.missed()
    assert [author for _, author, _ in said].count("visitor") == 1


async def test_a_stolen_conversation_id_opens_nothing(http: httpx.AsyncClient, server: Server, visitor: Client) -> None:
    await visitor.say("hello")
    conversation = conversation_of(server, visitor.token)
    for stolen in ("", conversation, Tokens("another key, long enough for a key", 1).mint(conversation).token):
        for method, path in (("GET", "/chat/events"), ("POST", "/chat/sessions/renew"), ("POST", "/chat/messages")):
            headers = {"Authorization": f"Bearer {stolen}"} if stolen else {}
            body = {"id": "12345678", "text": "hello"} if path.endswith("messages") else None
            assert (await http.request(method, path, json=body, headers=headers)).status_code == 401, path


async def test_a_token_is_renewed_for_the_same_conversation(visitor: Client) -> None:
    await visitor.say("hello")
    old = visitor.token
    response = await visitor.http.post("/chat/sessions/renew", headers=visitor.headers)
    visitor.token = response.json()["token"]
    assert 0 < response.json()["expires_in"] <= 24 * 3600
    assert visitor.token
    said, _ = await visitor.missed()
    assert said[0][0] == "1.0"
    visitor.token = old
    assert await visitor.missed() == (said, "1-0")


def test_tokens_know_forged_from_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens("k" * 40, 1)
    session = tokens.mint()
    assert tokens.read(session.token).conversation == session.conversation
    with pytest.raises(BadToken):
        tokens.read("x" + session.token)
    now = time.time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 3700)
    with pytest.raises(ExpiredToken):
        tokens.read(session.token)


async def test_only_listed_websites_may_use_the_api(http: httpx.AsyncClient, site: Site, server: Server) -> None:
    response = await http.post("/chat/sessions", headers={"Origin": site.origin})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (201, site.origin)
    assert "origin" in response.headers["vary"].lower()
    asked = {"Origin": site.origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert (await http.options("/chat/messages", headers=asked)).status_code == 204
    for origin in (site.stranger, "null", "https://evil.example", site.origin + ".evil.example"):
        response = await http.post("/chat/sessions", headers={"Origin": origin})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
        assert (await http.options("/chat/messages", headers=asked | {"Origin": origin})).status_code == 403
    assert (await http.post("/chat/sessions", headers={"Origin": server.url})).status_code == 201


async def test_the_panel_runs_nothing_but_its_own_files_and_is_framed_by_listed_websites(
    http: httpx.AsyncClient, site: Site
) -> None:
    policy = (await http.get("/panel")).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert f"frame-ancestors 'self' {site.origin};" in policy
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in (await http.get("/")).headers["content-security-policy"]
    assert "set-cookie" not in (await http.get("/panel")).headers


async def test_files_are_kept_for_good_under_the_name_of_their_content(http: httpx.AsyncClient) -> None:
    page = (await http.get("/panel")).text
    path = page.split('modulepreload" href="')[1].split('"')[0]
    response = await http.get(f"/{path}")
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-encoding"] == "gzip"
    other = await http.get(f"/static/000000000000/{path.split('/', 2)[2]}")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-store")
    for missing in ("/static/x/../app.py", "/static/x/panel/nothing.js", "/static/"):
        assert (await http.get(missing)).status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_ORIGINS", "https://a.example/path"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://a.example 'unsafe-inline'"),
        ("LIMIT_MESSAGES", "many"),
        ("REDIS_URL", "http://x"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"STIPPLE_{name}"):
        Settings.read({f"STIPPLE_{name}": value})


def test_allowed_origins_are_read_with_commas_between_them() -> None:
    settings = Settings.read({"STIPPLE_ALLOWED_ORIGINS": "https://a.example/, http://localhost:8080"})
    assert settings.allowed_origins == ("https://a.example", "http://localhost:8080")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Call (212) 555-0142 or 911.", ["tel:+12125550142", "tel:911"]),
        ("Write to hello@larkfield-skin.example, please.", ["mailto:hello@larkfield-skin.example"]),
        ("It costs $911, or 911.50, or 9110, or 911%.", []),
        ("See https://evil.example or javascript:alert(1).", []),
        ("", []),
    ],
)
def test_only_the_clinics_own_numbers_and_addresses_become_links(text: str, links: list[str]) -> None:
    parts = Linker(CLINIC).parts(text)
    assert "".join(part.text for part in parts) == text
    assert [part.href for part in parts if part.href] == links
    assert all(isinstance(part, Part) and part.text for part in parts)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("  send: Send\n", "", "en.send"),
        ("{clinic_phone}", "{telephone}", "telephone"),
        ("direction: ltr", "direction: up", "direction"),
        ("\nen:\n", "\nfr:\n", "'en' is missing"),
        ("  send: Send\n", "  send: Send\n  sent: Sent\n", "sent"),
    ],
)
def test_wrong_words_of_the_panel_are_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = tmp_path / "panel.yml"
    path.write_text(Path("bot/web/panel.yml").read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(BadFile, match=reason):
        Pages(path, CLINIC, Linker(CLINIC), (), "x")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-03-02T15:00", ' class="open">We are open until 6 PM<'),
        ("2026-03-02T12:00", ' class="closed">We open today at 9 AM<'),
        ("2026-03-01T15:00", ' class="closed">We open Monday, March 2, 9 AM<'),
        ("2026-12-25T15:00", ' class="closed">We open Saturday, January 2, 10 AM<'),
    ],
)
def test_the_panel_says_when_the_clinic_is_open(now: str, said: str) -> None:
    moment = dt.datetime.fromisoformat(f"{now}+00:00")
    assert f'id="hours"{said}' in Pages(Path("bot/web/panel.yml"), CLINIC, Linker(CLINIC), (), "x", lambda: moment).panel("en")


def test_the_panel_says_nothing_of_an_opening_that_is_not_in_sight() -> None:
    moment = dt.datetime(2026, 3, 2, 15, tzinfo=dt.UTC)
    closed = CLINIC.closures[0].model_copy(update={"first": moment.date(), "last": moment.date() + dt.timedelta(days=200)})
    away = CLINIC.model_copy(update={"closures": [closed]})
    page = Pages(Path("bot/web/panel.yml"), away, Linker(away), (), "x", lambda: moment).panel("en")
    assert 'id="hours" class="closed"></p>' in page


def test_a_cursor_reads_what_it_writes() -> None:
    assert Cursor.read(str(Cursor(12, 345))) == Cursor(12, 345)
    assert Cursor.read("²-1") == Cursor()
    assert Cursor(1, 5).behind(Cursor(2, 0))
    assert not Cursor(2, 5).behind(Cursor(2, 5))


def conversation_of(server: Server, token: str) -> str:
    """The conversation that a token opens, by the server's own key."""
    return Tokens((server.folder / "signing-key").read_text().strip(), 24).read(token).conversation


def write_as_staff(server: Server, conversation: str, text: str) -> None:
    """What the staff's page does, in a process of its own."""
    engine = database.connect(server.database_url)
    handoffs = Handoffs(engine, CLINIC, lambda: dt.datetime.now(dt.UTC))
    request = handoffs.open(conversation, channel="web", reason="asked")
    handoffs.claim(request.id, "rowan")
    handoffs.reply(request.id, "rowan", text)
    handoffs.close(request.id)
    assert History(engine).since(conversation, Cursor()).messages[-1].text == text
    engine.dispose()
