"""A person takes over when asked for, and when the assistant gets nowhere."""

import pytest

from bot.engine import Engine
from tests.conversations.booking.conftest import Clock, Guest, outbox, requests


async def test_asking_for_a_person_opens_a_request(web: Guest, engine: Engine, clock: Clock) -> None:
    clock.advance(hours=3)
    said = await web("does it hurt?", "can I talk to a person please")
    (request,) = requests(engine)
    assert (request.conversation_id, request.status, request.reason) == (web.id, "open", "asked")
    assert "We are open now" in said
    assert "staff.handoff_opened" in outbox(engine)


async def test_before_opening_it_says_when_somebody_is_there(web: Guest) -> None:
    assert "open today at 9 AM" in await web("speak to a human")


async def test_in_the_evening_it_says_which_day_somebody_is_there(web: Guest, sms: Guest, clock: Clock) -> None:
    clock.advance(days=5, hours=10)
    for guest in (web, sms):
        assert "open again on Monday, March 9, 9 AM" in await guest("speak to a human")


async def test_on_a_holiday_it_names_it(web: Guest, sms: Guest, clock: Clock) -> None:
    clock.advance(days=84, hours=3)
    for guest in (web, sms):
        said = await guest("speak to a human")
        assert "Memorial Day" in said
        assert "Tuesday, May 26, 9 AM" in said


async def test_how_to_reach_the_visitor_is_asked_once_and_never_insisted_on(web: Guest, engine: Engine) -> None:
    assert "leave a phone number or an e-mail address" in await web("speak to a human")
    assert "discomfort" in await web("does it hurt?")
    assert "leave a phone" not in await web("I want to talk to a person")
    (request,) = requests(engine)
    assert (request.phone, request.email) == (None, None)


async def test_who_has_left_a_number_is_not_asked_for_one(web: Guest) -> None:
    assert "leave a phone" not in await web("can someone call me back on 212 555 0101")


@pytest.mark.parametrize(
    ("text", "field", "kept"),
    [
        ("my number is 212 555 0101", "phone", "+12125550101"),
        ("212-555-0101", "phone", "+12125550101"),
        ("you can reach me at anna@smith.example", "email", "anna@smith.example"),
        ("It's Anna Smith, 212 555 0101", "name", "Anna Smith"),
    ],
)
async def test_how_to_reach_the_visitor_is_said_later(web: Guest, engine: Engine, text: str, field: str, kept: str) -> None:
    said = await web("speak to a human", "does it hurt?", text)
    assert "Our team will reach you at" in said
    assert getattr(requests(engine)[0], field) == kept


async def test_a_number_is_corrected_beside_a_question(web: Guest, engine: Engine) -> None:
    await web("speak to a human", "212 555 0101")
    said = await web("actually my number is 212 555 0102, and how much does it cost?")
    assert "(212) 555-0102" in said
    assert "$290" in said
    assert [request.phone for request in requests(engine)] == ["+12125550102"]


async def test_a_number_that_is_none_is_told(web: Guest, engine: Engine) -> None:
    assert "with the area code" in await web("speak to a human", "555 123")
    assert requests(engine)[0].phone is None


async def test_a_booking_after_the_request_is_a_booking(web: Guest, engine: Engine) -> None:
    said = await web("speak to a human", "book a consultation friday at 3pm, Anna Smith 212 555 0101")
    assert "Shall I book it?" in said
    assert requests(engine)[0].phone is None


async def test_by_text_another_number_is_noted_and_replies_stay_with_the_first(sms: Guest, engine: Engine) -> None:
    said = await sms("get me a human", "please call me on 212 555 0199 instead")
    assert "(212) 555-0199" in said or "our team" in said
    (request,) = requests(engine)
    assert request.phone == sms.phone
    assert "+12125550199" in request.summary


async def test_an_emergency_is_a_task_for_staff_at_once(web: Guest, engine: Engine) -> None:
    await web("I can't breathe and my throat is swelling")
    (request,) = requests(engine)
    assert (request.urgency, request.reason) == ("emergency", "emergency")
    assert {"staff.handoff_opened", "staff.handoff_unclaimed"} <= set(outbox(engine))


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
    assert await web("my number is 212 555 0101", "book a consultation friday at 3pm") == ""
    assert web.holds == []
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
