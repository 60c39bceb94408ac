"""Messages leave at least once, and those that cannot are seen."""

import datetime as dt
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, update

from clinic import errors
from clinic.models import OutboxMessage
from clinic.outbox import (
    LEASE,
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    Dropped,
    Entry,
    Message,
    Outbox,
    Postponed,
    SendFailed,
    Worker,
)
from tests.receivers import PATIENCE, mail_server


class Plain:
    """Composes the barest message, or raises what it is told to."""

    def __init__(self, *raises: Exception) -> None:
        self.raises = list(raises)

    def compose(self, entry: Entry) -> Message:
        if self.raises:
            raise self.raises.pop(0)
        return Message(entry.id, entry.kind, data={"subject": entry.subject})


class Recorder:
    """Keeps what it is to send; fails first as often as it is told."""

    def __init__(self, failures: Sequence[Exception] = ()) -> None:
        self.failures = list(failures)
        self.sent: list[str] = []

    def send(self, message: Message) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message.data["subject"])


@pytest.fixture
def outbox(engine: Engine, clock: Any) -> Outbox:
    return Outbox(engine, clock, ("email",))


@pytest.fixture
def put(engine: Engine, outbox: Outbox) -> Callable[..., None]:
    def add(subject: str, channel: str = "email", version: int = 1, **more: Any) -> None:
        with engine.begin() as connection:
            outbox.add(connection, channel, "staff.test", subject, version, **more)

    return add


def worker(engine: Engine, clock: Any, sender: Any, composer: Any = None) -> Worker:
    return Worker(engine, clock, composer or Plain(), {"email": sender}, random.Random(1))


def test_what_is_due_is_sent_once(engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]) -> None:
    put("a")
    put("later", due_at=clock() + dt.timedelta(minutes=5))
    sender = Recorder()
    assert worker(engine, clock, sender).run_once() == 1
    assert worker(engine, clock, sender).run_once() == 0
    clock.advance(minutes=5)
    assert worker(engine, clock, sender).run_once() == 1
    assert sender.sent == ["a", "later"]
    assert outbox.counts() == {"sent": 2}


def test_nothing_is_written_for_a_channel_that_nobody_set_up(outbox: Outbox, put: Callable[..., None]) -> None:
    put("a", channel="webhook")
    assert outbox.counts() == {}


def test_what_is_rolled_back_is_never_sent(engine: Engine, clock: Any, outbox: Outbox) -> None:
    with engine.connect() as connection:
        outbox.add(connection, "email", "staff.test", "a", 1)
        connection.rollback()
    assert worker(engine, clock, Recorder()).run_once() == 0


def test_failures_are_tried_again_later_and_later(engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]) -> None:
    put("a")
    sender = Recorder([SendFailed("smtp 451")] * 3)
    one = worker(engine, clock, sender)
    waits = []
    for _ in range(3):
        one.run_once()
        (entry,) = outbox.entries("waiting")
        assert entry.error == "smtp 451"
        waits.append(entry.due_at - clock())
        assert one.run_once() == 0
        clock.moment = entry.due_at
    assert all(dt.timedelta(seconds=2.5 * 2**n) <= wait <= dt.timedelta(seconds=7.5 * 2**n) for n, wait in enumerate(waits))
    one.run_once()
    assert sender.sent == ["a"]
    assert one.wait_after(50) <= LONGEST_WAIT * 1.5


def test_a_receiver_says_when_to_come_back(engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]) -> None:
    put("a")
    worker(engine, clock, Recorder([SendFailed("429", retry_after=dt.timedelta(minutes=9))])).run_once()
    assert outbox.entries("waiting")[0].due_at == clock() + dt.timedelta(minutes=9)


def test_dead_letters_are_listed_and_can_be_sent_again(
    engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]
) -> None:
    put("refused")
    put("tired")
    worker(engine, clock, Recorder([SendFailed("smtp 550", permanent=True)])).run_once(1)
    sender = Recorder([RuntimeError("a name")] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS):
        worker(engine, clock, sender).run_once()
        clock.advance(hours=2)
    dead = outbox.entries("dead")
    assert {(entry.subject, entry.error) for entry in dead} == {("refused", "smtp 550"), ("tired", "RuntimeError")}
    for entry in dead:
        outbox.retry(entry.id)
    worker(engine, clock, sender).run_once()
    assert sorted(sender.sent) == ["refused", "tired"]
    with pytest.raises(errors.NotAllowed):
        outbox.retry(dead[0].id)


