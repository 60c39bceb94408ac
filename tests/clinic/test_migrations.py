"""Migrations go up and down with data in the tables, and end where the models are."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, make_url, text

from clinic import database
from clinic.models import Base
from clinic.practice import Practice
from clinic.services import Services
from clinic.visits import Visitor

REVISIONS = sorted(path.name[:4] for path in (database.MIGRATIONS / "versions").glob("[0-9]*.py"))


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without tables."""
    if request.param == "sqlite":
        engine = database.connect(f"sqlite:///{tmp_path}/blank.db")
        yield engine
        engine.dispose()
        return
    url = request.getfixturevalue("postgres_url")
    outside = database.connect(url).execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text("CREATE DATABASE blank"))
    engine = database.connect(make_url(url).set(database="blank").render_as_string())
    yield engine
    engine.dispose()
    with outside.connect() as connection:
        connection.execute(text("DROP DATABASE blank"))
    outside.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def fill(engine: Engine, practice: Practice, at: Callable[[str], dt.datetime], now: dt.datetime) -> None:
    services = Services.build(engine, practice, channels=("email",), clock=lambda: now)
    held = services.booking.hold("face", at("2026-03-10 15:00"), holder="c1", channel="web", key="k")
    services.booking.confirm(held.id, Visitor("Ana", "+12125550199"), holder="c1")
    services.lookup.find("222222", "+12125550199", holder="c1")
    request = services.handoffs.open("c1", channel="web", reason="asked")
    services.handoffs.claim(request.id, "kim")
    services.handoffs.reply(request.id, "kim", "Hi")
    services.consents.record("+12125550199", "texts", True, wording="1", channel="web")
    services.feeds.issue("rowan")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO conversation (id, channel, started_at) VALUES ('c1', 'web', '2026-03-02')"))


def test_up_and_down_with_data(
    blank: Engine, practice: Practice, at: Callable[[str], dt.datetime], clock: Callable[[], dt.datetime]
) -> None:
    database.migrate(blank)
    assert tables(blank) == set(Base.metadata.tables)
    fill(blank, practice, at, clock())
    for revision in reversed(REVISIONS):
        database.migrate(blank, revision)
    assert tables(blank) == {"conversation", "turn"}
    with blank.connect() as connection:
        assert connection.execute(text("SELECT id FROM conversation")).scalars().all() == ["c1"]
    for revision in REVISIONS:
        database.migrate(blank, revision)
    with blank.begin() as connection:
        connection.execute(text("DELETE FROM conversation"))
    fill(blank, practice, at, clock())
    database.migrate(blank, "base")
    assert tables(blank) == set()


def test_the_schema_is_what_the_models_say(blank: Engine) -> None:
    database.migrate(blank)
    with blank.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_constraint_has_its_name(blank: Engine) -> None:
    database.migrate(blank)
    seen = inspect(blank)
    for name, table in Base.metadata.tables.items():
        assert seen.get_pk_constraint(name)["name"] == f"pk_{name}"
        expected = {str(constraint.name) for constraint in table.constraints if constraint.name}
        found = {f"pk_{name}"}
        for kind in (seen.get_unique_constraints, seen.get_foreign_keys, seen.get_check_constraints):
            found |= {str(constraint["name"]) for constraint in kind(name)}
        assert found == expected, name
