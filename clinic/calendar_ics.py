"""Visits as iCalendar files: the visitor's own, and feeds that staff subscribe to."""

import datetime as dt
import hashlib
import secrets
from typing import Literal

from icalendar import Calendar, Event, vCalAddress
from sqlalchemy import Engine, func, insert, or_, select, update

from clinic import database
from clinic.clock import Clock
from clinic.errors import UnknownResource
from clinic.models import Appointment, Feed
from clinic.practice import Practice
from clinic.visits import Visit, Visits
from clinic.wording import Wording

PRODUCT = "-//Stipple//Front desk//EN"
#: how far back a feed goes
PAST = dt.timedelta(days=30)

Method = Literal["PUBLISH", "REQUEST", "CANCEL"]

_STATUS = {"pending": "TENTATIVE", "proposed": "TENTATIVE", "cancelled": "CANCELLED"}


class CalendarFiles:
    """Writes iCalendar files."""

    def __init__(self, practice: Practice, wording: Wording, clock: Clock) -> None:
        self._practice = practice
        self._wording = wording
        self._clock = clock

    def uid(self, visit_id: str) -> str:
        """What identifies a visit in every calendar, whatever becomes of it."""
        return f"{visit_id}@{self._practice.email.rpartition('@')[2]}"

    def visitor(self, visit: Visit, method: Method = "PUBLISH") -> bytes:
        """The visitor's file: PUBLISH to download, REQUEST or CANCEL for an e-mail. It names no treatment."""
        calendar = self._calendar(method)
        event = self._event(visit, self._wording.calendar.visitor)
        event.add("location", self._practice.address)
        if method != "PUBLISH":
            organizer = vCalAddress(f"mailto:{self._practice.email}")
            organizer.params["CN"] = self._practice.name
            event.add("organizer", organizer)
            event.add("attendee", vCalAddress(f"mailto:{visit.email}"))
        calendar.add_component(event)
        return bytes(calendar.to_ical())

    def staff(self, *visits: Visit, name: str = "") -> bytes:
        """The clinic's own file of some visits: service and reference, nothing about the person."""
        calendar = self._calendar("PUBLISH" if name else None)
        if name:
            calendar.add("x-wr-calname", name)
        titles = self._wording.calendar
        for visit in visits:
            calendar.add_component(self._event(visit, titles.staff_pending if visit.status == "pending" else titles.staff))
        return bytes(calendar.to_ical())

    def _calendar(self, method: Method | None) -> Calendar:
        calendar = Calendar()
        calendar.add("prodid", PRODUCT)
        calendar.add("version", "2.0")
        if method:
            calendar.add("method", method)
        return calendar

    def _event(self, visit: Visit, title: str) -> Event:
        service = self._practice.service(visit.service)
        names = {"clinic": self._practice.name, "reference": visit.reference}
        event = Event()
        event.add("uid", self.uid(visit.id))
        event.add("dtstamp", self._clock().astimezone(dt.UTC))
        event.add("sequence", visit.version)
        event.add("dtstart", visit.starts_at.astimezone(dt.UTC))
        event.add("dtend", visit.ends_at.astimezone(dt.UTC))
        event.add("summary", title.format_map(names | {"service": service.name if service else visit.service}))
        event.add("status", _STATUS.get(visit.status, "CONFIRMED"))
        return event


class Feeds:
    """Calendar feeds, one secret address for each subscriber."""

    def __init__(self, engine: Engine, practice: Practice, files: CalendarFiles, clock: Clock) -> None:
        self._engine = engine
        self._practice = practice
        self._files = files
        self._clock = clock
        self._visits = Visits(practice)

    def issue(self, resource: str) -> str:
        """A new secret for the feed of a practitioner or a room. It is shown this once.

        Raises:
            UnknownResource: the practice has none of this id.
        """
        if self._practice.resource(resource) is None:
            raise UnknownResource(resource)
        secret = secrets.token_urlsafe(32)
        row = insert(Feed).values(resource=resource, secret_hash=_hash(secret), created_at=self._clock())
        database.write(self._engine, lambda connection: connection.execute(row))
        return secret

    def revoke(self, resource: str) -> int:
        """Makes all secrets of a resource useless; returns how many."""
        gone = update(Feed).where(Feed.resource == resource, Feed.revoked_at.is_(None)).values(revoked_at=self._clock())
        return database.write(self._engine, lambda connection: connection.execute(gone)).rowcount

    def live(self) -> dict[str, int]:
        """How many secrets open the feed of each resource that has any."""
        query = select(Feed.resource, func.count()).where(Feed.revoked_at.is_(None)).group_by(Feed.resource)
        return database.read(self._engine, lambda connection: dict(connection.execute(query).tuples().all()))

    def read(self, secret: str) -> tuple[bytes, str] | None:
        """The feed that a secret opens, visits from 30 days ago on, and what names its version; None when it opens none."""
        live = select(Feed.resource).where(Feed.secret_hash == _hash(secret), Feed.revoked_at.is_(None))
        with self._engine.execution_options(only_reads=True).connect() as connection:
            name = connection.execute(live).scalar_one_or_none()
            resource = self._practice.resource(name) if name else None
            if resource is None:
                return None
            visits = self._visits.where(
                connection,
                or_(Appointment.practitioner == resource.id, Appointment.room == resource.id),
                Appointment.starts_at > self._clock() - PAST,
                Appointment.status.not_in(("proposed", "cancelled", "entered-in-error")),
            )
        content = self._files.staff(*visits, name=resource.name)
        # Each reading is stamped with its own time, which makes no other version of it.
        said = b"".join(line for line in content.splitlines() if not line.startswith(b"DTSTAMP"))
        return content, hashlib.sha256(said).hexdigest()[:32]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
