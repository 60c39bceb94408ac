"""Texts that came in, and who may be texted, on both databases."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from clinic import database
from clinic.inbox import LATE_REPLY, OVERDUE, Answer, Inbox, Incoming, Thread
from clinic.practice import Practice
from clinic.services import Services
from clinic.texting import NotAtAll, NotNow, Texting

NUMBER = "+12125550142"


def text(sid: str, number: str = NUMBER) -> Incoming:
    return Incoming(sid, number, "text", f"body of {sid}")


@pytest.fixture
def inbox(engine: Engine, clock: Any, services: Services) -> Inbox:
    return Inbox(engine, clock, services.outbox)


@pytest.fixture
def texting(engine: Engine, clock: Any, practice: Practice, inbox: Inbox) -> Texting:
    clock.advance(hours=3)
    return Texting(engine, practice, clock, inbox, per_day=2)


def test_a_text_is_stored_once_and_answered_once(inbox: Inbox) -> None:
    stored, task = inbox.receive(text("SM1"))
    assert (stored.reply, task and task.text.body, task and task.thread) == (None, "body of SM1", None)
    assert inbox.receive(text("SM1")) == (stored, None)
    assert inbox.answer(text("SM1"), Answer(("hi",), Thread(("a", "b"), "rest")), waited_for=True)
    assert not inbox.answer(text("SM1"), Answer(("ho",)), waited_for=True)
    assert inbox.receive(text("SM1"))[0].reply == ("hi",)
    _, task = inbox.receive(text("SM2"))
    assert task is not None
    assert (task.thread, task.lately) == (Thread(("a", "b"), "rest"), 2)


def test_a_text_waits_for_those_of_its_number_before_it(inbox: Inbox, clock: Any) -> None:
    assert inbox.receive(text("SM1"))[1]
    assert inbox.receive(text("SM2"))[1] is None
    assert inbox.receive(text("SM3", "+12125550143"))[1]
    assert inbox.take(NUMBER) is None
    inbox.answer(text("SM1"), Answer(()), waited_for=True)
    task = inbox.take(NUMBER)
    assert task is not None
    assert task.text.sid == "SM2"
    assert inbox.take(NUMBER) is None
    clock.advance(seconds=6)
    assert inbox.take(NUMBER) == task


def test_the_same_text_at_many_threads_is_one(inbox: Inbox) -> None:
    tasks: list[Any] = []
    threads = [threading.Thread(target=lambda: tasks.append(inbox.receive(text("SM1"))[1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([task for task in tasks if task]) == 1


def test_a_reply_leaves_one_way(inbox: Inbox, services: Services, clock: Any) -> None:
    for sid in ("SM1", "SM2", "SM3"):
        inbox.receive(text(sid, f"+1212555010{sid[-1]}"))
        inbox.answer(text(sid), Answer((sid,)), waited_for=False)
    assert inbox.hand_over("SM1").via == "twiml"
    clock.moment += OVERDUE * 2
    assert [sid for _, sid in inbox.overdue()] == ["SM2", "SM3"]
    assert inbox.post("SM2")
    assert not inbox.post("SM2")
    assert not inbox.post("SM1")
    assert inbox.hand_over("SM2").via == "outbox"
    assert [(entry.kind, entry.subject) for entry in services.outbox.entries("waiting")] == [(LATE_REPLY, "SM2")]


def test_who_may_be_texted(texting: Texting, engine: Engine, clock: Any) -> None:
    texting.check(NUMBER, "visitor.reminder_24h")
    database.write(engine, lambda connection: texting.opt(connection, NUMBER, False, "1"))
    for kind in ("visitor.reminder_24h", "visitor.handoff_reply"):
        with pytest.raises(NotAtAll):
            texting.check(NUMBER, kind)
    texting.check(NUMBER, LATE_REPLY)
    database.write(engine, lambda connection: texting.opt(connection, NUMBER, True, "1"))
    texting.check(NUMBER, "visitor.reminder_24h")
    clock.advance(hours=12)
    with pytest.raises(NotNow):
        texting.check(NUMBER, "visitor.reminder_24h")


@pytest.mark.parametrize("scope", ["all", "kind:visitor.reminder_24h", f"number:{NUMBER}"])
def test_blocks(texting: Texting, scope: str) -> None:
    for _ in range(2):
        texting.block(scope, 30007)
    assert [block.scope for block in texting.blocks()] == [scope]
    with pytest.raises(NotAtAll):
        texting.check(NUMBER, "visitor.reminder_24h")
    assert texting.unblock(scope)
    assert not texting.unblock(scope)
    texting.check(NUMBER, "visitor.reminder_24h")


def test_states_of_a_text_only_go_forward(texting: Texting) -> None:
    part, before = texting.begin("m1", 1, 1, "visitor.reminder_24h", NUMBER)
    assert not before
    assert texting.begin("m1", 1, 1, "visitor.reminder_24h", NUMBER)[1]
    texting.accepted(part, "SM1", "queued")
    reports: list[Callable[[], Any]] = [lambda s=s: texting.reported("SM1", s, None) for s in ("delivered", "sent", "delivered")]  # type: ignore[misc]
    assert [report()[0] for report in reports] == [True, True, False]
    assert [each.status for each in texting.parts("m1")] == ["delivered"]
    other, _ = texting.begin("m2", 1, 1, "visitor.reminder_24h", NUMBER)
    with pytest.raises(NotNow):
        texting.check(NUMBER, "visitor.reminder_24h")
    texting.forget(other)
    texting.check(NUMBER, "visitor.reminder_24h")
