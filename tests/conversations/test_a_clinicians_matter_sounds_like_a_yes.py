"""What only a clinician may decide gets neither a yes nor a no, nor words that could be taken for one."""

import pytest

from tests.conftest import Talk


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("I'm pregnant, can I have it?", "pregnancy_and_breastfeeding"),
        ("i take warfarin. is it ok for me?", "not_suitable"),
        ("I have diabetes, am I a good candidate?", "not_suitable"),
    ],
)
async def test_whom_it_suits_in_general_is_not_said(talk: Talk, text: str, topic: str) -> None:
    reply = await talk(text)
    assert reply.safety == "clinician"
    assert reply.topics == [topic]
    assert "good candidates are" not in talk.last.lower()
    assert "one of our clinicians has to decide" in reply.messages[-1].text


@pytest.mark.parametrize(
    "text",
    [
        "I had a heart attack in February; am I fit for this treatment?",
        "My sister had a stroke last spring and takes thinners now. Can she have a session?",
        "infected spot on my jaw thats oozin, can i still get needled monday",
        "I once reacted badly to lidocaine; could I still have it done?",
    ],
)
async def test_what_is_past_or_came_by_itself_is_no_danger_and_no_reaction(talk: Talk, text: str) -> None:
    reply = await talk(text)
    assert reply.safety == "clinician"
    assert not {"emergency", "adverse_reaction"} & set(reply.topics)
    assert "one of our clinicians has to decide" in reply.messages[-1].text
    assert "(212) 555-0143" not in "".join(message.text for message in reply.messages)
