"""Texts go on although a visitor has said in the chat that there shall be none: 3.4f of docs/sms.md."""

import pytest

from bot.engine import Engine
from clinic import consent
from clinic.visits import Visit
from tests.conversations.booking.conftest import PHONE, Guest, requests


@pytest.mark.parametrize("text", ["please stop texting me", "take me off your text list", "no more texts to (212) 555-0101"])
async def test_who_has_booked_here_ends_texts_at_once(web: Guest, engine: Engine, text: str) -> None:
    """3.4f 3.6a"""
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "yes")
    assert engine.services.consents.given(PHONE, consent.TEXTS)
    assert "(212) 555-0101" in await web(text)
    assert not engine.services.consents.given(PHONE, consent.TEXTS)
    said = engine.services.consents.history(PHONE)[-1]
    assert (said.channel, said.wording, said.conversation_id) == ("web", "end-texts-1", web.id)
    assert requests(engine) == []


async def test_of_a_number_that_may_be_anybodys_staff_are_told(web: Guest, engine: Engine, booked: Visit) -> None:
    """3.4f"""
    engine.services.consents.record(PHONE, consent.TEXTS, True, wording="1", channel="web")
    assert "asked our team" in await web("take my number off your list, it is 212 555 0101")
    assert engine.services.consents.given(PHONE, consent.TEXTS)
    (request,) = requests(engine)
    assert (request.reason, request.phone, request.urgency) == ("no_texts", PHONE, "routine")


@pytest.mark.parametrize("text", ["how do I stop your texts?", "stop texting me"])
async def test_how_texts_end_is_told(web: Guest, engine: Engine, text: str) -> None:
    """3.4f"""
    assert "STOP" in await web(text)
    assert requests(engine) == []


async def test_who_waits_for_a_person_can_end_texts_too(web: Guest, engine: Engine) -> None:
    await web("I want to talk to a person")
    assert "end our texts" in await web("and stop texting me on 212 555 0101")


async def test_danger_comes_first(web: Guest) -> None:
    assert "911" in await web("stop texting me I cannot breathe")


@pytest.mark.parametrize("text", ["which products should I stop using?", "does the redness stop?", "don't stop texting me"])
async def test_other_things_that_stop_are_understood(web: Guest, text: str) -> None:
    await web(text)
    assert web.reply
    assert not {"end_texts", "how_to_end_texts"} & set(web.reply.topics)
