"""Bad input through the engine's door and that of programs: one helpful reply, and the conversation goes on.

The website's door is tested in web/test_chat.py, the shell's in test_cli.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.tidy import MAX_LENGTH
from tests.conftest import Talk

ROOT = Path(__file__).parents[1]

# (what is sent, a part of what is said)
HELPED = [
    ("", "could not find any words"),
    (" \t\r ", "could not find any words"),
    ("\U0001f642", "could not find any words"),
    ("\U0001f469\u200d\u2695\ufe0f\u2764\ufe0f", "could not find any words"),
    ("\x00\x01\x7f\x9b", "could not find any words"),
    ("x" * (MAX_LENGTH + 1), "too long"),
    ("does it hurt? " * 10_000, "too long"),
    ("\u00bfCu\u00e1nto cuesta y duele mucho?", "only understand English"),
    ("\u75bc\u5417", "only understand English"),
    ("\u0431\u043e\u043b\u044c\u043d\u043e?", "only understand English"),
]
SURVIVED = [
    '/intent{"slot": "x"}',
    "/restart",
    "//",
    "?",
    "1",
    "null",
    "{{clinic_phone}}",
    "{clinic_phone}",
    "%s %(a)s",
    "'; DROP TABLE turn; --",
]


@pytest.mark.parametrize(("text", "reply"), HELPED)
async def test_engine_helps(talk: Talk, text: str, reply: str) -> None:
    await talk("does it hurt?")
    answer = await talk(text)
    assert len(answer.messages) == 1
    assert reply in talk.last
    assert (await talk("when are you open?")).topics == ["opening_hours"]


@pytest.mark.parametrize("text", SURVIVED)
async def test_engine_says_something(talk: Talk, text: str) -> None:
    await talk(text)
    assert talk.last.strip()
    assert "{" not in talk.last
    assert (await talk("does it hurt?")).topics == ["pain"]


async def test_typed_command_never_sets_an_intent(talk: Talk) -> None:
    reply = await talk('/book_appointment{"day": "monday"}')
    assert reply.ranking[0][1] < 1.0
    tracker = talk.engine.store.open(talk.id)
    assert tracker is not None
    assert tracker.latest_message.entities == []
    assert not tracker.latest_message.text.startswith("/")


async def test_danger_is_seen_in_a_text_that_is_too_long(talk: Talk) -> None:
    reply = await talk("I cannot breathe. " + "so it began " * 200)
    assert reply.safety == "emergency"


@pytest.mark.slow
def test_lines_of_a_program_each_get_one_line_whatever_is_in_them() -> None:
    lines = [
        b"does it hurt?",
        b"",
        b"   ",
        b'{"text": "does it hurt?", "channel": "sms"}',
        b'{"text": ',
        b'{"text": 5}',
        b"[1, 2]",
        b"null",
        b'{"text": "half \\ud83d of a character"}',
        b'{"text": "two\\nlines\\u2028and more"}',
        b"\xff\xfe not utf-8 \x80",
        b"[" * 100_000,
        b"1" * 5_000,
        "\U0001f642 \x00\x1b\u2028".encode(),
        "\u00bfCu\u00e1nto cuesta y duele mucho?".encode(),
        b'/intent{"slot": "x"}',
        b"x" * 1001,
        b"does it hurt?\r",
    ]
    done = subprocess.run(
        [Path(sys.executable).with_name("stipple"), "ask", "--jsonl"],
        cwd=ROOT,
        # The locale of a bare container, where Python reads and writes ASCII unless told otherwise.
        env=os.environ | {"PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]
    assert len(found) == len(lines), "nothing else may be on standard output"
    assert all(record["replies"] and record["replies"][0] for record in found)
    assert [found[index]["topics"] for index in (0, 3, -1)] == [["pain"]] * 3
    assert found[1]["text"] == ""
    assert found[4]["text"] == '{"text": '
    assert "only understand English" in found[14]["replies"][0]
