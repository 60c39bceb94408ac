"""Who stops is let go politely, and nothing is kept of it."""

import pytest

from bot.engine import Engine
from tests.conversations.booking.conftest import Clock, Guest, requests, visits


@pytest.mark.parametrize(
    "words",
    [
        *("stop", "forget it", "never mind", "Actually, forget it.", "cancel", "I changed my mind", "leave it"),
        *("actually just scrap it", "forget it, too complicated", "no thanks, I'll call instead"),
    ],
)
async def test_the_hold_is_freed(web: Guest, engine: Engine, words: str) -> None:
    await web("book a consultation tomorrow at 2pm")
    assert len(web.holds) == 1
    assert "nothing was booked" in await web(words)
    assert web.holds == []
    assert visits(engine) == []


@pytest.mark.parametrize("words", ["forget it, make it thursday at 3pm", "never mind, does it hurt?"])
async def test_who_goes_on_is_not_let_go(web: Guest, words: str) -> None:
    await web("book a consultation tomorrow at 2pm", words)
    assert len(web.holds) == 1


async def test_leaving_at_the_last_question(web: Guest, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "forget it")
    assert web.holds == []
    assert visits(engine) == []


async def test_after_leaving_a_question_is_just_a_question(web: Guest) -> None:
    said = await web("book a consultation tomorrow at 2pm", "stop", "does it hurt?")
    assert "full name" not in said


async def test_after_leaving_nothing_is_remembered(web: Guest) -> None:
    await web("book a consultation tomorrow at 2pm, Anna Smith 212 555 0101", "stop", "book an appointment")
    assert "Consultation" in web.choices


async def test_a_button_from_before_is_over(web: Guest, engine: Engine) -> None:
    await web("book a consultation", "tomorrow")
    choices = web.choices
    await web("stop")
    reply = await engine.turn(web.id, choice=next(iter(choices.values())))
    assert "no longer open" in reply.messages[0].text
    assert web.holds == []


async def test_silence_frees_the_hold(web: Guest, clock: Clock, engine: Engine) -> None:
    await web("book a consultation tomorrow at 2pm")
    clock.advance(minutes=11)
    assert web.holds == []
    assert engine.services.booking.sweep() <= 1


async def test_who_gives_no_number_is_let_go(web: Guest, engine: Engine) -> None:
    said = await web("book a consultation tomorrow at 2pm", "Anna Smith", "I'd rather not")
    assert "nothing was booked" in said
    assert requests(engine) == []
