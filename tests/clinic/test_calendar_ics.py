"""Calendar files and feeds."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from icalendar import Calendar

from clinic import errors
from clinic.services import Services
from clinic.visits import Visit, Visitor

At = Callable[[str], dt.datetime]


@pytest.fixture
def visit(services: Services, at: At) -> Visit:
    held = services.booking.hold("face", at("2026-03-10 15:00"), holder="c1", channel="web")
    return services.booking.confirm(held.id, Visitor("Ana", "+12125550199", "ana@example.org"), holder="c1")


def event(content: bytes) -> Any:
    (found,) = Calendar.from_ical(content).walk("VEVENT")
    return found


def test_the_visitors_file_is_plain_and_names_no_treatment(services: Services, visit: Visit, at: At) -> None:
    content = services.files.visitor(visit)
    entry = event(content)
    assert str(entry["SUMMARY"]) == "Appointment - Larkfield Skin Clinic"
    assert (entry.start, entry.end) == (at("2026-03-10 15:00"), at("2026-03-10 16:00"))
    assert (str(entry["STATUS"]), entry["SEQUENCE"]) == ("CONFIRMED", 2)
    assert str(entry["UID"]) == f"{visit.id}@larkfield-skin.example"
    assert b"Microneedling" not in content
    assert "ATTENDEE" not in entry
    lines = content.split(b"\r\n")
    assert b"METHOD:PUBLISH" in lines
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)


def test_a_move_keeps_the_uid_and_raises_the_sequence(services: Services, visit: Visit, at: At) -> None:
    before = event(services.files.visitor(visit))
    moved = services.booking.reschedule(visit.id, at("2026-03-11 15:00"), version=visit.version)
    after = event(services.files.visitor(moved, "REQUEST"))
    assert (after["UID"], after["SEQUENCE"]) == (before["UID"], before["SEQUENCE"] + 1)
    assert str(after["ATTENDEE"]) == "mailto:ana@example.org"
    gone = services.booking.cancel(visit.id, version=moved.version)
    content = services.files.visitor(gone, "CANCEL")
    assert Calendar.from_ical(content)["METHOD"] == "CANCEL"
    assert (str(event(content)["STATUS"]), event(content)["UID"]) == ("CANCELLED", before["UID"])


def test_a_pending_visit_is_tentative(services: Services, at: At) -> None:
    held = services.booking.hold("face", at("2026-03-10 09:00"), holder="c1", channel="web")
    visit = services.booking.confirm(held.id, Visitor("Ana", "+12125550199"), holder="c1", pending_reason="pregnancy")
    assert str(event(services.files.visitor(visit))["STATUS"]) == "TENTATIVE"
    staff = event(services.files.staff(visit))
    assert str(staff["SUMMARY"]) == f"To be confirmed: Microneedling, face ({visit.reference})"


def test_a_feed_opens_with_its_secret_until_that_is_revoked(services: Services, visit: Visit, clock: Any, at: At) -> None:
    services.booking.hold("face", at("2026-03-12 15:00"), holder="c2", channel="web")
    held = services.booking.hold("consultation", at("2026-03-10 15:00"), holder="c3", channel="web")
    other = services.booking.confirm(held.id, Visitor("Bo", "+12125550198"), holder="c3")
    assert other.practitioner == "imani"
    secret, second = services.feeds.issue("rowan"), services.feeds.issue("rowan")
    opened = services.feeds.read(secret)
    assert opened is not None
    content, version = opened
    clock.advance(minutes=1)
    later = services.feeds.read(secret)
    assert later is not None
    assert later[0] != content
    assert later[1] == version
    assert str(event(content)["UID"]).startswith(visit.id)
    assert b"Ana" not in content
    assert services.feeds.read(services.feeds.issue("room")) is not None
    assert services.feeds.read("guess") is None
    assert services.feeds.revoke("rowan") == 2
    assert services.feeds.read(secret) is None
    assert services.feeds.read(second) is None
    with pytest.raises(errors.UnknownResource):
        services.feeds.issue("nobody")
