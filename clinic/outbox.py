"""Messages to people and systems: written with what they tell of, sent later, at least once, given up on openly."""

import dataclasses
import datetime as dt
import logging
import random
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Row, exists, func, insert, select, update
from sqlalchemy.orm import aliased

from clinic import database
from clinic.clock import Clock
from clinic.errors import NotAllowed, fault
from clinic.models import OutboxMessage

log = logging.getLogger(__name__)

#: how long a worker may take for one message before another one may send it again
LEASE = dt.timedelta(minutes=2)
#: attempts after which a message is dead; with the waits below the last one is about twelve hours after the first
MAX_ATTEMPTS = 22
FIRST_WAIT = dt.timedelta(seconds=5)
LONGEST_WAIT = dt.timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A row of the outbox. `id` is also the idempotency id that receivers see."""

    id: str
    channel: str
    kind: str
    subject: str
    version: int
    state: str
    attempts: int
    due_at: dt.datetime
    created_at: dt.datetime
    error: str | None


@dataclasses.dataclass(frozen=True)
class Attachment:
    """A file that goes with an e-mail."""

    name: str
    #: such as `text/calendar; method=REQUEST`
    content_type: str
    content: bytes


@dataclasses.dataclass(frozen=True)
class Message:
    """A message in full, ready for a sender; each channel reads what it has a use for."""

    id: str
    kind: str
    to: str = ""
    subject: str = ""
    text: str = ""
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class Sender(Protocol):
    """One channel's way out."""

    def send(self, message: Message) -> None:
        """Sends a message; may be asked again with the same `id`.

        Raises:
            SendFailed: it was not accepted.
        """


class Composer(Protocol):
    """Puts the words together when a message is about to be sent."""

    def compose(self, entry: Entry) -> Message:
        """The message in full.

        Raises:
            Dropped: it is no longer true or no longer wanted.
            Postponed: it may not be sent now.
        """


class SendFailed(Exception):
    """A sender could not send. `reason` is kept and shown to staff, so it holds nothing personal."""

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: dt.timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after


class Dropped(Exception):
    """The message is no longer true or no longer wanted; the text says which."""


class Postponed(Exception):
    """The message may not be sent before a moment."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class Outbox:
    """Writes messages into the outbox and lists what is there."""

    def __init__(self, engine: Engine, clock: Clock, channels: Collection[str]) -> None:
        self._engine = engine
        self._clock = clock
        self.channels = frozenset(channels)

    def add(
        self,
        connection: Connection,
        channel: str,
        kind: str,
        subject: str,
        version: int,
        due_at: dt.datetime | None = None,
    ) -> None:
        """Adds a message in the caller's transaction; nothing when nobody has set the channel up."""
        if channel not in self.channels:
            return
        now = self._clock()
        connection.execute(
            insert(OutboxMessage).values(
                id=uuid.uuid4().hex,
                channel=channel,
                kind=kind,
                subject=subject,
                version=version,
                state="waiting",
                attempts=0,
                due_at=due_at or now,
                created_at=now,
            )
        )

    def entries(self, state: str) -> list[Entry]:
        """The messages in a state (`waiting`, `sending`, `sent`, `dropped` or `dead`), the oldest first."""
        query = select(OutboxMessage.__table__).where(OutboxMessage.state == state).order_by(OutboxMessage.created_at)
        return database.read(self._engine, lambda connection: [_entry(row) for row in connection.execute(query)])

    def counts(self) -> dict[str, int]:
        """How many messages are in each state."""
        query = select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state)
        return database.read(self._engine, lambda connection: dict(connection.execute(query).tuples().all()))

    def retry(self, message_id: str) -> None:
        """Sends a dead message again, with all its attempts ahead of it.

        Raises:
            NotAllowed: no dead message has this id.
        """
        again = (
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id, OutboxMessage.state == "dead")
            .values(state="waiting", attempts=0, due_at=self._clock(), done_at=None, error=None)
        )
        if not database.write(self._engine, lambda connection: connection.execute(again)).rowcount:
            raise NotAllowed(message_id)


