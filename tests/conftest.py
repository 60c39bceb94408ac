"""What tests share: the engine with the trained model, loaded once."""

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot import logs
from bot.engine import Engine
from bot.reply import Reply
from bot.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    logs.configure("error")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose database is the test run's own."""
    folder = tmp_path_factory.mktemp("stipple")
    return Settings.read({}).model_copy(update={"database_url": f"sqlite:///{folder}/test.db", "secret": "s" * 40})


@pytest.fixture(scope="session")
async def engine(settings: Settings) -> AsyncIterator[Engine]:
    """The engine with the real model."""
    engine = Engine.load(settings)
    await engine.check()
    yield engine


class Talk:
    """A conversation: `await talk("does it hurt?")` gives the reply."""

    def __init__(self, engine: Engine, channel: str) -> None:
        self.engine, self.channel, self.id = engine, channel, uuid.uuid4().hex
        self.replies: list[Reply] = []

    async def __call__(self, text: str = "", *, choice: str | None = None) -> Reply:
        reply = await self.engine.turn(self.id, text, choice=choice, channel=self.channel)
        self.replies.append(reply)
        return reply

    async def choose(self, title: str) -> Reply:
        """Picks the choice of that title from the last reply."""
        offered = {choice.title: choice.id for message in self.replies[-1].messages for choice in message.choices}
        return await self(choice=offered[title])

    @property
    def last(self) -> str:
        """All text of the last reply."""
        return "\n".join(message.text for message in self.replies[-1].messages)


@pytest.fixture
def talk(engine: Engine) -> Talk:
    """A fresh conversation on the website."""
    return Talk(engine, "web")


@pytest.fixture
def text(engine: Engine) -> Talk:
    """A fresh conversation by text message."""
    return Talk(engine, "sms")


@pytest.fixture
def talks(engine: Engine) -> Callable[[], Talk]:
    """Makes fresh conversations on the website."""
    return lambda: Talk(engine, "web")
