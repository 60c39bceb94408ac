"""3.5h: the order of what may answer a text: signature, seen before, words about texts, safety, codes, understanding."""

import httpx
import pytest
from sqlalchemy import Engine, select

from clinic.models import AppointmentChange, SmsInbound
from clinic.services import Services
from tests.sms.conftest import Echo, Twilio, book, consents, said


async def test_the_signature_comes_before_all_else(
    client: httpx.AsyncClient, twilio: Twilio, echo: Echo, base: Engine, services: Services
) -> None:
    """3.5h 3.1a: what is not signed is neither kept nor obeyed."""
    book(services)
    for body in ("STOP", "CANCEL", "C", "help me I cannot breathe"):
        assert (await client.post("/sms/inbound", data=twilio.fields(body))).status_code == 403
    assert not echo.heard
    assert consents(base) == []
    with base.connect() as connection:
        assert connection.execute(select(SmsInbound.sid)).first() is None
        assert "acknowledged" not in connection.scalars(select(AppointmentChange.change)).all()


async def test_what_was_seen_before_is_not_obeyed_again(known: Twilio, base: Engine) -> None:
    """3.5h 3.2a: the retry of a STOP that comes after a START stops nothing."""
    stop = known.fields("STOP")
    first = await known.post(stop)
    await known.say("START")
    assert (await known.post(stop)).text == first.text
    assert consents(base) == [False, True]


@pytest.mark.parametrize("word", ["STOP", "HELP", "START"])
async def test_words_about_texts_come_before_safety(known: Twilio, echo: Echo, word: str) -> None:
    """3.5h"""
    echo.says[word] = said("Call 911 now.", zone="safety", safety="emergency")
    assert "911 now" not in (await known.say(word))[0]
    assert not echo.heard


@pytest.mark.parametrize("text", ["1 I cannot breathe", "c my throat is closing", "x help me I cannot breathe", "more blood"])
async def test_safety_comes_before_codes(known: Twilio, echo: Echo, services: Services, text: str) -> None:
    """3.5h: a text that is more than a code is read for danger as a whole."""
    visit = book(services)
    echo.says["which"] = said("Which?", choices=("Redness", "Peeling"), zone="clarify")
    await known.say("which")
    echo.says[text] = said("Call 911 now.", zone="safety", safety="emergency")
    assert await known.say(text) == ["Call 911 now."]
    assert services.booking.history(visit)[-1]["change"] != "acknowledged"


async def test_codes_come_before_understanding(known: Twilio, echo: Echo, services: Services) -> None:
    """3.5h 3.5c"""
    book(services)
    echo.says["which"] = said("Which?", choices=("Redness", "Peeling"), zone="clarify")
    await known.say("which")
    await known.say("2")
    await known.say("C")
    assert echo.texts == ["which", "id-Peeling"]


async def test_yes_from_a_number_without_texts_brings_them_back_and_confirms_nothing(
    known: Twilio, echo: Echo, services: Services, base: Engine
) -> None:
    """3.5e: the opt-in is kept, and the visit is left alone."""
    visit = book(services)
    await known.say("STOP")
    assert "on again" in (await known.say("YES"))[0]
    assert consents(base) == [False, True]
    assert services.booking.history(visit)[-1]["change"] != "acknowledged"
    assert not echo.heard
