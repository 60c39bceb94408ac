"""The clinic's own calendars: visits are written into them, and what else they hold blocks slots."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import caldav
import httpx
from caldav.lib.error import DAVError
from icalendar import Calendar
from sqlalchemy import Connection, Engine, delete, func, insert, select

from clinic import database, hours
from clinic.calendar_ics import CalendarFiles
from clinic.clock import Clock
from clinic.errors import ClinicError
from clinic.models import Appointment, BusyBlock
from clinic.outbox import Message, SendFailed
from clinic.practice import Practice, Resource
from clinic.timetable import tick_at, tick_from
from clinic.visits import Visit

#: seconds that a calendar server may take for one answer
TIMEOUT = 20
_TYPE = {"Content-Type": "text/calendar; charset=utf-8"}


class SyncFailed(ClinicError):
    """Calendars could not be read; their busy times stay as they were. The message says which and why."""

    code = "sync_failed"


class CalendarSync:
    """Keeps CalDAV calendars in step. It is also the outbox's sender for the channel `calendar`.

    All calendars of `clinic.yml` are opened with one user and password.
    """

    def __init__(
        self,
        engine: Engine,
        practice: Practice,
        files: CalendarFiles,
        clock: Clock,
        user: str | None = None,
        password: str | None = None,
    ) -> None:
        self._engine = engine
        self._practice = practice
        self._files = files
        self._clock = clock
        self._login = {"username": user, "password": password}

    def send(self, message: Message) -> None:
        """Writes a visit into the calendars of its practitioner and room, and removes it from all others.

        Raises:
            SendFailed: a calendar server did not accept it; for now, as a refusal is the clinic's to put right.
        """
        visit: Visit = message.data["visit"]
        for resource in self._with_calendars():
            wanted = visit.slot_status == "busy" and resource.id in (visit.practitioner, visit.room)
            try:
                self._put(resource, visit) if wanted else self._remove(resource, visit)
            except (DAVError, httpx.HTTPError, OSError) as error:
                raise SendFailed(f"calendar of {resource.id}: {type(error).__name__}") from error

    def pull(self) -> dict[str, int]:
        """Reads what is busy in each calendar from now to the horizon, visits left out; returns how many times of each.

        Raises:
            SyncFailed: a calendar could not be read; the others have been.
        """
        now = self._clock()
        until = now + dt.timedelta(days=self._practice.booking.horizon_days + 1)
        found: dict[str, int] = {}
        unread = []
        for resource in self._with_calendars():
            try:
                busy = list(self._busy(resource, now, until))
            except (DAVError, httpx.HTTPError, OSError, ValueError) as error:
                unread.append(f"{resource.id} ({type(error).__name__})")
            else:
                found[resource.id] = self._keep(resource, busy)
        if unread:
            raise SyncFailed(", ".join(unread))
        return found

    def _with_calendars(self) -> list[Resource]:
        return [resource for resource in self._practice.resources if resource.calendar]

    def _client(self, resource: Resource) -> Any:
        return caldav.DAVClient(url=resource.calendar, timeout=TIMEOUT, **self._login)

    def _address(self, resource: Resource, visit: Visit) -> str:
        return f"{(resource.calendar or '').rstrip('/')}/{visit.id}.ics"

    def _put(self, resource: Resource, visit: Visit) -> None:
        with self._client(resource) as client:
            answer = client.put(self._address(resource, visit), self._files.staff(visit).decode(), _TYPE)
            if answer.status not in (200, 201, 204):
                raise DAVError(reason=f"{answer.status}")

    def _remove(self, resource: Resource, visit: Visit) -> None:
        with self._client(resource) as client:
            answer = client.request(self._address(resource, visit), "DELETE")
            if answer.status not in (200, 204, 404, 410):
                raise DAVError(reason=f"{answer.status}")

    def _busy(self, resource: Resource, now: dt.datetime, until: dt.datetime) -> Iterator[tuple[str, int, int]]:
        """The times at which a calendar is busy, as (UID, first tick, end tick)."""
        with self._client(resource) as client:
            events = client.calendar(url=resource.calendar).search(start=now, end=until, event=True, expand=True)
            for each in events:
                calendar: Any = Calendar.from_ical(each.data)
                for event in calendar.walk("VEVENT"):
                    free = event.get("TRANSP", "OPAQUE") == "TRANSPARENT" or event.get("STATUS") == "CANCELLED"
                    if not free:
                        begins, ends = self._moment(event.start), self._moment(event.end)
                        if begins < ends:
                            yield str(event.get("UID", "")), tick_at(begins), tick_from(ends)

    def _moment(self, when: dt.date) -> dt.datetime:
        if not isinstance(when, dt.datetime):
            return hours.reached(when, dt.time.min, self._practice.zone)
        return when.astimezone(dt.UTC) if when.tzinfo else hours.reached(when.date(), when.time(), self._practice.zone)

    def _keep(self, resource: Resource, busy: list[tuple[str, int, int]]) -> int:
        def work(connection: Connection) -> int:
            if connection.dialect.name == "postgresql":
                # Two processes that read one calendar at the same time must not both keep what it says.
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"calendar {resource.id}"))))
            mine = {self._files.uid(each) for each in connection.scalars(select(Appointment.id))}
            rows = [
                {"resource": resource.id, "first_tick": first, "end_tick": end} for uid, first, end in busy if uid not in mine
            ]
            connection.execute(delete(BusyBlock).where(BusyBlock.resource == resource.id))
            if rows:
                connection.execute(insert(BusyBlock), rows)
            return len(rows)

        return database.write(self._engine, work)
