"""The `stipple` command, as staff and programs use it."""

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import cli, logs
from bot.engine import Engine

ROOT = Path(__file__).parents[1]
STIPPLE = Path(sys.executable).with_name("stipple")
KEYS = ["text", "zone", "safety", "topics", "confidence", "choices", "replies", "sources", "ms"]
PATIENCE = 45.0

Run = Callable[..., Result]


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command in this process, with the engine that the tests share."""
    monkeypatch.setattr(Engine, "load", classmethod(lambda cls, settings: engine))
    yield lambda *arguments, **more: CliRunner().invoke(cli.app, list(arguments), **more)
    logs.configure("error")


def command(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [STIPPLE, *arguments], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)} | environ, capture_output=True, text=True
    )


def records(output: str) -> list[dict[str, object]]:
    """Each line as an object; fails when there is anything else."""
    return [json.loads(line) for line in output.splitlines()]


def test_ask_prints_answer_topic_confidence_zone_and_sources(run: Run) -> None:
    result = run("ask", "does it hurt?")
    assert result.exit_code == 0
    assert "discomfort" in result.stdout
    for line in (r"^topic +pain$", r"^zone +answer$", r"^confidence +[01]\.\d\d$", r"^sources +S1 \(.+\), S2 \(.+\)"):
        assert re.search(line, result.stdout, re.MULTILINE), line
    assert "faq/" not in result.stdout


def test_ask_why_adds_the_runners_up(run: Run) -> None:
    result = run("ask", "does it hurt?", "--why")
    assert len(re.findall(r"^ +\d+\.\d%  \w+", result.stdout, re.MULTILINE)) >= 3


def test_ask_by_text_message_shows_the_exact_wording_and_its_segments(run: Run, engine: Engine) -> None:
    result = run("ask", "does it hurt?", "--channel", "sms")
    said = engine.wording.say("utter_faq/pain", "sms")
    assert said is not None
    assert said["text"] in result.stdout
    assert re.search(r"^\[[12] segment\(s\), GSM-7\]$", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("arguments", [["ask"], ["ask", "hi", "--jsonl"], ["ask", "hi", "--channel", "fax"], ["nothing"]])
def test_wrong_use_is_told(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_ask_jsonl_writes_the_promised_objects_and_nothing_else(run: Run) -> None:
    lines = ["does it hurt?", '{"text": "does it hurt?", "channel": "sms"}', '{"text": "hi", "channel": "fax", "more": 1}']
    found = records(run("ask", "--jsonl", input="\n".join(lines)).stdout)
    assert [list(record) for record in found] == [KEYS] * 3
    assert [record["text"] for record in found] == ["does it hurt?", "does it hurt?", "hi"]
    assert [record["topics"] for record in found] == [["pain"], ["pain"], ["greet"]]
    assert found[0]["replies"] != found[1]["replies"]
    assert found[0]["sources"] == ["S1", "S2", "S3"]


def test_ask_jsonl_channel_counts_for_lines_that_name_none(run: Run) -> None:
    web, sms = (
        records(run("ask", "--jsonl", "--channel", channel, input="does it hurt?\n").stdout)[0] for channel in ("web", "sms")
    )
    assert web["replies"] != sms["replies"]


def test_each_message_is_a_fresh_conversation_that_is_not_kept(run: Run, engine: Engine) -> None:
    before = engine.store.count()
    found = records(run("ask", "--jsonl", input="does it hurt?\nand how many?\nsay that again\n").stdout)
    assert "have not said anything yet" in str(found[2]["replies"])
    assert engine.store.count() == before


def test_clarification_names_its_choices(run: Run) -> None:
    [record] = records(run("ask", "--jsonl", input="skin thing\n").stdout)
    assert record["zone"] == "clarify"
    assert len(record["choices"]) in (2, 3)  # type: ignore[arg-type]
    assert "/" not in str(record["choices"])


def test_many_messages_take_little_time(run: Run) -> None:
    started = time.process_time()
    found = records(run("ask", "--jsonl", input="does it hurt?\nhow long is the recovery\n" * 50).stdout)
    assert len(found) == 100
    assert time.process_time() - started < 20, "the target is 6 on a quiet machine"


def test_no_input_is_no_output(run: Run) -> None:
    assert run("ask", "--jsonl", input="").stdout == ""


@pytest.mark.slow
def test_wrong_settings_are_named_at_start() -> None:
    done = command("ask", "hi", STIPPLE_PORT="0", STIPPLE_STRICTNES="strict")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "STIPPLE_PORT: " in done.stderr
    assert "STIPPLE_STRICTNES: there is no setting of this name" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_wrong_clinic_is_named_at_start(tmp_path: Path) -> None:
    wrong = tmp_path / "clinic.yml"
    wrong.write_text((ROOT / "clinic.yml").read_text().replace("country: US", "country: Wonderland"))
    done = command("ask", "hi", STIPPLE_CLINIC=str(wrong))
    assert done.returncode == 1
    assert f"{wrong}:4: country: 'Wonderland' is not a country code" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_ends_with_a_failing_code_when_something_is_wrong(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = run("check")
    assert re.search(r"approv", sound.stdout)
    monkeypatch.chdir(tmp_path)
    wrong = run("check")
    assert wrong.exit_code == 1
    assert wrong.stdout.strip()


class Terminal:
    """`stipple shell` in a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        environ = os.environ | {"TERM": "xterm", "COLUMNS": "200", "LINES": "50", "PYTHONPATH": str(ROOT)}
        (folder / "encoder").symlink_to((ROOT / "var" / "encoder").resolve())
        environ |= {"STIPPLE_FOLDER": str(folder), "STIPPLE_DATABASE_URL": f"sqlite:///{folder}/shell.db"}
        self._terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [STIPPLE, "shell"], cwd=ROOT, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.raw = ""

    def read_until(self, wanted: str) -> str:
        """What is shown until some text shows up."""
        shown, ends = "", time.monotonic() + PATIENCE
        while wanted not in shown:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, ends - time.monotonic()))
            assert ready, f"{wanted!r} did not show up in:\n{shown}"
            try:
                part = os.read(self._terminal, 65536).decode(errors="replace")
            except OSError as error:
                raise AssertionError(f"the shell ended:\n{self.raw}") from error
            self.raw += part
            # The terminal is asked where its cursor is.
            if "\x1b[6n" in part:
                os.write(self._terminal, b"\x1b[1;1R")
            shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", part)
        return shown

    def say(self, line: str, wanted: str) -> str:
        os.write(self._terminal, line.encode() + b"\r")
        return self.read_until(wanted)

    def end(self) -> int:
        """Control-D, until it is heard: between two prompts it is lost; the code that the shell ends with."""
        ends = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < ends:
            with contextlib.suppress(OSError):
                os.write(self._terminal, b"\x04")
                if select.select([self._terminal], [], [], 0.3)[0]:
                    os.read(self._terminal, 65536)
        return self.process.wait(1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._terminal)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


