"""`stipple desk`: staff see who waits, take it, answer and close it; wrong ids and wrong states are told."""

import contextlib
import datetime as dt
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner, Result

from bot import cli, logs
from clinic import practice
from clinic.models import Handoff, OutboxMessage
from clinic.services import Services
from clinic.visits import Visitor

Desk = Callable[..., Result]
PHONE = "+12125550101"
TWILIO = {"STIPPLE_TWILIO_ACCOUNT": "AC" + "0" * 32, "STIPPLE_TWILIO_TOKEN": "t" * 32, "STIPPLE_TWILIO_SENDER": "+12125550144"}


@pytest.fixture
def services(base: Engine) -> Services:
    return Services.build(base, practice.load(Path("clinic.yml")), channels=("text",))


@pytest.fixture
def environ(base: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {"STIPPLE_DATABASE_URL": f"sqlite:///{tmp_path}/stipple.db", "STIPPLE_FOLDER": str(tmp_path)}
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def desk(environ: dict[str, str]) -> Iterator[Desk]:
    yield lambda *arguments: CliRunner().invoke(cli.app, ["desk", *arguments])
    logs.configure("error")


@pytest.fixture
def texting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same with an account for text messages."""
    for name, value in TWILIO.items():
        monkeypatch.setenv(name, value)
    return desk


def ask(services: Services, conversation: str = "c1", **more: Any) -> str:
    """A request; the id as staff write it."""
    return services.handoffs.open(conversation, **({"channel": "web", "reason": "asked"} | more)).id[:8]


def waited(base: Engine, request: str, since: dt.timedelta) -> None:
    with base.begin() as connection:
        began = dt.datetime.now(dt.UTC) - since
        connection.execute(update(Handoff).where(Handoff.id.startswith(request)).values(created_at=began))


def test_the_most_urgent_comes_first_with_how_long_it_waits(desk: Desk, services: Services, base: Engine) -> None:
    routine = ask(services, "c1", name="Ana Ruiz")
    urgent = ask(services, "c2", urgency="emergency", reason="emergency")
    today = ask(services, "sms-3", urgency="today", channel="sms", reason="texted_cancel")
    waited(base, routine, dt.timedelta(hours=3))
    services.handoffs.claim(services.handoffs.find(today).id, "kim")
    rows = [line.split("\t") for line in desk("list").stdout.splitlines()]
    assert [row[0] for row in rows] == [urgent, today, routine]
    assert rows[0][1] == "emergency"
    assert rows[1][3:5] == ["with kim", "text message"]
    assert rows[2][2:] == ["3 hours", "waiting", "website", "Ana Ruiz", "asked for one"]


def test_nobody_waits(desk: Desk) -> None:
    assert (desk("list").exit_code, desk("list").stdout) == (0, "")


def test_show_tells_why_how_to_reach_them_and_what_was_said(desk: Desk, services: Services) -> None:
    start = dt.datetime.now(services.practice.zone).replace(hour=12, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    while services.slots.why_not("consultation", start):
        start += dt.timedelta(days=1)
    held = services.booking.hold("consultation", start, holder="c1", channel="web")
    visit = services.booking.confirm(held.id, Visitor("Ana Ruiz", PHONE), holder="c1")
    request = ask(services, name="Ana Ruiz", phone=PHONE, email="ana@ruiz.example", summary="Has asked twice.")
    desk("claim", request, "--as", "kim")
    desk("reply", request, "Kim here.", "--as", "kim")
    shown = desk("show", request).stdout
    for words in ("asked for one", "Ana Ruiz", "(212) 555-0101", "ana@ruiz.example", "Has asked twice.", visit.reference):
        assert words in shown
    assert any(line.endswith("staff     Kim here.") for line in shown.splitlines())


def test_what_a_visitor_wrote_cannot_steer_the_terminal(desk: Desk, services: Services) -> None:
    request = ask(services, name="Ana\x1b[2J\nRuiz\x07", summary="a\x9bb")
    for output in (desk("list").stdout, desk("show", request).stdout):
        assert not {"\x1b", "\x07", "\x9b"} & set(output)
    assert len(desk("list").stdout.splitlines()) == 1


def test_a_request_is_taken_answered_and_closed(desk: Desk, services: Services) -> None:
    request = ask(services)
    assert "keeps quiet" in desk("claim", request, "--as", "kim").stdout
    assert services.handoffs.with_person("c1")
    assert desk("reply", request, "Hi, Kim here.", "--as", "kim").exit_code == 0
    assert [note.text for note in services.handoffs.notes("c1")] == ["Hi, Kim here."]
    assert desk("close", request).exit_code == 0
    assert not services.handoffs.with_person("c1")
    assert desk("list").stdout == ""
    assert desk("list", "--closed").stdout.startswith(request)


def test_without_a_name_it_is_who_is_logged_in(desk: Desk, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "rowan")
    request = ask(services)
    desk("claim", request)
    assert services.handoffs.find(request).claimed_by == "rowan"


def test_a_colleague_takes_over(desk: Desk, services: Services) -> None:
    request = ask(services)
    desk("claim", request, "--as", "kim")
    assert "instead of kim" in desk("claim", request, "--as", "lee").stdout
    assert desk("reply", request, "Lee here.", "--as", "lee").exit_code == 0
    assert [note.text for note in services.handoffs.notes("c1")] == ["Lee here."]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "nothing"), "There is no request whose id begins with 'nothing'"),
        (("claim", ""), "Several requests begin with ''"),
        (("show", "%"), "There is no request"),
        (("reply", "{open}", "Hi", "--as", "kim"), "Take it first: stipple desk claim {open}"),
        (("reply", "{taken}", "Hi", "--as", "lee"), "kim has request {taken}. Take it over first"),
        (("reply", "{taken}", "   ", "--as", "kim"), "Write what to say"),
        (("reply", "{taken}", "a" * 3000, "--as", "kim"), "too long"),
        (("reply", "{closed}", "Hi", "--as", "kim"), "Request {closed} is closed already"),
        (("claim", "{closed}", "--as", "kim"), "is closed already"),
        (("close", "{closed}"), "is closed already"),
        (("claim", "{open}", "--as", "k" * 65), "Say who you are"),
    ],
)
def test_what_is_wrong_is_told(desk: Desk, services: Services, arguments: tuple[str, ...], says: str) -> None:
    ids = {"open": ask(services, "c1"), "taken": ask(services, "c2"), "closed": ask(services, "c3")}
    services.handoffs.claim(services.handoffs.find(ids["taken"]).id, "kim")
    services.handoffs.close(services.handoffs.find(ids["closed"]).id)
    result = desk(*(argument.format(**ids) for argument in arguments))
    assert result.exit_code == 1
    assert says.format(**ids) in result.output
    assert "Traceback" not in result.output
    assert services.handoffs.notes("c2") == []


def test_a_reply_by_text_waits_in_the_outbox(texting: Desk, services: Services, base: Engine) -> None:
    request = ask(services, "sms-1", channel="sms", phone=PHONE)
    texting("claim", request, "--as", "kim")
    result = texting("reply", request, "Hi, Kim here.", "--as", "kim")
    assert result.exit_code == 0
    assert "text message" in result.stdout
    with base.connect() as connection:
        assert list(connection.scalars(select(OutboxMessage.kind).where(OutboxMessage.channel == "text"))) == [
            "visitor.handoff_reply"
        ]


def test_no_reply_is_lost_when_no_text_can_go_out(desk: Desk, services: Services) -> None:
    request = ask(services, "sms-1", channel="sms", phone=PHONE)
    desk("claim", request, "--as", "kim")
    result = desk("reply", request, "Hi", "--as", "kim")
    assert result.exit_code == 1
    assert "Phone the visitor: (212) 555-0101" in result.output
    assert services.handoffs.notes("sms-1") == []


def test_who_wants_no_texts_is_to_be_phoned(texting: Desk, services: Services) -> None:
    services.consents.record(PHONE, "texts", False, wording="stop", channel="sms")
    request = ask(services, "sms-1", channel="sms", phone=PHONE)
    texting("claim", request, "--as", "kim")
    result = texting("reply", request, "Hi", "--as", "kim")
    assert result.exit_code == 1
    assert "wants no text messages. Phone them: (212) 555-0101" in result.output
    assert services.handoffs.notes("sms-1") == []


def test_a_terminal_gets_a_table_and_a_pipe_plain_lines(environ: dict[str, str], services: Services) -> None:
    ask(services, urgency="emergency", reason="emergency")
    command = [str(Path(sys.executable).with_name("stipple")), "desk", "list"]
    piped = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=True).stdout
    assert piped.count("\t") == 6
    leader, follower = pty.openpty()
    variables = os.environ | environ | {"TERM": "xterm", "COLUMNS": "120"}
    subprocess.run(command, env=variables, stdout=follower, check=True)
    os.close(follower)
    seen = b""
    with contextlib.suppress(OSError):
        while more := os.read(leader, 4096):
            seen += more
    os.close(leader)
    assert b"URGENCY" in seen
    assert b"\x1b[1;31m" in seen
