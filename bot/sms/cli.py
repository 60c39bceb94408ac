"""`stipple sms`: talk with the running server as a telephone would, and see whether all is set."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot import logs
from bot.settings import Settings

if TYPE_CHECKING:
    from clinic.texting import Texting

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

    more = {"NumMedia": "1", "MediaContentType0": media, "MediaUrl0": "https://api.twilio.com/media"} if media else {}
    more |= {"OptOutType": opt_out_type} if opt_out_type else {}
    with twilio.client(settings) as client:
        for said in [text] if text is not None else (line.rstrip("\r\n") for line in sys.stdin):
            try:
                answers = twilio.post(settings, client, number, said, **more)
            except twilio.NoAnswer as error:
                sys.exit(str(error))
            print("\n".join(map(str, answers)) or "  [no answer]", flush=True)


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
        found = console.look(settings, SmsWording.load(practice.load(settings.clinic)), _texting(settings).blocks(), api)
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


def _start() -> Settings:
    settings = Settings.read()
    logs.configure("error")
    return settings


def _texting(settings: Settings) -> "Texting":
    from clinic import clock, database, practice
    from clinic.inbox import Inbox
    from clinic.outbox import Outbox
    from clinic.texting import Texting

    base = database.connect(settings.database_url)
    database.migrate(base)
    clinic = practice.load(settings.clinic)
    return Texting(base, clinic, clock.now, Inbox(base, clock.now, Outbox(base, clock.now, ())))
