"""`stipple desk`: the requests for a person, for the staff who answer them."""

import datetime as dt
import getpass
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from babel.dates import format_timedelta
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from bot import logs
from bot.background import channels
from bot.history import Cursor, History
from bot.settings import Settings
from bot.sms.replies import MOST_WHOLE, plain
from bot.sms_text import split
from clinic import clock, database, practice, wording, yaml
from clinic.errors import Ambiguous, NotAllowed, NotFound
from clinic.handoff import REPLY, Request
from clinic.inbox import Inbox
from clinic.services import Services
from clinic.texting import NotAtAll, NotNow, Texting

WORDING = Path(__file__).with_name("desk.yml")
#: of an id, what is shown, and nearly always enough to name it
ID_LENGTH = 8
#: messages of a conversation that `show` shows
LAST = 16
#: characters of a reply
LONGEST = 2000
LONGEST_NAME = 64
_STYLES = {"emergency": "bold red", "today": "yellow", "staff": "cyan", "assistant": "dim"}

app = typer.Typer(no_args_is_help=True, help="Requests for a person: see, claim, answer and close them.")
Id = Annotated[str, typer.Argument(help="The request's id, or how it begins.")]
Staff = Annotated[str, typer.Option("--as", help="Who you are; your login name when not given.")]


@app.command("list")
def list_requests(closed: Annotated[bool, typer.Option("--closed", help="Those that are closed instead.")] = False) -> None:
    """List the requests that are not closed, the most urgent first, then those that wait longest."""
    _Desk().list_requests(closed)


@app.command()
def show(request: Id) -> None:
    """Show a request: why, how to reach the visitor, and the last of the conversation."""
    _Desk().show(request)


@app.command()
def claim(request: Id, staff: Staff = "") -> None:
    """Take a request. The assistant keeps quiet in that conversation, except for safety, until the request is closed."""
    _Desk().claim(request, _name(staff))


@app.command()
def reply(request: Id, text: Annotated[str, typer.Argument(help="What to say to the visitor.")], staff: Staff = "") -> None:
    """Write to the visitor, in the same conversation: in the chat, or by text message."""
    _Desk().reply(request, _name(staff), text)


@app.command()
def close(request: Id) -> None:
    """Close a request. The assistant answers in that conversation again."""
    _Desk().close(request)


