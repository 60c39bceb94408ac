"""Conversations are kept append-only, read through a bounded window, and lose nothing: on SQLite and on PostgreSQL."""

import asyncio
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import event, make_url, select, text

from bot.engine import Engine
from bot.tracker_store import WINDOW, SqlTrackerStore, TurnTaken
from clinic import database
from clinic.models import Turn
from tests import services as servers

DOMAIN = Domain.from_yaml("""
version: "3.1"
intents: [say]
slots:
  day: {type: text, mappings: [{type: custom}]}
  channel: {type: text, initial_value: web, mappings: [{type: custom}]}
forms:
  booking_form: {required_slots: [day]}
""")
# Long enough for a child to keep some turns before it is killed.
KILL_AFTER = 12

forked = pytest.mark.filterwarnings(r"ignore:This process \(pid=\d+\) is multi-threaded")
fork = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if servers.postgres_binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with servers.postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/stipple.db"
        return
    server = request.getfixturevalue("postgres")
    outside = database.connect(server).execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text("CREATE DATABASE conversations"))
    yield make_url(server).set(database="conversations").render_as_string()
    with outside.connect() as connection:
        connection.execute(text("DROP DATABASE conversations WITH (FORCE)"))
    outside.dispose()


@pytest.fixture
def store(url: str) -> Iterator[SqlTrackerStore]:
    engine = database.connect(url)
    database.migrate(engine)
    yield SqlTrackerStore(DOMAIN, engine)
    engine.dispose()


def keep(store: SqlTrackerStore, number: int, *more: Any, conversation: str = "c", message_id: str | None = None) -> None:
    """Adds a turn in which the visitor says the number and gets it back, and more happens."""
    tracker = store.open(conversation) or store.begin(conversation)
    say(tracker, number, *more)
    store.append(tracker, "web", message_id, json.dumps({"number": number}))


def say(tracker: DialogueStateTracker, number: int, *more: Any) -> None:
    tracker.update(UserUttered(f"visitor {number}", {"name": "say", "confidence": 1.0}), DOMAIN)
    for each in (*more, BotUttered(f"reply {number}"), ActionExecuted("action_listen")):
        tracker.update(each, DOMAIN)


def said(tracker: DialogueStateTracker | None) -> list[str]:
    assert tracker is not None
    return [e.text for e in tracker.events if isinstance(e, UserUttered)]


def kept(store: SqlTrackerStore) -> list[tuple[Any, ...]]:
    with store.database.connect() as connection:
        return [tuple(row) for row in connection.execute(select(Turn.__table__).order_by(Turn.number))]


def rows_read(store: SqlTrackerStore, conversation: str) -> int:
    """How many rows the database hands over to open a conversation."""
    counted = 0

    def count(_: Any, cursor: Any, *__: Any) -> None:
        nonlocal counted
        if cursor.rowcount >= 0:
            counted += cursor.rowcount
            return

        def row(_: Any, values: Any) -> Any:
            nonlocal counted
            counted += 1
            return values

        cursor.row_factory = row

    event.listen(store.database, "after_cursor_execute", count)
    store.open(conversation)
    event.remove(store.database, "after_cursor_execute", count)
    return counted


def test_unknown_conversation_is_none(store: SqlTrackerStore) -> None:
    assert store.open("nobody") is None


def test_conversation_of_a_thousand_turns_opens_as_few_rows_as_one_of_ten(store: SqlTrackerStore) -> None:
    for number in range(1, 11):
        keep(store, number, conversation="short")
    keep(store, 1, conversation="long")
    [first] = [row for row in kept(store) if row[0] == "long"]
    columns = [column.name for column in Turn.__table__.columns]
    template = dict(zip(columns, first, strict=True))
    with store.database.begin() as connection:
        connection.execute(sqlalchemy.insert(Turn), [template | {"number": n, "message_id": None} for n in range(2, 1001)])
    assert rows_read(store, "short") == rows_read(store, "long") == WINDOW
    ten, thousand = store.open("short"), store.open("long")
    assert ten is not None
    assert thousand is not None
    assert len(thousand.events) == len(ten.events)


