"""The engine with its clock on a Monday in March at eight in the morning, and visitors who book."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select

from bot.engine import Engine
from bot.reply import Reply
from bot.settings import Settings
from clinic.models import Base, Handoff, OutboxMessage
from clinic.visits import Visit, Visitor

#: a Monday, eight in the morning in New York
START = dt.datetime(2026, 3, 2, 13, 0, tzinfo=dt.UTC)
PHONE, OTHER_PHONE = "+12125550101", "+12125550102"


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> dt.datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += dt.timedelta(**amount)


class Guest:
    """A conversation, and what the clinic has of it: `await visitor("book me for friday")`."""

    def __init__(self, engine: Engine, channel: str, phone: str | None = None) -> None:
        self.engine, self.channel, self.phone, self.id = engine, channel, phone, uuid.uuid4().hex
        self.reply: Reply | None = None

    async def __call__(self, *texts: str) -> str:
        """Says some things one after the other; the last reply's text."""
        for text in texts:
            self.reply = await self.engine.turn(self.id, text, channel=self.channel, phone=self.phone)
        return self.said

    async def choose(self, title: str) -> str:
        """Presses the button of a title."""
        self.reply = await self.engine.turn(self.id, choice=self.choices[title], channel=self.channel, phone=self.phone)
        return self.said

    @property
    def said(self) -> str:
        assert self.reply
        return "\n".join(message.text for message in self.reply.messages)

    @property
    def choices(self) -> dict[str, str]:
        assert self.reply
        return {choice.title: choice.id for message in self.reply.messages for choice in message.choices}

    @property
    def holds(self) -> list[Visit]:
        return self.engine.services.booking.holds(self.id)


@pytest.fixture(scope="session")
def session_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
async def clocked_engine(settings: Settings, tmp_path_factory: pytest.TempPathFactory, session_clock: Clock) -> Engine:
    folder = tmp_path_factory.mktemp("booking")
    own = settings.model_copy(update={"database_url": f"sqlite:///{folder}/test.db"})
    return Engine.load(own, channels=("email", "text"), clock=session_clock)


@pytest.fixture
def clock(session_clock: Clock) -> Clock:
    session_clock.moment = START
    return session_clock


@pytest.fixture
def engine(clocked_engine: Engine, clock: Clock) -> Engine:
    """The engine on an empty database."""
    with clocked_engine.store.database.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
    return clocked_engine


@pytest.fixture
def web(engine: Engine) -> Guest:
    """A visitor of the website."""
    return Guest(engine, "web")


@pytest.fixture
def sms(engine: Engine) -> Guest:
    """A visitor who texts."""
    return Guest(engine, "sms", PHONE)


@pytest.fixture
def visitors(engine: Engine) -> Callable[[], Guest]:
    """More visitors of the website."""
    return lambda: Guest(engine, "web")


@pytest.fixture
def booked(engine: Engine) -> Visit:
    """A visit that was booked before: a consultation on Wednesday at ten."""
    return book(engine, "2026-03-04 10:00")


def book(engine: Engine, when: str, phone: str = PHONE, service: str = "consultation") -> Visit:
    """Books a visit without a conversation."""
    booking, holder = engine.services.booking, uuid.uuid4().hex
    start = dt.datetime.fromisoformat(when).replace(tzinfo=engine.services.practice.zone)
    hold = booking.hold(service, start, holder=holder, channel="web")
    return booking.confirm(hold.id, Visitor("Anna Smith", phone), holder=holder)


def visits(engine: Engine) -> list[Visit]:
    """All visits of the clinic that are booked or pending, by start."""
    return engine.services.booking.agenda(START - dt.timedelta(days=400), START + dt.timedelta(days=400))


def requests(engine: Engine) -> list[Any]:
    """The requests for a person."""
    with engine.store.database.connect() as connection:
        return list(connection.execute(select(Handoff.__table__)))


def outbox(engine: Engine) -> list[str]:
    """The kinds of what waits to be sent."""
    with engine.store.database.connect() as connection:
        return list(connection.scalars(select(OutboxMessage.kind)))


def local(visit: Visit) -> str:
    """When a visit starts, by the clinic's clocks."""
    return f"{visit.starts_at:%a %d %b %H:%M}"