class _Desk:
    """The requests of the database that the settings name, on the terminal or, plain, wherever the output goes."""

    def __init__(self) -> None:
        settings = Settings.read()
        logs.configure("error")
        self._engine = database.connect(settings.database_url)
        database.migrate(self._engine)
        clinic = practice.load(settings.clinic)
        self._services = Services.build(self._engine, clinic, channels=channels(settings, clinic))
        self._texting = _texting(self._engine, settings, self._services)
        self._say: dict[str, Any] = yaml.read(WORDING)
        self._wording = wording.load()
        self._console = console()

    def list_requests(self, closed: bool) -> None:
        requests = self._services.handoffs.requests(*(("closed",) if closed else ()))
        rows = [self._row(request) for request in requests]
        show_rows(self._console, rows, [_STYLES.get(request.urgency, "") for request in requests], self._say)

    def show(self, start: str) -> None:
        request = self._find(start)
        self._console.print(self._say["title"].format(id=request.id), style="bold")
        since = self._say["since"].format(time=self._time(request.created_at), ago=_ago(request))
        contact = {"name": request.name, "phone": self._phone(request), "email": request.email, "summary": request.summary}
        lines = self._row(request) | {"waiting": since} | contact
        for name in self._say["labels"]:
            for value in self._visits(request) if name == "visits" else [lines[name]]:
                shown = harmless(value or self._say["nothing"])
                self._console.print(Text.assemble((f"{self._say['labels'][name]:10}", "dim"), shown))
        self._console.print(f"\n{self._say['turns']}", style="bold")
        # Plain lines are read by programs, too: one message a line.
        for said in History(self._engine).since(request.conversation_id, Cursor()).messages[-LAST:]:
            who, text = self._say["author"][said.author], " ".join(harmless(said.text).split())
            self._console.print(Text(f"{self._time(said.at)}  {who:10}{text}", style=_STYLES.get(said.author, "")))

    def claim(self, start: str, staff: str) -> None:
        before = self._open(start)
        self._services.handoffs.claim(before.id, staff)
        taken = before.claimed_by not in (None, staff)
        print(self._say["claimed_from"].format(staff=before.claimed_by) if taken else self._say["claimed"])

    def reply(self, start: str, staff: str, text: str) -> None:
        request, text = self._open(start), text.strip()
        if not text:
            self._fail("empty", request)
        if len(text) > LONGEST or (request.channel == "sms" and split(plain(text), MOST_WHOLE)[1]):
            self._fail("too_long", request)
        said = self._by_text(request) if request.channel == "sms" else self._say["replied"]
        try:
            self._services.handoffs.reply(request.id, staff, text)
        except NotAllowed:
            now = self._services.handoffs.get(request.id)
            reasons = {"open": "not_claimed", "claimed": "somebody_elses", "closed": "closed"}
            self._fail(reasons[now.status], now, staff=now.claimed_by)
        print(said)

    def close(self, start: str) -> None:
        self._services.handoffs.close(self._open(start).id)
        print(self._say["closed"])

    def _by_text(self, request: Request) -> str:
        """What becomes of a reply that goes out as a text message; fails when none may be sent."""
        if "text" not in self._services.outbox.channels:
            self._fail("texts_off", request)
        try:
            self._texting.check(request.phone or "", REPLY)
        except NotNow as later:
            return str(self._say["replied_later"].format(when=self._time(later.until)))
        except NotAtAll as never:
            self._fail(never.why, request)
        return str(self._say["replied_by_text"])

    def _find(self, start: str) -> Request:
        try:
            return self._services.handoffs.find(start)
        except (NotFound, Ambiguous) as error:
            sys.exit(self._say["errors"][error.code].format(id=start))

    def _open(self, start: str) -> Request:
        request = self._find(start)
        if request.status == "closed":
            self._fail("closed", request)
        return request

    def _fail(self, error: str, request: Request, **more: Any) -> NoReturn:
        values = {"id": request.id[:ID_LENGTH], "phone": self._phone(request)} | more
        sys.exit(self._say["errors"][error].format(**values))

    def _row(self, request: Request) -> dict[str, str]:
        values = {
            "id": request.id[:ID_LENGTH],
            "urgency": self._say["urgency"][request.urgency],
            "waiting": _ago(request),
            "status": self._say["status"][request.status].format(staff=request.claimed_by),
            "channel": self._say["channel"].get(request.channel, request.channel),
            "name": request.name or self._say["nothing"],
            "reason": self._wording.reason(request.reason),
        }
        return {name: harmless(value) for name, value in values.items()}

    def _visits(self, request: Request) -> Iterator[str]:
        for visit in self._services.booking.upcoming(request.phone) if request.phone else []:
            service = self._services.practice.service(visit.service)
            yield f"{self._time(visit.starts_at)}, {service.name if service else visit.service}, {visit.reference}"

    def _phone(self, request: Request) -> str:
        return self._services.facts.phone(request.phone) if request.phone else str(self._say["nothing"])

    def _time(self, moment: dt.datetime) -> str:
        return self._services.facts.moment(moment, short=True)


def console() -> Console:
    """The terminal, for what visitors wrote: highlighting and markup would read meanings into it."""
    return Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def harmless(text: str) -> str:
    """A text without control characters, which a terminal would obey."""
    return "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)


def show_rows(to: Console, rows: list[dict[str, str]], styles: list[str], say: dict[str, Any]) -> None:
    """Shows rows as a table or, into a pipe, as lines with tabs; `say` has the `columns` and what to say of `none`."""
    if not to.is_terminal:
        for row in rows:
            print("\t".join(row.values()))
        return
    if not rows:
        to.print(say["none"])
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for n, name in enumerate(rows[0]):
        table.add_column(say["columns"][name], no_wrap=n == 0, overflow="fold")
    for row, style in zip(rows, styles, strict=True):
        table.add_row(*(Text(value) for value in row.values()), style=style)
    to.print(table)


def _ago(request: Request) -> str:
    return str(format_timedelta(clock.now() - request.created_at, locale="en"))


def _texting(engine: Engine, settings: Settings, services: Services) -> Texting:
    return Texting(engine, services.practice, services.clock, Inbox(engine, services.clock, services.outbox), settings.sms_daily)


def _name(staff: str) -> str:
    name = staff.strip() or getpass.getuser()
    if len(name) > LONGEST_NAME:
        sys.exit(yaml.read(WORDING)["errors"]["no_name"].format(most=LONGEST_NAME))
    return name
