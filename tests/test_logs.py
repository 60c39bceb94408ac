"""The log has one line a turn, and nothing in it that a visitor wrote, nor a number or a name of theirs."""

import logging
import uuid
from typing import Any

import pytest

from bot import logs
from bot.engine import Engine

SECRETS = ("Wilhelmina", "2125550199", "212 555 0199", "wilhelmina@example.org", "hurt")
MESSAGE = "I am Wilhelmina, +1 212 555 0199, wilhelmina@example.org: does it hurt?"


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that anybody logs, from the least important on."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "bot")
    return caplog


async def test_turn_leaves_one_line_without_anything_personal(engine: Engine, said: pytest.LogCaptureFixture) -> None:
    conversation = uuid.uuid4().hex
    await engine.turn(conversation, MESSAGE, message_id="message-id-1")
    lines = [record.getMessage() for record in said.records if record.name.startswith(("bot", "clinic"))]
    assert len(lines) == 1
    [line] = lines
    for part in ("turn", "zone=", "topics=pain", "confidence=", "channel=web", "ms="):
        assert part in line
    for secret in (*SECRETS, conversation, "message-id-1"):
        assert secret.lower() not in line.lower()


async def test_repeated_message_is_not_logged_as_a_turn(engine: Engine, said: pytest.LogCaptureFixture) -> None:
    conversation = uuid.uuid4().hex
    for _ in range(2):
        await engine.turn(conversation, MESSAGE, message_id="message-id-1")
    assert len([record for record in said.records if record.name == "bot.engine"]) == 1


async def test_failing_action_is_logged_without_the_conversation(
    engine: Engine, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("down")

    monkeypatch.setitem(engine._processor.action_endpoint._executor.actions, "action_repeat", fail)
    conversation = uuid.uuid4().hex
    await engine.turn(conversation, MESSAGE)
    await engine.turn(conversation, "say that again please")
    ours = "\n".join(logging.Formatter().format(r) for r in said.records if r.name.startswith(("bot", "clinic")))
    assert "action=action_repeat failed" in ours
    assert "RuntimeError: down" in ours
    assert [secret for secret in SECRETS if secret.lower() in ours.lower()] == []


@pytest.mark.parametrize("level", ["debug", "info", "error"])
def test_what_others_log_stays_out(level: str, capfd: pytest.CaptureFixture[str]) -> None:
    try:
        logs.configure(level)
        for name in ("rasa.core.processor", "rasa_sdk.executor", "httpx", "uvicorn.error", "py.warnings"):
            logging.getLogger(name).warning("a message of %s", "Wilhelmina")
        logging.getLogger("rasa").error("an error of Rasa's")
        logging.getLogger("bot.engine").error("event=one")
        logging.getLogger("bot.engine").info("event=two")
    finally:
        logs.configure("error")
    out, err = capfd.readouterr()
    assert out == "", "standard output belongs to whoever asked"
    assert "Wilhelmina" not in err
    assert "an error of Rasa's" in err
    assert "event=one" in err
    assert ("event=two" in err) == (level != "error")
