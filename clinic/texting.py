"""Who may be texted, when and how often; what was sent, and how far it got."""

import dataclasses
import datetime as dt
import zoneinfo
from typing import Any, Literal

import phonenumbers
from phonenumbers.timezone import time_zones_for_geographical_number
from sqlalchemy import Connection, Engine, delete, distinct, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from clinic import consent, database, hours
from clinic.clock import Clock
from clinic.handoff import REPLY
from clinic.inbox import LATE_REPLY, Inbox
from clinic.models import Consent, OutboxMessage, SmsBlock, SmsSent, SmsStatus
from clinic.practice import Practice

#: texts that somebody waits for: what a person writes to a visitor, and a reply that comes late
ANSWERS = frozenset((LATE_REPLY, REPLY))
#: for so long after a text of theirs, people get answers at any hour
JUST_TEXTED = dt.timedelta(hours=1)
#: a number whose prefix may be in more time zones than these tells nothing of where its owner is
MAX_ZONES = 4
#: Twilio's states of a message, in the order in which one comes after the other
RANKS = {
    **dict.fromkeys(("posting",), 0),
    **dict.fromkeys(("accepted", "scheduled", "queued"), 1),
    "sending": 2,
    "sent": 3,
    **dict.fromkeys(("canceled", "delivered", "undelivered", "failed"), 4),
    "read": 5,
}
ALL = "all"
_STEADY_ROUNDS = 6
_DAY = dt.timedelta(days=1)

Why = Literal["opted_out", "blocked"]


class NotNow(Exception):
    """The text may not be sent before a moment: it is night there, or the number has had enough texts for a day."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(until.isoformat())
        self.until = until


class NotAtAll(Exception):
    """The text may not be sent. `why` is `opted_out` or `blocked`, and `scope` the block's."""

    def __init__(self, why: Why, scope: str = "") -> None:
        super().__init__(why)
        self.why, self.scope = why, scope


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a message that was sent, or may have been. `sid` is None while Twilio's answer is not known."""

    id: int
    outbox_id: str
    attempt: int
    part: int
    kind: str
    number: str
    sid: str | None
    status: str
    rank: int
    error_code: int | None
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Block:
    """What must not be sent until somebody has put it right, and the error that told so."""

    scope: str
    error_code: int
    at: dt.datetime


