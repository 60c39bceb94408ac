"""`stipple visits`: the visits ahead, for the staff who confirm, move and cancel them and note who came."""

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot.desk import console, harmless, show_rows
from bot.office import clinic_services, start
from clinic import consent, wording, yaml
from clinic.booking import Outcome
from clinic.errors import NotAllowed, NotFound, SlotTaken, SlotUnavailable, Stale
from clinic.visits import Visit

WORDING = Path(__file__).with_name("visits.yml")
DAYS = 14
_STYLES = {"pending": "yellow"}

app = typer.Typer(no_args_is_help=True, help="Visits: see those ahead, confirm, move and cancel them, note who came.")
Reference = Annotated[str, typer.Argument(help="The visit's reference, such as K7M2PQ.")]


@app.command("list")
def list_visits(
    pending: Annotated[
        bool, typer.Option("--pending", help="Only those that a clinician must confirm, however far ahead.")
    ] = False,
    days: Annotated[int, typer.Option("--days", min=1, help="How many days ahead, today included.")] = DAYS,
) -> None:
    """List the visits ahead, by time."""
    _Book().list_visits(pending, days)


@app.command()
def confirm(reference: Reference) -> None:
    """Confirm a visit that a clinician has allowed."""
    book = _Book()
    book.change("confirmed", reference, lambda visit: book.booking.approve(visit.id, version=visit.version))


@app.command()
def cancel(reference: Reference) -> None:
    """Cancel a visit; its time is free again."""
    book = _Book()
    book.change("cancelled", reference, lambda visit: book.booking.cancel(visit.id, version=visit.version, actor="staff"))


@app.command()
def move(reference: Reference, to: Annotated[str, typer.Argument(help="The new time, as 2026-11-30 09:00.")]) -> None:
    """Move a visit to another time."""
    book = _Book()
    when = book.time(to)
    book.change("moved", reference, lambda visit: book.booking.reschedule(visit.id, when, version=visit.version, actor="staff"))


@app.command()
def note(reference: Reference, outcome: Annotated[Outcome, typer.Argument(help="What became of it.")]) -> None:
    """Note that the visitor is here, came, or did not."""
    book = _Book()
    book.change("noted", reference, lambda visit: book.booking.record(visit.id, outcome, version=visit.version))


class _Book:
    def __init__(self) -> None:
        self._services = clinic_services(start())
        self.booking = self._services.booking
        self._say: dict[str, Any] = yaml.read(WORDING)
        self._reasons = wording.load()

    def list_visits(self, pending: bool, days: int) -> None:
        here = self._services
        now = here.clock()
        last = here.offers.today + dt.timedelta(days=here.practice.booking.horizon_days + 1 if pending else days)
        end = dt.datetime.combine(last, dt.time(), here.practice.zone)
        visits = [visit for visit in self.booking.agenda(now, end) if visit.status == "pending" or not pending]
        show_rows(console(), list(map(self._row, visits)), [_STYLES.get(visit.status, "") for visit in visits], self._say)

    def change(self, said: str, reference: str, act: Callable[[Visit], Visit]) -> None:
        """Does something with a visit, and says what came of it and whether the visitor hears of it."""
        try:
            before = self.booking.named(reference)
        except NotFound:
            self._fail("not_found", reference=reference)
        try:
            visit = act(before)
        except NotAllowed:
            past = before.starts_at <= self._services.clock() and before.status in ("pending", "booked")
            self._fail("past" if past else "not_allowed", status=self._say["status"][before.status])
        except (Stale, SlotTaken) as error:
            self._fail("stale" if isinstance(error, Stale) else "taken")
        except SlotUnavailable as error:
            sys.exit(self._say["errors"]["reasons"][error.reason])
        when, status = self._services.facts.moment(visit.starts_at), self._say["status"][visit.status]
        typer.echo(self._say[said].format(when=when, status=status))
        if said != "noted":
            typer.echo(self._say["told" if self._hears(visit) else "untold"].format(phone=self._phone(visit)))

    def time(self, text: str) -> dt.datetime:
        """A moment by the clinic's clocks, as it is written on the command line."""
        try:
            return dt.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=self._services.practice.zone)
        except ValueError:
            self._fail("when")

    def _hears(self, visit: Visit) -> bool:
        here = self._services
        by_text = visit.phone and "text" in here.outbox.channels and here.consents.given(visit.phone, consent.TEXTS)
        return bool(by_text or (visit.email and "email" in here.outbox.channels))

    def _row(self, visit: Visit) -> dict[str, str]:
        practice = self._services.practice
        service = practice.service(visit.service)
        values = {
            "reference": visit.reference,
            "when": self._services.facts.moment(visit.starts_at, short=True),
            "status": self._say["status"][visit.status],
            "service": service.name if service else visit.service,
            "practitioner": practice.called(visit.practitioner),
            "name": visit.name or self._say["nothing"],
            "phone": self._phone(visit),
            "reason": self._reasons.reason(visit.pending_reason) if visit.status == "pending" and visit.pending_reason else "",
        }
        return {name: harmless(value) for name, value in values.items()}

    def _phone(self, visit: Visit) -> str:
        return self._services.facts.phone(visit.phone) if visit.phone else str(self._say["nothing"])

    def _fail(self, error: str, **values: str) -> NoReturn:
        sys.exit(self._say["errors"][error].format(**values))
