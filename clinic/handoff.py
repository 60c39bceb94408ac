"""Requests for a person: none is lost, and while a person has a conversation the assistant keeps out of it."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from clinic import database, hours
from clinic.clock import Clock
from clinic.errors import Ambiguous, NotAllowed, NotFound
from clinic.models import Handoff, HandoffMessage
from clinic.practice import Practice

Urgency = Literal["emergency", "today", "routine"]
HandoffChange = Literal["opened", "raised", "contact", "claimed", "visitor_wrote", "staff_replied", "closed"]

#: the outbox's kind of a reply to a visitor that goes out by text message
REPLY = "visitor.handoff_reply"

_RANK: dict[str, int] = {"routine": 0, "today": 1, "emergency": 2}


@dataclasses.dataclass(frozen=True)
class Request:
    """A visitor's request for a person.

    `reason` is the key of a reason, `summary` a note for whoever takes it. The phone is in E.164 form: where the visitor
    can be reached and, in a conversation by text message, the number that it is with.
    """

    id: str
    conversation_id: str
    channel: str
    reason: str
    urgency: Urgency
    name: str | None
    phone: str | None
    email: str | None
    summary: str
    status: Literal["open", "claimed", "closed"]
    claimed_by: str | None
    created_at: dt.datetime
    claimed_at: dt.datetime | None
    closed_at: dt.datetime | None
    version: int


@dataclasses.dataclass(frozen=True)
class Note:
    """One message between the visitor and the person. `id` rises within a conversation."""

    id: int
    author: Literal["visitor", "staff"]
    text: str
    at: dt.datetime


@dataclasses.dataclass(frozen=True)
class Attendance:
    """Whether someone is there.

    `opens_at` is None while open, and when no opening is in sight. `closed_for` is the holiday or closure of today, if any.
    """

    open_now: bool
    opens_at: dt.datetime | None
    closed_for: str | None = None


#: told of each change in the transaction that makes it; the number names the change: a version, or a message's id
Listener = Callable[[Connection, Request, HandoffChange, int], None]


class Handoffs:
    """Opens requests for a person, and lets staff take, answer and close them."""

    def __init__(self, engine: Engine, practice: Practice, clock: Clock, listeners: Sequence[Listener] = ()) -> None:
        self._engine = engine
        self._practice = practice
        self._clock = clock
        self._listeners = listeners

    def attendance(self) -> Attendance:
        """Whether the clinic is open now, and when it opens next."""
        now = self._clock()
        if self._practice.is_open(now):
            return Attendance(True, None)
        today = now.astimezone(self._practice.zone).date()
        return Attendance(False, hours.next_opening(self._practice, now), self._practice.closed_because(today))

    def open(
        self,
        conversation_id: str,
        *,
        channel: str,
        reason: str,
        urgency: Urgency = "routine",
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        summary: str = "",
    ) -> Request:
        """Asks for a person. A conversation that waits for one already keeps its place and is brought up to date.

        What is given replaces what was known, what is not given stays; urgency only rises.
        """
        given = {"name": name, "phone": phone, "email": email, "summary": summary, "reason": reason}

        def work(connection: Connection) -> Request:
            known = self._of(connection, conversation_id)
            if known is not None:
                news: dict[str, Any] = {field: value for field, value in given.items() if value}
                raised = _RANK[urgency] > _RANK[known.urgency]
                if raised:
                    news["urgency"] = urgency
                return self._change(connection, known, "raised" if raised else None, **news)
            request_id = uuid.uuid4().hex
            connection.execute(
                insert(Handoff).values(
                    id=request_id,
                    conversation_id=conversation_id,
                    channel=channel,
                    urgency=urgency,
                    status="open",
                    created_at=self._clock(),
                    version=1,
                    **given,
                )
            )
            return self._tell(connection, request_id, "opened")

        try:
            return database.write(self._engine, work)
        except IntegrityError:
            # The same conversation has just asked from elsewhere: there is a request to bring up to date now.
            return database.write(self._engine, work)

    def reach(self, conversation_id: str, **contact: str | None) -> Request | None:
        """Adds to a waiting request how its visitor is reached, or corrects it; None when there is no such request.

        `contact` is any of `name`, `phone`, `email` and `summary`; what is None stays as it was.
        """

        def work(connection: Connection) -> Request | None:
            known = self._of(connection, conversation_id)
            news = {field: value for field, value in contact.items() if value}
            return known and self._change(connection, known, "contact", **news)

        return database.write(self._engine, work)

    def of(self, conversation_id: str) -> Request | None:
        """A conversation's request that is not closed; None when it has none."""
        return database.read(self._engine, lambda connection: self._of(connection, conversation_id, lock=False))

    def with_person(self, conversation_id: str) -> bool:
        """Whether a person has the conversation, so that the assistant keeps quiet."""
        request = self.of(conversation_id)
        return request is not None and request.status == "claimed"

    def requests(self, *statuses: Literal["open", "claimed", "closed"]) -> list[Request]:
        """The requests in the given states, `open` and `claimed` by default: most urgent first, then oldest first."""
        query = select(Handoff.__table__).where(Handoff.status.in_(statuses or ("open", "claimed")))
        rows = database.read(self._engine, lambda connection: [_request(row) for row in connection.execute(query)])
        return sorted(rows, key=lambda request: (-_RANK[request.urgency], request.created_at))

    def get(self, request_id: str) -> Request:
        """The request of an id.

        Raises:
            NotFound: there is none.
        """
        return database.read(self._engine, lambda connection: self._get(connection, request_id, lock=False))

    def find(self, start: str) -> Request:
        """The request whose id begins so.

        Raises:
            NotFound: there is none.
            Ambiguous: there are several.
        """
        query = select(Handoff.__table__).where(Handoff.id.startswith(start, autoescape=True)).limit(2)
        rows = database.read(self._engine, lambda connection: connection.execute(query).all())
        if len(rows) > 1:
            raise Ambiguous(start)
        if not rows or not start:
            raise NotFound(start)
        return _request(rows[0])

    def claim(self, request_id: str, staff: str) -> Request:
        """Gives a request to a member of staff; again, or from a colleague, is well too.

        Raises:
            NotFound: there is none.
            NotAllowed: it is closed.
        """

        def work(connection: Connection) -> Request:
            request = self._unclosed(connection, request_id)
            return self._change(connection, request, "claimed", status="claimed", claimed_by=staff, claimed_at=self._clock())

        return database.write(self._engine, work)

    def reply(self, request_id: str, staff: str, text: str) -> Note:
        """Writes to the visitor.

        Raises:
            NotFound: there is no such request.
            NotAllowed: it is not this member of staff who has it.
        """

        def work(connection: Connection) -> Note:
            request = self._unclosed(connection, request_id)
            if request.status != "claimed" or request.claimed_by != staff:
                raise NotAllowed(request.status)
            return self._note(connection, request, "staff", text)

        return database.write(self._engine, work)

    def said(self, conversation_id: str, text: str) -> Note | None:
        """Keeps what a visitor wrote for the person who has the conversation; None when nobody has it."""

        def work(connection: Connection) -> Note | None:
            request = self._of(connection, conversation_id)
            if request is None or request.status != "claimed":
                return None
            return self._note(connection, request, "visitor", text)

        return database.write(self._engine, work)

    def close(self, request_id: str) -> Request:
        """Ends a request: the conversation is the assistant's again. Closing it twice is well too.

        Raises:
            NotFound: there is none.
        """

        def work(connection: Connection) -> Request:
            request = self._get(connection, request_id)
            if request.status == "closed":
                return request
            return self._change(connection, request, "closed", status="closed", closed_at=self._clock())

        return database.write(self._engine, work)

    def notes(self, conversation_id: str, *, after: int = 0) -> list[Note]:
        """The messages of a conversation with people, closed requests included, whose id is greater than `after`."""
        query = (
            select(HandoffMessage.id, HandoffMessage.author, HandoffMessage.text, HandoffMessage.at)
            .join(Handoff, Handoff.id == HandoffMessage.handoff_id)
            .where(Handoff.conversation_id == conversation_id, HandoffMessage.id > after)
            .order_by(HandoffMessage.id)
        )
        return database.read(self._engine, lambda connection: [_note(row) for row in connection.execute(query)])

    def _of(self, connection: Connection, conversation_id: str, *, lock: bool = True) -> Request | None:
        query = select(Handoff.__table__).where(Handoff.conversation_id == conversation_id, Handoff.status != "closed")
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _request(row)

    def _get(self, connection: Connection, request_id: str, *, lock: bool = True) -> Request:
        query = select(Handoff.__table__).where(Handoff.id == request_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise NotFound(request_id)
        return _request(row)

    def _unclosed(self, connection: Connection, request_id: str) -> Request:
        request = self._get(connection, request_id)
        if request.status == "closed":
            raise NotAllowed(request.status)
        return request

    def _change(self, connection: Connection, request: Request, change: HandoffChange | None, **values: Any) -> Request:
        values["version"] = request.version + 1
        connection.execute(update(Handoff).where(Handoff.id == request.id).values(**values))
        if change is None:
            return self._get(connection, request.id)
        return self._tell(connection, request.id, change)

    def _note(self, connection: Connection, request: Request, author: Literal["visitor", "staff"], text: str) -> Note:
        at = self._clock()
        added = connection.execute(insert(HandoffMessage).values(handoff_id=request.id, author=author, text=text, at=at))
        (number,) = added.inserted_primary_key or (0,)
        self._tell(connection, request.id, "staff_replied" if author == "staff" else "visitor_wrote", number)
        return Note(number, author, text, at)

    def _tell(self, connection: Connection, request_id: str, change: HandoffChange, number: int | None = None) -> Request:
        request = self._get(connection, request_id)
        for listener in self._listeners:
            listener(connection, request, change, request.version if number is None else number)
        return request


def _request(row: Row[Any]) -> Request:
    return Request(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Request)})


def _note(row: Row[Any]) -> Note:
    return Note(row.id, row.author, row.text, row.at)
