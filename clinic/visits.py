"""A visit, as services hand it out."""

import dataclasses
import datetime as dt
import secrets
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select

from clinic.errors import NotFound
from clinic.models import Appointment, AppointmentChange
from clinic.practice import Practice

#: FHIR's words: a hold is `proposed`, a visit that a clinician must allow first is `pending`
Status = Literal["proposed", "pending", "booked", "checked-in", "arrived", "fulfilled", "noshow", "cancelled", "entered-in-error"]
SlotStatus = Literal["busy-tentative", "busy", "free"]
Actor = Literal["visitor", "staff", "system"]
Change = Literal["held", "renewed", "booked", "pending", "approved", "acknowledged", "moved", "cancelled", "recorded"]

#: states of a visit that is still to come
AHEAD = ("pending", "booked")
# Without letters and digits that look or sound alike.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 6
# Kept in the visit's row and nowhere else, so that they can be erased.
_PERSONAL = ("name", "phone", "email", "holder", "pending_reason")


@dataclasses.dataclass(frozen=True)
class Visitor:
    """Who comes. The phone is in E.164 form."""

    name: str
    phone: str
    email: str | None = None


@dataclasses.dataclass(frozen=True)
class Visit:
    """A visit as it is at one version. Moments are aware, in the clinic's time zone."""

    id: str
    reference: str
    service: str
    practitioner: str
    room: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    status: Status
    version: int
    holder: str
    channel: str
    hold_expires_at: dt.datetime | None
    renewed: bool
    pending_reason: str | None
    name: str | None
    phone: str | None
    email: str | None

    def waits_for_clinician(self, concern: str | None) -> bool:
        """Whether a clinician has still to confirm the visit of somebody with a matter that a clinician decides."""
        return self.status == "pending" or (self.status == "booked" and concern not in (None, self.pending_reason))

    @property
    def slot_status(self) -> SlotStatus:
        """What the visit makes of its slot, in FHIR's words."""
        if self.status == "proposed":
            return "busy-tentative"
        return "free" if self.status in ("cancelled", "entered-in-error") else "busy"

    def facts(self) -> dict[str, Any]:
        """The visit without anything personal, ready for JSON."""
        return {
            field.name: value.isoformat() if isinstance(value, dt.datetime) else value
            for field in dataclasses.fields(self)
            if field.name not in _PERSONAL
            for value in [getattr(self, field.name)]
        }


def new_reference() -> str:
    """A reference that visitors can read out: six letters and digits, some of each, one of 615 million."""
    while True:
        # A word of six letters, or a number, could not be told from a reference in a message.
        made = "".join(secrets.choice(_ALPHABET) for _ in range(_REFERENCE_LENGTH))
        if not (made.isalpha() or made.isdigit()):
            return made


def tidy_reference(text: str) -> str:
    """A reference as people write it, in the form in which it is kept."""
    return "".join(letter for letter in text.upper() if letter in _ALPHABET)[:12]


class Visits:
    """Reads visits, and writes their history, in a transaction of the caller's."""

    def __init__(self, practice: Practice) -> None:
        self._zone = practice.zone

    def get(self, connection: Connection, visit_id: str, *, lock: bool = False) -> Visit:
        """The visit of an id; with `lock`, no one else changes it until the transaction ends.

        Raises:
            NotFound: there is none.
        """
        query = select(*Appointment.__table__.columns).where(Appointment.id == visit_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise NotFound(visit_id)
        return self.of(row)

    def where(self, connection: Connection, *conditions: Any) -> list[Visit]:
        """The visits that meet conditions on `Appointment`, by start."""
        query = select(*Appointment.__table__.columns).where(*conditions).order_by(Appointment.starts_at)
        return [self.of(row) for row in connection.execute(query)]

    def of(self, row: Row[Any]) -> Visit:
        """The visit of a row of `Appointment`."""
        values = {field.name: getattr(row, field.name) for field in dataclasses.fields(Visit)}
        for name, value in values.items():
            if isinstance(value, dt.datetime):
                values[name] = value.astimezone(self._zone)
        return Visit(**values)

    def of_facts(self, connection: Connection, facts: dict[str, Any]) -> Visit:
        """The visit that once gave these facts, with the person as the database knows them now."""
        columns = [getattr(Appointment, name) for name in _PERSONAL]
        row = connection.execute(select(*columns).where(Appointment.id == facts["id"])).one_or_none()
        person = row._asdict() if row else dict.fromkeys(_PERSONAL) | {"holder": ""}
        values: dict[str, Any] = facts | person
        for name in ("starts_at", "ends_at", "hold_expires_at"):
            if values[name] is not None:
                values[name] = dt.datetime.fromisoformat(values[name]).astimezone(self._zone)
        return Visit(**values)

    def record(self, connection: Connection, visit: Visit, change: Change, actor: Actor, at: dt.datetime) -> None:
        """Adds what a visit has become to its history."""
        connection.execute(
            insert(AppointmentChange).values(
                appointment_id=visit.id,
                version=visit.version,
                at=at,
                change=change,
                actor=actor,
                status=visit.status,
                practitioner=visit.practitioner,
                starts_at=visit.starts_at,
            )
        )

    def history(self, connection: Connection, visit_id: str) -> list[dict[str, Any]]:
        """What has happened to a visit, in order."""
        columns = [column for column in AppointmentChange.__table__.columns if column.name != "appointment_id"]
        query = select(*columns).where(AppointmentChange.appointment_id == visit_id).order_by(AppointmentChange.version)
        return [row._asdict() for row in connection.execute(query)]
