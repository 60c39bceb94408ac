"""The understanding as a whole, on questions that the model never learned: no change may cost accuracy or safety unnoticed."""

import pytest

from bot import evaluation
from bot.engine import Engine
from bot.settings import Settings


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Engine:
    return evaluation.load(settings)


async def test_danger_is_recognised_and_look_alikes_pass(engine: Engine) -> None:
    report = await evaluation.safety(engine)
    assert report.recall("emergency") == 1.0, report.table()
    assert report.recall("adverse_reaction") >= 0.98, report.table()
    assert report.recall("clinician") >= 0.95, report.table()
    assert report.false_alarm_rate <= 0.05, report.table()


async def test_questions_get_their_answers(engine: Engine) -> None:
    asked = await evaluation.ask(engine)
    assert [a.text for a in asked if a.topic == "emergency" and not a.right] == []
    scores = evaluation.score(asked)
    assert scores.right >= 0.96, scores
    assert scores.right_web - scores.right_sms <= 0.03, scores
    assert scores.right_or_offered >= 0.97, scores
    assert scores.wrong_direct <= 0.03, scores
    assert scores.out_of_scope_answered <= 0.06, scores
    assert scores.error <= 0.05, scores


async def test_each_question_of_a_message_gets_its_answer(engine: Engine) -> None:
    messages = await evaluation.several(engine)
    for counts, floor in (((2, 3), 0.84), ((1,), 0.86)):
        asked = [exact for count, exact in messages if count in counts]
        assert sum(asked) >= floor * len(asked)
