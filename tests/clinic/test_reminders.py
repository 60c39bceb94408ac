"""Reminders: due in time, sent once, looked at again before they go."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from clinic.consent import TEXTS
from clinic.models import Reminder
from clinic.outbox import Dropped
from clinic.services import Services
from clinic.visits import Visit, Visitor

At = Callable[[str], dt.datetime]
PHONE = "+12125550199"


@pytest.fixture
def visit(services: Services, at: At) -> Visit:
    services.consents.record(PHONE, TEXTS, True, wording="1", channel="web")
    held = services.booking.hold("face", at("2026-03-10 15:00"), holder="c1", channel="web")
    return services.booking.confirm(held.id, Visitor("Ana", PHONE), holder="c1")


def due(engine: Engine) -> list[tuple[str, int, str]]:
    with engine.connect() as connection:
        rows = connection.execute(select(Reminder.__table__).order_by(Reminder.due_at, Reminder.version))
        return [(row.kind, row.version, row.state) for row in rows]


def queued(services: Services) -> list[str]:
    return sorted(entry.kind for entry in services.outbox.entries("waiting") if "reminder" in entry.kind)


def test_each_reminder_goes_out_once_at_its_time(services: Services, engine: Engine, visit: Visit, clock: Any, at: At) -> None:
    assert due(engine) == [("72h", 2, "waiting"), ("24h", 2, "waiting")]
    clock.moment = at("2026-03-07 13:59")
    assert services.reminders.run_once() == 0
    clock.moment = at("2026-03-07 14:00")
    assert services.reminders.run_once() == 1
    assert services.reminders.run_once() == 0
    clock.moment = at("2026-03-09 15:00")
    assert services.reminders.run_once() == 1
    assert queued(services) == ["visitor.reminder_24h", "visitor.reminder_72h"]
    last = services.outbox.entries("waiting")[-1]
    message = services.letters.compose(last)
    assert message.text == ("Larkfield Skin Clinic: visit Tue 10 Mar, 3:00 PM. C confirm, R change, X cancel. STOP to end texts.")


def test_late_bookings_skip_what_is_past(services: Services, engine: Engine, at: At) -> None:
    held = services.booking.hold("face", at("2026-03-04 09:00"), holder="c1", channel="web")
    services.booking.confirm(held.id, Visitor("Ana", PHONE), holder="c1")
    assert due(engine) == [("24h", 2, "waiting")]


def test_a_moved_visit_is_reminded_of_its_new_time_only(
    services: Services, engine: Engine, visit: Visit, clock: Any, at: At
) -> None:
    services.booking.reschedule(visit.id, at("2026-03-17 15:00"), version=visit.version)
    clock.moment = at("2026-03-10 10:00")
    services.reminders.run_once()
    assert queued(services) == []
    clock.moment = at("2026-03-16 16:00")
    services.reminders.run_once()
    assert queued(services) == ["visitor.reminder_24h", "visitor.reminder_72h"]
    assert {state for _, version, state in due(engine) if version == 2} == {"skipped"}


@pytest.mark.parametrize("change", ["cancel", "refuse", "erase"])
def test_what_changed_since_is_seen_before_sending(services: Services, visit: Visit, clock: Any, at: At, change: str) -> None:
    clock.moment = at("2026-03-07 14:00")
    services.reminders.run_once()
    (entry,) = [entry for entry in services.outbox.entries("waiting") if "reminder" in entry.kind]
    if change == "cancel":
        services.booking.cancel(visit.id, version=visit.version)
    elif change == "refuse":
        services.consents.record(PHONE, TEXTS, False, wording="stop", channel="sms")
    else:
        services.privacy.erase(PHONE, cancel_upcoming=True)
    with pytest.raises(Dropped):
        services.letters.compose(entry)
    clock.moment = at("2026-03-09 15:00")
    services.reminders.run_once()
    assert queued(services) == ["visitor.reminder_72h"]


def test_quiet_hours_delay_a_text_but_never_past_the_visit(services: Services, engine: Engine, clock: Any, at: At) -> None:
    services.consents.record(PHONE, TEXTS, True, wording="1", channel="web")
    held = services.booking.hold("face", at("2026-03-10 09:00"), holder="c1", channel="web")
    services.booking.confirm(held.id, Visitor("Ana", PHONE), holder="c1")
    clock.moment = at("2026-03-09 20:30")
    services.reminders.run_once()
    assert [state for _, _, state in due(engine)] == ["skipped", "skipped"]
    held = services.booking.hold("face", at("2026-03-14 10:00"), holder="c2", channel="web")
    services.booking.confirm(held.id, Visitor("Ana", PHONE), holder="c2")
    clock.moment = at("2026-03-13 22:00")
    assert services.reminders.run_once() == 2
    assert queued(services) == []
    clock.moment = at("2026-03-14 09:00")
    services.reminders.run_once()
    assert queued(services) == ["visitor.reminder_24h", "visitor.reminder_72h"]


def test_without_consent_to_texts_an_e_mail_or_nothing(services: Services, engine: Engine, clock: Any, at: At) -> None:
    for holder, email, hour in (("c1", "ana@example.org", 9), ("c2", None, 15)):
        held = services.booking.hold("face", at(f"2026-03-10 {hour:02}:00"), holder=holder, channel="web")
        services.booking.confirm(held.id, Visitor("Ana", PHONE, email), holder=holder)
    clock.moment = at("2026-03-09 21:00")
    services.reminders.run_once()
    mails = [entry for entry in services.outbox.entries("waiting") if "reminder" in entry.kind]
    assert {entry.channel for entry in mails} == {"email"}
    assert services.letters.compose(mails[0]).to == "ana@example.org"


def test_a_pending_visit_is_not_reminded_before_it_is_approved(services: Services, engine: Engine, at: At) -> None:
    held = services.booking.hold("face", at("2026-03-10 15:00"), holder="c1", channel="web")
    visit = services.booking.confirm(held.id, Visitor("Ana", PHONE), holder="c1", pending_reason="pregnancy")
    assert due(engine) == []
    services.booking.approve(visit.id, version=visit.version)
    assert [kind for kind, _, _ in due(engine)] == ["72h", "24h"]


def test_an_answered_reminder_leaves_the_next_one_in_place(
    services: Services, engine: Engine, visit: Visit, clock: Any, at: At
) -> None:
    clock.moment = at("2026-03-07 14:00")
    services.reminders.run_once()
    services.booking.acknowledge(visit.id, version=visit.version)
    assert due(engine) == [("72h", 2, "sent"), ("24h", 2, "waiting"), ("24h", 3, "waiting")]
    clock.moment = at("2026-03-09 15:00")
    services.reminders.run_once()
    assert due(engine) == [("72h", 2, "sent"), ("24h", 2, "skipped"), ("24h", 3, "sent")]
