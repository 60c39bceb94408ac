"""A short question means what it says after the answer before it."""

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("first", "then", "topic"),
    [
        ("does it hurt?", "and how many?", "session_count"),
        ("how long will I be red?", "is that normal?", "redness_duration"),
        ("when will I see results?", "how long?", "results_when"),
        ("when can I wear makeup?", "and the gym?", "exercise_after"),
        ("when can I wear makeup?", "why not?", "makeup_after"),
        ("does it work on acne scars?", "even deep ones?", "acne_scars"),
        ("how much is a session?", "and for three areas?", "cost"),
        ("do you have any discounts?", "nurses as well?", "payment_and_offers"),
        ("does it hurt?", "do you take cards?", "payment_and_offers"),
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


async def test_thanks_in_between_do_not_lose_what_was_talked_about(talk: Talk) -> None:
    await talk("how long will I be red?")
    await talk("ok thanks")
    assert (await talk("is that normal?")).topics == ["redness_duration"]


async def test_danger_is_danger_after_any_answer(talk: Talk) -> None:
    await talk("how long will I be red?")
    assert (await talk("and now I can't breathe")).safety == "emergency"


async def test_nothing_is_talked_about_any_more_after_what_nobody_knows(talk: Talk) -> None:
    await talk("how long will I be red?")
    await talk("who won the match last night?")
    assert (await talk("is that normal?")).topics != ["redness_duration"]


async def test_the_same_answer_again_says_that_there_is_no_more(talk: Talk) -> None:
    first = (await talk("does it hurt?")).messages[0].text
    again = (await talk("even on the forehead?")).messages[0].text
    assert again.endswith(first)
    assert again != first
    assert (await talk("even a lot?")).messages[0].text == again
    assert (await talk("how much is it?")).messages[0].text.startswith("Our prices")


async def test_an_answer_is_said_plainly_when_another_came_between(talk: Talk) -> None:
    first = (await talk("does it hurt?")).messages[0].text
    await talk("how much is it?")
    assert (await talk("does it hurt?")).messages[0].text == first
