"""What is kept about a person: handed out, erased, and purged when its time is over."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, or_, select, update

from clinic import database
from clinic.booking import Booking
from clinic.clock import Clock
from clinic.errors import UpcomingVisits
from clinic.models import (
    ActionResult,
    Appointment,
    AppointmentChange,
    Consent,
    Conversation,
    Handoff,
    HandoffMessage,
    LookupTry,
    OutboxMessage,
    SmsInbound,
    SmsNumber,
    SmsSent,
    SmsStatus,
    Turn,
    UnansweredQuestion,
)

#: takes the place of the conversation's id in the visits of a person who was erased
ERASED = "erased"


class Privacy:
    """Answers for what the database knows about people, by phone number in E.164 form.

    Their conversations are those in which they booked, asked for a person, agreed to something or gave the number;
    `conversations` names further ones, for channels whose ids belong to a number.
    """

    def __init__(self, engine: Engine, booking: Booking, clock: Clock) -> None:
        self._engine = engine
        self._booking = booking
        self._clock = clock

    def export(self, phone: str, conversations: Collection[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """Everything about a person, by table, ready for JSON."""

        def work(connection: Connection) -> dict[str, list[dict[str, Any]]]:
            ids = self._conversations(connection, phone, conversations)
            visits = select(Appointment.id).where(Appointment.phone == phone)
            requests = _requests_of(phone, ids)
            queries = {
                "appointments": select(Appointment.__table__).where(Appointment.phone == phone),
                "appointment_changes": select(AppointmentChange.__table__).where(AppointmentChange.appointment_id.in_(visits)),
                "handoffs": select(Handoff.__table__).where(Handoff.id.in_(requests)),
                "handoff_messages": select(HandoffMessage.__table__).where(HandoffMessage.handoff_id.in_(requests)),
                "consents": select(Consent.__table__).where(Consent.phone == phone),
                "conversations": select(Conversation.__table__).where(Conversation.id.in_(ids)),
                "turns": select(Turn.__table__).where(Turn.conversation_id.in_(ids)),
                "texts_received": select(SmsInbound.__table__).where(SmsInbound.number == phone),
                "texts_sent": select(SmsSent.__table__).where(SmsSent.number == phone),
                "texting": select(SmsNumber.__table__).where(SmsNumber.number == phone),
            }
            return {name: _plain(connection.execute(query).all()) for name, query in queries.items()}

        return database.read(self._engine, work)

    def erase(self, phone: str, conversations: Collection[str] = (), *, cancel_upcoming: bool = False) -> dict[str, int]:
        """Erases a person: visits stay in the books without them, the rest goes; returns how many rows of what.

        A refusal, such as of texts, is kept, and so is a carrier's block, because both must go on being obeyed.

        Raises:
            UpcomingVisits: visits are still ahead and are not to be cancelled.
        """
        upcoming = self._booking.upcoming(phone)
        if upcoming and not cancel_upcoming:
            raise UpcomingVisits
        for visit in upcoming:
            self._booking.cancel(visit.id, version=visit.version, actor="staff")

        def work(connection: Connection) -> dict[str, int]:
            ids = self._conversations(connection, phone, conversations)
            nobody = {"name": None, "phone": None, "email": None, "pending_reason": None, "holder": ERASED}
            statements = {
                "holds": delete(Appointment).where(Appointment.holder.in_(ids), Appointment.status == "proposed"),
                "handoffs": delete(Handoff).where(Handoff.id.in_(_requests_of(phone, ids))),
                "conversations": delete(Conversation).where(Conversation.id.in_(ids)),
                "lookup_tries": delete(LookupTry).where(LookupTry.holder.in_(ids)),
                "texts_received": delete(SmsInbound).where(SmsInbound.number == phone),
                "texts_sent": delete(SmsSent).where(SmsSent.number == phone),
                "texting": delete(SmsNumber).where(SmsNumber.number == phone),
                "consents": delete(Consent).where(Consent.phone == phone, Consent.given.is_(True)),
                "refusals": update(Consent).where(Consent.phone == phone).values(conversation_id=None),
                "appointments": update(Appointment).where(Appointment.phone == phone).values(**nobody),
            }
            return {name: connection.execute(statement).rowcount for name, statement in statements.items()}

        return database.write(self._engine, work)

    def purge(self, conversations: dt.timedelta, requests: dt.timedelta) -> dict[str, int]:
        """Deletes what has rested for longer than it is kept; returns how many rows of what.

        Closed requests are kept for `requests`. For `conversations` are kept: conversations, unless a request of theirs
        is not closed; texts and the thread of each number; unanswered questions, results of actions, failed look-ups, and
        messages that were sent or dropped. Visits, consents and dead messages stay.
        """
        before = self._clock() - conversations
        active = select(Turn.conversation_id).group_by(Turn.conversation_id).having(func.max(Turn.at) >= before)
        waiting = select(Handoff.conversation_id).where(Handoff.status != "closed")
        statements = {
            "conversations": delete(Conversation).where(
                Conversation.started_at < before, Conversation.id.not_in(active), Conversation.id.not_in(waiting)
            ),
            "handoffs": delete(Handoff).where(Handoff.status == "closed", Handoff.closed_at < self._clock() - requests),
            "action_results": delete(ActionResult).where(ActionResult.at < before),
            "lookup_tries": delete(LookupTry).where(LookupTry.at < before),
            "texts_received": delete(SmsInbound).where(SmsInbound.received_at < before),
            "texts_sent": delete(SmsSent).where(SmsSent.updated_at < before),
            "text_states": delete(SmsStatus).where(SmsStatus.at < before),
            "texting": delete(SmsNumber).where(SmsNumber.updated_at < before),
            "unanswered_questions": delete(UnansweredQuestion).where(UnansweredQuestion.at < before),
            "messages": delete(OutboxMessage).where(OutboxMessage.state.in_(("sent", "dropped")), OutboxMessage.done_at < before),
        }

        def work(connection: Connection) -> dict[str, int]:
            return {name: connection.execute(statement).rowcount for name, statement in statements.items()}

        return database.write(self._engine, work)

    def _conversations(self, connection: Connection, phone: str, known: Collection[str]) -> list[str]:
        held = select(Appointment.holder).where(Appointment.phone == phone, Appointment.holder != ERASED)
        asked = select(Handoff.conversation_id).where(Handoff.phone == phone)
        agreed = select(Consent.conversation_id).where(Consent.phone == phone, Consent.conversation_id.is_not(None))
        gave = select(Turn.conversation_id).where(or_(Turn.events.contains(phone), Turn.before.contains(phone)))
        found = (str(each) for query in (held, asked, agreed, gave) for each in connection.scalars(query))
        return sorted({*known, *found})


def _requests_of(phone: str, conversations: Collection[str]) -> Any:
    return select(Handoff.id).where(or_(Handoff.phone == phone, Handoff.conversation_id.in_(conversations)))


def _plain(rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    return [
        {name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in row._asdict().items()}
        for row in rows
    ]
