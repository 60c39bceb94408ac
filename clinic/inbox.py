"""Texts that came in: each stored once, answered once, those of one number in the order in which they arrived."""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from clinic import database
from clinic.clock import Clock
from clinic.errors import NotFound
from clinic.models import SmsInbound, SmsNumber
from clinic.outbox import Outbox

#: how long a process has a text to itself; after that it counts as lost with the process
LEASE = dt.timedelta(seconds=5)
#: after this no request of Twilio's waits for the reply any more, so that it has to go out by the outbox
OVERDUE = dt.timedelta(seconds=20)
#: the outbox's kind of a reply that came too late for the request that asked for it
LATE_REPLY = "visitor.late_reply"


@dataclasses.dataclass(frozen=True)
class Incoming:
    """A text as the channel read it."""

    sid: str
    number: str
    kind: str
    body: str
    opt_out_type: str | None = None


@dataclasses.dataclass(frozen=True)
class Thread:
    """What a number may answer to: the ids of the choices that were offered last, and what of the answer is unsent."""

    offered: tuple[str, ...] = ()
    rest: str = ""


@dataclasses.dataclass(frozen=True)
class Task:
    """A text to be answered now. `thread` is None for a number that was never told who texts it.

    `lately` is how many texts came from the number within the last hour, this one included; `answered_at` when one of
    them was answered last.
    """

    text: Incoming
    thread: Thread | None
    lately: int
    answered_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Answer:
    """The texts of a reply; what the number may answer to from now on; whether it was told who texts it."""

    texts: tuple[str, ...]
    thread: Thread = Thread()
    introduced: bool = True


@dataclasses.dataclass(frozen=True)
class Stored:
    """How a text stands. `reply` is None while it is not answered; `via` is `twiml`, `outbox` or (not yet) None."""

    sid: str
    reply: tuple[str, ...] | None
    via: str | None