def test_window_holds_the_latest_turns(store: SqlTrackerStore) -> None:
    for number in range(1, 8):
        keep(store, number)
    assert said(store.open("c")) == ["visitor 5", "visitor 6", "visitor 7"]
    assert said(store.open("c", None)) == [f"visitor {n}" for n in range(1, 8)]
    tracker = store.open("c")
    assert tracker is not None
    assert json.loads(tracker.last_reply) == {"number": 7}


def test_slots_and_active_form_are_right_after_any_number_of_turns(store: SqlTrackerStore) -> None:
    keep(store, 1, SlotSet("day", "monday"), SlotSet("channel", None))
    keep(store, 2, ActiveLoop("booking_form"))
    for number in range(3, 20):
        keep(store, number)
        tracker = store.open("c")
        assert tracker is not None
        assert (tracker.get_slot("day"), tracker.get_slot("channel")) == ("monday", None)
        assert tracker.active_loop_name == "booking_form"
    keep(store, 20, SlotSet("day", None), ActiveLoop(None))
    for number in range(21, 28):
        keep(store, number)
        tracker = store.open("c")
        assert tracker is not None
        assert (tracker.get_slot("day"), tracker.active_loop_name) == (None, None)


def test_earlier_turns_are_never_changed(store: SqlTrackerStore) -> None:
    for number in range(1, 5):
        keep(store, number)
    before = kept(store)
    for number in range(5, 9):
        keep(store, number, SlotSet("day", "friday"))
    assert kept(store)[:4] == before
    assert len(kept(store)) == 8


def test_turn_without_news_is_not_kept(store: SqlTrackerStore) -> None:
    keep(store, 1)
    tracker = store.open("c")
    assert tracker is not None
    store.append(tracker, "web", None, "{}")
    assert len(kept(store)) == 1


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_second_of_two_writers_is_told_and_writes_nothing(store: SqlTrackerStore, turns: int) -> None:
    for number in range(1, turns + 1):
        keep(store, number)
    trackers = [store.open("c") or store.begin("c") for _ in range(2)]
    for tracker in trackers:
        say(tracker, turns + 1)
    store.append(trackers[0], "web", None, '{"by": 0}')
    with pytest.raises(TurnTaken):
        store.append(trackers[1], "web", None, '{"by": 1}')
    assert len(kept(store)) == turns + 1
    assert store.last_replies("c")[0] == '{"by": 0}'


def test_message_id_finds_its_reply_within_its_conversation_alone(store: SqlTrackerStore) -> None:
    keep(store, 1, message_id="m-1")
    keep(store, 2, message_id="m-2")
    found = store.reply_to("c", "m-1")
    assert found is not None
    assert (found.number, json.loads(found.reply)) == (1, {"number": 1})
    assert store.reply_to("c", "m-3") is None
    assert store.reply_to("another", "m-1") is None


def test_message_id_is_taken_once(store: SqlTrackerStore) -> None:
    keep(store, 1, message_id="m-1")
    with pytest.raises(TurnTaken):
        keep(store, 2, message_id="m-1")
    assert len(kept(store)) == 1


def test_forgotten_conversation_leaves_no_row(store: SqlTrackerStore) -> None:
    keep(store, 1)
    keep(store, 1, conversation="other")
    store.forget("c")
    assert store.open("c") is None
    assert store.count() == len(kept(store)) == 1


async def test_rasas_own_commands_keep_and_find_conversations(store: SqlTrackerStore) -> None:
    tracker = store.begin("rasa")
    say(tracker, 1)
    await store.save(tracker)
    assert list(await store.keys()) == ["rasa"]
    assert said(await store.retrieve("rasa")) == ["visitor 1"]
    assert said(await store.retrieve_full_tracker("rasa")) == ["visitor 1"]