class Texting:
    """Opt-outs, quiet hours, limits, and the record of what was sent. Numbers are in E.164 form."""

    def __init__(self, engine: Engine, practice: Practice, clock: Clock, inbox: Inbox, per_day: int = 4) -> None:
        """`per_day` is how many texts that nobody asked for a number may get within 24 hours."""
        self._engine = engine
        self._practice = practice
        self._clock = clock
        self._inbox = inbox
        self._per_day = per_day

    def opted_out(self, number: str) -> bool:
        """Whether the number's last word on texts was no."""
        return database.read(self._engine, lambda connection: consent.refused(connection, number, consent.TEXTS))

    def opt(self, connection: Connection, number: str, given: bool, wording: str, conversation: str | None = None) -> None:
        """Adds a yes or a no to texts that nobody asked for, in a transaction of the caller's."""
        connection.execute(
            insert(Consent).values(
                phone=number,
                purpose=consent.TEXTS,
                given=given,
                wording=wording,
                channel="sms",
                conversation_id=conversation,
                at=self._clock(),
            )
        )

    def check(self, number: str, kind: str) -> None:
        """Returns when a text of a kind may be sent to a number now.

        Raises:
            NotAtAll: the number has opted out, or something about it must be put right first.
            NotNow: it is too early, too late or too much.
        """
        database.read(self._engine, lambda connection: self._check(connection, number, kind))

    def _check(self, connection: Connection, number: str, kind: str) -> None:
        if kind != LATE_REPLY and consent.refused(connection, number, consent.TEXTS):
            raise NotAtAll("opted_out")
        scopes = select(SmsBlock.scope).where(SmsBlock.scope.in_((ALL, f"kind:{kind}", f"number:{number}")))
        if scope := connection.execute(scopes.limit(1)).scalar_one_or_none():
            raise NotAtAll("blocked", scope)
        now = self._clock()
        if kind == LATE_REPLY:
            return
        last = self._inbox.last_from(connection, number) if kind in ANSWERS else None
        if last is None or last < now - JUST_TEXTED:
            allowed = self.allowed(number, now)
            if allowed > now:
                raise NotNow(allowed)
        if kind not in ANSWERS and (full_until := self._full_until(connection, number, now)):
            raise NotNow(full_until)

    def allowed(self, number: str, moment: dt.datetime) -> dt.datetime:
        """The moment itself, or the next one at which it is neither early nor late at the clinic and where the number is."""
        window = self._practice.reminders.window
        zones = [self._practice.zone, *_zones(number)]
        found = moment
        for _ in range(_STEADY_ROUNDS):
            later = max(hours.within(found, window, zone) for zone in zones)
            if later == found:
                return found
            found = later
        # The windows never meet, as for a number from the other side of the world.
        return hours.within(moment, window, self._practice.zone)

    def _full_until(self, connection: Connection, number: str, now: dt.datetime) -> dt.datetime | None:
        unasked = (SmsSent.number == number, SmsSent.created_at > now - _DAY, SmsSent.kind.not_in(ANSWERS))
        row = connection.execute(
            select(func.count(distinct(SmsSent.outbox_id)), func.min(SmsSent.created_at)).where(*unasked)
        ).one()
        count, first = row
        return first + _DAY if count >= self._per_day else None

    def visit_told_of(self, number: str, since: dt.datetime | None) -> str | None:
        """The id of the visit that the last text to a number was about, such as a reminder; None when it was about none.

        Only what was sent after `since` counts; None: whenever that was.
        """
        query = (
            select(SmsSent.kind, OutboxMessage.subject)
            .join(OutboxMessage, OutboxMessage.id == SmsSent.outbox_id)
            .where(SmsSent.number == number, *((SmsSent.created_at > since,) if since else ()))
            .order_by(SmsSent.id.desc())
            .limit(1)
        )
        row = database.read(self._engine, lambda connection: connection.execute(query).first())
        return row.subject if row and row.kind not in ANSWERS else None

    def begin(self, outbox_id: str, attempt: int, part: int, kind: str, number: str) -> tuple[Part, bool]:
        """Notes that a part is about to be sent; the part, and whether it was about to be before, or was."""
        now = self._clock()
        values = {"outbox_id": outbox_id, "attempt": attempt, "part": part, "kind": kind, "number": number}

        def work(connection: Connection) -> tuple[Part, bool]:
            query = select(SmsSent.__table__).where(
                SmsSent.outbox_id == outbox_id, SmsSent.attempt == attempt, SmsSent.part == part
            )
            row = connection.execute(query).one_or_none()
            if row and row.status == "waiting":
                connection.execute(update(SmsSent).where(SmsSent.id == row.id).values(status="posting"))
            if row:
                return _part(row), row.status != "waiting"
            connection.execute(insert(SmsSent).values(**values, status="posting", rank=0, created_at=now, updated_at=now))
            return _part(connection.execute(query).one()), False

        return database.write(self._engine, work)

    def forget(self, part: Part) -> None:
        """Takes back that a part was about to be sent: Twilio has refused it."""
        gone = delete(SmsSent).where(SmsSent.id == part.id, SmsSent.sid.is_(None))
        database.write(self._engine, lambda connection: connection.execute(gone))

    def accepted(self, part: Part, sid: str, status: str) -> None:
        """Notes that Twilio has taken a part, and catches up with what it reported of it before it answered."""

        def work(connection: Connection) -> None:
            earlier = connection.execute(select(SmsStatus.status, SmsStatus.error_code).where(SmsStatus.sid == sid)).all()
            best = max([(RANKS.get(status, 1), status, None), *((RANKS.get(s, 0), s, code) for s, code in earlier)], key=_rank)
            values = {"sid": sid, "rank": best[0], "status": best[1], "error_code": best[2], "updated_at": self._clock()}
            connection.execute(update(SmsSent).where(SmsSent.id == part.id).values(**values))

        database.write(self._engine, work)

    def attempts(self, outbox_id: str) -> int:
        """How often a message was begun, the present attempt included; 1 for one that never was."""
        query = select(func.max(SmsSent.attempt)).where(SmsSent.outbox_id == outbox_id)
        return database.read(self._engine, lambda connection: connection.execute(query).scalar_one()) or 1

    def parts(self, outbox_id: str) -> list[Part]:
        """What was sent of a message, in order."""
        query = select(SmsSent.__table__).where(SmsSent.outbox_id == outbox_id).order_by(SmsSent.attempt, SmsSent.part)
        return database.read(self._engine, lambda connection: [_part(row) for row in connection.execute(query)])

    def reported(self, sid: str, status: str, error_code: int | None) -> tuple[bool, Part | None]:
        """Keeps a state that Twilio reports of a message: whether it is news, and the part that it is about, if known.

        A state that comes late never takes a message back.
        """
        rank = RANKS.get(status, 0)

        def work(connection: Connection) -> tuple[bool, Part | None]:
            known = select(SmsStatus.sid).where(SmsStatus.sid == sid, SmsStatus.status == status)
            news = connection.execute(known).first() is None
            if news:
                values = {"sid": sid, "status": status, "error_code": error_code, "at": self._clock()}
                connection.execute(insert(SmsStatus).values(**values))
            further = update(SmsSent).where(SmsSent.sid == sid, SmsSent.rank < rank)
            connection.execute(further.values(status=status, rank=rank, error_code=error_code, updated_at=self._clock()))
            row = connection.execute(select(SmsSent.__table__).where(SmsSent.sid == sid)).one_or_none()
            return news, _part(row) if row else None

        try:
            return database.write(self._engine, work)
        except IntegrityError:
            # The same report has just arrived elsewhere too.
            return database.write(self._engine, work)

    def send_again(self, part: Part, due_at: dt.datetime) -> None:
        """Puts a message that was lost on its way back into the outbox, as one more attempt."""

        def work(connection: Connection) -> None:
            again = update(OutboxMessage).where(OutboxMessage.id == part.outbox_id, OutboxMessage.state == "sent")
            if connection.execute(again.values(state="waiting", due_at=due_at, done_at=None)).rowcount:
                now = self._clock()
                values = {"outbox_id": part.outbox_id, "part": part.part, "kind": part.kind, "number": part.number}
                connection.execute(
                    insert(SmsSent).values(
                        **values,
                        attempt=part.attempt + 1,
                        status="waiting",
                        rank=0,
                        created_at=now,
                        updated_at=now,
                    )
                )

        database.write(self._engine, work)

    def block(self, scope: str, error_code: int) -> None:
        """Stops everything (`all`), a kind of text (`kind:…`) or texts to a number (`number:…`) until it is lifted."""

        def work(connection: Connection) -> None:
            known = select(SmsBlock.scope).where(SmsBlock.scope == scope)
            if connection.execute(known).first() is None:
                connection.execute(insert(SmsBlock).values(scope=scope, error_code=error_code, at=self._clock()))

        database.write(self._engine, work)

    def unblock(self, scope: str) -> bool:
        """Lifts a block; False when there is none of this scope."""
        gone = delete(SmsBlock).where(SmsBlock.scope == scope)
        return bool(database.write(self._engine, lambda connection: connection.execute(gone)).rowcount)

    def blocks(self) -> list[Block]:
        """What must not be sent, the oldest first."""
        query = select(SmsBlock.__table__).order_by(SmsBlock.at)
        rows = database.read(self._engine, lambda connection: connection.execute(query).all())
        return [Block(row.scope, row.error_code, row.at) for row in rows]


def _zones(number: str) -> list[zoneinfo.ZoneInfo]:
    """Where a number's owner may be; empty when its prefix does not tell."""
    try:
        names = time_zones_for_geographical_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return []
    if len(names) > MAX_ZONES:
        return []
    try:
        return [zoneinfo.ZoneInfo(name) for name in names]
    except zoneinfo.ZoneInfoNotFoundError:
        return []


def _rank(state: tuple[int, str, int | None]) -> int:
    return state[0]


def _part(row: Any) -> Part:
    return Part(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Part)})
