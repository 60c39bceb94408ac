"""Wall-clock rules as instants, right when clocks change."""

import datetime as dt
import zoneinfo

from clinic.practice import Practice

#: how far ahead `next_opening` looks
LOOK_AHEAD = dt.timedelta(days=60)
_STEP = dt.timedelta(minutes=5)


def instant(day: dt.date, time: dt.time, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    """The moment, in UTC, at which a zone's clocks show a time, the first if they do so twice; None if they skip it."""
    local = dt.datetime.combine(day, time, zone)
    moment = local.astimezone(dt.UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def reached(day: dt.date, time: dt.time, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The first aware moment, in UTC, at which a zone's clocks show a time or, when they skip it, what they jump to."""
    wall = dt.datetime.combine(day, time)
    while (moment := instant(wall.date(), wall.time(), zone)) is None:
        wall += _STEP
    return moment


def spans(practice: Practice, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
    """The moments, in UTC, between which the clinic is open on a day."""
    zone = practice.zone
    return [(reached(day, begins, zone), reached(day, ends, zone)) for begins, ends in practice.open_on(day)]


def next_opening(practice: Practice, moment: dt.datetime) -> dt.datetime | None:
    """When the clinic opens next after a moment, in its own time zone; None when that is over 60 days away."""
    day = moment.astimezone(practice.zone).date()
    for ahead in range(LOOK_AHEAD.days + 1):
        for opens, _closes in spans(practice, day + dt.timedelta(days=ahead)):
            if opens > moment:
                return opens.astimezone(practice.zone)
    return None


def within(moment: dt.datetime, window: tuple[dt.time, dt.time], zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The moment itself when a zone's clocks are inside a daily window then, or else when the window opens next."""
    local = moment.astimezone(zone)
    begins, ends = window
    if begins <= local.time() < ends:
        return moment
    day = local.date() if local.time() < begins else local.date() + dt.timedelta(days=1)
    return reached(day, begins, zone)
