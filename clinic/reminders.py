"""Reminders: one row for each that is due, looked at again before anything is sent."""

import datetime as dt

from sqlalchemy import Connection, Engine, insert, select, update

from clinic import consent, database, hours
from clinic.clock import Clock
from clinic.errors import NotFound
from clinic.letters import REMINDER
from clinic.models import Reminder
from clinic.outbox import Outbox
from clinic.practice import Practice
from clinic.visits import Actor, Change, Visit, Visits

_SCHEDULED_AT: tuple[Change, ...] = ("booked", "approved", "acknowledged", "moved")


class Reminders:
    """Schedules reminders with the visits, and hands those that fall due to the outbox."""

    def __init__(self, engine: Engine, practice: Practice, clock: Clock, outbox: Outbox) -> None:
        self._engine = engine
        self._practice = practice
        self._clock = clock
        self._outbox = outbox
        self._visits = Visits(practice)

    def visit_changed(self, connection: Connection, visit: Visit, change: Change, _actor: Actor) -> None:
        """Schedules the reminders of a booked visit that are not past already; those of older versions lapse."""
        if change not in _SCHEDULED_AT or visit.status != "booked":
            return
        for ahead in self._practice.reminders.hours_before:
            # Hours between local times are the wall clock's, which are not true ones when clocks change.
            due_at = visit.starts_at.astimezone(dt.UTC) - dt.timedelta(hours=ahead)
            if due_at > self._clock():
                connection.execute(
                    insert(Reminder).values(
                        appointment_id=visit.id,
                        kind=f"{ahead}h",
                        version=visit.version,
                        due_at=due_at,
                        state="waiting",
                    )
                )

    def run_once(self, limit: int = 50) -> int:
        """Hands at most `limit` reminders that are due to the outbox; returns how many were looked at."""
        done = 0
        while done < limit and database.write(self._engine, self._next):
            done += 1
        return done

    def _next(self, connection: Connection) -> bool:
        due = (
            select(Reminder.appointment_id, Reminder.kind, Reminder.version)
            .where(Reminder.state == "waiting", Reminder.due_at <= self._clock())
            .order_by(Reminder.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = connection.execute(due).one_or_none()
        if row is None:
            return False
        connection.execute(
            update(Reminder)
            .where(
                Reminder.appointment_id == row.appointment_id,
                Reminder.kind == row.kind,
                Reminder.version == row.version,
            )
            .values(**self._outcome(connection, row.appointment_id, row.kind, row.version))
        )
        return True

    def _outcome(self, connection: Connection, visit_id: str, kind: str, version: int) -> dict[str, object]:
        now = self._clock()
        try:
            visit = self._visits.get(connection, visit_id)
        except NotFound:
            return {"state": "skipped"}
        if visit.status != "booked" or visit.version != version or visit.starts_at <= now:
            return {"state": "skipped"}
        channel = self._channel(connection, visit)
        if channel is None:
            return {"state": "skipped"}
        if channel == "text":
            allowed = hours.within(now, self._practice.reminders.window, self._practice.zone)
            if allowed >= visit.starts_at:
                return {"state": "skipped"}
            if allowed > now:
                return {"due_at": allowed}
        self._outbox.add(connection, channel, f"{REMINDER}_{kind}", visit.id, version)
        return {"state": "sent"}

    def _channel(self, connection: Connection, visit: Visit) -> str | None:
        """By text when the visitor agreed to that, by e-mail when they gave an address, or not at all."""
        channels = self._outbox.channels
        if "text" in channels and visit.phone and consent.given(connection, visit.phone, consent.TEXTS):
            return "text"
        return "email" if "email" in channels and visit.email else None
