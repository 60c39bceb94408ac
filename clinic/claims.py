"""Taking and giving back the ticks of practitioners and rooms."""

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from clinic.errors import SlotTaken, SlotUnavailable, UnknownResource
from clinic.models import Appointment, BusyBlock, Claim
from clinic.practice import Service
from clinic.timetable import Timetable, extent, tick_at

#: how often other resources are looked for when someone else was quicker
ATTEMPTS = 5

#: writes the visit's row with its practitioner, room, first tick and end tick
Writer = Callable[[str, str | None, int, int], None]


def ticks(service: Service, starts_at: dt.datetime) -> tuple[int, int]:
    """The ticks that a visit claims, buffers included: the first, and the one after the last."""
    needs = extent(service)
    first = tick_at(starts_at) - needs.before
    return first, first + needs.whole


class Claims:
    """Claims ticks for visits, in a transaction of the caller's."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    def take(
        self,
        connection: Connection,
        visit_id: str,
        service: Service,
        starts_at: dt.datetime,
        now: dt.datetime,
        practitioner: str | None,
        write: Writer,
    ) -> None:
        """Finds a practitioner and a room for a visit, writes the visit, claims their ticks, frees what it had before.

        Raises:
            SlotUnavailable: the clinic does not offer this start.
            SlotTaken: nobody who could is free.
            UnknownResource: the practitioner asked for does not do the service.
        """
        reason = self._timetable.refusal(service, starts_at, now)
        if reason:
            raise SlotUnavailable(reason)
        practice = self._timetable.practice
        able = self._timetable.able(service, starts_at)
        if practitioner is not None:
            if practitioner not in [one.id for one in practice.practitioners(service.id)]:
                raise UnknownResource(practitioner)
            able = [one for one in able if one.id == practitioner]
        listed = practice.rooms(service.id)
        rooms = [one.id for one in self._timetable.working(listed, service, starts_at)] if listed else [None]
        first, end = ticks(service, starts_at)
        self._drop_expired(connection, first, end, now)
        for _ in range(ATTEMPTS):
            taken = self._taken(connection, visit_id, first, end)
            who = next((one.id for one in able if one.id not in taken), None)
            where = [room for room in rooms if room not in taken]
            if who is None or not where:
                raise SlotTaken
            try:
                with connection.begin_nested():
                    write(who, where[0], first, end)
                    self._swap(connection, visit_id, [who, where[0]], first, end)
                return
            except IntegrityError as error:
                if not any(table in str(error.orig) for table in ("claim", "reference")):
                    raise
        raise SlotTaken

    def free(self, connection: Connection, visit_id: str) -> None:
        """Gives back all that a visit claims."""
        connection.execute(delete(Claim).where(Claim.appointment_id == visit_id))

    def _swap(self, connection: Connection, visit_id: str, resources: list[str | None], first: int, end: int) -> None:
        wanted = {(resource, tick) for resource in resources if resource for tick in range(first, end)}
        mine = select(Claim.resource, Claim.tick).where(Claim.appointment_id == visit_id)
        had = {(row.resource, row.tick) for row in connection.execute(mine)}
        # In one order everywhere, so that two transactions never wait for each other in a ring.
        new = [{"resource": resource, "tick": tick, "appointment_id": visit_id} for resource, tick in sorted(wanted - had)]
        if new:
            # RETURNING makes it one statement; without, PostgreSQL's driver makes it a pipeline and logs each conflict.
            connection.execute(insert(Claim).returning(Claim.tick), new).all()
        for resource in {resource for resource, _ in had - wanted}:
            gone = [tick for name, tick in had - wanted if name == resource]
            connection.execute(delete(Claim).where(Claim.resource == resource, Claim.tick.in_(gone)))

    def _taken(self, connection: Connection, visit_id: str, first: int, end: int) -> set[str]:
        claims = select(Claim.resource).where(
            Claim.resource.in_([resource.id for resource in self._timetable.practice.resources]),
            Claim.tick >= first,
            Claim.tick < end,
            Claim.appointment_id != visit_id,
        )
        blocks = select(BusyBlock.resource).where(BusyBlock.first_tick < end, BusyBlock.end_tick > first)
        return set(connection.scalars(claims.distinct())) | set(connection.scalars(blocks))

    def _drop_expired(self, connection: Connection, first: int, end: int, now: dt.datetime) -> None:
        drop_expired(connection, now, Appointment.first_tick < end, Appointment.end_tick > first)


def drop_expired(connection: Connection, now: dt.datetime, *conditions: object) -> int:
    """Deletes holds that have run out, and their claims with them; returns how many."""
    done = connection.execute(
        delete(Appointment).where(
            Appointment.status == "proposed",
            Appointment.hold_expires_at <= now,
            *conditions,  # type: ignore[arg-type]
        )
    )
    return done.rowcount
