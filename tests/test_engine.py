"""A turn: the same message runs once, what goes wrong is said, and a model that does not answer means not ready."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from bot.engine import Engine, NotReady
from bot.reply import UnknownChoice
from bot.settings import Settings
from bot.wording import NOT_APPROVED, ApprovedWording
from tests.conftest import Talk, Tiny


def turns(engine: Engine, conversation: str) -> int:
    return len(engine.store.last_replies(conversation, 1000))


async def test_same_message_gets_the_same_reply_and_runs_nothing(engine: Engine) -> None:
    conversation = uuid.uuid4().hex
    first = await engine.turn(conversation, "does it hurt?", message_id="message-1")
    again = await engine.turn(conversation, "does it hurt?", message_id="message-1")
    assert again == first
    assert turns(engine, conversation) == 1


async def test_same_message_id_counts_within_its_conversation(engine: Engine) -> None:
    one, other = uuid.uuid4().hex, uuid.uuid4().hex
    first = await engine.turn(one, "does it hurt?", message_id="message-1")
    second = await engine.turn(other, "when are you open?", message_id="message-1")
    assert (first.topics, second.topics) == (["pain"], ["opening_hours"])


async def test_choice_is_answered(talk: Talk) -> None:
    await talk("does it hurt?")
    reply = await talk.choose("Will I bleed?")
    assert (reply.zone, reply.topics, reply.confidence) == ("answer", ["bleeding"], 1.0)


async def test_choice_stays_good_for_a_few_turns(talk: Talk) -> None:
    await talk("does it hurt?")
    early = talk.replies[0].messages[-1].choices[0].id
    await talk("hello")
    await talk("when are you open?")
    assert (await talk(choice=early)).topics == ["numbing"]


@pytest.mark.parametrize("choice", ["", "nothing", "faq/pain", "x" * 10_000, '/faq{"a": "b"}'])
async def test_unknown_choice_is_refused_and_the_conversation_goes_on(talk: Talk, choice: str) -> None:
    await talk("does it hurt?")
    with pytest.raises(UnknownChoice):
        await talk(choice=choice)
    assert turns(talk.engine, talk.id) == 1
    assert (await talk("when are you open?")).topics == ["opening_hours"]


async def test_choice_of_another_conversation_is_unknown(talks: Callable[[], Talk]) -> None:
    mine, theirs = talks(), talks()
    await theirs("does it hurt?")
    await mine("does it hurt?")
    with pytest.raises(UnknownChoice):
        await mine(choice=theirs.replies[0].messages[-1].choices[0].id)


async def test_action_that_fails_speaks(talk: Talk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("the calendar is down")

    await talk("does it hurt?")
    monkeypatch.setitem(talk.engine._processor.action_endpoint._executor.actions, "action_repeat", fail)
    reply = await talk("say that again please")
    monkeypatch.undo()
    assert reply.topics == ["repeat"]
    assert "something went wrong on our side" in talk.last
    assert "the calendar is down" not in talk.last
    assert "action=action_repeat failed" in caplog.text
    assert (await talk("does it hurt?")).topics == ["pain"]


async def test_all_questions_of_a_message_are_answered(talk: Talk) -> None:
    reply = await talk("does it hurt? and how much does it cost?")
    assert (reply.zone, reply.topics) == ("answer", ["pain", "cost"])
    assert "mild" in reply.messages[0].text
    assert "prices" in reply.messages[1].text
    assert [bool(message.choices) for message in reply.messages] == [False, True], "one row of buttons, below the last message"


async def test_reply_names_its_sources(talk: Talk) -> None:
    reply = await talk("does it hurt?")
    assert reply.sources
    assert all(source.id in ("S0", "S1", "S2", "S3", "S4") and source.title for source in reply.sources)


async def test_each_channel_has_its_wording(talk: Talk, text: Talk) -> None:
    await talk("does it hurt?")
    await text("does it hurt?")
    assert text.last != talk.last
    assert len(text.last) <= 306


def missing(settings: Settings, folder: Path) -> Settings:
    (folder / "models").mkdir()
    return settings.model_copy(update={"models": folder / "models", "database_url": "sqlite://"})


def test_no_model_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"there is no trained model in .*: run `make train`"):
        Engine.load(missing(settings, tmp_path))


@pytest.mark.parametrize("damage", ["noise", "cut", "empty"])
def test_damaged_model_is_not_ready(settings: Settings, tmp_path: Path, tiny: Tiny, damage: str) -> None:
    whole = (tiny.models / "tiny.tar.gz").read_bytes()
    broken = missing(settings, tmp_path)
    content = {"noise": b"this is no model" * 100, "cut": whole[: len(whole) // 2], "empty": b""}[damage]
    (broken.models / "broken.tar.gz").write_bytes(content)
    with pytest.raises(NotReady, match=r"broken\.tar\.gz cannot be loaded"):
        Engine.load(broken)


async def test_model_that_does_not_know_the_known_question_is_not_ready(settings: Settings, tmp_path: Path, tiny: Tiny) -> None:
    other = missing(settings, tmp_path)
    shutil.copy(tiny.models / "tiny.tar.gz", other.models)
    engine = Engine.load(other)
    with pytest.raises(NotReady, match="does not know 'does it hurt\\?'"):
        await engine.check()


@pytest.fixture
def wary(engine: Engine) -> ApprovedWording:
    """Wording that holds back what no clinician has approved."""
    wording = engine.wording
    made = ApprovedWording(engine.store.domain, wording._facts, wording._sources, require_approval=True)
    made.responses = wording.responses
    return made


async def test_unapproved_answer_goes_to_a_person_when_approval_is_required(
    engine: Engine, wary: ApprovedWording, monkeypatch: pytest.MonkeyPatch, talk: Talk
) -> None:
    held = wary.say("utter_faq/pain", "web")
    assert held is not None
    assert held == wary.say(NOT_APPROVED, "web")
    monkeypatch.setattr(engine.wording, "_require_approval", True)
    reply = await talk("does it hurt?")
    assert "do not have an approved answer to that yet" in talk.last
    assert "555-01" in talk.last, "a person's number goes with it"
    assert reply.sources == []


def test_approved_answer_is_given_when_approval_is_required(wary: ApprovedWording, monkeypatch: pytest.MonkeyPatch) -> None:
    approved = wary.metadata("utter_faq/pain") | {"approved_by": "Dr Able"}
    variations = [{**wary.responses["utter_faq/pain"][0], "metadata": approved}, *wary.responses["utter_faq/pain"][1:]]
    monkeypatch.setattr(wary, "responses", wary.responses | {"utter_faq/pain": variations})
    given = wary.say("utter_faq/pain", "web")
    assert given is not None
    assert "discomfort" in given["text"]


def test_words_of_danger_are_said_whether_approved_or_not(wary: ApprovedWording) -> None:
    said = wary.say("utter_emergency", "web")
    assert said is not None
    assert "911" in said["text"]


def test_actions_are_all_known_to_the_engine(engine: Engine) -> None:
    executor = ActionExecutor()
    executor.register_package("actions")
    wanted = {action for action in engine.store.domain.user_actions if action.startswith("action_")}
    assert wanted <= set(executor.actions)
