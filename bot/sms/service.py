"""The text-message channel, put together once for a process."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from bot import topics
from bot.reply import Reply
from bot.settings import Settings
from bot.sms.channel import Channel, Pseudonyms
from bot.sms.outbound import Consequences, Reports, TextComposer, TextSender, load_errors
from bot.sms.signature import Signatures
from bot.sms.wording import SmsWording
from bot.sms.words import Words
from clinic import clock as clocks
from clinic import database
from clinic.clock import Clock
from clinic.inbox import Inbox
from clinic.services import Services
from clinic.texting import Texting

STATUS_PATH = "/sms/status"
TOPICS = Path("data/nlu")


@dataclasses.dataclass(frozen=True)
class Sms:
    """What the two addresses of the channel, the outbox's worker and the command line use.

    `sender` is None while Twilio's account is not set: then texts answer texts, and nothing else is sent.
    """

    channel: Channel
    signatures: Signatures
    reports: Reports
    composer: TextComposer
    sender: TextSender | None
    texting: Texting
    inbox: Inbox
    wording: SmsWording
    status_url: str

    @classmethod
    def build(
        cls,
        settings: Settings,
        engine: Engine,
        services: Services,
        *,
        clock: Clock = clocks.now,
        on_turn: Callable[[Reply], None] = lambda reply: None,
    ) -> Self:
        """Puts the channel together; its `channel.engine` is set when there is one that answers.

        Raises:
            clinic.yaml.BadFile: a file of words, wording or error codes is wrong.
        """
        inbox = Inbox(engine, clock, services.outbox)
        texting = Texting(engine, services.practice, clock, inbox, settings.sms_daily)
        wording = SmsWording.load(services.practice, clock)
        pseudonyms = Pseudonyms(settings.signing_key())
        errors = load_errors()

        def opt_out(number: str) -> None:
            conversation = pseudonyms.conversation(number)
            database.write(engine, lambda connection: texting.opt(connection, number, False, "carrier", conversation))

        consequences = Consequences(texting, services.handoffs, wording, pseudonyms)
        signatures = Signatures(settings.public_url, (settings.twilio_token, settings.twilio_token_old))
        status_url = signatures.url(STATUS_PATH) if settings.public_url else ""
        sender = None
        if settings.can_text:
            # Twilio's library takes long to import, and only sending needs it.
            from bot.sms.twilio_api import TwilioApi

            api = TwilioApi(settings.twilio_account, settings.twilio_token, settings.twilio_sender, base=settings.twilio_api)
            sender = TextSender(api, texting, errors, consequences, opt_out, status_url)
        return cls(
            channel=Channel(
                inbox,
                texting,
                services,
                wording,
                Words.load(),
                pseudonyms,
                link=_pages(settings),
                hourly=settings.sms_hourly,
                twilio_answers=settings.sms_keywords == "twilio",
                on_turn=on_turn,
            ),
            signatures=signatures,
            reports=Reports(texting, errors, consequences, opt_out, clock),
            composer=TextComposer(services.letters, inbox, engine, clock),
            sender=sender,
            texting=texting,
            inbox=inbox,
            wording=wording,
            status_url=status_url,
        )


def _pages(settings: Settings) -> Callable[[str], str]:
    """Gives the address of the page with a topic's answer: the clinic's own, or else the server's; nothing for other topics."""
    template = settings.sms_link or f"{settings.public_url}/answers/{{topic}}"
    known = frozenset(path.stem for path in topics.files(TOPICS))
    return lambda topic: template.replace("{topic}", topic) if topic in known else ""
