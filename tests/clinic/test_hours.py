"""Wall-clock rules through both clock changes, the leap day and the year's end, in three zones."""

import datetime as dt
import zoneinfo
from collections.abc import Callable

import pytest

from clinic import hours
from clinic.practice import Practice
from clinic.timetable import Timetable, moment_of

#: zone, country, day on which clocks go forward, day on which they go back
CHANGES = [
    ("America/New_York", "US", dt.date(2026, 3, 8), dt.date(2026, 11, 1)),
    ("Europe/London", "GB", dt.date(2026, 3, 29), dt.date(2026, 10, 25)),
    # half an hour, in the other half of the year
    ("Australia/Lord_Howe", "AU", dt.date(2026, 10, 4), dt.date(2026, 4, 5)),
]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALL_WEEK = {day: ["00:00-23:55"] for day in WEEK}


def always_open(make_practice: Callable[..., Practice], zone: str, country: str) -> Timetable:
    rules = {"step_minutes": 5, "horizon_days": 365, "lead_minutes": 0}
    return Timetable(
        make_practice(time_zone=zone, country=country, hours=ALL_WEEK, closures=[], public_holidays=False, booking=rules)
    )


def starts(timetable: Timetable, day: dt.date) -> list[dt.datetime]:
    span = timetable.span(day, day)
    return [moment_of(span.base + n) for n in range(span.length) if span.grid >> n & 1]


@pytest.mark.parametrize(("zone", "country", "forward", "back"), CHANGES)
@pytest.mark.parametrize("hour", range(24))
def test_each_hour_of_the_day_clocks_go_forward(
    make_practice: Callable[..., Practice], zone: str, country: str, forward: dt.date, back: dt.date, hour: int
) -> None:
    place = zoneinfo.ZoneInfo(zone)
    timetable = always_open(make_practice, zone, country)
    offered = [moment.astimezone(place) for moment in starts(timetable, forward)]
    mine = [local for local in offered if local.hour == hour]
    for minute in range(0, 60, 5):
        wall = dt.datetime.combine(forward, dt.time(hour, minute))
        there = wall.replace(tzinfo=place)
        exists = there.astimezone(dt.UTC).astimezone(place).replace(tzinfo=None) == wall
        last = hour == 23 and minute == 55
        assert [local.replace(tzinfo=None) for local in mine].count(wall) == (1 if exists and not last else 0)


@pytest.mark.parametrize(("zone", "country", "forward", "back"), CHANGES)
@pytest.mark.parametrize("hour", range(24))
def test_each_hour_of_the_day_clocks_go_back(
    make_practice: Callable[..., Practice], zone: str, country: str, forward: dt.date, back: dt.date, hour: int
) -> None:
    place = zoneinfo.ZoneInfo(zone)
    timetable = always_open(make_practice, zone, country)
    offered = [moment.astimezone(place) for moment in starts(timetable, back)]
    mine = [local for local in offered if local.hour == hour]
    assert len(mine) == (11 if hour == 23 else 12)
    assert all(local.fold == 0 for local in mine)
    assert len({local.replace(tzinfo=None) for local in mine}) == len(mine)


@pytest.mark.parametrize(("zone", "country", "forward", "back"), CHANGES)
def test_a_visit_lasts_its_minutes_across_a_change(
    make_practice: Callable[..., Practice], zone: str, country: str, forward: dt.date, back: dt.date
) -> None:
    timetable = always_open(make_practice, zone, country)
    face = timetable.practice.service("face")
    assert face is not None
    for day in (forward, back):
        for moment in starts(timetable, day):
            able = timetable.able(face, moment)
            ends = (moment + dt.timedelta(hours=1)).astimezone(timetable.practice.zone)
            inside = ends.date() == day and ends.time() <= dt.time(23, 55)
            assert bool(able) == inside


