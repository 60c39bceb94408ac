"""What people text back to a reminder, through Twilio's door: C, R and X, and what they write instead."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from bot.engine import Engine
from bot.settings import Settings
from bot.sms.service import Sms
from clinic import consent
from clinic.outbox import Worker
from clinic.visits import Visit, Visitor
from tests.conversations.booking.conftest import PHONE, Clock, book, local, requests, visits
from tests.sms.conftest import PUBLIC, Twilio, application
from tests.sms.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

_sids = (f"SM{n:032x}" for n in itertools.count(1))


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    made = FakeTwilio()
    yield made
    made.close()


@pytest.fixture
def sms(engine: Engine, settings: Settings, clock: Clock, fake: FakeTwilio) -> Sms:
    account = {"twilio_account": ACCOUNT, "twilio_token": TOKEN, "twilio_sender": "+12125550144", "twilio_api": fake.url}
    set_up = settings.model_copy(update={"public_url": PUBLIC, **account})
    made = Sms.build(set_up, engine.store.database, engine.services, clock=clock)
    made.channel.engine = engine
    return made


@pytest.fixture
async def phone(sms: Sms) -> AsyncIterator[Twilio]:
    """The telephone of who booked, which knows who texts it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(sms)), base_url="http://test") as client:
        made = Twilio(client, PHONE)
        made._sids = _sids
        await made.say("hello")
        yield made


@pytest.fixture
def remind(engine: Engine, sms: Sms, clock: Clock, fake: FakeTwilio) -> Callable[..., str]:
    """Lets time pass and sends what is due; the last text that went out."""
    engine.services.consents.record(PHONE, consent.TEXTS, True, wording="test", channel="web")

    def pass_time(**amount: float) -> str:
        clock.advance(**amount)
        engine.services.reminders.run_once()
        assert sms.sender
        Worker(engine.store.database, clock, sms.composer, {"text": sms.sender}).run_once()
        return fake.texts[-1]["Body"]

    return pass_time


@pytest.fixture
def reminded(booked: Visit, remind: Callable[..., str]) -> Visit:
    """The visit on Wednesday at ten, a day before which a reminder has gone out."""
    assert "C confirm, R change, X cancel" in remind(hours=27)
    return booked


@pytest.mark.parametrize("answer", ["C", "c", " C. ", "confirm", "Yes", "y", "👍"])
async def test_c_or_yes_confirms(phone: Twilio, reminded: Visit, engine: Engine, answer: str) -> None:
    (said,) = await phone.say(answer)
    assert "we look forward to seeing you Wednesday" in said
    assert engine.services.booking.history(reminded.id)[-1]["change"] == "acknowledged"


async def test_a_yes_to_a_cancelled_visit_confirms_no_other(
    phone: Twilio, remind: Callable[..., str], engine: Engine, booked: Visit
) -> None:
    other = book(engine, "2026-03-06 10:00")
    engine.services.booking.cancel(booked.id, version=booked.version, key="k", actor="staff")
    assert "is cancelled" in remind(hours=2)
    await phone.say("👍")
    assert engine.services.booking.history(other.id)[-1]["change"] != "acknowledged"


async def test_r_moves_by_the_numbers_of_slots(phone: Twilio, reminded: Visit, engine: Engine) -> None:
    assert "What day and time" in "\n".join(await phone.say("R"))
    offered = "\n".join(await phone.say("thursday"))
    assert "2 Thu, Mar 5" in offered
    (said,) = await phone.say("2")
    assert "I will move your visit from Wednesday, March 4, 10 AM to Thursday, March 5" in said
    await phone.say("1")
    (visit,) = visits(engine)
    assert (visit.id, visit.starts_at.day) == (reminded.id, 5)


async def test_x_cancels_after_a_yes(phone: Twilio, reminded: Visit, engine: Engine) -> None:
    (said,) = await phone.say("X")
    assert "Are you sure?" in said
    assert [local(visit) for visit in visits(engine)] == ["Wed 04 Mar 10:00"]
    await phone.say("1")
    assert visits(engine) == []
    assert engine.services.booking.get(reminded.id).status == "cancelled"


async def test_x_and_a_no_keeps_the_visit(phone: Twilio, reminded: Visit, engine: Engine) -> None:
    await phone.say("X")
    await phone.say("2")
    assert len(visits(engine)) == 1


async def test_c_confirms_the_visit_that_the_reminder_was_about(
    phone: Twilio, booked: Visit, remind: Callable[..., str], engine: Engine
) -> None:
    later = book(engine, "2026-03-06 10:00")
    assert "Fri 6 Mar" in remind(hours=3)
    (said,) = await phone.say("C")
    assert "Friday" in said
    assert engine.services.booking.history(later.id)[-1]["change"] == "acknowledged"
    assert engine.services.booking.history(booked.id)[-1]["change"] == "booked"


async def test_a_bare_cancel_stops_texts_and_keeps_the_visit(phone: Twilio, reminded: Visit, engine: Engine) -> None:
    (said,) = await phone.say("CANCEL")
    assert "NOT cancelled" in said
    assert len(visits(engine)) == 1
    (request,) = requests(engine)
    assert (request.reason, request.urgency, request.phone) == ("texted_cancel", "today", PHONE)
    assert not engine.services.consents.given(PHONE, consent.TEXTS)


async def test_confirm_within_a_booking_books(phone: Twilio, booked: Visit, engine: Engine) -> None:
    await phone.say("book a face treatment friday at 3pm")
    assert "Shall I book it?" in "\n".join(await phone.say("Anna Smith"))
    await phone.say("confirm")
    assert [local(visit) for visit in visits(engine)] == ["Wed 04 Mar 10:00", "Fri 06 Mar 15:00"]
    assert engine.services.booking.history(booked.id)[-1]["change"] == "booked"


async def test_yes_to_nothing_confirms_nothing(phone: Twilio, booked: Visit, engine: Engine) -> None:
    await phone.say("yes")
    assert engine.services.booking.history(booked.id)[-1]["change"] == "booked"


async def test_c_does_not_promise_what_a_clinician_must_confirm(phone: Twilio, engine: Engine) -> None:
    booking = engine.services.booking
    start = engine.services.clock().replace(day=5, hour=19)
    held = booking.hold("consultation", start, holder="h", channel="web")
    booking.confirm(held.id, Visitor("Anna Smith", PHONE), holder="h", pending_reason="pregnancy")
    (said,) = await phone.say("C")
    assert "still to be confirmed by a clinician" in said


async def test_an_emergency_goes_before_the_letters(phone: Twilio, reminded: Visit, engine: Engine) -> None:
    (said,) = await phone.say("X but my throat is swelling and I cannot breathe")
    assert "911" in said
    assert len(visits(engine)) == 1
