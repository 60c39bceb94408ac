"""A question is answered, and the form goes on where it was."""

import pytest

from bot.engine import Engine
from tests.conversations.booking.conftest import Guest, visits


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("does it hurt?", "pain"),
        ("how much does it cost?", "cost"),
        ("where are you?", "location"),
        ("is there parking? where are you", "location"),
    ],
)
async def test_answered_and_asked_again(web: Guest, question: str, topic: str) -> None:
    await web("book a consultation tomorrow at 2pm")
    assert (await web(question)).endswith("What is your full name?")
    assert web.reply
    assert topic in web.reply.topics
    assert len(web.holds) == 1


async def test_the_booking_goes_through_all_the_same(web: Guest, engine: Engine) -> None:
    await web("book a consultation", "does it hurt?", "tomorrow at 2pm", "what should I do before?", "Anna Smith")
    await web("are you open on sunday?", "212 555 0101", "how long does a session take?", "yes")
    assert [v.name for v in visits(engine)] == ["Anna Smith"]


async def test_an_answer_and_a_question_together(web: Guest) -> None:
    said = await web("book a consultation tomorrow at 2pm", "My name is Anna Smith. Does it hurt?")
    assert "mobile number" in said
    assert web.reply
    assert "pain" in web.reply.topics


async def test_a_question_with_the_wish_to_book(web: Guest) -> None:
    said = await web("does it hurt? I'd like to book a consultation for tomorrow at 2pm")
    assert "discomfort" in said
    assert said.endswith("What is your full name?")
    assert len(web.holds) == 1


async def test_a_question_about_a_day_is_no_wish_for_it(web: Guest) -> None:
    await web("book a consultation tomorrow at 2pm", "are you open on sunday?")
    assert len(web.holds) == 1


async def test_topics_that_are_names_of_services_are_answers(web: Guest) -> None:
    assert "What day and time" in await web("book an appointment", "consultation")


async def test_is_this_a_person_in_the_middle(web: Guest) -> None:
    said = await web("book a consultation tomorrow at 2pm", "are you a robot?")
    assert "automated" in said
    assert said.endswith("What is your full name?")


async def test_questions_are_no_bad_answers(web: Guest, engine: Engine) -> None:
    said = await web("book a consultation tomorrow at 2pm", "does it hurt?", "how much is it?", "where are you?", "is it safe?")
    assert said.endswith("What is your full name?")