class Worker:
    """Sends what is due. Any number of workers, in any number of processes, may run at the same time.

    What one channel has to say of one subject is sent one after the other.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        composer: Composer,
        senders: Mapping[str, Sender],
        jitter: random.Random | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._composer = composer
        self._senders = senders
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads waits, guards nothing

    def run_once(self, limit: int = 20) -> int:
        """Sends at most `limit` messages that are due, one after the other; returns how many were tried."""
        done = 0
        while done < limit and (entry := self._claim()) is not None:
            self._send(entry)
            done += 1
        return done

    def _claim(self) -> Entry | None:
        now = self._clock()
        other = aliased(OutboxMessage)
        # A worker that is slow with an older message must not have the last word.
        being_sent = exists().where(
            other.channel == OutboxMessage.channel,
            other.subject == OutboxMessage.subject,
            other.state == "sending",
            other.due_at > now,
        )
        due = (
            select(OutboxMessage.__table__)
            .where(
                OutboxMessage.state.in_(("waiting", "sending")),
                OutboxMessage.due_at <= now,
                OutboxMessage.channel.in_(self._senders),
                ~being_sent,
            )
            .order_by(OutboxMessage.due_at, OutboxMessage.version)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

        def work(connection: Connection) -> Entry | None:
            row = connection.execute(due).one_or_none()
            if row is None:
                return None
            entry = dataclasses.replace(_entry(row), attempts=row.attempts + 1)
            connection.execute(
                update(OutboxMessage)
                .where(OutboxMessage.id == entry.id)
                .values(state="sending", attempts=entry.attempts, due_at=now + LEASE)
            )
            return entry

        return database.write(self._engine, work)

    def _send(self, entry: Entry) -> None:
        now = self._clock()
        try:
            self._senders[entry.channel].send(self._composer.compose(entry))
        except Dropped as reason:
            self._settle(entry, state="dropped", done_at=now, error=str(reason))
        except Postponed as later:
            self._settle(entry, state="waiting", due_at=later.until, attempts=entry.attempts - 1)
        except SendFailed as failure:
            self._failed(entry, failure)
        except Exception as error:
            log.error("event=outbox.broken channel=%s kind=%s error=%s", entry.channel, entry.kind, fault(error))
            self._failed(entry, SendFailed(type(error).__name__))
        else:
            self._settle(entry, state="sent", done_at=now, error=None)

    def _failed(self, entry: Entry, failure: SendFailed) -> None:
        now = self._clock()
        dead = failure.permanent or entry.attempts >= MAX_ATTEMPTS
        log.log(
            logging.ERROR if dead else logging.WARNING,
            "event=outbox.%s channel=%s kind=%s attempts=%d reason=%s",
            *("dead" if dead else "retry", entry.channel, entry.kind, entry.attempts, failure.reason),
        )
        if dead:
            self._settle(entry, state="dead", done_at=now, error=failure.reason[:200])
        else:
            wait = failure.retry_after or self.wait_after(entry.attempts)
            self._settle(entry, state="waiting", due_at=now + wait, error=failure.reason[:200])

    def wait_after(self, attempts: int) -> dt.timedelta:
        """How long to wait after so many failed attempts: doubling, at most an hour, spread by half either way."""
        steady: dt.timedelta = min(FIRST_WAIT * 2 ** min(attempts - 1, 16), LONGEST_WAIT)
        return steady * self._jitter.uniform(0.5, 1.5)

    def _settle(self, entry: Entry, **values: Any) -> None:
        # When this worker has overrun its lease, the one that took over decides what became of the message.
        mine = (
            update(OutboxMessage)
            .where(
                OutboxMessage.id == entry.id,
                OutboxMessage.state == "sending",
                OutboxMessage.attempts == entry.attempts,
            )
            .values(**values)
        )
        database.write(self._engine, lambda connection: connection.execute(mine))


def _entry(row: Row[Any]) -> Entry:
    return Entry(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Entry)})
