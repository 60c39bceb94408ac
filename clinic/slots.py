"""Free slots: what the timetable allows, less what is booked."""

import datetime as dt
import heapq
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Engine, null, or_, select, union_all

from clinic import database
from clinic.clock import Clock
from clinic.errors import UnknownService
from clinic.models import Appointment, BusyBlock
from clinic.practice import Practice, Resource, Service
from clinic.timetable import Reason, Timetable, extent, local_time, ones, runs, tick_at, tick_from

#: states of a visit that no longer takes anyone's time
FREED = ("cancelled", "entered-in-error")

#: a part of the day: starts from the first time up to, and without, the second
Hours = tuple[dt.time, dt.time]


class Slot(NamedTuple):
    """A start that is free: moments are aware, in the clinic's time zone."""

    service: str
    practitioner: str
    starts_at: dt.datetime
    ends_at: dt.datetime


def spread(slots: list[Slot], count: int = 3) -> list[Slot]:
    """At most `count` of the slots, the first and the last among them, evenly apart in the list."""
    if len(slots) <= count:
        return list(slots)
    if count == 1:
        return slots[:1]
    return [slots[round(n * (len(slots) - 1) / (count - 1))] for n in range(count)]


def occupied(
    connection: Connection, now: dt.datetime, first_tick: int, end_tick: int, moving: str | None = None
) -> dict[str, int]:
    """Which ticks of each resource are taken, as bits from `first_tick` on.

    They are taken by visits other than the one whose id is `moving`, and by what the resource's own calendar holds.
    """
    visits = select(Appointment.practitioner, Appointment.room, Appointment.first_tick, Appointment.end_tick).where(
        Appointment.end_tick > first_tick,
        Appointment.first_tick < end_tick,
        Appointment.status.not_in(FREED),
        or_(Appointment.hold_expires_at.is_(None), Appointment.hold_expires_at > now),
    )
    if moving is not None:
        visits = visits.where(Appointment.id != moving)
    blocks = select(BusyBlock.resource, null(), BusyBlock.first_tick, BusyBlock.end_tick).where(
        BusyBlock.end_tick > first_tick, BusyBlock.first_tick < end_tick
    )
    length = end_tick - first_tick
    # Marks in an array, which become bits at the end: much quicker than a long number for each visit.
    marks: dict[str, bytearray] = {}
    for practitioner, room, begins, ends in connection.execute(union_all(visits, blocks)):
        first, end = max(begins - first_tick, 0), min(ends - first_tick, length)
        for resource in (practitioner, room):
            if resource:
                marks.setdefault(resource, bytearray(b"0") * length)[first:end] = b"1" * (end - first)
    return {resource: int(array[::-1], 2) for resource, array in marks.items()}


