"""Which free slots to offer for a wish: the one that was asked for, or the nearest ones and why it is not among them."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection

from clinic import hours
from clinic.clock import Clock
from clinic.practice import Practice
from clinic.slots import Hours, Slot, Slots, spread
from clinic.timetable import Reason
from clinic.wish import Wish

#: how many slots are offered at a time
COUNT = 3
#: days that are searched when no day was said
SOON = dt.timedelta(days=14)


@dataclasses.dataclass(frozen=True)
class Offer:
    """Slots in order of time. `exact`: there is one, and it is just what was asked for.

    `reason` tells why what was asked for is not among the slots; None when it is.
    """

    slots: list[Slot]
    exact: bool = False
    reason: Reason | None = None


class Offers:
    """Finds what to offer."""

    def __init__(self, slots: Slots, practice: Practice, clock: Clock) -> None:
        self._slots, self._practice, self._clock = slots, practice, clock

    @property
    def today(self) -> dt.date:
        """The day it is at the clinic."""
        return self._clock().astimezone(self._practice.zone).date()

    def find(
        self,
        service: str,
        wish: Wish,
        *,
        without: Collection[dt.datetime] = (),
        moving: str | None = None,
        practitioner: str | None = None,
    ) -> Offer:
        """At most three slots for a wish: none of those `without`; `moving` is the id of a visit that is to be moved.

        With a `practitioner`, only theirs.

        Raises:
            UnknownService: the practice has no such service.
        """
        if wish.at and wish.first and wish.first == wish.last and not without:
            return self._at(service, wish.first, wish.at, moving, practitioner)
        first, last = wish.first or self.today, wish.last or self.today + SOON
        found = [
            slot
            for slot in self._slots.search(service, first, last, hours=_hours(wish), practitioner=practitioner, moving=moving)
            if (not wish.weekdays or slot.starts_at.weekday() in wish.weekdays) and slot.starts_at not in without
        ]
        if found:
            return Offer(_chosen(found, wish))
        nearest = self._nearest(service, wish, COUNT + len(without), moving, practitioner)
        near = [slot for slot in nearest if slot.starts_at not in without]
        return Offer(near[:COUNT], reason=None if without else self._reason(service, wish))

    def days(self, service: str, *, moving: str | None = None) -> list[dt.date]:
        """The next days that have a free slot, three at most; `moving` is the id of a visit that is to be moved.

        Raises:
            UnknownService: the practice has no such service.
        """
        found = self._slots.search(service, self.today, self.today + SOON, moving=moving)
        return list(dict.fromkeys(slot.starts_at.date() for slot in found))[:COUNT]

    def _at(self, service: str, day: dt.date, time: dt.time, moving: str | None, practitioner: str | None) -> Offer:
        wanted = hours.reached(day, time, self._practice.zone).astimezone(self._practice.zone)
        reason = self._slots.why_not(service, wanted, practitioner=practitioner, moving=moving)
        near = self._slots.nearest(service, wanted, 1 if reason is None else COUNT, practitioner=practitioner, moving=moving)
        return Offer(near, exact=reason is None, reason=reason)

    def _nearest(self, service: str, wish: Wish, count: int, moving: str | None, practitioner: str | None) -> list[Slot]:
        time = wish.at or wish.begins or dt.time(12)
        wanted = hours.reached(wish.first or self.today, time, self._practice.zone)
        near = self._slots.nearest(service, wanted, count, hours=_hours(wish), practitioner=practitioner, moving=moving)
        return near or self._slots.nearest(service, wanted, count, practitioner=practitioner, moving=moving)

    def _reason(self, service: str, wish: Wish) -> Reason:
        if wish.first is None or wish.last is None:
            return "full"
        if wish.first == wish.last:
            return self._slots.why_not_on(service, wish.first) or "outside_hours"
        if wish.last < self.today:
            return "past"
        day = wish.first
        reasons: set[Reason | None] = set()
        while day <= wish.last and len(reasons) < COUNT:
            if not wish.weekdays or day.weekday() in wish.weekdays:
                reasons.add(self._slots.why_not_on(service, day))
            day += dt.timedelta(days=1)
        return next((reason for reason in reasons if reason), "full") if len(reasons) == 1 else "full"


def _hours(wish: Wish) -> Hours | None:
    if not (wish.begins or wish.ends):
        return None
    return wish.begins or dt.time.min, wish.ends or dt.time.max


def _chosen(found: list[Slot], wish: Wish) -> list[Slot]:
    """Three of the slots: on different days if there are enough, as near to the time as can be, else apart in time."""
    if wish.soonest and not wish.has_time:
        return _of_days(found, lambda of_day: of_day[0])
    if wish.at:
        at = wish.at
        return _of_days(found, lambda of_day: min(of_day, key=lambda slot: _apart(slot, at)))
    days = {slot.starts_at.date() for slot in found}
    return spread(found, COUNT) if len(days) < COUNT else _of_days(found, lambda of_day: of_day[0])


def _of_days(found: list[Slot], pick: Callable[[list[Slot]], Slot]) -> list[Slot]:
    days: dict[dt.date, list[Slot]] = {}
    for slot in found:
        days.setdefault(slot.starts_at.date(), []).append(slot)
    return [pick(of_day) for of_day in days.values()][:COUNT]


def _apart(slot: Slot, at: dt.time) -> int:
    return abs((slot.starts_at.hour - at.hour) * 60 + slot.starts_at.minute - at.minute)
