"""`stipple outbox`, `stipple privacy` and `stipple calendar`: what a clinic's office looks after now and then."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot import logs
from bot.settings import Settings
from clinic import database, phones, practice
from clinic.errors import NotAllowed, NotAPhone, NotFound, UnknownResource, UpcomingVisits
from clinic.services import Services

if TYPE_CHECKING:
    from clinic.outbox import Entry

outbox = typer.Typer(help="Messages to staff, visitors, webhooks and calendars that have not left yet.")
privacy = typer.Typer(no_args_is_help=True, help="What is kept about a person, by telephone number.")
calendar = typer.Typer(no_args_is_help=True, help="Secret addresses at which a calendar application finds the visits.")

Number = Annotated[str, typer.Argument(help="The telephone number, as people write it or as +12125550142.")]
Resource = Annotated[str, typer.Argument(help="The id of a practitioner or a room in clinic.yml.")]


@outbox.callback(invoke_without_command=True)
def list_outbox(
    context: typer.Context,
    who: Annotated[bool, typer.Option("--who", help="Also whose visit it is about.")] = False,
) -> None:
    """List the messages that were given up on, and those that wait."""
    if context.invoked_subcommand is not None:
        return
    services = clinic_services(start())
    dead, waiting = services.outbox.entries("dead"), services.outbox.entries("sending") + services.outbox.entries("waiting")
    for entry in (*dead, *waiting):
        print(_line(services, entry) + (f"  {_person(services, entry)}" if who else ""))
    print(f"{len(dead)} given up on, {len(waiting)} waiting")


@outbox.command()
def retry(
    message: Annotated[str | None, typer.Argument(help="The message's id.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were given up on.")] = False,
) -> None:
    """Send a message again that was given up on, once its cause is put right."""
    if (message is None) != every:
        raise typer.BadParameter("give a message's id, or --all")
    box = clinic_services(start()).outbox
    ids = [message] if message is not None else [entry.id for entry in box.entries("dead")]
    for each in ids:
        try:
            box.retry(each)
        except NotAllowed:
            sys.exit(f"no message that was given up on has the id {each}")
    print(f"{len(ids)} to be sent again")


@privacy.command()
def export(phone: Number) -> None:
    """Write all that is kept about a person, as JSON."""
    settings = start()
    services = clinic_services(settings)
    number = _number(services, phone)
    print(json.dumps(services.privacy.export(number, _by_text(settings, number)), indent=2, ensure_ascii=False))


@privacy.command()
def erase(
    phone: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the visits that are still ahead.")] = False,
) -> None:
    """Erase a person: conversations, requests, texts, and who came to the visits."""
    settings = start()
    services = clinic_services(settings)
    number = _number(services, phone)
    kept = {name: len(rows) for name, rows in services.privacy.export(number, _by_text(settings, number)).items() if rows}
    if not kept:
        sys.exit("nothing is kept about this number")
    print("Kept: " + _counts(kept))
    if not yes and not typer.confirm("Erase it for good?"):
        sys.exit("nothing was erased")
    try:
        erased = services.privacy.erase(number, _by_text(settings, number), cancel_upcoming=cancel)
    except UpcomingVisits:
        sys.exit(_ahead(services, number))
    print("Erased: " + _counts({name: count for name, count in erased.items() if count and name != "refusals"}))
    print("Still there: when the visits were and for which service, without the person, as the clinic's books need them.")
    if erased["refusals"]:
        print("Still there: that this number refuses texts, with the number, so that it goes on being obeyed.")
    print("Not reached: e-mails and texts that were sent, backups, and what the clinic's own systems were told.")


@calendar.command("list")
def list_calendars() -> None:
    """List practitioners and rooms, and how many secret addresses open each one's visits."""
    services = clinic_services(start())
    live = services.feeds.live()
    for resource in services.practice.resources:
        caldav = "  and a CalDAV calendar in step" if resource.calendar else ""
        print(f"{resource.id:20}  {live.get(resource.id, 0)} addresses{caldav}")


@calendar.command()
def issue(resource: Resource) -> None:
    """Make a secret address for a calendar application to subscribe to. It is shown this once."""
    settings = start()
    try:
        secret = clinic_services(settings).feeds.issue(resource)
    except UnknownResource:
        _unknown(resource)
    print(f"{settings.public_url or f'http://{settings.host}:{settings.port}'}/calendar/{secret}.ics")


@calendar.command()
def revoke(resource: Resource) -> None:
    """Make all secret addresses of a practitioner or a room useless, those of one who has left included."""
    print(f"{clinic_services(start()).feeds.revoke(resource)} addresses of {resource} are useless now")


def start() -> Settings:
    """The settings, and a log that says little."""
    settings = Settings.read()
    logs.configure("error")
    return settings


def clinic_services(settings: Settings) -> Services:
    """The clinic's services on the database of the settings."""
    from bot.background import channels

    engine = database.connect(settings.database_url)
    database.migrate(engine)
    clinic = practice.load(settings.clinic)
    return Services.build(engine, clinic, channels=channels(settings, clinic))


def _number(services: Services, phone: str) -> str:
    try:
        return phones.e164(phone, services.practice.country)
    except NotAPhone as error:
        sys.exit(str(error))


def _by_text(settings: Settings, number: str) -> list[str]:
    """The conversation by text message, whose id belongs to the number."""
    from bot.sms.channel import Pseudonyms

    return [Pseudonyms(settings.signing_key()).conversation(number)]


def _line(services: Services, entry: "Entry") -> str:
    due = entry.due_at.astimezone(services.practice.zone)
    state = f"{entry.state:8}  {entry.channel:8}  {entry.kind:28}  {entry.attempts:2d} tries"
    return f"{entry.id}  {state}  {due:%Y-%m-%d %H:%M}  {entry.error or '-'}"


def _person(services: Services, entry: "Entry") -> str:
    for find in (services.booking.get, services.handoffs.get):
        try:
            found = find(entry.subject)
        except NotFound:
            continue
        return f"{found.name or '-'}  {found.phone or '-'}"
    return "-"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())


def _ahead(services: Services, number: str) -> str:
    visits = [f"{visit.starts_at:%Y-%m-%d %H:%M} ({visit.reference})" for visit in services.booking.upcoming(number)]
    return f"nothing was erased: visits are still ahead, {', '.join(visits)}; cancel them, or say --cancel"


def _unknown(resource: str) -> NoReturn:
    sys.exit(f"clinic.yml names no practitioner or room {resource}")
