"""A message may hold several questions: all are answered, in order, and none is invented."""

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("does it hurt? and how much does it cost?", ["pain", "cost"]),
        ("does it hurt, how long is the recovery and when are you open?", ["pain", "downtime", "opening_hours"]),
    ],
)
async def test_all_are_answered_in_the_order_asked(talk: Talk, text: str, topics: list[str]) -> None:
    reply = await talk(text)
    assert reply.topics == topics
    assert len(reply.messages) == len(topics)


async def test_one_question_with_an_and_stays_one(talk: Talk) -> None:
    reply = await talk("is the redness and swelling afterwards normal?")
    assert len(reply.topics) == 1
    assert len(reply.messages) == 1


async def test_same_question_twice_is_answered_once(talk: Talk) -> None:
    reply = await talk("does it hurt? is it painful?")
    assert reply.topics == ["pain"]
    assert len(reply.messages) == 1


async def test_sources_are_those_of_all_answers(talk: Talk) -> None:
    reply = await talk("does it hurt? and how much does it cost?")
    behind = {source.id for message in reply.messages for source in message.sources}
    assert {source.id for source in reply.sources} == behind
