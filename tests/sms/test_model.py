"""The channel with the real model behind it."""

import datetime as dt
import itertools
import re
import statistics

import httpx
import pytest

from bot.engine import Engine
from bot.settings import Settings
from bot.sms.service import Sms
from bot.sms.words import Words
from bot.sms_text import encoding, fold, segments
from bot.web import app as web
from clinic.visits import Visitor
from tests.sms.conftest import PUBLIC, TOKEN, Twilio

_NUMBERS = (f"+1213555{n:04d}" for n in itertools.count(100))


@pytest.fixture
def sms(engine: Engine, settings: Settings) -> Sms:
    set_up = settings.model_copy(update={"public_url": PUBLIC, "twilio_token": TOKEN})
    made = Sms.build(set_up, engine.store.database, engine.services)
    made.channel.engine = engine
    return made


@pytest.fixture
def phone(client: httpx.AsyncClient) -> Twilio:
    """A telephone whose number nobody has used."""
    made = Twilio(client, next(_NUMBERS))
    made._sids = (f"SM{made.number[1:]}{n}" for n in itertools.count())
    return made


def _form(engine: Engine, conversation: str) -> str | None:
    tracker = engine.store.open(conversation)
    assert tracker
    return tracker.active_loop_name


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
    "text",
    [
        "there is pus and my face is swelling and i cannot breathe",
        "it is bleeding a lot and will not stop, also it looks infected",
    ],
)
async def test_an_emergency_comes_before_a_worrying_symptom(phone: Twilio, text: str) -> None:
    (answer, *_) = await phone.say(text)
    assert "911" in answer


async def test_a_symptom_gets_the_words_that_were_agreed_on_and_a_telephone(phone: Twilio, engine: Engine) -> None:
    """3.10b: no advice by text; the urgent line, and a task for staff."""
    answers = await phone.say("the skin is hot and the redness is spreading")
    assert "(212) 555-0143" in " ".join(answers)
    (request,) = [each for each in engine.services.handoffs.requests("open") if each.phone == phone.number]
    assert request.urgency == "today"


async def test_help_works_within_a_form_and_the_form_goes_on(phone: Twilio, sms: Sms, engine: Engine) -> None:
    """3.5g"""
    await phone.say("I want to book an appointment")
    conversation = sms.channel.pseudonyms.conversation(phone.number)
    form = _form(engine, conversation)
    assert form
    assert "Msg & data rates may apply" in (await phone.say("HELP"))[0]
    assert _form(engine, conversation) == form


async def test_a_visit_is_not_cancelled_before_a_yes(phone: Twilio, sms: Sms, engine: Engine) -> None:
    """3.5d: by a word that stops nothing, which goes to the booking dialogue."""
    services, today = engine.services, dt.datetime.now(dt.UTC).date()
    slot = services.slots.search("consultation", today + dt.timedelta(days=2), today + dt.timedelta(days=50))[0]
    hold = services.booking.hold("consultation", slot.starts_at, holder=phone.number, channel="sms")
    visit = services.booking.confirm(hold.id, Visitor("Ada", phone.number), holder=phone.number).id
    await phone.say("cancel my appointment")
    assert services.booking.get(visit).status == "booked"
    assert not sms.texting.opted_out(phone.number)


async def test_the_page_that_a_text_links_to_is_there(phone: Twilio, engine: Engine, settings: Settings) -> None:
    """3.8f: it has the same answer, in full."""
    await phone.say("does it hurt?")
    answers = await phone.say("MORE")
    (path,) = re.findall(rf"{PUBLIC}(/\S+)", " ".join(answers))
    app = web.create(settings)
    app.state.engine = engine
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as browser:
        page = await browser.get(path)
    assert page.status_code == 200
    assert "sandpaper" in page.text


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
