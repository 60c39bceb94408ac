"""Danger comes first wherever it stands, and what is said of it holds nothing else."""

import pytest

from bot.engine import Engine
from tests.conftest import Talk


@pytest.fixture(params=["web", "sms"])
def talk(engine: Engine, request: pytest.FixtureRequest) -> Talk:
    """A fresh conversation, on each channel."""
    return Talk(engine, request.param)


EMERGENCIES = [
    "my throat is closing up",
    "my son's having a fit right now",
    "husbands gone grey n sweating, says an elephant is sat on his chest",
    "she ate the numbing cream and now she won't wake up",
    "does it hurt? also my lips are swelling and I can't get my breath, and how much is it",
    "I wanted to say how lovely the girl at the desk was on Monday, she even found me a magazine about gardens, and the tea was "
    "just right. I am sitting in my car now and my tongue is so swollen that I can hardly swallow. Are you open on Saturday?",
]


@pytest.mark.parametrize("message", EMERGENCIES)
async def test_emergency_is_answered_with_its_number_and_nothing_else(talk: Talk, message: str) -> None:
    reply = await talk(message)
    assert (reply.safety, reply.topics) == ("emergency", ["emergency"])
    assert talk.last.startswith("Call 911 now")
    assert len(reply.messages) == 1
    assert reply.messages[0].choices == reply.messages[0].sources == []


@pytest.mark.parametrize(
    "message", ["I don't want to be here any more", "ive wrote the note already, tell my mum im sorry", "kms tonight"]
)
async def test_self_harm_gets_the_crisis_line_and_no_question_about_it(talk: Talk, message: str) -> None:
    reply = await talk(message)
    assert (reply.safety, len(reply.messages)) == ("emergency", 1)
    assert "988" in talk.last
    assert "why" not in talk.last.lower()
    assert len(talk.last.split()) <= 60


REACTIONS = [
    "since my session on Monday there is pus and it's getting hotter, can I wear makeup?",
    "had it done in spain, 5 days later my cheek is one big blister",
    "used a roller at home and now theres red lines running up from it",
    "I came last week for my cheeks and it was all lovely, my friend says I look ten years younger and I will surely book again "
    "in the spring. Only the left side has gone hard and hot since yesterday and I have been shivering. What are your hours?",
]


@pytest.mark.parametrize("message", REACTIONS)
async def test_worrying_symptom_gets_the_urgent_line_and_no_advice(talk: Talk, message: str) -> None:
    reply = await talk(message)
    assert (reply.safety, reply.topics) == ("adverse_reaction", ["adverse_reaction"])
    assert "(212) 555-0143" in talk.last
    assert "urgent care" in talk.last
    for comfort in ("normal", "don't worry", "cool", "cream", "makeup", "moistur"):
        assert comfort not in talk.last.lower()
    assert talk.engine.services.handoffs.of(talk.id) is not None


async def test_danger_after_an_answer_is_no_follow_up(talk: Talk) -> None:
    await talk("does it hurt?")
    assert (await talk("and now I can't breathe")).safety == "emergency"


@pytest.mark.parametrize("said", ["1", "neither", "the first one"])
async def test_danger_in_place_of_a_choice_is_heard(talk: Talk, said: str) -> None:
    assert (await talk("skin thing")).zone == "clarify"
    assert (await talk(f"{said}, and I think I'm having a heart attack")).safety == "emergency"
