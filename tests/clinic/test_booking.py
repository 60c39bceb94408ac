"""Holds, visits, moves and cancellations, one at a time."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from clinic import errors
from clinic.models import Claim, OutboxMessage
from clinic.services import Services
from clinic.visits import Visit, Visitor

At = Callable[[str], dt.datetime]
VISITOR = Visitor("Ana Lima", "+12125550199", "ana@example.org")


def hold(services: Services, when: dt.datetime, *, service: str = "face", holder: str = "c1", **more: Any) -> Visit:
    return services.booking.hold(service, when, holder=holder, channel="web", **more)


def book(services: Services, when: dt.datetime, *, holder: str = "c1", **more: Any) -> Visit:
    held = hold(services, when, holder=holder, **more)
    return services.booking.confirm(held.id, VISITOR, holder=holder)


def claims(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(Claim)).scalar_one()


def test_a_hold_becomes_a_booked_visit(services: Services, at: At) -> None:
    held = hold(services, at("2026-03-03 09:00"))
    assert (held.status, held.slot_status, held.version) == ("proposed", "busy-tentative", 1)
    assert held.hold_expires_at == at("2026-03-02 08:05")
    visit = services.booking.confirm(held.id, VISITOR, holder="c1")
    assert (visit.status, visit.slot_status, visit.version) == ("booked", "busy", 2)
    assert (visit.starts_at, visit.ends_at) == (at("2026-03-03 09:00"), at("2026-03-03 10:00"))
    assert (visit.name, visit.phone, visit.email) == ("Ana Lima", "+12125550199", "ana@example.org")
    assert (visit.practitioner, visit.room) == ("rowan", "room")
    assert services.booking.upcoming(VISITOR.phone) == [visit]
    assert [(row["change"], row["actor"]) for row in services.booking.history(visit.id)] == [
        ("held", "visitor"),
        ("booked", "visitor"),
    ]


def test_claims_cover_buffers(services: Services, engine: Engine, at: At) -> None:
    hold(services, at("2026-03-03 09:00"))
    assert claims(engine) == 2 * (5 + 60 + 15) // 5
    with engine.connect() as connection:
        ticks = connection.scalars(select(Claim.tick).where(Claim.resource == "room").order_by(Claim.tick)).all()
    assert ticks[0] * 300 == at("2026-03-03 08:55").timestamp()
    assert (ticks[-1] + 1) * 300 == at("2026-03-03 10:15").timestamp()


def test_a_slot_is_given_once(services: Services, at: At) -> None:
    book(services, at("2026-03-03 09:00"))
    with pytest.raises(errors.SlotTaken):
        hold(services, at("2026-03-03 09:30"), holder="c2")
    assert hold(services, at("2026-03-03 09:30"), service="consultation", holder="c2").practitioner == "imani"
    with pytest.raises(errors.SlotTaken):
        hold(services, at("2026-03-03 09:30"), service="consultation", holder="c3")


def test_an_expired_hold_gives_way(services: Services, engine: Engine, clock: Any, at: At) -> None:
    held = hold(services, at("2026-03-03 09:00"))
    clock.advance(minutes=5)
    with pytest.raises(errors.HoldExpired):
        services.booking.confirm(held.id, VISITOR, holder="c1")
    again = hold(services, at("2026-03-03 09:00"), holder="c2")
    assert services.booking.confirm(again.id, VISITOR, holder="c2").status == "booked"
    assert claims(engine) == 32


def test_sweep_deletes_only_what_ran_out(services: Services, engine: Engine, clock: Any, at: At) -> None:
    hold(services, at("2026-03-03 09:00"))
    clock.advance(minutes=3)
    kept = hold(services, at("2026-03-03 11:00"), holder="c2")
    booked = book(services, at("2026-03-03 14:00"), holder="c3")
    clock.advance(minutes=3)
    assert services.booking.sweep() == 1
    assert services.booking.get(kept.id) == kept
    assert services.booking.get(booked.id) == booked
    assert claims(engine) == 64


def test_a_hold_is_renewed_once(services: Services, clock: Any, at: At) -> None:
    held = hold(services, at("2026-03-03 09:00"))
    clock.advance(minutes=4)
    assert services.booking.renew(held.id, holder="c1").hold_expires_at == at("2026-03-02 08:09")
    with pytest.raises(errors.AlreadyRenewed):
        services.booking.renew(held.id, holder="c1")
    clock.advance(minutes=5)
    with pytest.raises(errors.HoldExpired):
        services.booking.renew(held.id, holder="c1")


def test_a_released_hold_is_gone_and_a_visit_is_not(services: Services, engine: Engine, at: At) -> None:
    held = hold(services, at("2026-03-03 09:00"))
    services.booking.release(held.id, holder="someone else")
    assert claims(engine) == 32
    services.booking.release(held.id, holder="c1")
    services.booking.release(held.id, holder="c1")
    assert claims(engine) == 0
    visit = book(services, at("2026-03-03 09:00"))
    services.booking.release(visit.id, holder="c1")
    services.booking.release_all(holder="c1")
    assert services.booking.get(visit.id).status == "booked"


def test_holds_are_capped_for_each_holder(services: Services, clock: Any, at: At) -> None:
    first = hold(services, at("2026-03-03 09:00"))
    hold(services, at("2026-03-03 11:00"))
    with pytest.raises(errors.TooManyHolds):
        hold(services, at("2026-03-03 15:00"))
    swapped = hold(services, at("2026-03-03 15:00"), instead_of=first.id)
    assert [visit.starts_at for visit in services.booking.holds("c1")] == [
        at("2026-03-03 11:00"),
        at("2026-03-03 15:00"),
    ]
    hold(services, at("2026-03-03 09:00"), holder="c2")
    clock.advance(minutes=6)
    assert hold(services, at("2026-03-04 09:00")).id != swapped.id


def test_only_the_holder_confirms(services: Services, at: At) -> None:
    held = hold(services, at("2026-03-03 09:00"))
    with pytest.raises(errors.HoldExpired):
        services.booking.confirm(held.id, VISITOR, holder="c2")
    with pytest.raises(errors.HoldExpired):
        services.booking.confirm("nothing", VISITOR, holder="c1")


def test_a_clinicians_matter_stays_pending_until_approved(services: Services, at: At) -> None:
    held = hold(services, at("2026-03-03 09:00"))
    visit = services.booking.confirm(held.id, VISITOR, holder="c1", pending_reason="pregnancy")
    assert (visit.status, visit.pending_reason, visit.slot_status) == ("pending", "pregnancy", "busy")
    moved = services.booking.reschedule(visit.id, at("2026-03-04 09:00"), version=visit.version)
    assert moved.status == "pending"
    approved = services.booking.approve(visit.id, version=moved.version)
    assert approved.status == "booked"
    with pytest.raises(errors.NotAllowed):
        services.booking.approve(visit.id, version=approved.version)


def test_a_booked_visit_is_doubted_until_a_clinician_has_decided(services: Services, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    doubted = services.booking.doubt(visit.id, "pregnancy")
    assert (doubted.status, doubted.pending_reason, doubted.starts_at) == ("pending", "pregnancy", visit.starts_at)
    assert services.booking.doubt(visit.id, "medicine") == doubted
    approved = services.booking.approve(visit.id, version=doubted.version)
    assert services.booking.doubt(visit.id, "pregnancy") == approved
    assert services.booking.doubt(visit.id, "medicine").status == "pending"
    assert [row["change"] for row in services.booking.history(visit.id)] == ["held", "booked", "pending", "approved", "pending"]


def test_what_is_over_or_cancelled_is_not_doubted(services: Services, clock: Any, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    cancelled = services.booking.cancel(visit.id, version=visit.version)
    assert services.booking.doubt(visit.id, "pregnancy") == cancelled
    other = book(services, at("2026-03-03 09:00"))
    clock.advance(days=3)
    assert services.booking.doubt(other.id, "pregnancy") == other


def test_a_visit_is_found_by_its_reference_as_people_write_it(services: Services, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    assert services.booking.named(f" {visit.reference[:3]}-{visit.reference[3:].lower()}") == visit
    held = hold(services, at("2026-03-04 09:00"))
    with pytest.raises(errors.NotFound):
        services.booking.named(held.reference)


def test_a_move_takes_the_new_and_frees_the_old(services: Services, engine: Engine, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    moved = services.booking.reschedule(visit.id, at("2026-03-03 09:15"), version=visit.version)
    assert (moved.starts_at, moved.practitioner, moved.reference) == (
        at("2026-03-03 09:15"),
        "rowan",
        visit.reference,
    )
    assert claims(engine) == 32
    far = services.booking.reschedule(visit.id, at("2026-03-10 14:00"), version=moved.version, practitioner="imani")
    assert (far.practitioner, far.version) == ("imani", 4)
    assert claims(engine) == 32
    assert hold(services, at("2026-03-03 09:15"), holder="c2").practitioner == "rowan"


def test_a_move_to_a_taken_slot_changes_nothing(services: Services, engine: Engine, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    book(services, at("2026-03-03 11:00"), holder="c2")
    with pytest.raises(errors.SlotTaken):
        services.booking.reschedule(visit.id, at("2026-03-03 11:15"), version=visit.version)
    assert services.booking.get(visit.id) == visit
    assert claims(engine) == 64


def test_a_cancelled_visit_frees_its_time_and_keeps_its_history(services: Services, engine: Engine, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    gone = services.booking.cancel(visit.id, version=visit.version)
    assert (gone.status, gone.slot_status, gone.name) == ("cancelled", "free", "Ana Lima")
    assert claims(engine) == 0
    assert [row["change"] for row in services.booking.history(visit.id)] == ["held", "booked", "cancelled"]
    assert services.booking.upcoming(VISITOR.phone) == []
    with pytest.raises(errors.NotAllowed):
        services.booking.cancel(visit.id, version=gone.version)
    assert hold(services, at("2026-03-03 09:00"), holder="c2").practitioner == "rowan"


def test_an_outdated_version_changes_nothing(services: Services, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    moved = services.booking.reschedule(visit.id, at("2026-03-04 09:00"), version=visit.version)
    with pytest.raises(errors.Stale):
        services.booking.cancel(visit.id, version=visit.version)
    with pytest.raises(errors.Stale):
        services.booking.reschedule(visit.id, at("2026-03-05 09:00"), version=visit.version)
    assert services.booking.get(visit.id) == moved


def test_a_past_visit_cannot_be_changed_but_recorded(services: Services, clock: Any, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    clock.moment = at("2026-03-03 09:00")
    with pytest.raises(errors.NotAllowed):
        services.booking.cancel(visit.id, version=visit.version)
    here = services.booking.record(visit.id, "arrived", version=visit.version)
    done = services.booking.record(visit.id, "fulfilled", version=here.version)
    assert done.status == "fulfilled"
    with pytest.raises(errors.NotAllowed):
        services.booking.record(visit.id, "noshow", version=done.version)


def test_the_same_key_does_an_action_once(services: Services, engine: Engine, at: At) -> None:
    first = hold(services, at("2026-03-03 09:00"), key="c1/4/slot-1")
    assert hold(services, at("2026-03-03 09:00"), key="c1/4/slot-1") == first
    assert claims(engine) == 32
    visit = services.booking.confirm(first.id, VISITOR, holder="c1", key="c1/5/yes")
    assert services.booking.confirm(first.id, VISITOR, holder="c1", key="c1/5/yes") == visit
    gone = services.booking.cancel(visit.id, version=visit.version, key="c1/6/yes")
    assert services.booking.cancel(visit.id, version=visit.version, key="c1/6/yes") == gone
    with pytest.raises(errors.KeyReused):
        hold(services, at("2026-03-03 11:00"), key="c1/4/slot-1")
    with engine.connect() as connection:
        kinds = connection.scalars(select(OutboxMessage.kind).where(OutboxMessage.channel == "email")).all()
    assert sorted(kinds) == sorted(
        ["staff.visit_booked", "visitor.visit_booked", "staff.visit_cancelled", "visitor.visit_cancelled"]
    )


def test_a_key_whose_action_failed_can_be_tried_again(services: Services, at: At) -> None:
    other = book(services, at("2026-03-03 09:00"), holder="c2")
    with pytest.raises(errors.SlotTaken):
        hold(services, at("2026-03-03 09:00"), key="k")
    services.booking.cancel(other.id, version=other.version)
    assert hold(services, at("2026-03-03 09:00"), key="k").status == "proposed"


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("2026-03-01 10:00", "past"),
        ("2026-03-02 09:00", "too_soon"),
        ("2026-06-01 10:00", "too_far"),
        ("2026-03-08 10:00", "closed"),
        ("2026-03-20 10:00", "closed"),
        ("2026-03-03 12:30", "outside_hours"),
        ("2026-03-03 07:00", "outside_hours"),
        ("2026-03-03 09:05", "off_grid"),
    ],
)
def test_starts_that_the_clinic_does_not_offer(services: Services, at: At, when: str, reason: str) -> None:
    with pytest.raises(errors.SlotUnavailable) as refused:
        hold(services, at(when))
    assert refused.value.reason == reason


def test_unknown_services_and_practitioners(services: Services, at: At) -> None:
    with pytest.raises(errors.UnknownService):
        hold(services, at("2026-03-03 09:00"), service="hair")
    with pytest.raises(errors.UnknownResource):
        hold(services, at("2026-03-03 09:00"), practitioner="room")
    with pytest.raises(errors.NotFound):
        services.booking.get("nothing")


def test_a_visitor_answers_a_reminder(services: Services, at: At) -> None:
    visit = book(services, at("2026-03-05 09:00"))
    seen = services.booking.acknowledge(visit.id, version=visit.version)
    assert (seen.status, seen.version) == ("booked", visit.version + 1)
    assert services.booking.history(visit.id)[-1]["change"] == "acknowledged"


def test_the_agenda_lists_what_is_to_come(services: Services, at: At) -> None:
    visit = book(services, at("2026-03-03 09:00"))
    hold(services, at("2026-03-03 11:00"), holder="c2")
    assert services.booking.agenda(at("2026-03-03 00:00"), at("2026-03-04 00:00")) == [visit]
