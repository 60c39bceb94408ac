"""When it is not sure, it offers topics: a number, a title or a button picks one, and it never asks twice in a row."""

import pytest

from bot.reply import Reply
from tests.conftest import Talk

VAGUE = "skin thing"


@pytest.fixture
async def asked(talk: Talk) -> Reply:
    """The clarification that a vague message got."""
    reply = await talk(VAGUE)
    assert reply.zone == "clarify"
    return reply


def titles(reply: Reply) -> list[str]:
    return [choice.title for message in reply.messages for choice in message.choices]


async def test_two_or_three_topics_are_offered_and_something_else(asked: Reply) -> None:
    assert 2 <= len(asked.choices) <= 3
    assert titles(asked)[-1] == "Something else"
    assert len(titles(asked)) == len(asked.choices) + 1
    assert asked.sources == []


@pytest.mark.parametrize(("text", "index"), [("2", 1), ("the first one", 0), ("number 2", 1)])
async def test_answered_by_number(talk: Talk, asked: Reply, text: str, index: int) -> None:
    reply = await talk(text)
    assert (reply.zone, reply.topics) == ("answer", [asked.choices[index]])


async def test_answered_by_title(talk: Talk, asked: Reply) -> None:
    assert (await talk(titles(asked)[1].lower())).topics == [asked.choices[1]]


async def test_answered_by_button(talk: Talk, asked: Reply) -> None:
    assert (await talk.choose(titles(asked)[0])).topics == [asked.choices[0]]


async def test_neither_leads_to_a_person(talk: Talk, asked: Reply) -> None:
    await talk("neither")
    assert "555-01" in talk.last


async def test_something_else_asks_for_other_words_and_names_a_person(talk: Talk, asked: Reply) -> None:
    await talk.choose("Something else")
    assert "other words" in talk.last
    assert "555-01" in talk.last


async def test_new_question_is_answered(talk: Talk, asked: Reply) -> None:
    assert (await talk("when are you open?")).topics == ["opening_hours"]


@pytest.mark.parametrize("again", [VAGUE, "the thing", "hmm dunno", "blah the stuff"])
async def test_never_two_clarifications_in_a_row(talk: Talk, asked: Reply, again: str) -> None:
    assert (await talk(again)).zone != "clarify"


async def test_by_text_message_the_numbers_are_explained(text: Talk) -> None:
    await text(VAGUE)
    assert "number" in text.last
