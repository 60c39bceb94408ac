"""Puts messages together when they are sent, from what is true at that time."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, Engine, select

from clinic import consent, database, hours
from clinic.calendar_ics import CalendarFiles, Method
from clinic.clock import Clock
from clinic.errors import NotFound
from clinic.models import AppointmentChange, Handoff, HandoffMessage
from clinic.notices import ANNOUNCED
from clinic.outbox import Attachment, Dropped, Entry, Message, Postponed
from clinic.practice import Practice
from clinic.visits import Visit, Visits
from clinic.wording import Letter, Wording

#: outbox kinds of reminders begin so, and end in how long before the visit they are
REMINDER = "visitor.reminder"


class Letters:
    """The composer of the outbox's worker."""

    def __init__(self, engine: Engine, practice: Practice, wording: Wording, clock: Clock) -> None:
        self._engine = engine
        self._practice = practice
        self._staff = practice.staff_email or practice.email
        self._wording = wording
        self._clock = clock
        self._visits = Visits(practice)
        self._files = CalendarFiles(practice, wording, clock)

    def compose(self, entry: Entry) -> Message:
        """The message in full.

        Raises:
            Dropped: it is no longer true, or its reader does not want it.
            Postponed: it is a text that may not be sent at this hour.
        """
        return database.read(self._engine, lambda connection: self._compose(connection, entry))

    def _compose(self, connection: Connection, entry: Entry) -> Message:
        audience, _, what = entry.kind.partition(".")
        if what == "handoff_reply":
            return self._reply(connection, entry)
        if what.startswith("handoff_"):
            return self._about_handoff(connection, entry, what)
        try:
            visit = self._visits.get(connection, entry.subject)
        except NotFound as error:
            raise Dropped("gone") from error
        if entry.channel == "webhook":
            return Message(entry.id, entry.kind, data=self._event(connection, visit, entry.version))
        if entry.kind.startswith(REMINDER):
            self._check_reminder(visit, entry)
            what = "reminder"
        elif self._superseded(connection, visit, entry.version):
            raise Dropped("superseded")
        if entry.channel == "calendar":
            return Message(entry.id, entry.kind, data={"visit": visit})
        if entry.channel == "text":
            return self._text(connection, entry, what, visit)
        letters = self._wording.staff if audience == "staff" else self._wording.visitor
        letter: Letter = getattr(letters, what)
        to = self._staff if audience == "staff" else visit.email
        if not to:
            raise Dropped("no address")
        attachments = self._invitation(visit, what) if audience == "visitor" and what != "reminder" else ()
        return self._letter(entry, letter, to, self._about_visit(visit), attachments)

    def _letter(
        self,
        entry: Entry,
        letter: Letter,
        to: str,
        names: dict[str, str],
        attachments: tuple[Attachment, ...] = (),
    ) -> Message:
        # A line break in a name must not end the subject.
        subject = " ".join(letter.subject.format_map(names).split())
        return Message(entry.id, entry.kind, to, subject, letter.text.format_map(names), attachments=attachments)

    def _text(self, connection: Connection, entry: Entry, what: str, visit: Visit) -> Message:
        if not visit.phone or not consent.given(connection, visit.phone, consent.TEXTS):
            raise Dropped("no consent")
        allowed = hours.within(self._clock(), self._practice.reminders.window, self._practice.zone)
        if allowed > self._clock():
            raise Postponed(allowed)
        template: str = getattr(self._wording.texts, what)
        return Message(entry.id, entry.kind, visit.phone, text=template.format_map(self._about_visit(visit)))

    def _reply(self, connection: Connection, entry: Entry) -> Message:
        row = connection.execute(
            select(HandoffMessage.text, Handoff.phone)
            .join(Handoff, Handoff.id == HandoffMessage.handoff_id)
            .where(HandoffMessage.id == entry.version)
        ).one_or_none()
        if row is None or not row.phone:
            raise Dropped("gone")
        if consent.refused(connection, row.phone, consent.TEXTS):
            raise Dropped("no consent")
        return Message(entry.id, entry.kind, row.phone, text=row.text)

    def _about_handoff(self, connection: Connection, entry: Entry, what: str) -> Message:
        row = connection.execute(select(Handoff.__table__).where(Handoff.id == entry.subject)).one_or_none()
        if row is None:
            raise Dropped("gone")
        if what == "handoff_unclaimed" and row.status != "open":
            raise Dropped("claimed")
        facts = {"request": row.id, "urgency": row.urgency, "reason": row.reason}
        if entry.channel == "webhook":
            return Message(entry.id, entry.kind, data=facts | {"status": row.status, "number": entry.version})
        letter: Letter = getattr(self._wording.staff, what)
        names = self._always() | facts | {"name": row.name or "-", "phone": row.phone or "-"}
        return self._letter(entry, letter, self._staff, names)

    def _check_reminder(self, visit: Visit, entry: Entry) -> None:
        if visit.status != "booked" or visit.version != entry.version or visit.starts_at <= self._clock():
            raise Dropped("superseded")

    def _superseded(self, connection: Connection, visit: Visit, version: int) -> bool:
        later = select(AppointmentChange.version).where(
            AppointmentChange.appointment_id == visit.id,
            AppointmentChange.version > version,
            AppointmentChange.change.in_(ANNOUNCED),
        )
        return connection.execute(later.limit(1)).one_or_none() is not None

    def _event(self, connection: Connection, visit: Visit, version: int) -> dict[str, Any]:
        """The visit as the event left it, with nothing personal."""
        past = next(row for row in self._visits.history(connection, visit.id) if row["version"] == version)
        then = {"version": version, "status": past["status"], "practitioner": past["practitioner"]}
        then["starts_at"] = past["starts_at"].astimezone(self._practice.zone).isoformat()
        length = visit.ends_at.astimezone(dt.UTC) - visit.starts_at.astimezone(dt.UTC)
        then["ends_at"] = (past["starts_at"].astimezone(dt.UTC) + length).astimezone(self._practice.zone).isoformat()
        names = ("id", "reference", "service", "channel")
        return {name: getattr(visit, name) for name in names} | then

    def _invitation(self, visit: Visit, what: str) -> tuple[Attachment, ...]:
        method: Method = "CANCEL" if what == "visit_cancelled" else "REQUEST"
        content = self._files.visitor(visit, method)
        return (Attachment("appointment.ics", f"text/calendar; method={method}", content),)

    def _always(self) -> dict[str, str]:
        return {
            "clinic": self._practice.name,
            "clinic_phone": self._practice.phone,
            "address": self._practice.address,
            "zone": self._practice.time_zone,
        }

    def _about_visit(self, visit: Visit) -> dict[str, str]:
        service = self._practice.service(visit.service)
        return self._always() | {
            "name": visit.name or "-",
            "phone": visit.phone or "-",
            "reference": visit.reference,
            "service": service.name if service else visit.service,
            "practitioner": self._practice.called(visit.practitioner),
            "room": self._practice.called(visit.room) if visit.room else "-",
            "pending_reason": self._wording.reason(visit.pending_reason or "-"),
            "when": self._wording.moment(visit.starts_at),
            "when_short": self._wording.moment(visit.starts_at, short=True),
        }
