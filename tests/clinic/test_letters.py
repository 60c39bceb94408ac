"""What people are sent, put together from what is true when it is sent."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from icalendar import Calendar

from clinic import yaml
from clinic.consent import TEXTS
from clinic.outbox import Dropped, Entry, Message, Postponed
from clinic.services import Services
from clinic.visits import Visit, Visitor
from clinic.wording import FILE, load

At = Callable[[str], dt.datetime]
PHONE = "+12125550199"


@pytest.fixture
def visit(services: Services, clock: Any, at: At) -> Visit:
    clock.moment = at("2026-03-02 10:00")
    held = services.booking.hold("face", at("2026-03-06 15:00"), holder="c1", channel="web")
    return services.booking.confirm(held.id, Visitor("Ana\nLima {x}", PHONE, "ana@example.org"), holder="c1")


def entry(services: Services, channel: str, kind: str, version: int | None = None) -> Entry:
    found = [e for e in services.outbox.entries("waiting") if (e.channel, e.kind) == (channel, kind)]
    return next(e for e in found if version in (None, e.version))


def written(services: Services, channel: str, kind: str, version: int | None = None) -> Message:
    return services.letters.compose(entry(services, channel, kind, version))


def test_the_clinic_reads_who_comes_when_and_to_whom(services: Services, visit: Visit) -> None:
    letter = written(services, "email", "staff.visit_booked")
    assert letter.to == "hello@larkfield-skin.example"
    assert letter.subject == "New visit: Fri 6 Mar, 3:00 PM, Microneedling, face"
    for words in ("Ana", "{x}", PHONE, visit.reference, "Rowan Ashby", "Treatment room", "America/New_York"):
        assert words in letter.text


def test_the_visitor_gets_an_invitation(services: Services, visit: Visit) -> None:
    letter = written(services, "email", "visitor.visit_booked")
    assert letter.to == "ana@example.org"
    assert "Friday, 6 March 2026, 3:00 PM" in letter.text
    assert "Microneedling" not in letter.subject + letter.text
    (invitation,) = letter.attachments
    assert Calendar.from_ical(invitation.content)["METHOD"] == "REQUEST"


def test_a_cancellation_takes_the_entry_back(services: Services, visit: Visit) -> None:
    services.booking.cancel(visit.id, version=visit.version)
    letter = written(services, "email", "visitor.visit_cancelled")
    (invitation,) = letter.attachments
    assert Calendar.from_ical(invitation.content)["METHOD"] == "CANCEL"
    with pytest.raises(Dropped, match="superseded"):
        written(services, "email", "visitor.visit_booked")
    with pytest.raises(Dropped, match="superseded"):
        written(services, "calendar", "staff.calendar", visit.version)


def test_events_for_other_systems_say_how_it_was_then_and_nothing_personal(services: Services, visit: Visit, at: At) -> None:
    services.booking.reschedule(visit.id, at("2026-03-09 09:00"), version=visit.version)
    event = written(services, "webhook", "staff.visit_booked").data
    assert event["starts_at"] == "2026-03-06T15:00:00-05:00"
    assert event["ends_at"] == "2026-03-06T16:00:00-05:00"
    assert written(services, "webhook", "staff.visit_moved").data["starts_at"] == "2026-03-09T09:00:00-04:00"
    assert not {"name", "phone", "email", "holder", "pending_reason"} & set(event)


def test_a_text_needs_consent_and_a_decent_hour(services: Services, visit: Visit, clock: Any, at: At) -> None:
    with pytest.raises(Dropped, match="no consent"):
        written(services, "text", "visitor.visit_booked")
    services.consents.record(PHONE, TEXTS, True, wording="1", channel="web")
    text = written(services, "text", "visitor.visit_booked")
    assert text.to == PHONE
    assert text.text == (
        f"Larkfield Skin Clinic: your visit is booked for Fri 6 Mar, 3:00 PM. Reference {visit.reference}."
        " R change, X cancel. STOP to end texts."
    )
    clock.moment = at("2026-03-02 20:00")
    with pytest.raises(Postponed) as later:
        written(services, "text", "visitor.visit_booked")
    assert later.value.until == at("2026-03-03 09:00")


def test_texts_are_short_and_name_no_treatment_and_no_trap(services: Services) -> None:
    for name, template in load().texts:
        filled = template.format_map(
            {"clinic": "Larkfield Skin Clinic", "when_short": "Wed 30 Sep, 12:00 PM", "reference": "K7M2QX"}
        )
        assert len(filled) <= 160, name
        assert filled.isascii(), name
        assert "cancel" not in filled.lower().replace("x cancel", "").replace("is cancelled", ""), name


def test_who_texts_reads_the_outcome_in_the_reply(services: Services, at: At) -> None:
    held = services.booking.hold("face", at("2026-03-06 09:00"), holder="s1", channel="sms")
    visit = services.booking.confirm(held.id, Visitor("Bo", PHONE), holder="s1", pending_reason="pregnancy")
    assert not [e for e in services.outbox.entries("waiting") if e.channel == "text"]
    services.booking.approve(visit.id, version=visit.version)
    assert entry(services, "text", "visitor.visit_approved")


def test_holds_are_told_to_nobody(services: Services, at: At) -> None:
    services.booking.hold("face", at("2026-03-06 09:00"), holder="s1", channel="sms")
    assert services.outbox.counts() == {}


def test_a_handoff_is_told_without_what_was_said(services: Services) -> None:
    request = services.handoffs.open(
        "c1", channel="web", reason="asked", urgency="today", name="Ana", summary="my rash is spreading"
    )
    letter = written(services, "email", "staff.handoff_opened")
    assert "today" in letter.subject
    assert request.id in letter.text
    assert "rash" not in letter.text
    assert set(written(services, "webhook", "staff.handoff_opened").data) == {
        "request",
        "urgency",
        "reason",
        "status",
        "number",
    }
    assert "Still waiting" in written(services, "email", "staff.handoff_unclaimed").subject
    services.handoffs.claim(request.id, "kim")
    with pytest.raises(Dropped, match="claimed"):
        written(services, "email", "staff.handoff_unclaimed")


def test_a_persons_reply_goes_out_unless_texts_were_refused(services: Services) -> None:
    request = services.handoffs.open("s1", channel="sms", reason="asked", phone=PHONE)
    services.handoffs.claim(request.id, "kim")
    services.handoffs.reply(request.id, "kim", "Kim here.")
    assert written(services, "text", "visitor.handoff_reply").text == "Kim here."
    services.handoffs.said("s1", "hello")
    assert "has written" in written(services, "email", "staff.handoff_visitor_wrote").text
    services.consents.record(PHONE, TEXTS, False, wording="stop", channel="sms")
    with pytest.raises(Dropped, match="no consent"):
        written(services, "text", "visitor.handoff_reply")


def test_wrong_wording_is_named_by_its_line(tmp_path: Any) -> None:
    wrong = tmp_path / "wording.yml"
    text = FILE.read_text()
    for before, after, reason in (
        ("{zone}", "{place}", "there is nothing to fill in for {place}"),
        ("{zone}", "{zone", "the braces do not match"),
        ("language: en", "language: xx", "is not a language code"),
        ("  visit_moved:", "  visit_shifted:", "Field required"),
    ):
        wrong.write_text(text.replace(before, after, 1))
        with pytest.raises(yaml.BadFile) as bad:
            load(wrong)
        assert reason in str(bad.value)
        assert str(bad.value).startswith(f"{wrong}:")
