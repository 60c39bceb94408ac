"""A person takes over when asked for, and when the assistant gets nowhere."""

import pytest

from bot.engine import Engine
from tests.conversations.booking.conftest import Clock, Guest, outbox, requests


async def test_asking_for_a_person_opens_a_request(web: Guest, engine: Engine, clock: Clock) -> None:
    clock.advance(hours=3)
    said = await web("does it hurt?", "can I talk to a person please")
    (request,) = requests(engine)
    assert (request.conversation_id, request.status, request.reason) == (web.id, "open", "can I talk to a person please")
    assert "does it hurt?" in request.summary
    assert "We are open now" in said
    assert "staff.handoff_opened" in outbox(engine)


async def test_out_of_hours_it_says_when_somebody_is_there(web: Guest) -> None:
    assert "Monday, March 2, 9 AM" in await web("speak to a human")


async def test_the_number_is_passed_on(web: Guest, engine: Engine) -> None:
    await web("can someone call me back on 212 555 0101")
    assert requests(engine)[0].phone == "+12125550101"


async def test_what_was_said_for_a_booking_is_passed_on(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "I want to speak to someone")
    assert (requests(engine)[0].name, requests(engine)[0].phone) == ("Anna Smith", "+12125550101")
    assert web.holds == []


@pytest.mark.parametrize(
    "answers", [("marmalade on toast", "purple haze", "green eggs"), ("qwertz asdf", "xyzzy plugh", "lorem ipsum")]
)
async def test_bad_answers_bring_an_explanation_then_a_person(web: Guest, engine: Engine, answers: tuple[str, str, str]) -> None:
    first = await web("book an appointment", answers[0])
    second = await web(answers[1])
    assert "did not get that" in first
    assert "I need to know what the visit is for" in second
    assert requests(engine) == []
    await web(answers[2])
    assert len(requests(engine)) == 1


async def test_a_good_answer_makes_good(web: Guest, engine: Engine) -> None:
    await web("book an appointment", "marmalade on toast", "purple haze", "consultation", "green eggs", "lorem ipsum")
    assert requests(engine) == []


async def test_with_a_person_the_assistant_keeps_quiet(web: Guest, engine: Engine) -> None:
    await web("speak to a human")
    handoffs = engine.services.handoffs
    handoffs.claim(requests(engine)[0].id, "Rowan")
    assert await web("hello? does it hurt?") == ""
    assert [note.text for note in handoffs.notes(web.id)] == ["hello? does it hurt?"]
    handoffs.close(requests(engine)[0].id)
    assert "discomfort" in await web("does it hurt?")


async def test_with_a_person_danger_is_still_answered(web: Guest, engine: Engine) -> None:
    await web("speak to a human")
    engine.services.handoffs.claim(requests(engine)[0].id, "Rowan")
    assert "911" in await web("I can't breathe and my throat is swelling")
    assert web.reply
    assert web.reply.safety == "emergency"
    assert len(engine.services.handoffs.notes(web.id)) == 1


async def test_by_text_the_number_is_known(sms: Guest, engine: Engine) -> None:
    await sms("get me a human")
    assert (requests(engine)[0].phone, requests(engine)[0].channel) == (sms.phone, "sms")