@pytest.mark.slow
def test_shell_is_a_conversation(terminal: Terminal, tmp_path: Path) -> None:
    terminal.read_until("web>")
    terminal.say(":why", "Nothing has been said yet")
    shown = terminal.say("does it hurt?", "1. Is numbing cream used?")
    assert "discomfort" in shown
    assert "\x1b[" in terminal.raw, "colours, as it is a terminal"
    assert "faq/pain" in terminal.say(":why", "faq/safety")
    terminal.say(":sources", "S3  ")
    terminal.say("2", "1. ")
    terminal.say(":why", "topic bleeding")
    terminal.say(":help", ":channel web|sms")
    terminal.say(":channel fax", "The channels are web and sms")
    terminal.say(":channel sms", "sms>")
    terminal.say("does it hurt?", "segment(s))")
    terminal.say(":reset", "A new conversation begins")
    terminal.say("say that again", "have not said anything yet")
    # Bad input, through the shell's door.
    terminal.say(":[/nonsense]", "There is no command :[/nonsense]")
    terminal.say("", "could not find any words")
    terminal.say("\U0001f642", "could not find any words")
    terminal.say('/intent{"slot": "x"}', "segment(s))")
    terminal.say("x" * 1001, "too long")
    terminal.say("\u75bc\u5417", "only understand English")
    terminal.say("99", "segment(s))")
    terminal.say("does it hurt?", "discomfort")
    assert terminal.end() == 0
    assert "does it hurt?" in (tmp_path / "shell-history").read_text()
    assert "Traceback" not in terminal.raw
