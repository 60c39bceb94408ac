"""When visits could start if nobody had booked anything: opening hours as bits, one for each tick of five minutes."""

import datetime as dt
import zoneinfo
from typing import Literal, NamedTuple

from clinic import hours
from clinic.practice import TICK_MINUTES, Practice, Resource, Service

TICK = dt.timedelta(minutes=TICK_MINUTES)
_SECONDS = TICK_MINUTES * 60
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

#: why a start is not offered
Reason = Literal["past", "too_soon", "too_far", "closed", "outside_hours", "off_grid", "full"]


def tick_at(moment: dt.datetime) -> int:
    """The tick that an aware moment lies in, counted from 1970."""
    return (moment - _EPOCH) // TICK


def tick_from(moment: dt.datetime) -> int:
    """The first tick that begins at an aware moment or after it."""
    return -((_EPOCH - moment) // TICK)


def moment_of(tick: int) -> dt.datetime:
    """The moment, in UTC, at which a tick begins."""
    return _EPOCH + tick * TICK


def local_time(tick: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The moment at which a tick begins, by a zone's clocks; quicker than by way of UTC."""
    return dt.datetime.fromtimestamp(tick * _SECONDS, zone)


def runs(bits: int, length: int) -> int:
    """The bits at which `length` set bits in a row begin."""
    have = 1
    while have < length:
        more = min(have, length - have)
        bits &= bits >> more
        have += more
    return bits


def ones(first: int, end: int) -> int:
    """The bits from `first` up to, and without, `end`; none when they are out of order."""
    return ((1 << (end - first)) - 1) << first if end > first else 0


class Span(NamedTuple):
    """Some days as bits: bit n stands for tick `base` + n."""

    base: int
    length: int
    #: where starts are offered
    grid: int
    #: where each resource works
    working: dict[str, int]


class Extent(NamedTuple):
    """A service's length in ticks, and its buffers."""

    before: int
    visit: int
    after: int

    @property
    def whole(self) -> int:
        """The ticks that are claimed."""
        return self.before + self.visit + self.after


def extent(service: Service) -> Extent:
    """What a service takes of a calendar."""
    parts = (service.buffer_before, service.minutes, service.buffer_after)
    return Extent(*(part // TICK_MINUTES for part in parts))


class Timetable:
    """The practice's hours, worked out once for each day."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self._days: dict[dt.date, Span] = {}

    def local_day(self, moment: dt.datetime) -> dt.date:
        """The clinic's date at an aware moment."""
        return moment.astimezone(self.practice.zone).date()

    def bookable_days(self, now: dt.datetime) -> tuple[dt.date, dt.date]:
        """The first and the last day that can be booked at an aware moment."""
        earliest = self.local_day(now + dt.timedelta(minutes=self.practice.booking.lead_minutes))
        return earliest, self.local_day(now) + dt.timedelta(days=self.practice.booking.horizon_days)

    def span(self, first: dt.date, last: dt.date) -> Span:
        """The days from `first` to `last`, both included."""
        days = [self._day(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)]
        base, end = days[0].base, days[-1].base + days[-1].length
        grid = 0
        working = {resource.id: 0 for resource in self.practice.resources}
        for day in days:
            shift = day.base - base
            grid |= day.grid << shift
            for resource, bits in day.working.items():
                working[resource] |= bits << shift
        return Span(base, end - base, grid, working)

    def refusal(self, service: Service, starts_at: dt.datetime, now: dt.datetime) -> Reason | None:
        """Why a start could never be offered at an aware moment, whatever is booked; None when it could."""
        day = self.local_day(starts_at)
        rules = self.practice.booking
        if starts_at <= now:
            return "past"
        if starts_at < now + dt.timedelta(minutes=rules.lead_minutes):
            return "too_soon"
        if day > self.bookable_days(now)[1]:
            return "too_far"
        if not self.practice.open_on(day):
            return "closed"
        if not self.able(service, starts_at):
            return "outside_hours"
        return None if self._on_grid(starts_at) else "off_grid"

    def able(self, service: Service, starts_at: dt.datetime) -> list[Resource]:
        """The practitioners who work, with a room at hand if one is needed, for the whole of a visit."""
        rooms = self.practice.rooms(service.id)
        if rooms and not self.working(rooms, service, starts_at):
            return []
        return self.working(self.practice.practitioners(service.id), service, starts_at)

    def working(self, resources: list[Resource], service: Service, starts_at: dt.datetime) -> list[Resource]:
        """Those of the resources that work for the whole of a visit."""
        day = self._day(self.local_day(starts_at))
        offset = tick_at(starts_at) - day.base
        visit = ones(offset, offset + extent(service).visit)
        return [resource for resource in resources if day.working[resource.id] & visit == visit]

    def _on_grid(self, starts_at: dt.datetime) -> bool:
        day = self._day(self.local_day(starts_at))
        tick = tick_at(starts_at)
        # In the hour that comes twice, a local time never equals one of another zone.
        return moment_of(tick) == starts_at.astimezone(dt.UTC) and bool(day.grid >> (tick - day.base) & 1)

    def _day(self, day: dt.date) -> Span:
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._work_out(day)
        return known

    def _work_out(self, day: dt.date) -> Span:
        zone = self.practice.zone
        base = tick_from(hours.reached(day, dt.time.min, zone))
        length = tick_from(hours.reached(day + dt.timedelta(days=1), dt.time.min, zone)) - base
        grid = 0
        working = {resource.id: 0 for resource in self.practice.resources}
        for begins, ends in self.practice.open_on(day):
            grid |= self._starts(day, begins, ends, base)
            for resource in self.practice.resources:
                for own_begins, own_ends in resource.on(day):
                    working[resource.id] |= self._ticks(day, max(begins, own_begins), min(ends, own_ends), base)
        return Span(base, length, grid, working)

    def _ticks(self, day: dt.date, begins: dt.time, ends: dt.time, base: int) -> int:
        if begins >= ends:
            return 0
        zone = self.practice.zone
        opens, closes = hours.reached(day, begins, zone), hours.reached(day, ends, zone)
        return ones(tick_from(opens) - base, tick_at(closes) - base)

    def _starts(self, day: dt.date, begins: dt.time, ends: dt.time, base: int) -> int:
        """Starts by the wall clock: none at times that clocks skip, one at times that they show twice."""
        bits = 0
        wall = dt.datetime.combine(day, begins)
        wall += (dt.datetime.combine(day, dt.time.min) - wall) % TICK
        while wall.date() == day and wall.time() < ends:
            moment = hours.instant(day, wall.time(), self.practice.zone)
            if moment is not None:
                bits |= 1 << (tick_at(moment) - base)
            wall += dt.timedelta(minutes=self.practice.booking.step_minutes)
        return bits
