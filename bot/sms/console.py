"""What is right and what is missing for text messages, and what to set in Twilio's console."""

import dataclasses
from typing import Protocol
from xml.sax.saxutils import escape

from bot.settings import Settings
from bot.sms.router import INBOUND, STATUS
from bot.sms.wording import SmsWording
from bot.sms_text import encoding, length, segments
from clinic import phones
from clinic.practice import Practice
from clinic.texting import Block

#: how Twilio is asked to retry: three times, whatever went wrong
RETRIES = "#rc=3&rp=all"


class Numbers(Protocol):
    """Twilio's API, as far as a check needs it."""

    def inbound_urls(self) -> list[str]:
        """Where what is texted to the sender goes."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `sound` is None for what is well to know, and neither right nor wrong."""

    sound: bool | None
    text: str

    def __str__(self) -> str:
        """A line for the terminal."""
        return f"{ {True: 'ok   ', False: 'WRONG', None: '     '}[self.sound] } {self.text}".rstrip()


def look(
    settings: Settings, practice: Practice, wording: SmsWording, blocks: list[Block], numbers: Numbers | None = None
) -> list[Finding]:
    """Looks at settings, wording and blocks; with `numbers`, also at what Twilio has."""
    found = [
        *_settings(settings),
        *_shown(settings, practice),
        *_texts(wording),
        *(Finding(False, f"nothing is sent to {b.scope}: Twilio's error {b.error_code}; `stipple sms unblock`") for b in blocks),
    ]
    if numbers is not None:
        found += _inbound(settings, numbers.inbound_urls())
    return [*found, *_console(settings, wording)]


def _settings(settings: Settings) -> list[Finding]:
    url = settings.public_url
    found = [
        Finding(
            url.startswith("https://"), f"STIPPLE_PUBLIC_URL is {url or 'not set'}" + _but(url, "it has to begin with https://")
        ),
        Finding(
            bool(settings.twilio_token),
            "STIPPLE_TWILIO_TOKEN is " + ("set" if settings.twilio_token else "not set: no text is let in"),
        ),
    ]
    if settings.twilio_token_old:
        found.append(Finding(None, "STIPPLE_TWILIO_TOKEN_OLD is set: take it away when Twilio signs with the new one alone"))
    for name, needed in (("TWILIO_ACCOUNT", settings.twilio_account), ("TWILIO_SENDER", settings.twilio_sender)):
        found.append(Finding(bool(needed), f"STIPPLE_{name} is {_set(needed, 'reminders and replies of staff cannot be sent')}"))
    who = "Stipple" if settings.sms_keywords == "stipple" else "Twilio"
    found.append(Finding(None, f"{who} answers STOP, START and HELP unless Twilio says that it has (STIPPLE_SMS_KEYWORDS)"))
    return found


def _shown(settings: Settings, practice: Practice) -> list[Finding]:
    """Whether the number that visitors are shown is the one that texts come from."""
    shown = phones.e164(practice.text_phone, practice.country) if practice.text_phone else ""
    if not shown:
        return [Finding(None, "clinic.yml has no text_phone: the website shows no number to text to")]
    if not settings.twilio_sender.startswith("+"):
        return []
    if shown == settings.twilio_sender:
        return [Finding(True, f"text_phone of clinic.yml is {shown}")]
    return [Finding(False, f"text_phone of clinic.yml is {shown}, and texts come from {settings.twilio_sender}")]


def _set(value: str, without: str) -> str:
    return "set" if value else f"not set: {without}"


def _but(url: str, reason: str) -> str:
    return f": {reason}" if url and not url.startswith("https://") else ""


def _texts(wording: SmsWording) -> list[Finding]:
    found = []
    for name, text in wording.all().items():
        count, kind = segments(text), encoding(text)
        if count > 1 or kind != "GSM-7":
            found.append(Finding(False, f"the text {name}: {length(text)} characters in {kind}, {count} segments; one is wanted"))
    return found or [Finding(True, "each text of bot/sms/wording.yml is one segment of GSM-7")]


def _inbound(settings: Settings, urls: list[str]) -> list[Finding]:
    wanted, found = settings.public_url + INBOUND, []
    for url in urls:
        right = url.partition("#")[0] == wanted
        found.append(Finding(right, f"Twilio sends texts to {url or 'nowhere'}" + ("" if right else f", not to {wanted}")))
    return found or [Finding(False, "Twilio's account has no number for STIPPLE_TWILIO_SENDER")]


def _twiml(text: str) -> str:
    return f"<Response><Message>{escape(text)}</Message></Response>"


def _console(settings: Settings, wording: SmsWording) -> list[Finding]:
    base = settings.public_url or "https://your-address"
    replies = {"STOP": "stopped", "START": "started", "HELP": "help"}
    lines = (
        "",
        "In Twilio's console, at the Messaging Service (Integration, Send a webhook) or else at the number (Messaging):",
        f"  A message comes in: webhook, HTTP POST, {base}{INBOUND}{RETRIES}",
        f"  Fallback, for when the server is away: a TwiML Bin with {_twiml(wording.text('broken'))}",
        f"  Delivery status callback: {base}{STATUS}",
        "  Smart Encoding: may stay off, texts are plain already",
        "  Advanced Opt-Out: take YES off its words; its replies:",
        *(f"    {word}: {wording.text(name)}" for word, name in replies.items()),
    )
    return [Finding(None, line) for line in lines]
