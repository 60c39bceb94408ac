"""Visits in a real CalDAV calendar, and its busy times as blocks."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from typing import Any

import caldav
import pytest
from icalendar import Calendar
from sqlalchemy import Engine

from clinic import errors
from clinic.calendar_sync import CalendarSync, SyncFailed
from clinic.outbox import SendFailed, Worker
from clinic.practice import Practice
from clinic.services import Services
from clinic.visits import Visitor
from tests import services as servers

At = Callable[[str], dt.datetime]


@pytest.fixture(scope="session")
def radicale() -> Iterator[str]:
    with servers.radicale(sys.executable) as address:
        yield address


@pytest.fixture
def calendars(radicale: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """An empty calendar for each practitioner."""
    client = caldav.DAVClient(url=f"{radicale}/", username="clinic", password="")
    made = {}
    for name in ("rowan", "imani"):
        home = client.principal()
        made[name] = home.make_calendar(name=name, cal_id=f"{name}-{abs(hash(request.node.nodeid))}")
    return made


@pytest.fixture
def practice(make_practice: Callable[..., Practice], calendars: dict[str, Any]) -> Practice:
    plain = make_practice()
    resources = [r.model_dump() | {"calendar": str(calendars[r.id].url)} for r in plain.resources if r.id in calendars]
    return make_practice(resources=resources)


@pytest.fixture
def sync(engine: Engine, practice: Practice, services: Services, clock: Any) -> CalendarSync:
    return CalendarSync(engine, practice, services.files, clock, "clinic", "")


def send(engine: Engine, services: Services, sync: CalendarSync, clock: Any) -> None:
    Worker(engine, clock, services.letters, {"calendar": sync}).run_once()
    assert [entry for entry in services.outbox.entries("waiting") if entry.channel == "calendar"] == []


def written(calendar: Any) -> list[Any]:
    return [event for each in calendar.events() for event in Calendar.from_ical(each.data).walk("VEVENT")]


def test_a_visit_is_written_moved_and_removed(
    engine: Engine, services: Services, sync: CalendarSync, calendars: dict[str, Any], clock: Any, at: At
) -> None:
    held = services.booking.hold("face", at("2026-03-03 09:00"), holder="c1", channel="web")
    visit = services.booking.confirm(held.id, Visitor("Ana Lima", "+12125550199"), holder="c1")
    send(engine, services, sync, clock)
    (event,) = written(calendars["rowan"])
    assert event.start == at("2026-03-03 09:00")
    assert str(event["SUMMARY"]) == f"Microneedling, face ({visit.reference})"
    assert "Ana" not in str(event)
    moved = services.booking.reschedule(visit.id, at("2026-03-04 09:00"), version=2, practitioner="imani")
    send(engine, services, sync, clock)
    assert written(calendars["rowan"]) == []
    (event,) = written(calendars["imani"])
    assert (event.start, event["SEQUENCE"]) == (at("2026-03-04 09:00"), moved.version)
    assert sync.pull() == {"rowan": 0, "imani": 0}
    services.booking.cancel(visit.id, version=moved.version)
    send(engine, services, sync, clock)
    assert written(calendars["imani"]) == []


def test_busy_times_block_slots_until_they_are_gone(
    services: Services, sync: CalendarSync, calendars: dict[str, Any], at: At
) -> None:
    meeting = calendars["rowan"].add_event(
        dtstart=at("2026-03-03 09:00"), dtend=at("2026-03-03 12:01"), summary="Dentist", uid="meeting"
    )
    calendars["imani"].add_event(dtstart=dt.date(2026, 3, 3), dtend=dt.date(2026, 3, 4), summary="Away", uid="away")
    assert sync.pull() == {"rowan": 1, "imani": 1}
    day = dt.date(2026, 3, 3)
    assert services.slots.search("consultation", day, day)[0].starts_at == at("2026-03-03 12:15")
    with pytest.raises(errors.SlotTaken):
        services.booking.hold("consultation", at("2026-03-03 11:45"), holder="c1", channel="web")
    meeting.delete()
    assert sync.pull() == {"rowan": 0, "imani": 1}
    assert services.slots.search("consultation", day, day)[0].practitioner == "rowan"


def test_repeated_events_block_each_time_and_free_ones_never(
    services: Services, sync: CalendarSync, calendars: dict[str, Any], at: At
) -> None:
    calendars["rowan"].add_event(
        dtstart=at("2026-03-03 09:00"),
        dtend=at("2026-03-03 10:00"),
        summary="Team",
        uid="team",
        rrule={"FREQ": "WEEKLY", "COUNT": 3},
    )
    calendars["rowan"].add_event(
        dtstart=at("2026-03-04 09:00"), dtend=at("2026-03-04 18:00"), summary="Note", uid="note", transp="TRANSPARENT"
    )
    assert sync.pull()["rowan"] == 3
    for day in ("2026-03-03", "2026-03-10", "2026-03-17"):
        assert services.slots.why_not("consultation", at(f"{day} 09:00"), practitioner="rowan") == "full"
    for day in ("2026-03-04", "2026-03-24"):
        assert services.slots.why_not("consultation", at(f"{day} 09:00"), practitioner="rowan") is None


def test_a_calendar_out_of_reach_does_not_keep_the_others_from_being_read(
    engine: Engine, practice: Practice, services: Services, calendars: dict[str, Any], clock: Any, at: At
) -> None:
    away = practice.resources[0].model_copy(update={"calendar": f"http://127.0.0.1:{servers.free_port()}/x/"})
    partly = practice.model_copy(update={"resources": [away, *practice.resources[1:]]})
    calendars["imani"].add_event(dtstart=at("2026-03-03 09:00"), dtend=at("2026-03-03 12:00"), summary="Course", uid="course")
    with pytest.raises(SyncFailed, match=r"^rowan \(\w+\)$"):
        CalendarSync(engine, partly, services.files, clock, "clinic", "").pull()
    assert services.slots.why_not("consultation", at("2026-03-03 09:00"), practitioner="imani") == "full"


def test_a_calendar_out_of_reach_changes_nothing_and_is_tried_again(
    engine: Engine, make_practice: Callable[..., Practice], services: Services, clock: Any, at: At
) -> None:
    rowan = make_practice().resources[0].model_dump() | {"calendar": f"http://127.0.0.1:{servers.free_port()}/x/"}
    alone = make_practice(resources=[rowan])
    sync = CalendarSync(engine, alone, services.files, clock)
    with pytest.raises(SyncFailed):
        sync.pull()
    held = services.booking.hold("face", at("2026-03-03 09:00"), holder="c1", channel="web")
    services.booking.confirm(held.id, Visitor("Ana", "+12125550199"), holder="c1")
    (entry,) = [entry for entry in services.outbox.entries("waiting") if entry.channel == "calendar"]
    with pytest.raises(SendFailed):
        sync.send(services.letters.compose(entry))
