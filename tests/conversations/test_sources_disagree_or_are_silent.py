"""Where sources differ the answer says so, the cautious side first; where they are silent it says that, and offers a person."""

import re
from pathlib import Path

import pytest

from bot.sms_text import encoding
from bot.topics import load_all
from tests.conftest import Talk

ROOT = Path(__file__).parents[2]


async def test_disagreement_is_said_and_left_to_the_clinician(talk: Talk) -> None:
    reply = await talk("how long is the recovery?")
    assert reply.topics == ["downtime"]
    assert re.search(r"sources differ", talk.last)
    assert "few days" in talk.last
    assert "few hours" in talk.last
    assert talk.last.index("few days") < talk.last.index("few hours"), "the cautious side comes first"
    assert "clinician" in talk.last


async def test_silence_is_said_and_a_person_offered(talk: Talk) -> None:
    await talk("can i swim after?")
    assert "does not cover" in talk.last
    assert "555-01" in talk.last


@pytest.mark.parametrize("topic", [topic.id for topic in load_all(ROOT / "data" / "nlu") if topic.label.startswith("faq/")])
async def test_text_message_fits_two_plain_segments(text: Talk, topic: str) -> None:
    said = text.engine.wording.say(f"utter_faq/{topic}", "sms")
    assert said is not None
    assert len(said["text"]) <= 306
    assert encoding(said["text"]) == "GSM-7"
    assert "{" not in said["text"]


@pytest.mark.parametrize("topic", [topic.label for topic in load_all(ROOT / "data" / "nlu")])
def test_no_answer_says_yes_to_a_persons_own_fitness(topic: str, talk: Talk) -> None:
    said = talk.engine.wording.say(f"utter_{topic}", "web")
    assert said is not None
    assert not re.search(r"\byes, you can\b|\byou are suitable\b|\bit is safe for you\b", said["text"], re.IGNORECASE)
