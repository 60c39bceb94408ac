"""The website API: sessions, messages and choices; and what bad input gets, after which the conversation goes on."""

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import time_machine
from fastapi import FastAPI

from bot.engine import Engine
from bot.history import History
from bot.settings import Settings
from bot.tidy import MAX_LENGTH
from bot.tracker_store import TurnTaken
from bot.web import app as web
from bot.web.events import Hub
from bot.web.guard import MAX_BODY
from bot.web.problems import MEDIA_TYPE

MANY = {"limit_messages": "100000/minute", "limit_address": "100000/minute", "limit_sessions": "100000/minute"}


@pytest.fixture(scope="module")
def app(engine: Engine, settings: Settings) -> FastAPI:
    """The application, around the engine that the tests share."""
    made = web.create(Settings.read({}).model_copy(update=MANY | {"database_url": settings.database_url, "secret": "s" * 40}))
    made.state.engine, made.state.not_ready = engine, ""
    made.state.history = History(engine.store.database)
    made.state.hub = Hub(made.state.history, lambda said: {})
    return made


class Visitor:
    """A client with a session."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http, self.token = http, token

    async def post(self, content: bytes | str, token: str | None = None, **headers: str) -> httpx.Response:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token if token is None else token}"} | headers
        return await self.http.post("/chat/messages", content=content, headers={n: v for n, v in sent.items() if v})

    async def send(self, message_id: str | None = None, **message: Any) -> httpx.Response:
        return await self.post(json.dumps({"id": message_id or uuid.uuid4().hex} | message))

    async def say(self, text: str) -> str:
        """What is replied to a text."""
        response = await self.send(text=text)
        assert response.status_code == 200, response.text
        return "\n".join(message["text"] for message in response.json()["messages"])

    async def is_served(self) -> bool:
        """Whether the conversation is still usable."""
        return "discomfort" in await self.say("does it hurt?")


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://stipple.example") as client:
        yield client


@pytest.fixture
async def visitor(http: httpx.AsyncClient) -> Visitor:
    return Visitor(http, (await http.post("/chat/sessions")).json()["token"])


def problem(response: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The problem details of a response (RFC 9457), which must be these."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    details: dict[str, Any] = response.json()
    assert (details["type"], details["status"]) == (f"urn:stipple:{name}", status)
    assert details["title"]
    return details


async def test_session_is_a_signed_token_that_says_when_it_ends(http: httpx.AsyncClient) -> None:
    response = await http.post("/chat/sessions")
    assert response.status_code == 201
    assert set(response.json()) == {"token", "expires_at", "expires_in"}
    other = await http.post("/chat/sessions")
    assert other.json()["token"] != response.json()["token"]


async def test_message_gets_text_choices_and_sources(visitor: Visitor) -> None:
    response = await visitor.send(text="does it hurt?")
    [message] = response.json()["messages"]
    assert "discomfort" in message["text"]
    assert message["id"]
    assert all(set(choice) == {"id", "title"} for choice in message["choices"])
    assert [source["id"] for source in message["sources"]] == ["S1", "S2", "S3"]
    assert "faq/" not in response.text, "what a choice means stays on the server"


async def test_choice_is_answered(visitor: Visitor) -> None:
    first = (await visitor.send(text="does it hurt?")).json()["messages"][-1]
    [bleeding] = [choice["id"] for choice in first["choices"] if choice["title"] == "Will I bleed?"]
    response = await visitor.send(choice=bleeding)
    assert "bleed" in response.json()["messages"][0]["text"].lower()


async def test_same_id_gets_the_same_reply_and_runs_nothing(visitor: Visitor, engine: Engine, app: FastAPI) -> None:
    first = await visitor.send("message-1", text="does it hurt?")
    again = await visitor.send("message-1", text="does it hurt?")
    other_text = await visitor.send("message-1", text="when are you open?")
    assert first.json() == again.json() == other_text.json()
    conversation = app.state.tokens.read(visitor.token).conversation
    assert len(engine.store.last_replies(conversation, 100)) == 1


async def test_renewed_token_goes_on_with_the_conversation(visitor: Visitor, app: FastAPI) -> None:
    response = await visitor.http.post("/chat/sessions/renew", headers={"Authorization": f"Bearer {visitor.token}"})
    assert app.state.tokens.read(response.json()["token"]).conversation == app.state.tokens.read(visitor.token).conversation


# Bad input that is well-formed gets a helpful reply.


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("", "could not find any words"),
        (" \t\n ", "could not find any words"),
        ("\U0001f642\u2764\ufe0f", "could not find any words"),
        ("\x00\x07\x1b", "could not find any words"),
        ("\u200b\u202e", "could not find any words"),
        ("does it hurt? " * (MAX_LENGTH // 14 + 1), "too long"),
        ("x" * (MAX_LENGTH + 1), "too long"),
        ("\u00bfCu\u00e1nto cuesta y duele mucho?", "only understand English"),
        ("\u75bc\u5417", "only understand English"),
    ],
)
async def test_text_that_cannot_be_read_gets_a_helpful_reply(visitor: Visitor, text: str, reply: str) -> None:
    assert reply in await visitor.say(text)
    assert await visitor.is_served()


async def test_control_characters_do_not_hide_a_question(visitor: Visitor) -> None:
    assert "discomfort" in await visitor.say("\x00does\x07 it\u200b hurt\x1b?\r\n")


@pytest.mark.parametrize(
    "text",
    [
        '/intent{"slot": "x"}',
        '/faq{"a": "b"}',
        "/restart",
        "/session_start",
        '/EXTERNAL: x{"a": 1}',
        "\u200b/greet",
        "//restart",
        "/back",
    ],
)
async def test_command_typed_by_a_visitor_is_only_text(visitor: Visitor, engine: Engine, app: FastAPI, text: str) -> None:
    await visitor.say("does it hurt?")
    assert await visitor.say(text)
    tracker = engine.store.open(app.state.tokens.read(visitor.token).conversation, None)
    assert tracker is not None
    names = [event.as_dict().get("name") for event in tracker.events]
    assert not {"action_restart", "action_back"} & set(names)
    assert not tracker.latest_message.text.startswith("/")
    assert {entity["entity"] for entity in tracker.latest_message.entities} <= {"area"}
    assert await visitor.is_served()


# Bad input that is malformed gets problem details.


@pytest.mark.parametrize(
    ("content", "status", "name"),
    [
        ("", 422, "invalid"),
        ("{", 400, "not-json"),
        ("not json at all", 400, "not-json"),
        (b'{"id": "message-1", "text": "\xff\xfe"}', 400, "not-json"),
        ("null", 422, "invalid"),
        ("[]", 422, "invalid"),
        ('"does it hurt?"', 422, "invalid"),
        ("{}", 422, "invalid"),
        ('{"id": "message-1"}', 422, "invalid"),
        ('{"text": "does it hurt?"}', 422, "invalid"),
        ('{"id": "message-1", "text": "a", "choice": "b"}', 422, "invalid"),
        ('{"id": "message-1", "text": 5}', 422, "invalid"),
        ('{"id": "message-1", "text": null}', 422, "invalid"),
        ('{"id": 12345678, "text": "a"}', 422, "invalid"),
        ('{"id": "short", "text": "a"}', 422, "invalid"),
        ('{"id": "message-1\\n", "text": "a"}', 422, "invalid"),
        ('{"id": "../../etc/passwd", "text": "a"}', 422, "invalid"),
        ('{"id": "message-1", "text": "a", "sender": "someone-else"}', 422, "invalid"),
        ('{"id": "message-1", "choice": "nothing"}', 404, "unknown-choice"),
        ('{"id": "message-1", "choice": ""}', 404, "unknown-choice"),
        ('{"id": "message-1", "choice": "faq/pain"}', 404, "unknown-choice"),
        ("[" * 5000, 400, "not-json"),
    ],
)
async def test_wrong_body_is_a_problem(visitor: Visitor, content: bytes | str, status: int, name: str) -> None:
    problem(await visitor.post(content), status, name)
    assert await visitor.is_served()


async def test_half_of_a_character_is_no_failure(visitor: Visitor) -> None:
    response = await visitor.post('{"id": "surrogate-1", "text": "does it hurt\\ud83d?"}')
    assert response.status_code in (200, 400, 422), response.text
    assert await visitor.is_served()


async def test_problem_names_the_entry_and_not_what_was_in_it(visitor: Visitor) -> None:
    response = await visitor.post('{"id": "message-1", "text": {"my": "Wilhelmina"}}')
    details = problem(response, 422, "invalid")
    assert details["errors"][0]["at"] == "text"
    assert "Wilhelmina" not in response.text


async def test_choice_of_someone_else_is_unknown(visitor: Visitor, http: httpx.AsyncClient) -> None:
    other = Visitor(http, (await http.post("/chat/sessions")).json()["token"])
    theirs = (await other.send(text="does it hurt?")).json()["messages"][-1]["choices"][0]["id"]
    await visitor.say("does it hurt?")
    problem(await visitor.send(choice=theirs), 404, "unknown-choice")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""]
)
async def test_wrong_content_type_is_a_problem(visitor: Visitor, kind: str) -> None:
    response = await visitor.post('{"id": "message-1", "text": "does it hurt?"}', **{"Content-Type": kind})
    problem(response, 415, "wrong-content-type")
    assert await visitor.is_served()


async def test_content_type_may_name_a_character_set(visitor: Visitor) -> None:
    response = await visitor.post('{"id": "message-1", "text": "hi"}', **{"Content-Type": "Application/JSON; charset=utf-8"})
    assert response.status_code == 200


async def test_huge_body_with_a_length_is_refused(visitor: Visitor) -> None:
    problem(await visitor.send(text="x" * MAX_BODY), 413, "too-large")
    assert await visitor.is_served()


async def test_huge_body_without_a_length_is_refused_before_it_is_all_read(visitor: Visitor) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 1024
            yield b"x" * 1024

    headers = {"Authorization": f"Bearer {visitor.token}", "Content-Type": "application/json"}
    problem(await visitor.http.post("/chat/messages", content=endless(), headers=headers), 413, "too-large")
    assert sent <= MAX_BODY + 2048
    assert await visitor.is_served()


async def test_longest_message_of_the_widest_characters_is_not_too_large(visitor: Visitor) -> None:
    # Each escaped in full: twelve bytes a character.
    assert "only understand English" in await visitor.say("\U00020000" * MAX_LENGTH)


async def test_missing_token_is_a_problem(visitor: Visitor) -> None:
    response = await visitor.post('{"id": "message-1", "text": "hi"}', Authorization="")
    problem(response, 401, "no-token")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_other_scheme_is_a_missing_token(visitor: Visitor) -> None:
    problem(await visitor.post('{"id": "message-1", "text": "hi"}', Authorization="Basic dTpw"), 401, "no-token")


@pytest.fixture
def forgeries(visitor: Visitor) -> Iterator[list[str]]:
    from bot.web.tokens import Tokens

    payload, stamp, signature = visitor.token.split(".")
    other = Tokens("another key of at least 32 characters", 24).mint("someone").token
    return [
        other,
        "nonsense",
        f"{payload}.{stamp}.{signature[::-1]}",
        f"{other.split('.')[0]}.{stamp}.{signature}",
        f"{payload}.{stamp}",
        "\u00e9".encode().decode("latin-1"),
    ]


async def test_forged_token_is_a_problem(visitor: Visitor, forgeries: list[str]) -> None:
    for forged in forgeries:
        headers = {"Content-Type": "application/json"}
        sent = [(n.encode(), v.encode("latin-1")) for n, v in (headers | {"Authorization": f"Bearer {forged}"}).items()]
        response = await visitor.http.post("/chat/messages", content='{"id": "message-1", "text": "hi"}', headers=sent)
        problem(response, 401, "bad-token")
    assert await visitor.is_served()


async def test_expired_token_is_a_problem(visitor: Visitor) -> None:
    with time_machine.travel("2049-01-01"):
        problem(await visitor.send(text="hi"), 401, "expired-token")
    assert await visitor.is_served()


async def test_wrong_method_and_path_are_problems(http: httpx.AsyncClient) -> None:
    problem(await http.get("/chat/messages"), 405, "http-405")
    problem(await http.get("/nothing/here"), 404, "http-404")


async def test_not_ready_is_a_problem_with_the_phone(visitor: Visitor, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.state._state, "engine", None)
    assert "555-01" in problem(await visitor.send(text="hi"), 503, "not-ready")["phone"]


async def test_failure_is_a_problem_that_tells_nothing(
    visitor: Visitor, app: FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(app.state.engine, "turn", fail)
    response = await visitor.send(text="I am Wilhelmina")
    monkeypatch.undo()
    problem(response, 500, "broken")
    assert "hunter2" not in response.text
    assert "Wilhelmina" not in caplog.text
    assert 'stipple_errors_total{kind="RuntimeError"}' in (await visitor.http.get("/metrics")).text
    assert await visitor.is_served()


async def test_conversation_that_others_keep_writing_to_is_busy(
    visitor: Visitor, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken(*_: Any, **__: Any) -> None:
        raise TurnTaken("c")

    monkeypatch.setattr(app.state.engine, "turn", taken)
    problem(await visitor.send(text="hi"), 409, "busy")


async def test_too_many_messages_are_refused_for_a_while(app: FastAPI, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.web.limits import Limits

    few = app.state.settings.model_copy(update={"limit_messages": "2/minute"})
    monkeypatch.setitem(app.state._state, "limits", Limits(few))
    for _ in range(2):
        assert (await visitor.send(text="hi")).status_code == 200
    response = await visitor.send(text="hi")
    assert problem(response, 429, "too-many")["retry_after"] > 0
    assert int(response.headers["Retry-After"]) > 0
