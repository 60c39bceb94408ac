"""Texts that go out through Twilio's API: checked when they are sent, sent once, and followed until they arrive."""

import datetime as dt
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine

from bot.sms import replies
from bot.sms.channel import CHANNEL, Pseudonyms
from bot.sms.twilio_api import Accepted, Refused, Unclear
from bot.sms.wording import SmsWording
from clinic import database, yaml
from clinic.clock import Clock
from clinic.handoff import Handoffs
from clinic.inbox import LATE_REPLY, Inbox
from clinic.letters import REMINDER
from clinic.outbox import Composer, Dropped, Entry, Message, Postponed, SendFailed
from clinic.texting import ALL, ANSWERS, NotAtAll, NotNow, Part, Texting

log = logging.getLogger(__name__)

FILE = Path(__file__).with_name("errors.yml")

Act = Literal["opted_out", "bad_number", "not_textable", "region", "setup", "content", "later", "once_more", "slower", "give_up"]
#: attempts of a message that was lost on its way, by what the error says
ATTEMPTS = {"later": 4, "once_more": 2, "slower": 4}
WAIT = {"later": dt.timedelta(hours=1), "once_more": dt.timedelta(minutes=5), "slower": dt.timedelta(minutes=2)}
#: states in which a text has not arrived and never will
LOST = frozenset(("failed", "undelivered"))
STILL_COMPUTED = dt.timedelta(seconds=2)


class Errors(BaseModel):
    """The file of error codes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: dict[int, Act]
    refused: Act
    lost: Act

    def on_refusal(self, code: int) -> Act:
        """What the code of a text that Twilio did not take means."""
        return self.codes.get(code, self.refused)

    def on_loss(self, code: int | None) -> Act:
        """What the code of a text that got lost on its way means."""
        return self.codes.get(code or 0, self.lost)


def load_errors(path: Path = FILE) -> Errors:
    """Reads the error codes.

    Raises:
        clinic.yaml.BadFile: the file is missing or wrong.
    """
    return yaml.read_as(path, Errors)


class Api(Protocol):
    """Twilio's API, as far as texts need it."""

    def send(self, to: str, body: str, status_url: str) -> Accepted:
        """Hands a text to Twilio."""

    def find(self, to: str, body: str, since: dt.datetime) -> Accepted | None:
        """The text that was sent with just this body since a moment."""


class TextComposer:
    """The outbox's composer, for replies that came too late as well."""

    def __init__(self, letters: Composer, inbox: Inbox, engine: Engine, clock: Clock) -> None:
        self._letters, self._inbox, self._engine, self._clock = letters, inbox, engine, clock

    def compose(self, entry: Entry) -> Message:
        """The message in full.

        Raises:
            Dropped: it is no longer true or no longer wanted.
            Postponed: it may not be sent now, or is not there yet.
        """
        if entry.kind != LATE_REPLY:
            return self._letters.compose(entry)
        found = database.read(self._engine, lambda connection: self._inbox.late_reply(connection, entry.subject))
        if found is None or found[1] == ():
            raise Dropped("gone")
        number, texts = found
        if texts is None:
            raise Postponed(self._clock() + STILL_COMPUTED)
        return Message(entry.id, entry.kind, number, data={"texts": texts})


class Consequences:
    """What becomes of it when a text does not arrive."""

    def __init__(self, texting: Texting, handoffs: Handoffs, wording: SmsWording, pseudonyms: Pseudonyms) -> None:
        self._texting, self._handoffs, self._wording, self._pseudonyms = texting, handoffs, wording, pseudonyms

    def of(self, act: Act, code: int, number: str, kind: str, opt_out: Callable[[], None]) -> None:
        """Does what an error asks for besides trying again."""
        log.warning(
            "event=sms.error code=%d act=%s kind=%s number=%s", code, act, kind or "reply", self._pseudonyms.short(number)
        )
        if act == "opted_out":
            opt_out()
            if kind.startswith(REMINDER):
                self._task(number, "reminder_refused", "today")
        elif act in ("bad_number", "not_textable", "region"):
            if act == "region":
                log.error("event=sms.alarm code=%d scope=number", code)
            self._texting.block(f"number:{number}", code)
            self._task(number, "number_wrong", "routine")
        elif act == "setup":
            log.error("event=sms.alarm code=%d scope=all", code)
            self._texting.block(ALL, code)
        elif act == "content" and kind:
            log.error("event=sms.alarm code=%d scope=kind:%s", code, kind)
            # What a person has written, or answers a text, is no template: the next one may be let through.
            if kind not in ANSWERS:
                self._texting.block(f"kind:{kind}", code)

    def _task(self, number: str, note: str, urgency: Literal["today", "routine"]) -> None:
        self._handoffs.open(
            self._pseudonyms.conversation(number),
            channel=CHANNEL,
            reason=note,
            urgency=urgency,
            phone=number,
            summary=self._wording.note(note),
        )


