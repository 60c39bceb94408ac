"""A message may hold several questions: all are answered, in order, and none is invented."""

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("does it hurt? and how much does it cost?", ["pain", "cost"]),
        ("does it hurt, how long is the recovery and when are you open?", ["pain", "downtime", "opening_hours"]),
        # Without a mark or a word between them.
        ("does it bleed does it hurt wat do u charge", ["bleeding", "pain", "cost"]),
        ("who does it is it done by a doctor how long am i there", ["who_performs", "session_length"]),
        ("cancel tmrw pls do i lose my deposit", ["cancel_appointment", "payment_and_offers"]),
        ("can u lift a saggy jaw im 71 am i past it", ["sagging_and_firmness", "age_limits"]),
    ],
)
async def test_all_are_answered_in_the_order_asked(talk: Talk, text: str, topics: list[str]) -> None:
    reply = await talk(text)
    assert reply.topics == topics
    assert len(reply.messages) == len(topics)


@pytest.mark.parametrize(
    "text",
    [
        "is the redness and swelling afterwards normal?",
        "how long do i have to sit there an hour two hours",
        "i work nights is that why my skin is so dull can u do anything about it",
        "does it hurt does it really hurt",
    ],
)
async def test_one_question_that_looks_like_two_stays_one(talk: Talk, text: str) -> None:
    reply = await talk(text)
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
