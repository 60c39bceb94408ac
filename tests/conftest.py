"""What tests share: the engine with the trained model, loaded once."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples
from sqlalchemy import Engine as SqlEngine

from bot import logs
from bot.engine import Engine
from bot.reply import Reply
from bot.settings import Settings
from clinic import database
from tests import projects

ROOT = Path(__file__).parent.parent
# The same examples on each machine, however slow.
examples.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("steady")
# What these fixtures need takes seconds; tests without them come first.
_SLOW = ("tiny", "server", "browser", "engine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the tests that need neither the trained model nor another process first."""
    items.sort(key=_slowness)


def _slowness(item: pytest.Item) -> int:
    fixtures = getattr(item, "fixturenames", ())
    # In tests/clinic/ the engine is a database's.
    own = "engine" in fixtures and "clinic" not in item.path.parent.name
    return int(item.get_closest_marker("slow") is not None) or int(own or any(f in fixtures for f in _SLOW if f != "engine"))


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    logs.configure("error")


@pytest.fixture
def base(tmp_path: Path) -> Iterator[SqlEngine]:
    """An empty database of the test's own, as `stipple.db` in its folder."""
    engine = database.connect(f"sqlite:///{tmp_path}/stipple.db")
    database.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose database is the test run's own."""
    folder = tmp_path_factory.mktemp("stipple")
    chosen = {"STIPPLE_MODELS": os.environ["STIPPLE_MODELS"]} if "STIPPLE_MODELS" in os.environ else {}
    return Settings.read(chosen).model_copy(update={"database_url": f"sqlite:///{folder}/test.db", "secret": "s" * 40})


@pytest.fixture(scope="session")
async def engine(settings: Settings) -> Engine:
    """The engine with the real model."""
    engine = Engine.load(settings)
    await engine.check()
    return engine


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


@dataclass(frozen=True)
class Tiny:
    """A tiny project in which Rasa's commands have run, then a turn, then a crash."""

    folder: Path
    output: str
    #: (what was tried, with whom) for each connection that left the machine
    outside: list[list[str]]

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def code(self, command: str) -> str:
        """With what code a command ended."""
        [line] = [line for line in self.output.splitlines() if line.startswith(f"===== {command}: ")]
        return line.rpartition(": ")[2]


# In one process, as most of the time of each goes into importing Rasa.
TINY_COMMANDS = (
    "train --fixed-model-name tiny",
    "shell nlu",
    "test nlu --nlu data --no-plot --no-errors",
    "test core --stories data/stories --out results --no-plot",
    "train -c diet.yml",
    "train -c ted.yml",
    "train -c selector.yml",
    "turn",
    "crash",
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """What came of the commands in a tiny copy of the project."""
    folder = projects.make(tmp_path_factory.mktemp("tiny"))
    environ = {name: value for name, value in os.environ.items() if name != "RASA_TELEMETRY_ENABLED"}
    environ |= {"STIPPLE_FOLDER": str(Settings.read().folder.absolute()), "STIPPLE_DATABASE_URL": f"sqlite:///{folder}/tiny.db"}
    environ |= {"PYTHONPATH": str(ROOT), "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", ROOT / "tests" / "outside.py", folder / "outside.json", *TINY_COMMANDS],
        cwd=folder,
        env=environ,
        input="how much does it cost?\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Tiny(folder, done.stdout, json.loads((folder / "outside.json").read_text()))