def test_what_a_lost_worker_was_sending_is_sent_by_another(
    engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]
) -> None:
    put("a")

    class Killed(BaseException):
        pass

    class Dying:
        def send(self, message: Message) -> None:
            raise Killed

    with pytest.raises(Killed):
        worker(engine, clock, Dying()).run_once()
    sender = Recorder()
    assert worker(engine, clock, sender).run_once() == 0
    clock.advance(seconds=LEASE.total_seconds())
    assert worker(engine, clock, sender).run_once() == 1
    assert sender.sent == ["a"]


def test_untrue_messages_are_dropped_and_early_ones_wait(
    engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]
) -> None:
    put("a")
    tomorrow = clock() + dt.timedelta(days=1)
    sender = Recorder()
    composer = Plain(Postponed(tomorrow), Dropped("superseded"))
    worker(engine, clock, sender, composer).run_once()
    (entry,) = outbox.entries("waiting")
    assert (entry.due_at, entry.attempts) == (tomorrow, 0)
    clock.moment = tomorrow
    worker(engine, clock, sender, composer).run_once()
    assert [entry.error for entry in outbox.entries("dropped")] == ["superseded"]
    assert sender.sent == []


def test_many_workers_send_each_message_once(engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]) -> None:
    for n in range(40):
        put(f"{n}")
    sender = Recorder()
    threads = [threading.Thread(target=worker(engine, clock, sender).run_once, args=(40,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sender.sent, key=int) == [f"{n}" for n in range(40)]


def test_a_slow_worker_does_not_have_the_last_word_on_a_subject(
    engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]
) -> None:
    put("a")
    at_it, go_on = threading.Event(), threading.Event()

    class Slow(Recorder):
        def send(self, message: Message) -> None:
            at_it.set()
            assert go_on.wait(30)
            super().send(message)

    slow = Slow()
    thread = threading.Thread(target=worker(engine, clock, slow).run_once, args=(1,))
    thread.start()
    assert at_it.wait(30)
    put("a", version=2)
    put("b")
    quick = Recorder()
    worker(engine, clock, quick).run_once()
    assert quick.sent == ["b"]
    go_on.set()
    thread.join()
    worker(engine, clock, quick).run_once()
    assert (slow.sent, quick.sent) == (["a"], ["b", "a"])


def test_the_log_does_not_repeat_what_an_error_says(
    engine: Engine, clock: Any, put: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    put("a")
    worker(engine, clock, Recorder([RuntimeError("Ana Lima")])).run_once()
    assert "error=RuntimeError test_outbox.py:" in caplog.text
    assert "Ana" not in caplog.text


#: sends all that is due to a mail server, in a process of its own
SENDING = """
import sys
from clinic import clock, database
from clinic.outbox import Message, Worker
from clinic.senders import EmailSender, Mailbox

class Plain:
    def compose(self, entry):
        return Message(entry.id, entry.kind, to="staff@larkfield-skin.example", subject=entry.subject, text="-")

mailbox = Mailbox("127.0.0.1", int(sys.argv[2]), "desk@larkfield-skin.example", security="none")
Worker(database.connect(sys.argv[1]), clock.now, Plain(), {"email": EmailSender(mailbox, clock.now)}).run_once(100)
"""


def test_a_worker_that_is_killed_loses_nothing(engine: Engine, clock: Any, outbox: Outbox, put: Callable[..., None]) -> None:
    subjects = [f"{n:02}" for n in range(20)]
    for subject in subjects:
        put(subject)
    address = engine.url.render_as_string(hide_password=False)
    with mail_server() as inbox:
        inbox.slow = 5
        process = subprocess.Popen([sys.executable, "-c", SENDING, address, str(inbox.port)])
        assert inbox.reached.wait(PATIENCE)
        process.kill()
        process.wait(PATIENCE)
        inbox.slow = None
        inbox.go_on.set()
        assert outbox.counts() == {"sent": 4, "sending": 1, "waiting": 15}
        with engine.begin() as connection:
            # As if its lease had run out.
            connection.execute(update(OutboxMessage).where(OutboxMessage.state == "sending").values(due_at=clock()))
        assert subprocess.run([sys.executable, "-c", SENDING, address, str(inbox.port)]).returncode == 0
        sent = [letter["Subject"] for letter in inbox.letters]
    assert outbox.counts() == {"sent": 20}
    assert sorted(set(sent)) == subjects
    # The one that was on its way, and it bears the same id.
    assert sorted(sent) == sorted([*subjects, sent[4]])
    assert inbox.letters[4]["Message-ID"] in [letter["Message-ID"] for letter in inbox.letters[5:]]
