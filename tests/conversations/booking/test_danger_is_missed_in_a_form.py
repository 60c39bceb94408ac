"""Safety goes before the form, and what a clinician decides is not booked as if it were decided."""

import json

import pytest
from sqlalchemy import select, update

from bot.engine import Engine
from clinic.models import Turn
from clinic.visits import Visit
from tests.conversations.booking.conftest import Guest, outbox, requests, visits


async def test_an_emergency_ends_the_form(web: Guest) -> None:
    said = await web("book a consultation tomorrow at 2pm", "I can't breathe and my throat is swelling")
    assert "911" in said
    assert "full name" not in said
    assert web.holds == []


async def test_thoughts_of_self_harm_end_the_form(web: Guest) -> None:
    said = await web("book a consultation tomorrow at 2pm", "I want to kill myself")
    assert "988" in said
    assert "full name" not in said


async def test_a_worrying_symptom_ends_the_form(web: Guest) -> None:
    said = await web("book a consultation", "since my session yesterday pus is coming out of my cheek and it is hot")
    assert "(212) 555-0143" in said
    assert "day and time" not in said


BOTH = [
    "my cheek is oozing pus since the treatment and now I can't breathe",
    "I can't breathe, and my cheek is oozing pus since the treatment",
    "My face is hot and infected. Also my throat is closing up.",
]


@pytest.mark.parametrize("text", BOTH)
@pytest.mark.parametrize("before", [(), ("book a consultation tomorrow at 2pm",), ("when is my appointment?",)])
async def test_of_an_emergency_and_a_symptom_the_emergency_counts(
    web: Guest, engine: Engine, before: tuple[str, ...], text: str
) -> None:
    said = await web(*before, text)
    assert said.startswith("Call 911 now")
    assert "urgent line" not in said
    assert web.reply
    assert web.reply.safety == "emergency"
    assert [request.urgency for request in requests(engine)] == ["emergency"]
    assert web.holds == []


async def test_a_worse_message_raises_the_request(web: Guest, engine: Engine) -> None:
    await web("my cheek is oozing pus since the treatment", "now I can't breathe")
    assert [request.urgency for request in requests(engine)] == ["emergency"]


async def test_a_clinicians_matter_in_the_middle(web: Guest, engine: Engine) -> None:
    said = await web("book the face treatment friday at 3pm", "I'm on accutane by the way")
    assert "clinician" in said
    assert said.endswith("What is your full name?")
    said = await web("Anna Smith", "212 555 0101")
    assert "a clinician must confirm it first" in said
    said = await web("yes")
    (visit,) = visits(engine)
    assert (visit.status, visit.pending_reason) == ("pending", "isotretinoin")
    assert "to be confirmed by a clinician" in said


async def test_a_clinicians_matter_before_the_form(web: Guest, engine: Engine) -> None:
    await web(
        "I take accutane, can I have microneedling?", "book the face treatment friday at 3pm, Anna Smith 212 555 0101", "yes"
    )
    assert [v.status for v in visits(engine)] == ["pending"]


async def test_a_clinicians_matter_after_the_booking_leaves_the_visit_to_a_clinician(web: Guest, engine: Engine) -> None:
    await web("book a face treatment friday at 3pm, Anna Smith 212 555 0101", "yes")
    said = await web("oh btw I'm 12 weeks pregnant")
    assert "is kept, but it is now to be confirmed by a clinician" in said
    assert [v.status for v in visits(engine)] == ["pending"]
    assert "staff.visit_pending" in outbox(engine)
    assert "still to be confirmed" in await web("when is my appointment?")


async def test_a_visit_of_the_number_is_left_to_a_clinician_and_then_moved(sms: Guest, booked: Visit, engine: Engine) -> None:
    said = await sms("I'm pregnant, can I move my appointment to friday 3pm?")
    assert "A clinician must confirm it." in said
    assert "to be confirmed by a clinician" in await sms("yes")
    assert [v.status for v in visits(engine)] == ["pending"]


async def test_what_a_clinician_has_allowed_stays_allowed(sms: Guest, booked: Visit, engine: Engine) -> None:
    await sms("I'm pregnant, is that a problem?")
    (visit,) = visits(engine)
    engine.services.booking.approve(visit.id, version=visit.version)
    assert "to be confirmed" not in await sms("move my appointment to friday 3pm", "yes")
    assert [v.status for v in visits(engine)] == ["booked"]


async def test_a_clinicians_matter_is_remembered_days_later(web: Guest, engine: Engine) -> None:
    await web("I take accutane, can I have microneedling?")
    days_pass(engine, web, 3)
    await web("book the face treatment friday at 3pm, Anna Smith 212 555 0101", "yes")
    assert [v.status for v in visits(engine)] == ["pending"]


async def test_a_form_goes_on_the_next_morning_and_is_over_some_days_later(sms: Guest, engine: Engine) -> None:
    await sms("book a consultation friday at 3pm")
    days_pass(engine, sms, 0.5)
    assert "Shall I book it?" in await sms("Anna Smith")
    days_pass(engine, sms, 3)
    assert "Shall I book it?" not in await sms("does it hurt?")


def days_pass(engine: Engine, guest: Guest, days: float) -> None:
    """Makes all that was said in a conversation so many days older."""
    with engine.store.database.begin() as connection:
        for row in connection.execute(select(Turn.number, Turn.events).where(Turn.conversation_id == guest.id)).all():
            events = [event | {"timestamp": event["timestamp"] - days * 86400} for event in json.loads(row.events)]
            older = update(Turn).where(Turn.conversation_id == guest.id, Turn.number == row.number)
            connection.execute(older.values(events=json.dumps(events)))


async def test_a_clinicians_matter_with_the_wish_to_book(sms: Guest, engine: Engine) -> None:
    await sms("I'm on accutane, can I book a face treatment on friday at 10am?", "Anna Smith", "yes")
    assert [v.status for v in visits(engine)] == ["pending"]
