"""Finding a visit by what a visitor quotes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from clinic import errors
from clinic.lookup import TRIES_BY_HOLDER, TRIES_FOR_REFERENCE
from clinic.services import Services
from clinic.visits import Visit, Visitor, new_reference, tidy_reference

PHONE = "+12125550199"


@pytest.fixture
def visit(services: Services, at: Callable[[str], dt.datetime]) -> Visit:
    held = services.booking.hold("face", at("2026-03-03 09:00"), holder="c1", channel="web")
    return services.booking.confirm(held.id, Visitor("Ana Lima", PHONE), holder="c1")


def test_reference_and_phone_find_a_visit(services: Services, visit: Visit) -> None:
    written = f" {visit.reference[:3].lower()}-{visit.reference[3:]} "
    assert services.lookup.find(written, PHONE, holder="c2") == visit


def test_either_alone_finds_nothing(services: Services, visit: Visit) -> None:
    assert services.lookup.find(visit.reference, "+12125550100", holder="c2") is None
    assert services.lookup.find(new_reference(), PHONE, holder="c2") is None


def test_holds_past_and_cancelled_visits_are_not_found(
    services: Services, visit: Visit, clock: Any, at: Callable[[str], dt.datetime]
) -> None:
    held = services.booking.hold("face", at("2026-03-04 09:00"), holder="c1", channel="web")
    assert services.lookup.find(held.reference, PHONE, holder="c2") is None
    clock.moment = at("2026-03-03 09:00")
    assert services.lookup.find(visit.reference, PHONE, holder="c2") is None


def test_a_conversation_has_few_tries_in_an_hour(services: Services, visit: Visit, clock: Any) -> None:
    for _ in range(TRIES_BY_HOLDER):
        assert services.lookup.find(new_reference(), PHONE, holder="c2") is None
    with pytest.raises(errors.TooManyTries):
        services.lookup.find(visit.reference, PHONE, holder="c2")
    assert services.lookup.find(visit.reference, PHONE, holder="c3") == visit
    clock.advance(minutes=60)
    assert services.lookup.find(visit.reference, PHONE, holder="c2") == visit


def test_a_reference_has_few_tries_whoever_makes_them(services: Services, visit: Visit) -> None:
    for reference in (visit.reference, "222222"):
        for n in range(TRIES_FOR_REFERENCE):
            assert services.lookup.find(reference, "+12125550100", holder=f"guess {reference} {n}") is None
        with pytest.raises(errors.TooManyTries):
            services.lookup.find(reference, PHONE, holder="c9")


def test_references_are_read_as_people_write_them() -> None:
    assert tidy_reference(" k7m-2qx ") == "K7M2QX"
    assert tidy_reference("🙂") == ""
    assert len({new_reference() for _ in range(200)}) == 200
