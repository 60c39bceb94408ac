"""A made-up practice, a clock that stands still, and the same empty database on SQLite and on PostgreSQL."""

import copy
import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from clinic import database
from clinic.models import Base
from clinic.practice import Practice
from clinic.services import Services
from tests import services as servers

PRACTICE: dict[str, Any] = {
    "name": "Larkfield Skin Clinic",
    "country": "US",
    "time_zone": "America/New_York",
    "address": "12 Larkfield Lane, Springfield",
    "phone": "+12125550142",
    "urgent_phone": "+12125550143",
    "email": "hello@larkfield-skin.example",
    "emergency": {"number": "911", "crisis_line": "988", "crisis_name": "the crisis line"},
    "hours": {
        **{day: ["09:00-13:00", "14:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
        "saturday": ["10:00-14:00"],
        "sunday": [],
    },
    "closures": [{"first": "2026-03-20", "last": "2026-03-21", "reason": "training"}],
    "services": [
        {"id": "consultation", "name": "Consultation", "minutes": 30},
        {"id": "face", "name": "Microneedling, face", "minutes": 60, "buffer_before": 5, "buffer_after": 15},
    ],
    "resources": [
        {"id": "rowan", "name": "Rowan Ashby", "kind": "practitioner", "services": ["consultation", "face"]},
        {"id": "imani", "name": "Imani Cole", "kind": "practitioner", "services": ["consultation", "face"]},
        {"id": "room", "name": "Treatment room", "kind": "room", "services": ["face"]},
    ],
}

#: a Monday, eight in the morning in New York
START = dt.datetime(2026, 3, 2, 13, 0, tzinfo=dt.UTC)


class StandingClock:
    """A clock that moves when it is told to."""

    def __init__(self, moment: dt.datetime) -> None:
        self.moment = moment

    def __call__(self) -> dt.datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += dt.timedelta(**amount)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(START)


@pytest.fixture
def make_practice() -> Callable[..., Practice]:
    """Makes the practice, with other values at the top level."""

    def make(**changes: Any) -> Practice:
        return Practice.model_validate(copy.deepcopy(PRACTICE) | changes)

    return make


@pytest.fixture
def practice(make_practice: Callable[..., Practice]) -> Practice:
    return make_practice()


@pytest.fixture
def at(practice: Practice) -> Callable[[str], dt.datetime]:
    """A moment by the clinic's wall clock: at("2026-03-03 09:00")."""
    return lambda text: dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(practice.time_zone))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if servers.postgres_binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with servers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    engine = database.connect(postgres_url)
    database.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "stipple.db"
    engine = database.connect(f"sqlite:///{path}")
    database.migrate(engine)
    with engine.connect() as connection:
        connection.commit()
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[attr-defined]
    engine.dispose()
    return path.read_bytes()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated, empty database."""
    if request.param == "sqlite":
        path = tmp_path / "stipple.db"
        path.write_bytes(request.getfixturevalue("sqlite_template"))
        made = database.connect(f"sqlite:///{path}")
        yield made
        made.dispose()
        return
    made = request.getfixturevalue("postgres_engine")
    empty(made)
    yield made


def empty(engine: Engine) -> None:
    """Deletes all rows."""
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))


@pytest.fixture
def services(engine: Engine, practice: Practice, clock: StandingClock) -> Services:
    return Services.build(engine, practice, channels=("email", "webhook", "text", "calendar"), clock=clock)