# From here on: the engine's turns, at the same time and in processes that die.


@pytest.fixture
def fresh(engine: Engine, url: str) -> Iterator[Engine]:
    """The engine with the real model on a database of its own."""
    return on(engine, url)


def on(engine: Engine, url: str) -> Engine:
    connected = database.connect(url)
    database.migrate(connected)
    store = SqlTrackerStore(engine.store.domain, connected)
    return Engine(engine._processor, store, engine.wording, engine.sources, engine.services)


async def test_turns_at_the_same_time_are_serialised(fresh: Engine) -> None:
    texts = [f"does it hurt {number}" for number in range(8)]
    await asyncio.gather(*(fresh.turn("c", text) for text in texts))
    assert sorted(said(fresh.store.open("c", None))) == sorted(texts)
    assert [row[1] for row in kept(fresh.store)] == list(range(1, 9))


async def test_same_message_at_the_same_time_runs_once(fresh: Engine) -> None:
    replies = await asyncio.gather(*(fresh.turn("c", "does it hurt?", message_id="same-message") for _ in range(5)))
    assert all(reply == replies[0] for reply in replies)
    assert len(kept(fresh.store)) == 1


def in_child(work: Callable[[Connection], None]) -> tuple[Any, Connection]:
    """Starts a copy of this process that does some work and tells of it."""
    here, there = fork.Pipe(duplex=False)

    def run() -> None:
        work(there)
        there.close()

    child = fork.Process(target=run)
    child.start()
    there.close()
    return child, here


@forked
def test_two_processes_take_turns_in_one_conversation(engine: Engine, url: str) -> None:
    database.migrate(database.connect(url))

    def talk(name: str) -> Callable[[Connection], None]:
        async def turns() -> None:
            own = on(engine, url)
            for number in range(6):
                while True:
                    try:
                        await own.turn("c", f"{name} {number} does it hurt", message_id=f"{name}-{number}")
                        break
                    except TurnTaken:
                        continue

        def work(pipe: Connection) -> None:
            asyncio.run(turns())
            pipe.send("done")

        return work

    children = [in_child(talk(name)) for name in ("left", "right")]
    for child, pipe in children:
        assert pipe.poll(60)
        assert pipe.recv() == "done"
        child.join()
    store = SqlTrackerStore(engine.store.domain, database.connect(url))
    texts = said(store.open("c", None))
    assert sorted(texts) == sorted(f"{name} {number} does it hurt" for name in ("left", "right") for number in range(6))
    for name in ("left", "right"):
        own = [text for text in texts if text.startswith(name)]
        assert own == sorted(own), "each process's turns must stay in their order"
    store.database.dispose()


@forked
def test_killed_process_loses_no_acknowledged_turn(engine: Engine, url: str) -> None:
    database.migrate(database.connect(url))

    def work(pipe: Connection) -> None:
        async def turns() -> None:
            own = on(engine, url)
            for number in range(10_000):
                reply = await own.turn("c", f"does it hurt {number}")
                pipe.send((number, reply.messages[0].id))

        asyncio.run(turns())

    child, pipe = in_child(work)
    acknowledged = []
    while len(acknowledged) < KILL_AFTER:
        assert pipe.poll(60)
        acknowledged.append(pipe.recv())
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    while True:
        try:
            acknowledged.append(pipe.recv())
        except EOFError:
            break
    assert child.exitcode == -signal.SIGKILL
    store = SqlTrackerStore(engine.store.domain, database.connect(url))
    texts, replies = said(store.open("c", None)), "".join(store.last_replies("c", 10_000))
    assert texts[: len(acknowledged)] == [f"does it hurt {number}" for number, _ in acknowledged]
    assert [message for _, message in acknowledged if message not in replies] == []
    keep(store, 0)
    store.database.dispose()
