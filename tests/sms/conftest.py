"""A text channel on a fresh database, with an engine that repeats what it is told and a Twilio that signs like the real one."""

import asyncio
import dataclasses
import datetime as dt
import itertools
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, select
from twilio.request_validator import RequestValidator

from bot.reply import Choice, Message, Reply, UnknownChoice
from bot.settings import Settings
from bot.sms import router
from bot.sms.service import Sms
from bot.web import problems
from bot.web.guard import Guard
from clinic import database, practice
from clinic.models import Consent, Handoff
from clinic.services import Services
from clinic.visits import Visitor

PUBLIC = "https://stipple.clinic.example"
TOKEN, OLD_TOKEN = "a" * 32, "b" * 32
NUMBER, CLINIC = "+12125550142", "+12125550100"
#: a Monday, eleven in the morning in New York
START = dt.datetime(2026, 3, 2, 16, 0, tzinfo=dt.UTC)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> dt.datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += dt.timedelta(**amount)


class Echo:
    """An engine with the same `turn`: it repeats the text, unless the test gives it something else to say."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str | None]] = []
        self.says: dict[str, Reply] = {}
        self.choices: set[str] = set()
        self.delay = 0.0
        self.form_at_work: str | None = None
        self.meeting: asyncio.Barrier | None = None
        self.running: dict[str, int] = {}
        self.most_at_once = 0

    async def turn(
        self,
        conversation: str,
        text: str = "",
        *,
        choice: str | None = None,
        channel: str = "web",
        message_id: str | None = None,
        phone: str | None = None,
    ) -> Reply:
        assert channel == "sms"
        assert phone
        assert message_id
        if choice is not None and choice not in self.choices:
            raise UnknownChoice(choice)
        self.heard.append((conversation, text, choice))
        self.running[conversation] = self.running.get(conversation, 0) + 1
        self.most_at_once = max(self.most_at_once, self.running[conversation])
        await asyncio.sleep(self.delay)
        if self.meeting:
            await self.meeting.wait()
        self.running[conversation] -= 1
        reply = self.says.get(choice or text) or said(f"You said: {choice or text}")
        self.choices |= {offered.id for message in reply.messages for offered in message.choices}
        return reply

    def form(self, conversation: str) -> str | None:
        return self.form_at_work

    @property
    def texts(self) -> list[str]:
        return [choice or text for _, text, choice in self.heard]


def said(*texts: str, choices: tuple[str, ...] = (), **more: Any) -> Reply:
    """A reply of the engine's; choices are titles, or `topic:title` for topics that go on from an answer."""
    offered = [Choice(f"id-{each.rpartition(':')[2]}", each.rpartition(":")[2], each.rpartition(":")[0]) for each in choices]
    messages = [Message(str(n), text) for n, text in enumerate(texts)]
    if messages:
        messages[-1] = dataclasses.replace(messages[-1], choices=offered)
    values: dict[str, Any] = {"zone": "answer", "safety": None, "topics": ["small_talk"], "confidence": 1.0, "choices": []}
    return Reply(**values | more, messages=messages)


class Twilio:
    """Posts texts as Twilio does, and reads what comes back."""

    def __init__(self, client: httpx.AsyncClient, number: str = NUMBER) -> None:
        self.client, self.number = client, number
        self._sids = (f"SM{n:032x}" for n in itertools.count(1))

    def fields(self, body: str = "", **more: str) -> dict[str, str]:
        sid = more.pop("sid", "") or next(self._sids)
        return {
            "ToCountry": "US",
            "SmsMessageSid": sid,
            "MessageSid": sid,
            "SmsSid": sid,
            "AccountSid": "AC" + "0" * 32,
            "NumMedia": "0",
            "NumSegments": "1",
            "From": self.number,
            "To": CLINIC,
            "Body": body,
            "ApiVersion": "2010-04-01",
        } | more

    async def post(self, fields: dict[str, str], path: str = "/sms/inbound", *, token: str = TOKEN) -> httpx.Response:
        signature = RequestValidator(token).compute_signature(PUBLIC + path, fields)
        return await self.client.post(path, data=fields, headers={"X-Twilio-Signature": signature})

    async def say(self, body: str = "", **more: str) -> list[str]:
        answer = await self.post(self.fields(body, **more))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        return texts(answer.text)


def texts(twiml: str) -> list[str]:
    """The texts of an answer, read as Twilio reads it."""
    root = ET.fromstring(twiml)  # noqa: S314 - our own answer
    assert root.tag == "Response"
    assert all(child.tag == "Message" for child in root)
    return [child.text or "" for child in root]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sms") / "stipple.db"
    engine = database.connect(f"sqlite:///{path}")
    database.migrate(engine)
    with engine.connect() as connection:
        connection.commit()
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[attr-defined]
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def base(template: bytes, tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty database."""
    (tmp_path / "stipple.db").write_bytes(template)
    engine = database.connect(f"sqlite:///{tmp_path / 'stipple.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def sms_settings(tmp_path: Path) -> Settings:
    return Settings.read(
        {
            "STIPPLE_FOLDER": str(tmp_path),
            "STIPPLE_PUBLIC_URL": PUBLIC,
            "STIPPLE_TWILIO_TOKEN": TOKEN,
            "STIPPLE_TWILIO_TOKEN_OLD": OLD_TOKEN,
        }
    )


@pytest.fixture
def services(base: Engine, clock: Clock) -> Services:
    return Services.build(base, practice.load(Path("clinic.yml")), channels=("text",), clock=clock)


@pytest.fixture
def sms(sms_settings: Settings, base: Engine, services: Services, clock: Clock, echo: Echo) -> Sms:
    made = Sms.build(sms_settings, base, services, clock=clock)
    made.channel.engine = echo
    return made


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def app(sms: Sms) -> FastAPI:
    return application(sms)


def application(sms: Sms) -> FastAPI:
    """The two addresses as the whole application has them, the guard around them."""
    made = FastAPI()
    made.state.sms = sms
    made.include_router(router.router)
    problems.install(made)
    made.add_middleware(Guard)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    # As behind a proxy: the server sees neither the public host nor https.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8300") as made:
        yield made


@pytest.fixture
def twilio(client: httpx.AsyncClient) -> Twilio:
    return Twilio(client)


@pytest.fixture
async def known(twilio: Twilio, echo: Echo) -> Twilio:
    """The same for a number that has been told who texts it."""
    await twilio.say("hello")
    echo.heard.clear()
    return twilio


def book(services: Services, phone: str = NUMBER) -> str:
    """A visit a few days ahead; its id."""
    start = dt.datetime(2026, 3, 5, 19, 0, tzinfo=dt.UTC)
    hold = services.booking.hold("microneedling_face", start, holder="h", channel="web")
    return services.booking.confirm(hold.id, Visitor("Ada", phone), holder="h").id


def consents(base: Engine) -> list[bool]:
    """Each yes and no to texts, in order."""
    with base.connect() as connection:
        return list(connection.scalars(select(Consent.given).order_by(Consent.id)))


def tasks(base: Engine) -> list[Any]:
    """The requests for a person."""
    with base.connect() as connection:
        return list(connection.execute(select(Handoff.__table__)))
