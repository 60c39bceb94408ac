"""`stipple visits`: staff see what is ahead, confirm what a clinician has allowed, move, cancel and note."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner, Result

from bot import cli, logs
from clinic import clock, database, practice
from clinic.consent import TEXTS
from clinic.models import Appointment, OutboxMessage
from clinic.services import Services
from clinic.visits import Visit, Visitor

Visits = Callable[..., Result]
PHONE = "+12125550101"


@pytest.fixture
def services(base: Engine) -> Services:
    return Services.build(base, practice.load(Path("clinic.yml")), channels=("email",))


@pytest.fixture
def visits(base: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visits]:
    values = {"DATABASE_URL": f"sqlite:///{tmp_path}/stipple.db", "FOLDER": str(tmp_path), "SMTP_URL": "smtp://mail.example"}
    for name, value in values.items():
        monkeypatch.setenv(f"STIPPLE_{name}", value)
    yield lambda *arguments: CliRunner().invoke(cli.app, ["visits", *arguments])
    logs.configure("error")


def free(services: Services) -> list[dt.datetime]:
    """The starts that are free, from the day after tomorrow on, whatever is closed in between."""
    first = services.offers.today + dt.timedelta(days=2)
    return [slot.starts_at for slot in services.slots.search("consultation", first, first + dt.timedelta(days=40))]


def book(services: Services, *, concern: str | None = None, email: str | None = "ana@ruiz.example") -> Visit:
    held = services.booking.hold("consultation", free(services)[0], holder="web-1", channel="web")
    visitor = Visitor("Ana\x1b[2J Ruiz", PHONE, email)
    return services.booking.confirm(held.id, visitor, holder="web-1", pending_reason=concern)


def outbox(base: Engine, visit: Visit) -> list[str]:
    query = select(OutboxMessage.kind).where(OutboxMessage.subject == visit.id).order_by(OutboxMessage.version)
    return list(database.read(base, lambda connection: list(connection.scalars(query))))


def test_what_is_ahead_is_listed_without_what_could_steer_the_terminal(visits: Visits, services: Services) -> None:
    visit, other = book(services), book(services, concern="pregnancy")
    lines = [line.split("\t") for line in visits("list", "--days", "60").stdout.splitlines()]
    assert sorted(line[0] for line in lines) == sorted((visit.reference, other.reference))
    assert "\x1b" not in visits("list", "--days", "60").stdout
    (pending,) = [line.split("\t") for line in visits("list", "--pending").stdout.splitlines()]
    assert pending[0] == other.reference
    assert pending[2:4] == ["to be confirmed", "Consultation"]
    assert pending[5].endswith("Ruiz")
    assert pending[6] == "(212) 555-0101"
    assert pending[7]


def test_nothing_is_ahead(visits: Visits) -> None:
    assert (visits("list").exit_code, visits("list").stdout) == (0, "")


def test_what_a_clinician_allows_is_confirmed_and_the_visitor_told(visits: Visits, services: Services, base: Engine) -> None:
    visit = book(services, concern="pregnancy")
    done = visits("confirm", visit.reference.lower())
    assert done.exit_code == 0
    assert done.stdout.startswith("Confirmed: ")
    assert "is told" in done.stdout
    assert services.booking.get(visit.id).status == "booked"
    assert "visitor.visit_approved" in outbox(base, visit)
    assert "it is booked" in visits("confirm", visit.reference).output


def test_who_cannot_be_told_is_to_be_phoned(visits: Visits, services: Services) -> None:
    visit = book(services, email=None)
    assert "Phone them: (212) 555-0101" in visits("cancel", visit.reference).stdout
    assert services.booking.get(visit.id).status == "cancelled"


def test_who_agreed_to_texts_and_booked_by_text_is_told_by_text(base: Engine, services: Services) -> None:
    texting = Services.build(base, services.practice, channels=("text",))
    texting.consents.record(PHONE, TEXTS, True, wording="1", channel="sms")
    held = texting.booking.hold("consultation", free(services)[0], holder="sms-1", channel="sms")
    visit = texting.booking.confirm(held.id, Visitor("Ana Ruiz", PHONE), holder="sms-1")
    assert "visitor.visit_booked" not in outbox(base, visit)
    texting.booking.cancel(visit.id, version=visit.version, actor="staff")
    assert "visitor.visit_cancelled" in outbox(base, visit)


def test_a_visit_is_moved(visits: Visits, services: Services) -> None:
    visit = book(services)
    to = free(services)[-1]
    done = visits("move", visit.reference, f"{to:%Y-%m-%d %H:%M}")
    assert done.stdout.startswith("Moved to ")
    assert services.booking.get(visit.id).starts_at == to


def test_where_it_cannot_be_moved_to_is_told(visits: Visits, services: Services) -> None:
    visit = book(services)
    assert "2026-11-30 09:00" in visits("move", visit.reference, "next week").output
    assert "gone by" in visits("move", visit.reference, "2020-01-06 10:00").output
    assert "horizon_days" in visits("move", visit.reference, f"{visit.starts_at + dt.timedelta(days=400):%Y-%m-%d %H:%M}").output
    assert services.booking.get(visit.id).starts_at == visit.starts_at


def test_what_became_of_a_visit_is_noted(visits: Visits, services: Services, base: Engine) -> None:
    visit = book(services)
    with base.begin() as connection:
        hour = clock.now() - dt.timedelta(hours=1)
        connection.execute(update(Appointment).where(Appointment.id == visit.id).values(starts_at=hour))
    assert "its time is over" in visits("cancel", visit.reference).output
    assert visits("note", visit.reference, "fulfilled").stdout == "Noted: came.\n"
    assert services.booking.get(visit.id).status == "fulfilled"


def test_an_unknown_reference_is_told(visits: Visits) -> None:
    done = visits("confirm", "K7M2PQ")
    assert done.exit_code == 1
    assert "K7M2PQ" in done.output
