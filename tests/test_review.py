"""What a clinic looks at: no alarm is lost, no question that got no answer is lost, and what is taught is what was asked."""

import datetime as dt
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engine import Engine
from bot.nlu import follow_ups
from bot.nlu.follow_ups import Precedent
from bot.review import CannotTeach, Review
from bot.topics import read_examples
from clinic.models import SafetyAlarm, UnansweredQuestion
from tests.conftest import ROOT, Talk

VAGUE = "skin thing"
REDNESS = "how long does the redness last?"


def newest(review: Review) -> UnansweredQuestion:
    return review.questions()[-1]


async def unwanted(talk: Talk, *texts: str) -> int:
    """Asks, says that the last answer was not wanted, and gives the id of the question that was kept."""
    for text in (*texts, "that is not what I asked"):
        await talk(text)
    kept = newest(talk.engine.review)
    assert (kept.reason, kept.text) == ("feedback", texts[-1])
    return kept.id


def alarms(engine: Engine, conversation: str) -> list[SafetyAlarm]:
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    return [alarm for alarm in engine.review.alarms(since) if alarm.conversation_id == conversation]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a copy of what is learned from."""
    for name in ("nlu", "follow_ups"):
        shutil.copytree(ROOT / "data" / name, tmp_path / "data" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_alarm_is_kept_with_rule_and_answer_but_not_with_what_was_written(engine: Engine, talk: Talk) -> None:
    await talk("I can't breathe since the wexley thing")
    (alarm,) = alarms(engine, talk.id)
    assert (alarm.level, alarm.answered) == ("emergency", "emergency")
    assert "breath" in alarm.rules
    assert not any("wexley" in str(value) for value in vars(alarm).values())


async def test_clinicians_matter_is_kept_with_the_topic_that_was_answered(engine: Engine, talk: Talk) -> None:
    await talk("I'm pregnant, can I have it?")
    (alarm,) = alarms(engine, talk.id)
    assert (alarm.level, alarm.answered) == ("clinician", "pregnancy_and_breastfeeding")


async def test_question_without_an_answer_is_kept(engine: Engine, talk: Talk) -> None:
    assert (await talk(VAGUE)).zone == "clarify"
    kept = newest(engine.review)
    assert (kept.reason, kept.text, kept.after) == ("clarify", VAGUE, None)


async def test_question_is_kept_without_who_asked_it(engine: Engine, talk: Talk) -> None:
    await talk("does it hurt? jo@example.com, 212 555 0142")
    await talk("that is not what I asked")
    assert newest(engine.review).text == "does it hurt? [e-mail], [number]"


async def test_question_that_is_none_of_the_clinics_business_is_not_kept(engine: Engine, talk: Talk) -> None:
    before = len(engine.review.questions())
    await talk("who won the football last night?")
    assert len(engine.review.questions()) == before


async def test_short_question_is_kept_with_the_one_it_came_after(engine: Engine, talk: Talk) -> None:
    for text in (REDNESS, "thanks", "the quandle?"):
        reply = await talk(text)
    assert reply.zone in ("clarify", "fallback")
    kept = newest(engine.review)
    assert (kept.text, kept.after) == ("the quandle?", REDNESS)


async def test_answer_that_was_not_wanted_is_kept_with_its_question(engine: Engine, talk: Talk) -> None:
    await unwanted(talk, REDNESS, "and on the neck?")
    assert newest(engine.review).after == REDNESS


async def test_taught_question_becomes_an_example(engine: Engine, talk: Talk, project: Path) -> None:
    asked = f"does the zorbin hurt {uuid.uuid4().hex[:4]}x"
    question = await unwanted(talk, asked)
    path = engine.review.teach(question, "numbing")
    assert path.resolve() == project / "data" / "nlu" / "faq" / "numbing.yml"
    examples = [example.text for _, found in read_examples(path) for example in found]
    assert examples[-1] == asked
    assert question not in [kept.id for kept in engine.review.questions()]


async def test_taught_follow_up_becomes_a_precedent_and_no_example(engine: Engine, talk: Talk, project: Path) -> None:
    says = 'and on the "zorbin": neck?'
    path = engine.review.teach(await unwanted(talk, REDNESS, says), "redness_duration")
    assert path.resolve() == project / "data" / "follow_ups" / "redness_duration.yml"
    assert follow_ups.read_file(path)[-1] == Precedent(REDNESS, says, "redness_duration")
    assert "zorbin" not in (project / "data" / "nlu" / "faq" / "redness_duration.yml").read_text()


async def test_question_of_its_own_may_be_taught_alone(engine: Engine, talk: Talk, project: Path) -> None:
    path = engine.review.teach(await unwanted(talk, REDNESS, "zorbin price?"), "cost", alone=True)
    assert path.resolve() == project / "data" / "nlu" / "faq" / "cost.yml"
    assert "zorbin" not in (project / "data" / "follow_ups" / "cost.yml").read_text()


async def test_nothing_is_taught_twice_or_to_no_topic(engine: Engine, talks: Callable[[], Talk], project: Path) -> None:
    asked = f"does the zorbin hurt {uuid.uuid4().hex[:4]}x"
    question = await unwanted(talks(), asked)
    with pytest.raises(CannotTeach, match="no topic wexley"):
        engine.review.teach(question, "wexley")
    engine.review.teach(question, "pain")
    with pytest.raises(CannotTeach, match=f"no open question {question}"):
        engine.review.teach(question, "pain")
    again = await unwanted(talks(), asked.upper())
    with pytest.raises(CannotTeach, match="has this example already"):
        engine.review.teach(again, "pain")
    follow_up = [await unwanted(talks(), REDNESS, "on the zorbin?") for _ in range(2)]
    engine.review.teach(follow_up[0], "redness_duration")
    with pytest.raises(CannotTeach, match="has this already"):
        engine.review.teach(follow_up[1], "redness_duration")


async def test_redacted_question_is_not_taught_but_can_be_dismissed(engine: Engine, talk: Talk, project: Path) -> None:
    await talk("does it hurt? jo@example.com")
    await talk("that is not what I asked")
    question = newest(engine.review).id
    with pytest.raises(CannotTeach, match="redacted"):
        engine.review.teach(question, "pain")
    engine.review.dismiss(question)
    assert question not in [kept.id for kept in engine.review.questions()]
