"""A short question means what it says after the answer before it."""

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("first", "then", "topic"),
    [
        ("does it hurt?", "and how many?", "session_count"),
        ("does it hurt?", "how long?", "redness_duration"),
        ("is numbing cream used?", "how long?", "session_length"),
        ("how many sessions do I need?", "how often?", "session_spacing"),
        ("what is microneedling?", "how much?", "cost"),
        ("does it hurt?", "what about my neck?", "body_areas"),
    ],
)
async def test_meaning_comes_from_the_last_answer(talk: Talk, first: str, then: str, topic: str) -> None:
    await talk(first)
    assert (await talk(then)).topics == [topic]


async def test_after_means_aftercare_after_an_answer_alone(talk: Talk) -> None:
    await talk("does it hurt?")
    assert (await talk("and after?")).topics == ["aftercare"]


async def test_tell_me_more_offers_what_follows_on(talk: Talk) -> None:
    await talk("does it hurt?")
    follow_ups = [choice.title for choice in talk.replies[-1].messages[-1].choices]
    reply = await talk("tell me more")
    assert [choice.title for choice in reply.messages[-1].choices] == follow_ups


async def test_tell_me_more_after_the_sources_is_about_the_answer(talk: Talk) -> None:
    await talk("does it hurt?")
    follow_ups = [choice.title for choice in talk.replies[-1].messages[-1].choices]
    await talk("where does that come from?")
    reply = await talk("tell me more")
    assert [choice.title for choice in reply.messages[-1].choices] == follow_ups
