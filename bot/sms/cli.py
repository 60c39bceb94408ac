"""`stipple sms`: talk with the running server as a telephone would, and see whether all is set."""

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from sqlalchemy import Engine

from bot import logs
from bot.settings import Settings
from clinic import database
from clinic.errors import NotAPhone

if TYPE_CHECKING:
    from clinic.texting import Texting

Number = Annotated[str, typer.Argument(help="The telephone number, as people write it or as +12125550142.")]
How = Annotated[Literal["phone", "email", "website", "person", "letter"], typer.Option(help="How they have said it.")]

app = typer.Typer(no_args_is_help=True, help="Text messages.")


@app.command()
def simulate(
    number: Annotated[str, typer.Argument(help="Who texts, such as +12125550142.")],
    text: Annotated[str | None, typer.Argument(help="What they text; without it, each line of standard input is a text.")] = None,
    media: Annotated[str, typer.Option(help="Send along a file of this type, such as image/jpeg.")] = "",
    opt_out_type: Annotated[str, typer.Option(help="Say that Twilio has answered: STOP, START or HELP.")] = "",
) -> None:
    """Text the running server as Twilio would post it, signed; print each text of the answer with its length."""
    settings = _start()
    from bot.sms import simulate as twilio

    number = re.sub(r"[\s().-]", "", number)
    if not re.fullmatch(r"\+?\d{3,15}", number, re.ASCII):
        raise typer.BadParameter("write the number as +12125550142", param_hint="NUMBER")
    more = {"NumMedia": "1", "MediaContentType0": media, "MediaUrl0": "https://api.twilio.com/media"} if media else {}
    more |= {"OptOutType": opt_out_type} if opt_out_type else {}
    with twilio.client(settings) as client:
        for said in [text] if text is not None else _typed(number):
            try:
                answers = twilio.post(settings, client, number, said, **more)
            except twilio.NoAnswer as error:
                sys.exit(str(error))
            print("\n".join(map(str, answers)) or "  [no text comes back]", flush=True)


@app.command()
def check(
    online: Annotated[bool, typer.Option("--online", help="Also ask Twilio where the number sends its texts.")] = False,
) -> None:
    """Check the settings of text messages, and say what to set in Twilio's console."""
    settings = _start()
    from bot.sms import console
    from bot.sms.twilio_api import Refused, TwilioApi, Unclear
    from bot.sms.wording import SmsWording
    from clinic import practice

    api = None
    if online and settings.can_text:
        api = TwilioApi(settings.twilio_account, settings.twilio_token, settings.twilio_sender, base=settings.twilio_api)
    try:
        clinic = practice.load(settings.clinic)
        found = console.look(settings, clinic, SmsWording.load(clinic), _texting(settings).blocks(), api)
    except (Refused, Unclear) as error:
        sys.exit(f"Twilio does not answer as it should: {error}")
    print("\n".join(map(str, found)))
    raise typer.Exit(1 if any(finding.sound is False for finding in found) else 0)


@app.command()
def unblock(scope: Annotated[str, typer.Argument(help="What `stipple sms check` names: all, kind:… or number:…")]) -> None:
    """Send again what was stopped after one of Twilio's errors, once that is put right."""
    if not _texting(_start()).unblock(scope):
        sys.exit(f"nothing is stopped for {scope}")
    print(f"texts are sent again: {scope}")


@app.command()
def stop(number: Number, how: How = "phone") -> None:
    """Note that somebody wants no more texts, and has said so by other means than a text. It counts at once."""
    _say(number, how, False)
    print("no more texts that they did not ask for; what they text themselves is answered")


@app.command()
def start(number: Number, how: How = "phone") -> None:
    """Note that somebody wants texts after all, and has said so by other means than a text."""
    _say(number, how, True)
    print("texts are on again here; if they once texted STOP, they have to text START as well")


def _say(number: str, how: How, given: bool) -> None:
    settings = _start()
    from bot.sms.wording import SmsWording
    from clinic import clock, consent, phones, practice

    clinic = practice.load(settings.clinic)
    try:
        phone = phones.e164(number, clinic.country)
    except NotAPhone as error:
        sys.exit(str(error))
    version = SmsWording.load(clinic).version
    consent.Consents(_database(settings), clock.now).record(phone, consent.TEXTS, given, wording=version, channel=how)


def _typed(number: str) -> Iterator[str]:
    """The lines of the standard input, asked for when somebody sits at it."""
    while True:
        try:
            yield input(f"{number}> " if sys.stdin.isatty() else "")
        except EOFError:
            return


def _start() -> Settings:
    settings = Settings.read()
    logs.configure("error")
    return settings


def _texting(settings: Settings) -> "Texting":
    from clinic import clock, practice
    from clinic.inbox import Inbox
    from clinic.outbox import Outbox
    from clinic.texting import Texting

    base = _database(settings)
    clinic = practice.load(settings.clinic)
    return Texting(base, clinic, clock.now, Inbox(base, clock.now, Outbox(base, clock.now, ())))


def _database(settings: Settings) -> Engine:
    base = database.connect(settings.database_url)
    database.migrate(base)
    return base
