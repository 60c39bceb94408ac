"""The one database, through SQLAlchemy: a SQLite file by default, PostgreSQL by URL."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

MIGRATIONS = Path(__file__).parent / "migrations"
#: how often a transaction that gave way to another one is tried
ATTEMPTS = 5
#: PostgreSQL's serialization failure and deadlock
_GAVE_WAY = ("40001", "40P01")

Result = TypeVar("Result")


def connect(url: str) -> Engine:
    """An engine for a database URL; a SQLite file's folder is made when missing.

    SQLite runs in write-ahead mode with foreign keys on, and each transaction that begins takes the write lock at
    once, so that two writers wait for each other (five seconds at most) instead of failing. Errors do not repeat
    the values of a statement, which may be a visitor's.

    Raises:
        ValueError: the URL is neither SQLite's nor PostgreSQL's.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"'{url}' is not a database URL") from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(f"'{parsed.drivername}' is neither sqlite nor postgresql")
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def write(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Does some work in one transaction, again from the start when the database made it give way to another one.

    Raises:
        sqlalchemy.exc.OperationalError: it had to give way five times, or the database is out of reach.
    """
    for attempt in range(ATTEMPTS):
        try:
            with engine.begin() as connection:
                return work(connection)
        except OperationalError as error:
            if attempt == ATTEMPTS - 1 or not _gave_way(error):
                raise
            time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - spreads waits, guards nothing
    raise AssertionError("the last attempt returns or raises")


def read(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Does some work that only reads, in one transaction that waits for no writer."""
    with engine.execution_options(only_reads=True).connect() as connection:
        return work(connection)


def _gave_way(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _GAVE_WAY or "database is locked" in str(error.orig)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("only_reads") else "BEGIN IMMEDIATE")


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin too late to keep a read and the write after it together.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def migrate(engine: Engine, revision: str = "head") -> None:
    """Brings the schema up (or down) to a revision; does nothing when it is there already."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if revision == "head" and current == ScriptDirectory.from_config(_config()).get_current_head():
        return
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        order = command.downgrade if _is_earlier(revision, current) else command.upgrade
        order(config, revision)


def _is_earlier(revision: str, current: str | None) -> bool:
    if revision == "base":
        return True
    if current is None or revision == "head":
        return False
    script = ScriptDirectory.from_config(_config())
    return revision in {step.revision for step in script.walk_revisions("base", current)}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
