"""The channel with the real model behind it."""

import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.engine import Engine
from bot.settings import Settings
from bot.sms.service import Sms
from bot.sms.words import Words
from bot.sms_text import encoding, fold, segments
from clinic import practice
from clinic.services import Services
from tests.sms.conftest import PUBLIC, TOKEN, Twilio, application


@pytest.fixture
async def phone(engine: Engine, settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Twilio]:
    """A telephone whose number nobody has used."""
    set_up = settings.model_copy(update={"public_url": PUBLIC, "twilio_token": TOKEN})
    services = Services.build(engine.store.database, practice.load(Path("clinic.yml")))
    sms = Sms.build(set_up, engine.store.database, services)
    sms.channel.engine = engine
    numbers = request.config.stash.setdefault(_USED, iter(range(100, 200)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(sms)), base_url="http://test") as client:
        made = Twilio(client, f"+1213555{next(numbers):04d}")
        made._sids = (f"SM{made.number[1:]}{n}" for n in range(100))
        yield made


_USED = pytest.StashKey["object"]()


async def test_an_answer_in_the_wording_of_texts(phone: Twilio) -> None:
    first, answer = await phone.say("does it hurt?")
    assert "automated" in first
    assert "sandpaper" in answer
    assert (encoding(answer), segments(answer)) == ("GSM-7", 1)


async def test_a_retry_gets_the_same_answer(phone: Twilio) -> None:
    fields = phone.fields("does it hurt?")
    assert (await phone.post(fields)).text == (await phone.post(fields)).text


async def test_an_emergency_is_said_at_once_and_alone(phone: Twilio) -> None:
    answers = await phone.say("my throat is swelling and I cannot breathe")
    assert "911" in answers[0]
    assert not any("MORE" in answer for answer in answers)


@pytest.mark.parametrize(
    "text", ["", "👍👍👍", "?", "a" * 1600, "¿Cuánto cuesta?", "/restart", '/greet{"phone": "1"}', "<b>hi</b> &amp;"]
)
async def test_strange_texts_are_answered(phone: Twilio, text: str) -> None:
    answers = await phone.say(text)
    assert answers
    assert all(segments(answer) == 1 for answer in answers)


async def test_the_letters_are_understood_as_what_they_stand_for(engine: Engine) -> None:
    sentences = Words.load().sentences
    for name, topic in (("move", "reschedule_appointment"), ("cancel", "cancel_appointment"), ("agent", "talk_to_human")):
        reply = await engine.turn(f"sms-letters-{name}", getattr(sentences, name), channel="sms")
        assert reply.topics[0] == topic


def test_the_median_answer_is_one_segment_and_none_has_more_than_two(engine: Engine) -> None:
    counts = [
        segments(fold(said["text"]).strip())
        for name in engine.wording.responses
        if name.startswith(("utter_faq/", "utter_clinic/")) and (said := engine.wording.say(name, "sms"))
    ]
    assert len(counts) > 40
    assert statistics.median(counts) == 1
    assert max(counts) <= 2