class Slots:
    """Finds free slots."""

    def __init__(self, engine: Engine, practice: Practice, clock: Clock) -> None:
        self.timetable = Timetable(practice)
        self._engine = engine
        self._practice = practice
        self._clock = clock

    def search(
        self,
        service: str,
        first: dt.date,
        last: dt.date,
        *,
        hours: Hours | None = None,
        practitioner: str | None = None,
        moving: str | None = None,
    ) -> list[Slot]:
        """The free slots on the clinic's days from `first` to `last`, both included, in order; one for each start.

        `moving` is the id of a visit that is to be moved: its own time counts as free.

        Raises:
            UnknownService: the practice has no such service.
        """
        known = self._service(service)
        return self._slots(known, self._free(known, first, last, hours, practitioner, moving))

    def nearest(
        self,
        service: str,
        wanted: dt.datetime,
        count: int = 3,
        *,
        hours: Hours | None = None,
        practitioner: str | None = None,
        moving: str | None = None,
    ) -> list[Slot]:
        """The free slots whose starts are nearest to an aware moment, at most `count`, in order of time.

        Raises:
            UnknownService: the practice has no such service.
        """
        known = self._service(service)
        first, last = self.timetable.bookable_days(self._clock())
        tick = tick_at(wanted)
        free = self._free(known, first, last, hours, practitioner, moving)
        closest = heapq.nsmallest(count, free, key=lambda one: (abs(one[0] - tick), one[0]))
        return self._slots(known, sorted(closest))

    def why_not(
        self, service: str, starts_at: dt.datetime, *, practitioner: str | None = None, moving: str | None = None
    ) -> Reason | None:
        """Why a visit cannot start at an aware moment; None when it can.

        Raises:
            UnknownService: the practice has no such service.
        """
        known = self._service(service)
        reason = self.timetable.refusal(known, starts_at, self._clock())
        if reason:
            return reason
        day = self.timetable.local_day(starts_at)
        tick = tick_at(starts_at)
        free = self._free(known, day, day, None, practitioner, moving)
        return None if any(start == tick for start, _ in free) else "full"

    def why_not_on(self, service: str, day: dt.date, *, practitioner: str | None = None) -> Reason | None:
        """Why a visit cannot be booked on a day of the clinic's; None when it can.

        Raises:
            UnknownService: the practice has no such service.
        """
        known = self._service(service)
        now = self._clock()
        first, last = self.timetable.bookable_days(now)
        if day < self.timetable.local_day(now):
            return "past"
        if day < first:
            return "too_soon"
        if day > last:
            return "too_far"
        if not self._practice.open_on(day):
            return "closed"
        return None if any(True for _ in self._free(known, day, day, None, practitioner, None)) else "full"

    def _service(self, service: str) -> Service:
        known = self._practice.service(service)
        if known is None or not self._practice.practitioners(service):
            raise UnknownService(service)
        return known

    def _slots(self, service: Service, starts: list[tuple[int, str]]) -> list[Slot]:
        zone, length = self._practice.zone, extent(service).visit
        return [
            Slot(service.id, practitioner, local_time(tick, zone), local_time(tick + length, zone))
            for tick, practitioner in starts
        ]

    def _free(
        self,
        service: Service,
        first: dt.date,
        last: dt.date,
        hours: Hours | None,
        practitioner: str | None,
        moving: str | None,
    ) -> list[tuple[int, str]]:
        """The free starts as (tick, practitioner), in order."""
        now = self._clock()
        bookable = self.timetable.bookable_days(now)
        first, last = max(first, bookable[0]), min(last, bookable[1])
        if first > last:
            return []
        span = self.timetable.span(first, last)
        needs = extent(service)
        origin, end = span.base - needs.before, span.base + span.length + needs.whole
        taken = database.read(self._engine, lambda connection: occupied(connection, now, origin, end, moving))
        every = ones(0, end - origin)

        def starts(resource: Resource) -> int:
            # Bit n of `runs` over the claimed ticks is a claim from origin + n, which is a visit from base + n.
            clear = runs(every & ~taken.get(resource.id, 0), needs.whole)
            return runs(span.working[resource.id], needs.visit) & clear

        earliest = tick_from(now + dt.timedelta(minutes=self._practice.booking.lead_minutes)) - span.base
        offered = span.grid & ones(max(earliest, 0), span.length)
        rooms = self._practice.rooms(service.id)
        if rooms:
            offered &= _union(starts(room) for room in rooms)
        found: list[tuple[int, str]] = []
        for one in self._practice.practitioners(service.id):
            if practitioner in (None, one.id):
                mine = offered & starts(one)
                offered &= ~mine
                found += [(span.base + bit, one.id) for bit in _bits(mine)]
        if hours:
            zone = self._practice.zone
            found = [each for each in found if hours[0] <= local_time(each[0], zone).time() < hours[1]]
        return sorted(found)


def _union(masks: Iterator[int]) -> int:
    bits = 0
    for mask in masks:
        bits |= mask
    return bits


def _bits(mask: int) -> Iterator[int]:
    """The numbers of the set bits, from the lowest."""
    text = bin(mask)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)
