"""When a visit is wanted, as far as it was said, and what is said on top of it later."""

import calendar
import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal, Self

Days = tuple[dt.date, dt.date]
#: the least that a day may be named by: "friday", "the 14th"
Named = Literal["weekday", "number"]


@dataclasses.dataclass(frozen=True)
class Wish:
    """When a visit is wanted, as far as it was said: days from `first` to `last`, of which only some weekdays (Monday is 0),
    and a time: exactly `at`, or starts from `begins` up to, and without, `ends`.

    `named` tells that a day was named so that it may be another one in the light of what was said before, `any_time` that
    one time is as good as another, and `same_time` and `same_day` that the time or the day of the week stays.
    """

    first: dt.date | None = None
    last: dt.date | None = None
    weekdays: tuple[int, ...] = ()
    at: dt.time | None = None
    begins: dt.time | None = None
    ends: dt.time | None = None
    soonest: bool = False
    named: Named | None = None
    any_time: bool = False
    same_time: bool = False
    same_day: bool = False

    @property
    def has_time(self) -> bool:
        """Whether anything was said about the time of day."""
        return bool(self.at or self.begins or self.ends)

    def on_top_of(self, earlier: Self) -> "Wish":
        """What is wanted now by someone who wished for something earlier: what was not said again stays."""
        says_days = self.first or (self.soonest and not (self.any_time and earlier.first))
        says_time = self.has_time or (self.any_time and not says_days)
        days, times = self if says_days else earlier, self if says_time else earlier
        return Wish(days.first, days.last, days.weekdays, times.at, times.begins, times.ends, days.soonest)

    def meant(self, earlier: Self, offered: Collection[dt.date]) -> tuple["Wish", ...]:
        """The days that a weekday or a number may mean after what was wished for, and offered, before."""
        if not self.first or not self.named:
            return (self,)
        among = [day for day in set(offered) if self._names(day)]
        if len(among) == 1:
            return (self._on(among[0], among[0]),)
        if not (earlier.first and earlier.last):
            return (self,)
        if days := [day for day in _each_day(earlier.first, earlier.last) if self._names(day) and earlier.allows(day)]:
            return (self._on(days[0], days[-1] if self.named == "weekday" else days[0]),)
        if earlier.first != earlier.last:
            return (self,)
        near = next((day for day in _around(earlier.first, self.named) if self._names(day)), self.first)
        if near <= self.first:
            return (self,)
        # "The 16th" after the 15th of a month is in that month; "thursday" may be the next one, too.
        return (self._on(near, near),) if self.named == "number" else (self, self._on(near, near))

    def allows(self, day: dt.date) -> bool:
        """Whether a day's weekday is one of those that count."""
        return not self.weekdays or day.weekday() in self.weekdays

    def as_json(self) -> dict[str, Any]:
        """The wish as a slot keeps it."""
        values = {name: value for name, value in dataclasses.asdict(self).items() if value}
        return {name: value.isoformat() if isinstance(value, dt.date | dt.time) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """A kept wish."""
        read: dict[str, Callable[[Any], Any]] = {
            **dict.fromkeys(("first", "last"), dt.date.fromisoformat),
            **dict.fromkeys(("at", "begins", "ends"), dt.time.fromisoformat),
            "weekdays": tuple,
            "named": str,
        }
        return cls(**{name: read.get(name, bool)(value) for name, value in values.items()})

    def _names(self, day: dt.date) -> bool:
        if self.first and self.named == "number":
            return day.day == self.first.day
        return day.weekday() in (self.weekdays or (self.first and self.first.weekday(),))

    def _on(self, first: dt.date, last: dt.date) -> "Wish":
        days = tuple(sorted({day.weekday() for day in _each_day(first, last) if self._names(day)})) if first != last else ()
        return dataclasses.replace(self, first=first, last=last, weekdays=days)


@dataclasses.dataclass(frozen=True)
class Reading:
    """What was read: one wish, or those between which it is for the visitor to say; and the text without it.

    `no_such_day` tells that a day was named that no calendar has: "february 30".
    """

    options: tuple[Wish, ...]
    rest: str
    no_such_day: bool = False

    @property
    def clear(self) -> bool:
        """Whether it can mean one thing alone."""
        return len(self.options) == 1

    @property
    def definite(self) -> bool:
        """Whether it names a day or a time, and not only a span like "in six weeks"."""
        return any(option.at or (option.first and option.first == option.last) for option in self.options)

    def after(self, earlier: Wish, offered: Collection[dt.date] = ()) -> tuple[Wish, ...]:
        """What may be wanted now by someone who wished for something earlier, and was offered some days for it."""
        options = dict.fromkeys(meant for option in self.options for meant in option.meant(earlier, offered))
        return tuple(dict.fromkeys(option.on_top_of(earlier) for option in options))

    def like(self, start: dt.datetime) -> "Reading":
        """What was read, with the time and the day of the week of a start where they are said to be the same."""
        day = Wish(start.date(), start.date(), named="weekday")

        def filled(option: Wish) -> Wish:
            known = dataclasses.replace(option, first=day.first, last=day.last, named=day.named) if option.same_day else option
            return dataclasses.replace(known, at=start.time()) if option.same_time else known

        return dataclasses.replace(self, options=tuple(map(filled, self.options)))


def _each_day(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return (first + dt.timedelta(days=n) for n in range((last - first).days + 1))


def _around(day: dt.date, named: Named | None) -> Iterator[dt.date]:
    """The days of a day's week, or of its month."""
    if named == "weekday":
        monday = day - dt.timedelta(days=day.weekday())
        return _each_day(monday, monday + dt.timedelta(days=6))
    return _each_day(day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1]))
