"""The one database on SQLite and PostgreSQL: URLs, transactions that wait for each other, and those that give way."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from clinic import database
from clinic.clock import now
from clinic.models import Conversation, Turn

THREADS, EACH = 4, 10


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///{folder}/a/b/stipple.db", "sqlite"),
        ("sqlite://", "sqlite"),
        ("postgresql://host/db", "postgresql+psycopg"),
        ("postgresql+psycopg://host/db", "postgresql+psycopg"),
    ],
)
def test_url_picks_the_driver(url: str, driver: str, tmp_path: Path) -> None:
    engine = database.connect(url.format(folder=tmp_path))
    assert engine.url.drivername == driver
    engine.dispose()


@pytest.mark.parametrize("url", ["", "stipple.db", "mysql://host/db", "oracle://host/db", "postgresql"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not a database URL|is neither sqlite nor postgresql"):
        database.connect(url)


def test_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/new/folder/stipple.db")
    database.migrate(engine)
    assert (tmp_path / "new" / "folder" / "stipple.db").is_file()
    engine.dispose()


def test_sqlite_writes_ahead_and_keeps_foreign_keys(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/stipple.db")
    with engine.connect() as connection:
        pragmas = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1}
    engine.dispose()


def test_foreign_keys_hold(engine: Engine) -> None:
    turn = {"conversation_id": "nobody", "number": 1, "at": now(), "before": "{}", "events": "[]", "reply": "{}"}
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(Turn).values(turn))


def test_work_that_fails_leaves_nothing(engine: Engine) -> None:
    def work(connection: Connection) -> None:
        connection.execute(insert(Conversation).values(id="c", channel="web", started_at=now()))
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        database.write(engine, work)
    assert database.read(engine, count) == 0


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(Conversation)) or 0


def test_writers_wait_for_each_other(engine: Engine) -> None:
    """Each reads a number and writes the next one: none may be lost between the two."""
    failures: list[Exception] = []

    def add(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        number = count(connection)
        time.sleep(0.001)
        connection.execute(insert(Conversation).values(id=f"c{number}", channel="web", started_at=now()))

    def run() -> None:
        done = 0
        while done < EACH:
            try:
                database.write(engine, add)
                done += 1
            except IntegrityError:
                # PostgreSQL may see the same key first; nothing was written.
                continue
            except OperationalError as error:
                if "serialize" not in str(error):
                    failures.append(error)
                    return

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert database.read(engine, count) == THREADS * EACH


def test_reader_waits_for_no_writer(engine: Engine) -> None:
    with engine.begin() as writing:
        writing.execute(insert(Conversation).values(id="c", channel="web", started_at=now()))
        # Had it waited, it would have read what was written, or never come back.
        assert database.read(engine, count) == 0
    assert database.read(engine, count) == 1


class Yielding:
    """What a driver raises when a transaction has to give way."""

    def __init__(self, code: str | None, message: str) -> None:
        self.code, self.message = code, message

    def __call__(self) -> OperationalError:
        cause = Exception(self.message)
        if self.code:
            cause.sqlstate = self.code  # type: ignore[attr-defined]
        return OperationalError("", {}, cause)


@pytest.mark.parametrize("yielding", [Yielding("40001", ""), Yielding("40P01", ""), Yielding(None, "database is locked")])
def test_work_that_had_to_give_way_is_done_again(yielding: Yielding) -> None:
    engine = database.connect("sqlite://")
    tries: list[int] = []

    def work(_: Connection) -> str:
        tries.append(1)
        if len(tries) < database.ATTEMPTS:
            raise yielding()
        return "done"

    assert database.write(engine, work) == "done"
    assert len(tries) == database.ATTEMPTS


def test_work_that_always_gives_way_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.time, "sleep", lambda _: None)
    tries: list[int] = []

    def work(_: Connection) -> None:
        tries.append(1)
        raise Yielding("40001", "")()

    with pytest.raises(OperationalError):
        database.write(database.connect("sqlite://"), work)
    assert len(tries) == database.ATTEMPTS


def test_other_errors_are_not_tried_again() -> None:
    tries: list[int] = []

    def work(_: Connection) -> None:
        tries.append(1)
        raise Yielding("08006", "the server went away")()

    with pytest.raises(OperationalError):
        database.write(database.connect("sqlite://"), work)
    assert len(tries) == 1


def test_migrating_again_does_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Conversation).values(id="c", channel="web", started_at=now()))
    database.migrate(engine)
    assert database.read(engine, count) == 1