@pytest.mark.parametrize(("zone", "country", "forward", "back"), CHANGES)
def test_what_is_offered_on_a_day_of_change_is_not_refused(
    make_practice: Callable[..., Practice], zone: str, country: str, forward: dt.date, back: dt.date
) -> None:
    timetable = always_open(make_practice, zone, country)
    talk = timetable.practice.service("consultation")
    assert talk is not None
    for day in (forward, back):
        now = hours.reached(day - dt.timedelta(1), dt.time(12), timetable.practice.zone)
        for moment in starts(timetable, day):
            expected = None if timetable.able(talk, moment) else "outside_hours"
            assert timetable.refusal(talk, moment.astimezone(timetable.practice.zone), now) == expected


@pytest.mark.parametrize(("zone", "country", "forward", "back"), CHANGES)
def test_days_follow_one_another_without_gap_or_overlap(
    make_practice: Callable[..., Practice], zone: str, country: str, forward: dt.date, back: dt.date
) -> None:
    timetable = always_open(make_practice, zone, country)
    shift = 30 if zone == "Australia/Lord_Howe" else 60
    for day, minutes in ((forward, 1440 - shift), (back, 1440 + shift), (forward + dt.timedelta(1), 1440)):
        today, tomorrow = timetable.span(day, day), timetable.span(day + dt.timedelta(1), day + dt.timedelta(1))
        assert today.length * 5 == minutes
        assert today.base + today.length == tomorrow.base
    whole = timetable.span(forward - dt.timedelta(2), forward + dt.timedelta(2))
    assert whole.length == sum(timetable.span(day, day).length for day in (forward + dt.timedelta(n) for n in range(-2, 3)))


@pytest.mark.parametrize("day", [dt.date(2028, 2, 28), dt.date(2028, 2, 29), dt.date(2026, 12, 31)])
def test_leap_day_and_years_end_are_days_like_others(make_practice: Callable[..., Practice], day: dt.date) -> None:
    timetable = always_open(make_practice, "America/New_York", "US")
    assert len(starts(timetable, day)) == 287
    two = timetable.span(day, day + dt.timedelta(1))
    assert two.length == 2 * 288


def test_a_time_that_clocks_skip_or_show_twice() -> None:
    place = zoneinfo.ZoneInfo("America/New_York")
    skipped, twice = (dt.date(2026, 3, 8), dt.time(2, 30)), (dt.date(2026, 11, 1), dt.time(1, 30))
    assert hours.instant(*skipped, place) is None
    assert hours.reached(*skipped, place) == dt.datetime(2026, 3, 8, 7, 0, tzinfo=dt.UTC)
    assert hours.instant(*twice, place) == dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)


def test_the_next_opening_skips_closures_and_weekends(practice: Practice, at: Callable[[str], dt.datetime]) -> None:
    opens = {
        "2026-03-02 08:00": "2026-03-02 09:00",
        "2026-03-02 13:30": "2026-03-02 14:00",
        "2026-03-02 20:00": "2026-03-03 09:00",
        "2026-03-19 20:00": "2026-03-23 09:00",
        "2026-12-24 20:00": "2026-12-26 10:00",
    }
    for moment, opening in opens.items():
        assert hours.next_opening(practice, at(moment)) == at(opening)


def test_no_opening_in_sight(make_practice: Callable[..., Practice], at: Callable[[str], dt.datetime]) -> None:
    never: dict[str, list[str]] = {day: [] for day in WEEK}
    assert hours.next_opening(make_practice(hours=never), at("2026-03-02 08:00")) is None


def test_quiet_hours_wait_for_the_morning(practice: Practice, at: Callable[[str], dt.datetime]) -> None:
    window = practice.reminders.window
    for moment, allowed in {
        "2026-03-02 08:59": "2026-03-02 09:00",
        "2026-03-02 09:00": "2026-03-02 09:00",
        "2026-03-02 19:59": "2026-03-02 19:59",
        "2026-03-02 20:00": "2026-03-03 09:00",
        "2026-03-07 23:00": "2026-03-08 09:00",
    }.items():
        assert hours.within(at(moment), window, practice.zone) == at(allowed)
