"""Safety goes before the form, and what a clinician decides is not booked as if it were decided."""

from bot.engine import Engine
from tests.conversations.booking.conftest import Guest, visits


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


async def test_a_clinicians_matter_with_the_wish_to_book(sms: Guest, engine: Engine) -> None:
    await sms("I'm on accutane, can I book a face treatment on friday at 10am?", "Anna Smith", "yes")
    assert [v.status for v in visits(engine)] == ["pending"]
