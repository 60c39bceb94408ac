"""What an office does in the terminal: messages that did not leave, and people who ask what is kept about them."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, insert, update
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings
from bot.sms.channel import Pseudonyms
from clinic import database, practice
from clinic.models import Conversation, OutboxMessage, Turn
from clinic.services import Services
from clinic.visits import Visit, Visitor

PHONE = "+12125550199"
#: a Monday, eight in the morning in New York
START = dt.datetime(2026, 3, 2, 13, 0, tzinfo=dt.UTC)
Stipple = Callable[..., Result]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    values = {"FOLDER": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path}/stipple.db", "SMTP_URL": "smtp://mail.example"}
    return {f"STIPPLE_{name}": str(value) for name, value in values.items()}


@pytest.fixture
def stipple(environ: dict[str, str]) -> Stipple:
    """Runs a command, with what a person types into it."""
    return lambda *arguments, typed=None: CliRunner().invoke(app, arguments, input=typed, env=environ)


@pytest.fixture
def engine(environ: dict[str, str]) -> Iterator[Engine]:
    made = database.connect(environ["STIPPLE_DATABASE_URL"])
    database.migrate(made)
    yield made
    made.dispose()


@pytest.fixture
def services(engine: Engine) -> Services:
    return Services.build(engine, practice.load(Path("clinic.yml")), channels=("email",), clock=lambda: START)


@pytest.fixture
def visit(engine: Engine, services: Services, environ: dict[str, str]) -> Visit:
    """A visit of Ana's that is over by now, booked on the website; she also sent a text."""
    for conversation, text in (("web-1", "a rash"), (Pseudonyms(Settings.read(environ).signing_key()).conversation(PHONE), "hi")):
        with engine.begin() as connection:
            connection.execute(insert(Conversation).values(id=conversation, channel="web", started_at=START))
            row = {"conversation_id": conversation, "number": 1, "at": START, "before": "{}", "events": f'["{text}"]'}
            connection.execute(insert(Turn).values(row | {"reply": "[]"}))
    slot = services.slots.search("consultation", START.date(), START.date() + dt.timedelta(7))[0]
    held = services.booking.hold("consultation", slot.starts_at, holder="web-1", channel="web")
    return services.booking.confirm(held.id, Visitor("Ana Lima", PHONE, "ana@example.org"), holder="web-1")


def test_messages_that_did_not_leave_are_listed_without_people_and_sent_again(
    stipple: Stipple, engine: Engine, visit: Visit
) -> None:
    with engine.begin() as connection:
        dead = update(OutboxMessage).where(OutboxMessage.kind == "staff.visit_booked")
        connection.execute(dead.values(state="dead", error="smtp 550", attempts=3))
    listed = stipple("outbox").output
    [line] = [line for line in listed.splitlines() if "dead" in line]
    for part in ("email", "staff.visit_booked", "3 tries", "smtp 550"):
        assert part in line
    assert listed.splitlines()[-1] == "1 given up on, 1 waiting"
    assert "Ana" not in listed
    assert PHONE not in listed
    assert "Ana Lima  +12125550199" in stipple("outbox", "--who").output
    assert stipple("outbox", "retry", line.split()[0]).output == "1 to be sent again\n"
    assert stipple("outbox").output.splitlines()[-1] == "0 given up on, 2 waiting"
    assert stipple("outbox", "retry", "--all").output == "0 to be sent again\n"
    assert stipple("outbox", "retry", line.split()[0]).exit_code == 1
    assert stipple("outbox", "retry").exit_code == 2


def test_a_person_gets_all_that_is_kept_about_them(stipple: Stipple, visit: Visit) -> None:
    shown = json.loads(stipple("privacy", "export", "(212) 555-0199").output)
    assert shown["appointments"][0]["name"] == "Ana Lima"
    assert {turn["events"] for turn in shown["turns"]} == {'["a rash"]', '["hi"]'}
    assert not any(json.loads(stipple("privacy", "export", "+12125550198").output).values())
    assert stipple("privacy", "export", "12").exit_code == 1


def test_a_person_is_erased_when_asked_twice(stipple: Stipple, services: Services, visit: Visit) -> None:
    refused = stipple("privacy", "erase", PHONE, typed="n\n")
    assert refused.exit_code == 1
    assert services.booking.get(visit.id).name == "Ana Lima"
    done = stipple("privacy", "erase", PHONE, typed="y\n")
    assert done.exit_code == 0
    assert "2 conversations" in done.output
    assert "without the person" in done.output
    assert "refuses texts" not in done.output
    assert services.booking.get(visit.id).name is None
    assert stipple("privacy", "erase", PHONE, "--yes").output == "nothing is kept about this number\n"


def test_visits_ahead_are_cancelled_only_when_that_is_said(
    stipple: Stipple, services: Services, engine: Engine, visit: Visit
) -> None:
    ahead = Services.build(engine, services.practice)
    today = dt.datetime.now(dt.UTC).date()
    slot = ahead.slots.search("consultation", today, today + dt.timedelta(30))[-1]
    held = ahead.booking.hold("consultation", slot.starts_at, holder="web-1", channel="web")
    later = ahead.booking.confirm(held.id, Visitor("Ana Lima", PHONE), holder="web-1")
    ahead.consents.record(PHONE, "texts", False, wording="1", channel="sms")
    refused = stipple("privacy", "erase", PHONE, "--yes")
    assert refused.exit_code == 1
    assert services.booking.get(later.id).status == "booked"
    done = stipple("privacy", "erase", PHONE, "--yes", "--cancel")
    assert done.exit_code == 0
    assert "refuses texts" in done.output
    assert services.booking.get(later.id).status == "cancelled"


def test_who_has_no_calendar_is_told(stipple: Stipple) -> None:
    assert stipple("calendar", "issue", "nobody").exit_code == 1
    assert "rowan                 0 addresses" in stipple("calendar", "list").output