class TextSender:
    """The outbox's way out for texts."""

    def __init__(
        self,
        api: Api,
        texting: Texting,
        errors: Errors,
        consequences: Consequences,
        opt_out: Callable[[str], None],
        status_url: str = "",
        jitter: random.Random | None = None,
    ) -> None:
        """Takes its parts; `opt_out` notes that a number has opted out, `status_url` is where Twilio reports to."""
        self._api, self._texting, self._errors, self._consequences = api, texting, errors, consequences
        self._opt_out, self._status_url, self._jitter = opt_out, status_url, jitter or random.Random()  # noqa: S311 - spreads retries

    def send(self, message: Message) -> None:
        """Sends a text, in parts when it is long; parts that were sent before are not sent again.

        Raises:
            SendFailed: Twilio did not take it, or may not have.
            Dropped: the number has opted out.
            Postponed: it is night there, or the number has had enough texts for today.
        """
        attempt = self._texting.attempts(message.id)
        try:
            if not self._texting.parts(message.id) or attempt > 1:
                self._texting.check(message.to, message.kind)
        except NotNow as later:
            raise Postponed(later.until) from later
        except NotAtAll as never:
            if never.why == "opted_out":
                raise Dropped("opted out") from never
            raise SendFailed(f"blocked {never.scope.partition(':')[0]}", permanent=True) from never
        texts = message.data.get("texts") or replies.whole(message.text)
        again = {part.part for part in self._texting.parts(message.id) if part.attempt == attempt} if attempt > 1 else None
        for number, text in enumerate(texts, 1):
            if again is None or number in again:
                self._send(message, attempt, number, text)

    def _send(self, message: Message, attempt: int, number: int, text: str) -> None:
        part, before = self._texting.begin(message.id, attempt, number, message.kind, message.to)
        if part.sid:
            return
        try:
            # A part that was begun may have gone out although no answer came.
            accepted = self._api.find(message.to, text, part.created_at) if before else None
            accepted = accepted or self._api.send(message.to, text, self._status_url)
        except Unclear as error:
            if not error.connected and not before:
                self._texting.forget(part)
            raise SendFailed(str(error)) from error
        except Refused as error:
            self._texting.forget(part)
            raise self._failure(error, message) from error
        self._texting.accepted(part, accepted.sid, accepted.status)

    def _failure(self, error: Refused, message: Message) -> SendFailed:
        act = self._errors.on_refusal(error.code)
        self._consequences.of(act, error.code, message.to, message.kind, lambda: self._opt_out(message.to))
        if act in ("slower", "later", "once_more") or error.status == 429:
            wait = error.retry_after
            # As long as Twilio asks for, and a little longer, so that all that wait do not come back at once.
            return SendFailed(str(error), retry_after=wait * self._jitter.uniform(1.0, 1.5) if wait else None)
        return SendFailed(str(error), permanent=True)


class Reports:
    """What Twilio reports of texts that were sent."""

    def __init__(
        self, texting: Texting, errors: Errors, consequences: Consequences, opt_out: Callable[[str], None], clock: Clock
    ) -> None:
        self._texting, self._errors, self._consequences = texting, errors, consequences
        self._opt_out, self._clock = opt_out, clock

    def reported(self, sid: str, status: str, code: int | None, number: str | None) -> None:
        """Keeps a state of a text; the first time that one is reported lost, does what its error asks for."""
        news, part = self._texting.reported(sid, status, code)
        log.info("event=sms.status status=%s code=%s news=%s", status, code or "-", news)
        if not news or status not in LOST:
            return
        act = self._errors.on_loss(code)
        to = part.number if part else number
        if to:
            self._consequences.of(act, code or 0, to, part.kind if part else "", lambda: self._opt_out(to))
        if part and act in ATTEMPTS and part.attempt < ATTEMPTS[act]:
            self._again(part, WAIT[act])

    def _again(self, part: Part, wait: dt.timedelta) -> None:
        self._texting.send_again(part, self._clock() + wait)