class Inbox:
    """The texts that came in, in the database, for any number of processes."""

    def __init__(self, engine: Engine, clock: Clock, outbox: Outbox) -> None:
        self._engine = engine
        self._clock = clock
        self._outbox = outbox

    def receive(self, text: Incoming) -> tuple[Stored, Task | None]:
        """Stores a text, unless it is there already, and takes it when nothing of its number is ahead of it."""

        mine = or_(SmsInbound.sid == text.sid, (SmsInbound.number == text.number) & SmsInbound.reply.is_(None))
        query = select(SmsInbound.sid, SmsInbound.reply, SmsInbound.via).where(mine)

        def work(connection: Connection) -> tuple[Stored, Task | None]:
            rows = connection.execute(query).all()
            if known := next((row for row in rows if row.sid == text.sid), None):
                return Stored(known.sid, _texts(known.reply), known.via), None
            ahead = bool(rows)
            now = self._clock()
            values: dict[str, Any] = {"received_at": now, "lease_until": None if ahead else now + LEASE}
            connection.execute(insert(SmsInbound).values(**dataclasses.asdict(text) | values))
            return Stored(text.sid, None, None), None if ahead else self._task(connection, text)

        try:
            return database.write(self._engine, work)
        except IntegrityError:
            # The same text has just arrived elsewhere too.
            return database.write(self._engine, work)

    def take(self, number: str) -> Task | None:
        """The number's first text without an answer; None when there is none, or another process is at it."""

        def work(connection: Connection) -> Task | None:
            row = connection.execute(self._first_unanswered(number).with_for_update()).first()
            now = self._clock()
            if row is None or (row.lease_until and row.lease_until > now):
                return None
            connection.execute(update(SmsInbound).where(SmsInbound.id == row.id).values(lease_until=now + LEASE))
            return self._task(connection, _incoming(row))

        return database.write(self._engine, work)

    def answer(
        self, text: Incoming, answer: Answer, *, waited_for: bool, also: Sequence[Callable[[Connection], None]] = ()
    ) -> bool:
        """Keeps the reply to a text, with what else comes of it; False when another process has answered meanwhile.

        `waited_for` is whether the request that brought the text is there to take the reply; the outbox may have been
        left to do that all the same.
        """

        def work(connection: Connection) -> bool:
            mine = update(SmsInbound).where(SmsInbound.sid == text.sid, SmsInbound.reply.is_(None))
            values = {"reply": json.dumps(answer.texts), "body": None, "lease_until": None}
            via = {"via": func.coalesce(SmsInbound.via, "twiml")} if waited_for else {}
            if not connection.execute(mine.values(**values, **via)).rowcount:
                return False
            self._keep_thread(connection, text.number, answer)
            for each in also:
                each(connection)
            return True

        return database.write(self._engine, work)

    def look(self, sid: str) -> Stored | None:
        """How a text stands; None for one that never came."""
        return database.read(self._engine, lambda connection: self._stored(connection, sid))

    def hand_over(self, sid: str) -> Stored:
        """Notes that the request that brought a text takes its reply, unless the outbox has it already.

        Raises:
            NotFound: the text never came.
        """

        def work(connection: Connection) -> Stored:
            mine = update(SmsInbound).where(SmsInbound.sid == sid, SmsInbound.via.is_(None), SmsInbound.reply.is_not(None))
            connection.execute(mine.values(via="twiml"))
            found = self._stored(connection, sid)
            if found is None:
                raise NotFound(sid)
            return found

        return database.write(self._engine, work)

    def post(self, sid: str) -> bool:
        """Leaves the reply to a text to the outbox, whether it is there yet or not; False when it has left already."""

        def work(connection: Connection) -> bool:
            mine = update(SmsInbound).where(SmsInbound.sid == sid, SmsInbound.via.is_(None))
            if not connection.execute(mine.values(via="outbox")).rowcount:
                return False
            self._outbox.add(connection, "text", LATE_REPLY, sid, 0)
            return True

        return database.write(self._engine, work)

    def overdue(self) -> list[tuple[str, str]]:
        """(number, sid) of the texts whose reply nobody waits for any more, in the order of arrival."""
        before = self._clock() - OVERDUE
        query = (
            select(SmsInbound.number, SmsInbound.sid)
            .where(
                SmsInbound.received_at < before,
                or_(SmsInbound.via.is_(None), (SmsInbound.via == "outbox") & SmsInbound.reply.is_(None)),
            )
            .order_by(SmsInbound.id)
        )
        rows = database.read(self._engine, lambda connection: connection.execute(query).all())
        return [(row.number, row.sid) for row in rows]

    def last_from(self, connection: Connection, number: str) -> dt.datetime | None:
        """When the number's last text came, read in a transaction of the caller's."""
        query = select(func.max(SmsInbound.received_at)).where(SmsInbound.number == number)
        last: dt.datetime | None = connection.execute(query).scalar_one_or_none()
        return last

    def late_reply(self, connection: Connection, sid: str) -> tuple[str, tuple[str, ...] | None] | None:
        """(number, texts) of a reply that the outbox has to send, in a transaction of the caller's; None when erased."""
        query = select(SmsInbound.number, SmsInbound.reply).where(SmsInbound.sid == sid)
        row = connection.execute(query).one_or_none()
        return (row.number, _texts(row.reply)) if row else None

    def _stored(self, connection: Connection, sid: str) -> Stored | None:
        query = select(SmsInbound.reply, SmsInbound.via).where(SmsInbound.sid == sid)
        row = connection.execute(query).one_or_none()
        return Stored(sid, _texts(row.reply), row.via) if row else None

    def _first_unanswered(self, number: str) -> Any:
        mine = (SmsInbound.number == number, SmsInbound.reply.is_(None))
        return select(SmsInbound.__table__).where(*mine).order_by(SmsInbound.id).limit(1)

    def _task(self, connection: Connection, text: Incoming) -> Task:
        since = self._clock() - dt.timedelta(hours=1)
        lately = select(func.count()).where(SmsInbound.number == text.number, SmsInbound.received_at > since)
        known = (
            select(column).where(SmsNumber.number == text.number).scalar_subquery().label(column.key)
            for column in (SmsNumber.offered, SmsNumber.rest, SmsNumber.updated_at)
        )
        row = connection.execute(select(lately.scalar_subquery().label("lately"), *known)).one()
        thread = None if row.offered is None else Thread(tuple(json.loads(row.offered)), row.rest)
        return Task(text, thread, row.lately, row.updated_at)

    def _keep_thread(self, connection: Connection, number: str, answer: Answer) -> None:
        values = {
            "offered": json.dumps(answer.thread.offered),
            "rest": answer.thread.rest,
            "updated_at": self._clock(),
        }
        known = update(SmsNumber).where(SmsNumber.number == number).values(**values)
        if not connection.execute(known).rowcount and answer.introduced:
            connection.execute(insert(SmsNumber).values(number=number, first_at=self._clock(), **values))


def _incoming(row: Row[Any]) -> Incoming:
    return Incoming(row.sid, row.number, row.kind, row.body or "", row.opt_out_type)


def _texts(reply: str | None) -> tuple[str, ...] | None:
    return None if reply is None else tuple(json.loads(reply))
